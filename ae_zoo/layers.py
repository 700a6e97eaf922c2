"""The zoo's own layers: scaling and corruption, which stand before an encoder, and a dense layer with a tied kernel."""

import types
from typing import Any

import keras
import numpy as np

from ae_zoo import noise


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


@keras.saving.register_keras_serializable("ae_zoo")
class Corruption(keras.layers.Layer):
    """Puts fresh noise on its input at every training step, and none at inference.

    Args:
        kind: `"gaussian"`, `"dropout"`, `"masking"` or `"salt_pepper"`; see `noise.corrupt`.
        amount: standard deviation (gaussian) or share of the features (others).
        low, high: the values that pepper and salt take.
        seed: of the noise; drawn anew if not given.

    Input and output: `(batch, *features)`.
    """

    def __init__(
        self, kind: str, amount: float, low: float = 0.0, high: float = 1.0, seed: int | None = None, **kwargs: Any
    ) -> None:
        super().__init__(**kwargs)
        self.kind, self.amount, self.low, self.high, self.seed = kind, amount, low, high, seed
        self.seed_generator = keras.random.SeedGenerator(seed)

    def call(self, x: Any, training: bool | None = None) -> Any:
        if not training:
            return x
        return noise.KINDS[self.kind](x, self.amount, self.low, self.high, self.seed_generator)

    def get_config(self) -> dict[str, Any]:
        own = {"kind": self.kind, "amount": self.amount, "low": self.low, "high": self.high, "seed": self.seed}
        return {**super().get_config(), **own}


@keras.saving.register_keras_serializable("ae_zoo")
class TiedDense(keras.layers.Layer):
    """A dense layer whose kernel is the transposed kernel of another, and whose bias is its own.

    Args:
        mirror: the dense layer `(batch, a)` to `(batch, b)` whose kernel it shares.
        activation: as of `keras.layers.Dense`.

    Input `(batch, b)`, output `(batch, a)`.
    """

    def __init__(self, mirror: keras.layers.Dense, activation: Any = None, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        # Out of Keras's sight: a layer within would have its bias saved here too, and its penalties cleared by each call.
        self._mirror = types.SimpleNamespace(layer=mirror)
        self.activation = keras.activations.get(activation)

    @property
    def mirror(self) -> keras.layers.Dense:
        """The layer whose kernel this one shares."""
        return self._mirror.layer

    def build(self, input_shape: tuple[int | None, ...]) -> None:
        self.kernel = self.mirror.kernel  # (a, b), the same variable
        self.bias = self.add_weight(shape=(self.kernel.shape[0],), initializer="zeros", name="bias")

    def call(self, x: Any) -> Any:
        return self.activation(keras.ops.matmul(x, keras.ops.transpose(self.kernel)) + self.bias)

    def get_config(self) -> dict[str, Any]:
        return {
            **super().get_config(),
            "mirror": keras.saving.serialize_keras_object(self.mirror),
            "activation": keras.activations.serialize(self.activation),
        }

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> "TiedDense":
        return cls(keras.saving.deserialize_keras_object(config.pop("mirror")), **config)


@keras.saving.register_keras_serializable("ae_zoo")
class Ramp(keras.layers.Layer):
    """A weight that rises from 0 to 1 with the training rows that it has been told of.

    Args:
        rows: over which it rises; 0 for a weight of 1 from the start.

    Call: a batch of rows `(batch, ...)`, which are counted in a training step, to the weight, a scalar. It is 1 outside
    training, where losses are compared.
    """

    def __init__(self, rows: int, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.rows = rows
        if rows:
            self.seen = self.add_weight(shape=(), initializer="zeros", dtype="int32", trainable=False, name="seen")
        self.built = True

    def call(self, x: Any, training: bool | None = None) -> Any:
        ops = keras.ops
        if not self.rows or not training:
            return ops.ones(())
        weight = ops.cast(self.seen, "float32") / self.rows
        self.seen.assign(ops.minimum(self.seen + ops.shape(x)[0], self.rows))
        return weight

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "rows": self.rows}
