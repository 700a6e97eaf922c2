"""Our default beside PCA, nearest neighbors, forests and PyOD: area under the curve and average precision, ranks and seconds.

`python -m benchmarks detection` runs the open sets of `sets.py`, three seeds, and one-class MNIST;
`python -m benchmarks detection --data FOLDER` runs the `.npz` files of a folder. The list of the sets was fixed before any
detector was run. The default was then chosen by runs on about twenty of them, so its mean over all is somewhat optimistic.
Digits are brought to one brightness first, each row divided by the root of its mean square, which raises all methods.
"""

import argparse
import contextlib
import importlib.util
import json
import os
import subprocess
import sys
import time
import warnings
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
from sklearn.decomposition import PCA
from sklearn.ensemble import IsolationForest
from sklearn.metrics import average_precision_score, roc_auc_score
from sklearn.neighbors import NearestNeighbors

import ae_zoo
from ae_zoo.typing import Array, Rows
from benchmarks import common
from benchmarks.detection import sets

OURS, KNN, FROM_PYOD = "ae_zoo", "kNN (5)", ("ECOD", "PyOD AutoEncoder")
MARGINS = {KNN: 0.01, "PyOD AutoEncoder": 0.05}  # to be above their mean area by
IMAGES = {
    "code": 24,
    "hidden": [256],
    "scaling": "none",
    "output_activation": "linear",
    "loss": "mse",
    "corruption": "gaussian",
    "corruption_amount": 1.0,
}  # of rows whose mean square is 1
Measures = dict[str, dict[str, list[tuple[float, float, float]]]]  # of each set and detector: area, precision, seconds


def pca(train: Array, test: Array, seed: int) -> Array:
    """Error of the components that explain 90 % of the variance."""
    fitted = PCA(0.9, svd_solver="full").fit(train)
    return np.square(test - fitted.inverse_transform(fitted.transform(test))).mean(axis=1)


def neighbors(train: Array, test: Array, seed: int) -> Array:
    """Distance to the fifth nearest training row."""
    return NearestNeighbors(n_neighbors=5).fit(train).kneighbors(test)[0][:, -1]


def forest(train: Array, test: Array, seed: int) -> Array:
    return -IsolationForest(random_state=seed).fit(train).score_samples(test)


def ours(train: Rows, test: Rows, seed: int, members: int = 1, **options: Any) -> Array:
    """Score of `ae_zoo.detect`; a fifth of the training rows is for its threshold, which is not used here."""
    detector = ae_zoo.detect(train, false_alarm_rate=0.2, members=members, seed=seed, verbose=0, **options)
    return np.nan_to_num(detector.score(test))


RIVALS: dict[str, Callable[[Array, Array, int], Array]] = {
    "PCA 90 %": pca,
    KNN: neighbors,
    "IsolationForest": forest,
}


@contextlib.contextmanager
def pyod_scores(folder: str) -> Iterator[Callable[[], dict[str, dict]]]:
    """Gives a function that returns the next split's scores and seconds of PyOD's detectors; none if it is not installed."""
    if not all(importlib.util.find_spec(name) for name in ("pyod", "torch")):
        print("  pyod and torch are not installed; ECOD and PyOD's AutoEncoder were not run")
        yield dict
        return
    threads = os.environ.get("OMP_NUM_THREADS", str(os.cpu_count()))
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks.detection.pyod_scores", folder, threads],
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    )
    answers = (json.loads(line) for line in done.stdout.splitlines() if line.startswith("{"))
    yield lambda: {name: answer for name, answer in next(answers).items() if name in FROM_PYOD}


def measured(folder: str) -> Measures:
    found: Measures = {}
    with pyod_scores(folder) as of_pyod:
        for problem in sets.folder(folder) if folder else sets.problems():
            for seed in common.seeds():
                each = sets.split(problem, seed)
                scores = {
                    name: timed(rival, each.train_numbers, each.test_numbers, seed) for name, rival in RIVALS.items()
                }
                scores |= {name: (np.array(answer["scores"]), answer["seconds"]) for name, answer in of_pyod().items()}
                scores[OURS] = timed(ours, each.train, each.test, seed)
                for name, (score, seconds) in scores.items():
                    area = roc_auc_score(each.strange, score)
                    precision = average_precision_score(each.strange, score)
                    found.setdefault(problem.name, {}).setdefault(name, []).append((area, precision, seconds))
            print(f"  {problem.name}: {len(problem.frame):,} rows of {problem.frame.shape[1]}", flush=True)
    return found


def timed(function: Callable[..., Array], *arguments: object) -> tuple[Array, float]:
    begin = time.perf_counter()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        scores = function(*arguments)
    return scores, time.perf_counter() - begin


def table(found: Measures) -> None:
    """Prints area under the curve and average precision of each set, then means, ranks and seconds."""
    detectors = list(next(iter(found.values())))
    cells = {name: {d: np.mean(rows, axis=0) for d, rows in each.items()} for name, each in found.items()}
    for place, what in enumerate(("area under the ROC curve", "average precision")):
        print(f"\n  {what}\n  {'':20}" + "".join(f"{d:>18}" for d in detectors))
        values = np.array([[each[d][place] for d in detectors] for each in cells.values()])
        for name, row in sorted(zip(cells, values, strict=True)):
            print(f"  {name:20}" + "".join(f"{value:18.3f}" for value in row))
        ranks = (values[:, None, :] > values[:, :, None] + 1e-9).sum(axis=2) + 1
        lines = {"mean": values.mean(axis=0), "rank": ranks.mean(axis=0)}
        for name, row in lines.items():
            print(f"  {name:20}" + "".join(f"{value:18.3f}" for value in row))
    seconds = [np.mean([each[d][2] for each in cells.values()]) for d in detectors]
    print(f"  {'seconds':20}" + "".join(f"{value:18.2f}" for value in seconds))
    mean = {d: float(np.mean([each[d][0] for each in cells.values()])) for d in detectors}
    for rival, margin in MARGINS.items():
        if rival in mean:
            common.verdict(f"mean area beyond {rival}'s", mean[OURS] - mean[rival], margin, at_most=False)


def mnist() -> None:
    """One digit's training rows against the test digits, for each digit."""
    digits = common.digits()
    areas, begin = [], time.perf_counter()
    for digit in range(10):
        own = digits.x_train[digits.y_train == digit]
        score = ours(bright(own), bright(digits.x_test), 1, fit={"epochs": 20}, family="denoising", **IMAGES)
        areas.append(float(roc_auc_score(digits.y_test != digit, score)))
        print(f"  digit {digit}: {areas[-1]:.4f}", flush=True)
    minutes = (time.perf_counter() - begin) / 60
    common.verdict("one-class MNIST, mean area", float(np.mean(areas)), 0.975, at_most=False)
    common.verdict("one-class MNIST, all ten digits", minutes, 15, at_most=True, unit=" minutes")


def bright(x: Array) -> Array:
    """Returns rows of one brightness: the root of the mean square is 1."""
    return x / np.maximum(np.sqrt(np.square(x).mean(axis=1, keepdims=True)), 1e-6)


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks detection")
    parser.add_argument("--data", default="", metavar="FOLDER", help="a folder of .npz files with X and y")
    folder = parser.parse_args().data
    table(measured(folder))
    if not folder:
        mnist()


if __name__ == "__main__":
    main()
