"""Reconstruction losses: each gives one number a row, a mean over the row's features."""

from typing import Any

import keras


def mse(target: Any, reconstruction: Any) -> Any:
    """Mean squared error of each row: `(batch, *features)` twice, to `(batch,)`."""
    return _row_mean(keras.ops.square(target - reconstruction))


def bce(target: Any, reconstruction: Any) -> Any:
    """Binary cross-entropy of each row in nats a feature: `(batch, *features)` twice, to `(batch,)`.

    Targets are probabilities in [0, 1]; the trainer and `reconstruction_error` refuse others. For grey values the
    smallest possible value is not zero but the target's own entropy.
    """
    ops = keras.ops
    p = ops.clip(reconstruction, 1e-7, 1 - 1e-7)
    return _row_mean(-(target * ops.log(p) + (1 - target) * ops.log(1 - p)))


def _row_mean(x: Any) -> Any:
    return keras.ops.mean(x, axis=tuple(range(1, len(x.shape))))


RECONSTRUCTION = {"mse": mse, "bce": bce}
