"""Scaling, fitted on the training rows, as a layer."""

from typing import Any

import keras
import numpy as np


def fit_scaling(mode: str, x: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """(offset, scale), each `(*features)`, that take rows `x` `(n, *features)` to the mode's range."""
    if mode == "none":
        return np.zeros(x.shape[1:], "float32"), np.ones(x.shape[1:], "float32")
    if mode == "minmax":
        offset, scale = x.min(axis=0), np.ptp(x, axis=0)
    else:
        offset, scale = x.mean(axis=0, dtype="float64"), x.std(axis=0, dtype="float64")
    # The mean of a constant feature is rounded, which must not be blown up to a spread of 1.
    constant = scale <= 1e-12 * np.abs(offset)
    return offset.astype("float32"), np.where(constant, 1.0, scale).astype("float32")


@keras.saving.register_keras_serializable("ae_zoo")
class Scaling(keras.layers.Layer):
    """Scales every feature by what `adapt` saw in the training rows; `invert` takes values back.

    Args:
        mode: `"minmax"` maps the training rows' range to [0, 1], `"standard"` gives them mean 0 and standard deviation
            1, `"none"` leaves them as they are. A feature that is constant in the training rows is only shifted.

    Input and output: `(batch, *features)`, float.
    """

    def __init__(self, mode: str = "none", **kwargs: Any) -> None:
        # float32 whatever the policy: the data's own units may be too large or too fine for half precision.
        super().__init__(**{"trainable": False, "dtype": "float32", **kwargs})
        self.mode = mode
        self.adapted = False

    def build(self, input_shape: tuple[int | None, ...]) -> None:
        if self.mode != "none":
            shape = tuple(input_shape[1:])
            self.offset = self.add_weight(shape=shape, initializer="zeros", trainable=False, name="offset")
            self.scale = self.add_weight(shape=shape, initializer="ones", trainable=False, name="scale")

    def adapt(self, x: np.ndarray) -> None:
        """Fits offset and scale to the rows `x` `(n, *features)`."""
        if self.mode != "none":
            offset, scale = fit_scaling(self.mode, x)
            self.offset.assign(offset)
            self.scale.assign(scale)
        self.adapted = True

    def call(self, x: Any) -> Any:
        return x if self.mode == "none" else (x - self.offset) / self.scale

    def invert(self, x: Any) -> Any:
        """From the model's scale to the data's; NumPy in, NumPy out, and within a graph a tensor."""
        if self.mode == "none":
            return x
        if not isinstance(x, np.ndarray):
            return x * keras.ops.convert_to_tensor(self.scale) + keras.ops.convert_to_tensor(self.offset)
        return x * np.asarray(self.scale) + np.asarray(self.offset)

    def save_own_variables(self, store: Any) -> None:
        store["adapted"] = np.array(self.adapted, "float32")
        if self.mode != "none":
            store["offset"], store["scale"] = np.asarray(self.offset), np.asarray(self.scale)

    def load_own_variables(self, store: Any) -> None:
        self.adapted = bool(np.asarray(store["adapted"]))
        if self.mode != "none":
            self.offset.assign(store["offset"])
            self.scale.assign(store["scale"])

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "mode": self.mode}
