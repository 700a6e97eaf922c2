"""What the benchmarks share: the digits, the verdict, and the machine's peak."""

import os
import subprocess
import sys
import time
from collections.abc import Callable

import numpy as np

from ae_zoo.data import Digits, load_mnist


def digits() -> Digits:
    loaded = load_mnist()
    print(f"Data: {loaded}" + ("" if loaded.full else "; the targets are for full MNIST"), flush=True)
    return loaded


def seeds() -> list[int]:
    """Three, or as many as AE_ZOO_SEEDS says: `AE_ZOO_SEEDS=1` for a first look."""
    return list(range(1, 1 + int(os.environ.get("AE_ZOO_SEEDS", "3"))))


def over_seeds(
    experiment: Callable[[Digits, int], dict[str, dict[str, float]]],
    digits: Digits,
    papers: dict[str, str] | None = None,
) -> dict[str, dict[str, np.ndarray]]:
    """Runs an experiment for each seed; prints its measures, then their means beside the papers' figures.

    Args:
        experiment: digits and a seed to the measures of each thing that it compares, by name.
        digits: for the experiment.
        papers: the papers' figures, by measure.

    Returns:
        The measures of all seeds, by name and measure.
    """
    found: dict[str, dict[str, list[float]]] = {}
    for seed in seeds():
        begin = time.perf_counter()
        for name, measures in experiment(digits, seed).items():
            each = ", ".join(f"{what} {value:.4g}" for what, value in measures.items())
            print(f"  seed {seed}, {name}: {each}", flush=True)
            for what, value in measures.items():
                found.setdefault(name, {}).setdefault(what, []).append(float(value))
        print(f"  seed {seed}: {time.perf_counter() - begin:.0f} s in all", flush=True)
    for name, measures in found.items():
        for what, values in measures.items():
            ends = f"{min(values):.4g} to {max(values):.4g} over {len(values)} seeds" if len(values) > 1 else "one seed"
            paper = f"; the paper: {papers[what]}" if what in (papers or {}) else ""
            print(f"  {name}, {what}: {np.mean(values):.4g} ({ends}){paper}", flush=True)
    return {name: {what: np.array(values) for what, values in each.items()} for name, each in found.items()}


def verdict(what: str, value: float, target: float, *, at_most: bool, unit: str = "") -> None:
    good = value <= target if at_most else value >= target
    word = "at most" if at_most else "at least"
    print(
        f"  {'reached' if good else 'MISSED '}  {what}: {value:,.3g}{unit} (target: {word} {target:,.3g}{unit})",
        flush=True,
    )


def alone(module: str, *arguments: object) -> list[float]:
    """Returns the numbers that a module prints last, in a process of its own: TensorFlow and PyTorch do not go together."""
    command = [sys.executable, "-m", module, *map(str, arguments)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    return [float(word) for word in done.stdout.strip().splitlines()[-1].split()]


def best_seconds(function: Callable[[], object], repeats: int) -> float:
    times = []
    for _ in range(repeats):
        begin = time.perf_counter()
        function()
        times.append(time.perf_counter() - begin)
    return min(times)


def peak() -> float:
    """The best float32 matrix product on all cores in FLOP/s, NumPy's or TensorFlow's, whichever is faster."""
    import tensorflow as tf

    best = 0.0
    for size in (1024, 2048, 4096):
        a = np.random.default_rng(0).uniform(size=(size, size)).astype("float32")
        t = tf.constant(a)
        for product in (lambda a=a: a @ a, lambda t=t: (t @ t).numpy()):
            product()
            best = max(best, 2 * size**3 / best_seconds(product, 8))
    return best
