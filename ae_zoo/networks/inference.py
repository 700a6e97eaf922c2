"""Running a network over many rows in NumPy, fast and without a tracing for every size."""

import contextlib
from typing import Any

import keras
import numpy as np

from ae_zoo._support.quiet import quiet_log
from ae_zoo.errors import AEZooError

FEW = 128  # rows for which a compiled function does not pay


class Views:
    """Holds the networks that the verbs run. Keras does not look into it, so they are not saved with the model."""

    def __init__(self) -> None:
        self.networks: dict[str, keras.Model] = {}
        self.warned = False  # that the model has not been trained


def in_batches(network: keras.Model, x: np.ndarray, batch_size: int) -> np.ndarray:
    """The network's output for all rows in one float32 array, computed a few rows at a time.

    `predict_on_batch` in a loop rather than `predict`, which copies all rows first and keeps the parts twice. The last
    batch begins early enough to be a full one, as every other size is another tracing; so a few rows are not compiled.
    """
    if batch_size < 1:
        raise AEZooError(f"batch_size must be at least 1; received {batch_size!r}.")
    if len(x) <= FEW:
        return _float32(network(x))
    size = min(batch_size, len(x))
    result = None
    with no_retracing_alarm():
        for start in range(0, len(x), size):
            start = min(start, len(x) - size)
            part = _float32(network.predict_on_batch(x[start : start + size]))
            if result is None:
                result = np.empty((len(x), *part.shape[1:]), part.dtype)
            result[start : start + size] = part
    return result


def _float32(x: Any) -> np.ndarray:
    """As float32, which a model in half precision gives as an array that NumPy cannot compute with."""
    return np.asarray(keras.ops.convert_to_numpy(keras.ops.cast(x, "float32")))


def no_retracing_alarm() -> contextlib.AbstractContextManager[None]:
    """TensorFlow tells functions apart by their address, and warns of retracing when a new one gets an old address."""
    return quiet_log("triggered tf.function retracing")
