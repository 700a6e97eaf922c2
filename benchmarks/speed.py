"""Seconds an epoch and the share of the machine's matrix-product peak, beside bare loops and plain Keras.

The bare compiled loop is Keras's own step of the same model, an epoch in one call compiled by XLA, and nothing else.

Work is counted as 6 FLOP a weight and row (forward, and two products backward), the usual convention; the one product
that nobody computes, the gradient of the input, is counted too. The line "products alone" is the ceiling for these
shapes: the products of a step and nothing else, through TensorFlow.
"""

import importlib.util
import itertools
import time

import keras
import numpy as np
import tensorflow as tf

import ae_zoo
from benchmarks import common

BATCH, EPOCHS, ROUNDS = 256, 4, 3
# hidden layers, code, and the targets: share of the peak, and time against the PyTorch loop
NETWORKS = {
    "784-100-784": ((), 100, 0.60, 0.8),
    "784-300-100-300-784": ((300,), 100, 0.75, 0.8),
    "784-1000-500-250-30 mirrored": ((1000, 500, 250), 30, None, None),
}


def main() -> None:
    x = common.digits().x_train
    peaks = [common.peak()]
    for name, (hidden, code, target, torch_target) in NETWORKS.items():
        widths = [784, *hidden, code, *reversed(hidden), 784]
        ways = {
            "products alone": lambda w=widths: products(x, w),
            "ae_zoo.fit, defaults": lambda h=hidden, c=code: zoo(x, h, c),
            "bare compiled loop": lambda h=hidden, c=code: compiled_loop(x, h, c),
            "plain Keras fit": lambda h=hidden, c=code: plain_keras(x, h, c),
        }
        if importlib.util.find_spec("torch") is not None:
            ways["bare PyTorch loop"] = lambda w=widths: common.alone("benchmarks.torch_loop", *w)
        seconds: dict[str, list[float]] = {way: [] for way in ways}
        for _ in range(ROUNDS):  # in turn, so that a drift of the machine meets all of them
            for way, run in ways.items():
                seconds[way] += run()
            peaks.append(common.peak())
        top = max(peaks)
        work = 6 * sum(a * b for a, b in itertools.pairwise(widths)) * len(x)
        print(f"{name}, batch {BATCH}, {len(x):,} rows an epoch; peak {top / 1e9:.0f} GFLOP/s", flush=True)
        for way, times in seconds.items():
            median = float(np.median(times))
            print(
                f"  {way:<22} {median:6.3f} s an epoch (least {min(times):.3f}, most {max(times):.3f}), "
                f"{work / median / top:4.0%} of the peak",
                flush=True,
            )
        ours = float(np.median(seconds["ae_zoo.fit, defaults"]))
        bare = float(np.median(seconds["bare compiled loop"]))
        common.verdict("speed, of the bare compiled loop's", bare / ours, 0.95, at_most=False)
        if target is not None:
            common.verdict("share of the peak", 100 * work / ours / top, 100 * target, at_most=False, unit=" %")
        if "bare PyTorch loop" in seconds:
            ratio = ours / float(np.median(seconds["bare PyTorch loop"]))
            if torch_target is None:
                print(f"  time against the PyTorch loop: {ratio:.2f}")
            else:
                common.verdict("time against the PyTorch loop", ratio, torch_target, at_most=True)
        else:
            print("  PyTorch is not installed; its loop was not run")


def products(x: np.ndarray, widths: list[int]) -> list[float]:
    """Seconds that the products of an epoch's steps take, without the one that no training computes."""
    weights = [tf.random.normal(shape) * 0.05 for shape in itertools.pairwise(widths)]
    batch = tf.constant(x[:BATCH])

    @tf.function
    def step(batch, *weights):
        activations = [batch]
        for weight in weights:
            activations.append(activations[-1] @ weight)
        gradient, gradients = activations[-1], []
        for index in reversed(range(len(weights))):
            gradients.append(tf.matmul(activations[index], gradient, transpose_a=True))
            if index:
                gradient = tf.matmul(gradient, weights[index], transpose_b=True)
        return gradients

    step(batch, *weights)

    def epoch() -> None:
        for _ in range(len(x) // BATCH):
            result = step(batch, *weights)
        result[0].numpy()

    return [common.best_seconds(epoch, 1) for _ in range(EPOCHS)]


def zoo(x: np.ndarray, hidden: tuple[int, ...], code: int) -> list[float]:
    """Training seconds for as many rows as `x` has, from the rate that `fit` reports: compiling and validation apart.

    As many epochs as by default, because a shorter run of a small network is not worth compiling.
    """
    model = ae_zoo.build("undercomplete", 784, hidden=hidden, code=code, seed=1)
    result = ae_zoo.fit(model, x, batch_size=BATCH, verbose=0)
    return [len(x) / result.rows_per_second]


def compiled_loop(x: np.ndarray, hidden: tuple[int, ...], code: int) -> list[float]:
    model = ae_zoo.build("undercomplete", 784, hidden=hidden, code=code, seed=1)
    model.compile(optimizer=keras.optimizers.Adam())
    model.optimizer.build(model.trainable_variables)
    steps = len(x) // BATCH

    @tf.function(jit_compile=True)
    def epoch(rows: tf.Tensor, order: tf.Tensor) -> None:
        for step in tf.range(steps):
            model.train_step((tf.ensure_shape(tf.gather(rows, order[step]), (BATCH, 784)),))

    rows, seconds = tf.constant(x), []
    for number in range(EPOCHS):
        order = np.random.default_rng(number).permutation(len(x))[: steps * BATCH].reshape(steps, BATCH)
        begin = time.perf_counter()
        epoch(rows, tf.constant(order.astype("int32")))
        model.trainable_variables[0].numpy()
        seconds.append(time.perf_counter() - begin)
    return seconds[1:]


def plain_keras(x: np.ndarray, hidden: tuple[int, ...], code: int) -> list[float]:
    model = keras.Sequential([keras.Input((784,))])
    for width in (*hidden, code, *reversed(hidden)):
        model.add(keras.layers.Dense(width, activation="linear" if width == code else "selu"))
    model.add(keras.layers.Dense(784, activation="sigmoid"))
    model.compile("adam", "mse")
    watch = Epochs()
    model.fit(x, x, batch_size=BATCH, epochs=EPOCHS, verbose=0, callbacks=[watch])
    return watch.seconds[1:]


class Epochs(keras.callbacks.Callback):
    def __init__(self):
        super().__init__()
        self.seconds = []

    def on_epoch_begin(self, epoch, logs=None):
        self.begin = time.perf_counter()

    def on_epoch_end(self, epoch, logs=None):
        self.seconds.append(time.perf_counter() - self.begin)


if __name__ == "__main__":
    main()
