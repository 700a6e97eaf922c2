"""What the benchmarks share: the digits, the verdict, and the machine's peak."""

import time
from collections.abc import Callable

import numpy as np

from ae_zoo.data import Digits, load_mnist


def digits() -> Digits:
    loaded = load_mnist()
    print(f"Data: {loaded}" + ("" if loaded.full else "; the targets are for full MNIST"), flush=True)
    return loaded


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
