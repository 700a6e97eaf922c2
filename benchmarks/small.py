"""Small tables: seconds to build and fit with the defaults, beside scikit-learn's MLPRegressor and PyOD's AutoEncoder.

The others train as many epochs, with a batch of the same size and layers of the same widths. The import is not counted.
"""

import importlib.util
import sys
import time
import warnings

import numpy as np
from sklearn.datasets import load_breast_cancer
from sklearn.exceptions import ConvergenceWarning
from sklearn.neural_network import MLPRegressor
from sklearn.preprocessing import StandardScaler

import ae_zoo
from benchmarks import common

REPEATS = 5


def main() -> None:
    x = load_breast_cancer().data.astype("float32")
    (first,) = common.alone(__spec__.name, "first")
    common.verdict("569 x 30, build and fit, first in a process", first, 2.5, at_most=True, unit=" s")
    ours(x)
    times = [ours(x) for _ in range(REPEATS)]
    second = float(np.median(times))
    common.verdict("569 x 30, build and fit, second", second, 0.8, at_most=True, unit=" s")
    epochs, batch, code = _plan(x)
    theirs = float(np.median([_mlp(x, code, batch, epochs) for _ in range(REPEATS)]))
    common.verdict(f"the same over MLPRegressor's {theirs:.2f} s for {epochs} epochs", second / theirs, 1, at_most=True)
    if importlib.util.find_spec("pyod") is None:
        print("  PyOD is not installed; its AutoEncoder was not run")
    else:
        pyod = float(np.median(common.alone(__spec__.name, "pyod", code, batch, epochs)))
        common.verdict(f"the same over PyOD AutoEncoder's {pyod:.2f} s", second / pyod, 1, at_most=True)
    wide = np.random.default_rng(0).normal(size=(10_000, 30)).astype("float32") @ np.random.default_rng(1).normal(
        size=(30, 30)
    ).astype("float32")
    ours(wide)
    common.verdict(
        "10,000 x 30, build and fit", float(np.median([ours(wide) for _ in range(3)])), 4, at_most=True, unit=" s"
    )


def ours(x: np.ndarray) -> float:
    """Returns the seconds of a build and a fit with the defaults."""
    begin = time.perf_counter()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ae_zoo.AEZooWarning)
        ae_zoo.fit(ae_zoo.build("undercomplete", data=x, seed=1), x, verbose=0)
    return time.perf_counter() - begin


def _plan(x: np.ndarray) -> tuple[int, int, int]:
    """Returns epochs, batch size and code width of a default run."""
    model = ae_zoo.build("undercomplete", data=x, seed=1)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ae_zoo.AEZooWarning)
        result = ae_zoo.fit(model, x, verbose=0)
    return result.epochs, model.config.recipe.batch_for(result.rows), model.config.code


def _mlp(x: np.ndarray, code: int, batch: int, epochs: int) -> float:
    begin = time.perf_counter()
    scaled = StandardScaler().fit_transform(x)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        network = MLPRegressor(
            hidden_layer_sizes=(code,),
            activation="identity",
            batch_size=batch,
            max_iter=epochs,
            n_iter_no_change=epochs,
        )
        network.fit(scaled, scaled)
    return time.perf_counter() - begin


def _pyod(x: np.ndarray, code: int, batch: int, epochs: int) -> float:
    from pyod.models.auto_encoder import AutoEncoder

    begin = time.perf_counter()
    AutoEncoder(hidden_neuron_list=[code], batch_size=batch, epoch_num=epochs, verbose=0).fit(x)
    return time.perf_counter() - begin


if __name__ == "__main__":
    if sys.argv[1:] == ["first"]:
        import ae_zoo.families
        import ae_zoo.training.fit
        import ae_zoo.training.steps.on_tensorflow

        print(ours(load_breast_cancer().data.astype("float32")))
    elif sys.argv[1:2] == ["pyod"]:
        print(*(_pyod(load_breast_cancer().data.astype("float32"), *map(int, sys.argv[2:])) for _ in range(3)))
    else:
        main()
