"""What the benchmarks share: the digits, the verdict, and the machine's peak."""

import os
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


def spread(what: str, values: list[float], paper: str) -> float:
    """Prints the mean over the seeds with the least and the most, beside the paper's figure; gives the mean back."""
    mean = float(np.mean(values))
    ends = f" ({min(values):.4g} to {max(values):.4g} over {len(values)} seeds)" if len(values) > 1 else " (one seed)"
    print(f"  {what}: {mean:.4g}{ends}; the paper: {paper}", flush=True)
    return mean


def verdict(what: str, value: float, target: float, *, at_most: bool, unit: str = "") -> None:
    good = value <= target if at_most else value >= target
    word = "at most" if at_most else "at least"
    print(
        f"  {'reached' if good else 'MISSED '}  {what}: {value:,.3g}{unit} (target: {word} {target:,.3g}{unit})",
        flush=True,
    )


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
