"""Peak memory of a training on all digits, and how memory grows with what a long-lived process does again and again.

Growth is that of the resident memory after the first ten times. Python's garbage is collected after each ten times,
because a dropped Keras model is garbage: without that, some 20 MB of it lie about, after 300 builds and after 800. Each
figure has a process of its own, so that none uses what another has freed.
"""

import ctypes
import gc
import multiprocessing
import os
import pathlib
import resource
import sys
import tempfile
from collections.abc import Callable

import numpy as np

import ae_zoo
from benchmarks import common

FIRST, GROWTH = 10, 5  # times; MB
TABLE = np.random.default_rng(0).uniform(size=(3000, 10)).astype("float32")
# 300 numbers of rows, in any order, as requests have them; but the first two need batches of all sizes.
NUMBERS = np.concatenate([[1024, 1023], np.random.default_rng(1).permutation(len(TABLE))[:298] + 1])


def main() -> None:
    for figure in (peak, fits, builds, numbers_of_rows, numbers_of_images, batch_sizes, saves, files, folders):
        process = multiprocessing.get_context("spawn").Process(target=figure)
        process.start()
        process.join()
        if process.exitcode:
            sys.exit(f"{figure.__name__} ended with {process.exitcode}.")


def peak() -> None:
    x = common.digits().x_train
    model = ae_zoo.build("undercomplete", 784, hidden=[], code=100, seed=1)
    ae_zoo.fit(model, x, epochs=3, verbose=0)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 / 1e9
    common.verdict(f"peak memory, {len(x):,} rows of 784", peak, 1.5, at_most=True, unit=" GB")


def fits() -> None:
    x = TABLE[:200]
    growth(
        "fits of a new model, 200 rows of 10",
        300,
        lambda time: ae_zoo.fit(ae_zoo.build("undercomplete", data=x), x, epochs=2, verbose=0),
    )


def builds() -> None:
    growth("builds of one model", 300, lambda time: ae_zoo.build("undercomplete", data=TABLE))


def numbers_of_rows() -> None:
    model = trained("undercomplete", TABLE)
    growth("numbers of rows of 10, four verbs", len(NUMBERS), lambda time: ask(model, TABLE[: NUMBERS[time]]))


def numbers_of_images() -> None:
    x = np.random.default_rng(0).uniform(size=(1024, 28, 28)).astype("float32")
    model = trained("convolutional", x)
    growth("numbers of images, encode", 300, lambda time: model.encode(x[: 1 + (NUMBERS[time] - 1) % len(x)]))


def batch_sizes() -> None:
    model = trained("undercomplete", TABLE)
    growth("batch sizes, encode", len(NUMBERS), lambda time: model.encode(TABLE, batch_size=int(NUMBERS[time])))


def saves() -> None:
    with tempfile.TemporaryDirectory() as folder:
        model, path = trained("undercomplete", TABLE), pathlib.Path(folder) / "model.keras"
        growth("saves", 100, lambda time: model.save(path))


def files() -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = pathlib.Path(folder) / "model.keras"
        trained("undercomplete", TABLE).save(path)
        growth("loads of a .keras file", 100, lambda time: ae_zoo.load(path))


def folders() -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = pathlib.Path(folder) / "model"
        ae_zoo.export(trained("undercomplete", TABLE), path)
        growth("loads of an exported folder", 100, lambda time: ae_zoo.load(path))


def trained(family: str, x: np.ndarray) -> ae_zoo.Autoencoder:
    model = ae_zoo.build(family, data=x, seed=1)
    ae_zoo.fit(model, x[:200], epochs=1, verbose=0)
    return model


def ask(model: ae_zoo.Autoencoder, x: np.ndarray) -> None:
    model.decode(model.encode(x))
    model.reconstruct(x)
    model.reconstruction_error(x)


def growth(what: str, times: int, do: Callable[[int], object]) -> None:
    """Prints by how much memory grows from the tenth time of `do` to the last; `do` takes the number of the time."""
    before = 0.0
    for time in range(times):
        if time == FIRST:
            before = resident()
        elif time % FIRST == 0:
            gc.collect()
        do(time)
    common.verdict(f"growth over {times} {what}", resident() - before, GROWTH, at_most=True, unit=" MB")


def resident() -> float:
    """Returns the megabytes that the process holds and needs."""
    gc.collect()
    ctypes.CDLL(None).malloc_trim(0)
    pages = int(pathlib.Path("/proc/self/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 1e6


if __name__ == "__main__":
    main()
