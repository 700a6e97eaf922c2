"""The search: what it costs beside a plain loop, what a second worker gains, and what ten minutes find.

`python -m benchmarks.search grid workers ten` runs some of the parts.
"""

import sys
import tempfile
import time
from pathlib import Path

import numpy as np

import ae_zoo
from ae_zoo.chapter import architectures
from ae_zoo.data import Digits
from benchmarks import common

BOOK = [*architectures.SPACE.values()]
SMALL = {"code": 16, "depth": [1, 2], "width": (32, 128), "epochs": 6, "batch_size": 256}
PIXELS = 784


def main() -> None:
    digits = common.digits()
    parts = {"grid": grid, "workers": workers, "ten": ten_minutes}
    for part in sys.argv[1:] or parts:
        with tempfile.TemporaryDirectory() as folder:
            parts[part](digits, Path(folder))


def grid(digits: Digits, folder: Path) -> None:
    x = digits.x_train
    ae_zoo.fit(ae_zoo.build("undercomplete", 784, seed=1), x[:4096], epochs=1, verbose=0)  # what only a first run costs
    begin = time.perf_counter()
    for options in BOOK:
        ae_zoo.fit(ae_zoo.build("undercomplete", data=x, seed=1, **options), x, verbose=0)
    plain = time.perf_counter() - begin
    begin = time.perf_counter()
    found = ae_zoo.search("undercomplete", x, space=BOOK, directory=folder / "grid", verbose=False)
    searched = time.perf_counter() - begin
    print(f"The book's grid: {plain:.1f} s in a plain loop, {searched:.1f} s by the search", flush=True)
    common.verdict("more than the plain loop", 100 * (searched / plain - 1), 10, at_most=True, unit=" %")
    common.verdict("in total", searched, 60, at_most=True, unit=" s")
    common.verdict("overhead of a trial, the largest", found.leaderboard["overhead"].max(), 2, at_most=True, unit=" s")


def workers(digits: Digits, folder: Path) -> None:
    seconds, trial = {}, {}
    for number in (1, 2):
        begin = time.perf_counter()
        plan = {"space": SMALL, "trials": 24, "workers": number, "directory": folder / str(number), "verbose": False}
        found = ae_zoo.search("stacked", digits.x_train[:20_000], **plan)
        seconds[number] = time.perf_counter() - begin
        trial[number] = found.leaderboard["seconds"].mean()
        rest = found.leaderboard["overhead"].mean()
        print(
            f"24 small networks, {number} workers: {seconds[number]:.1f} s; a trial {trial[number]:.2f} s, of which "
            f"{rest:.2f} s beside its epochs",
            flush=True,
        )
    common.verdict("two workers' time over one's", seconds[2] / seconds[1], 0.7, at_most=True)
    print(
        f"  What limits it: {seconds[2] - 12 * trial[2]:.0f} s until chief and workers have started and after they are done, "
        f"and a trial that takes {trial[2] / trial[1]:.2f} times as long beside another",
        flush=True,
    )


def ten_minutes(digits: Digits, folder: Path) -> None:
    # Hyperband: eight epochs, the default, tell which networks are good, and it is longer trainings that make them so.
    found = ae_zoo.search(
        "stacked",
        digits.x_train,
        space={"code": 30},
        minutes=10,
        tuner="hyperband",
        directory=folder / "ten",
        verbose=True,
    )
    error = PIXELS * float(found.model.reconstruction_error(digits.x_test).mean())
    pca = PIXELS * float(np.mean(ae_zoo.PCA(30).fit(digits.x_train).reconstruction_error(digits.x_test)))
    print(f"Ten minutes at 30 codes: {found}", flush=True)
    print(
        f"  test error summed over pixels {error:.2f}; PCA {pca:.2f}; Hinton and Salakhutdinov's network 3.00",
        flush=True,
    )
    common.verdict("test error summed over pixels", error, 3.6, at_most=True)


if __name__ == "__main__":
    main()
