"""From coded rows to what the networks see, and back: the first layer of every encoder."""

from typing import Any

import keras
import numpy as np

from ae_zoo.schemas import fit_scaling
from ae_zoo.typing import Array, Tensor


class RowLayer(keras.layers.Layer):
    """The first layer of an encoder, from its schema: coded rows `(batch, *input_shape)` to `(batch, *output_shape)`.

    A subclass has `call`, in Keras's operations, and `invert`; it extends `learn` if it depends on the training rows. All
    values are float32.

    Attributes:
        adapted: whether it has seen training rows.
    """

    def __init__(self, **kwargs: Any) -> None:
        # float32 whatever the policy: the data's own units may be too large or too fine for half precision.
        super().__init__(**{"trainable": False, "dtype": "float32", **kwargs})
        self.adapted = False

    def coded(self, x: Any) -> Any:
        """Returns what Keras may be given as rows, coded where it knows how to: here as it is."""
        return x

    def adapt(self, x: Array) -> None:
        """Fits the layer to the training rows `(n, *input_shape)`."""
        self.learn(x)
        self.adapted = True

    def learn(self, x: Array) -> None:
        """Computes the layer's weights from the training rows `(n, *input_shape)`; here there are none."""

    def line(self) -> tuple[Array, Array]:
        """Returns offset and scale of the straight line that takes each number of a coded row to the model's scale.

        Both are `(*input_shape)`, or shapes that stand for it. A scale is NaN where there is no such line.
        """
        return np.zeros(()), np.full((), np.nan)

    def invert(self, target: Tensor) -> Tensor:
        """Returns coded rows `(batch, *input_shape)`, as a tensor, for targets: the inverse of `target`."""
        return target

    def target(self, x: Tensor) -> Tensor:
        """Returns what the networks must give back for coded rows: here what they see, `(batch, *output_shape)`."""
        return self(x)

    def by_feature(self, error: Tensor) -> Tensor:
        """Returns errors `(batch, *output_shape)` as errors of the coded row's numbers `(batch, *input_shape)`."""
        return error

    def by_row(self, error: Tensor) -> Tensor:
        """Returns the error of each row `(batch,)` for those of its numbers `(batch, *input_shape)`: here their mean."""
        return keras.ops.mean(error, axis=tuple(range(1, len(error.shape))))

    def shared(self, error: Tensor) -> Tensor:
        """Returns what each number adds to its row's error, up to a factor a row; both are `(batch, *input_shape)`."""
        return error

    def save_own_variables(self, store: Any) -> None:
        store["adapted"] = np.array(self.adapted, "float32")
        for variable in self.weights:
            store[variable.name] = np.asarray(variable)

    def load_own_variables(self, store: Any) -> None:
        self.adapted = bool(np.asarray(store["adapted"]))
        for variable in self.weights:
            variable.assign(store[variable.name])


@keras.saving.register_keras_serializable("ae_zoo")
class Scaling(RowLayer):
    """Scales every feature by the statistics of the training rows that `adapt` has seen; `invert` reverses it.

    Args:
        mode: `"minmax"` maps the training rows' range to [0, 1]; `"standard"` gives them mean 0 and standard deviation 1;
            `"robust"` gives them median 0 and a distance of 1 between the quartiles; `"none"` leaves them as they are. A
            feature that is constant in the training rows is only shifted.

    Input and output: `(batch, *features)`, float.
    """

    def __init__(self, mode: str = "none", **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.mode = mode

    def build(self, input_shape: tuple[int | None, ...]) -> None:
        if self.mode != "none":
            shape = tuple(input_shape[1:])
            self.offset = self.add_weight(shape=shape, initializer="zeros", trainable=False, name="offset")
            self.scale = self.add_weight(shape=shape, initializer="ones", trainable=False, name="scale")

    def learn(self, x: Array) -> None:
        if self.mode != "none":
            offset, scale = fit_scaling(self.mode, x)
            self.offset.assign(offset.astype("float32"))
            self.scale.assign(scale.astype("float32"))

    def line(self) -> tuple[Array, Array]:
        if self.mode == "none":
            return np.zeros((), "float32"), np.ones((), "float32")
        return np.asarray(self.offset), np.asarray(self.scale)

    def call(self, x: Tensor) -> Tensor:
        return x if self.mode == "none" else (x - self.offset) / self.scale

    def invert(self, target: Tensor) -> Tensor:
        if self.mode == "none":
            return target
        return target * keras.ops.convert_to_tensor(self.scale) + keras.ops.convert_to_tensor(self.offset)

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "mode": self.mode}
