"""A dense layer with the kernel of another."""

import types
from collections.abc import Callable
from typing import Any

import keras

from ae_zoo.typing import Tensor


@keras.saving.register_keras_serializable("ae_zoo")
class TiedDense(keras.layers.Layer):
    """A dense layer with the transposed kernel of another layer, and its own bias.

    Args:
        mirror: the dense layer `(batch, a)` to `(batch, b)` whose kernel it shares.
        activation: as in `keras.layers.Dense`.
        use_bias: the same.

    Input `(batch, b)`, output `(batch, a)`.
    """

    def __init__(
        self,
        mirror: keras.layers.Dense,
        activation: str | Callable[[Tensor], Tensor] | None = None,
        use_bias: bool = True,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        # Hidden from Keras: it would save the bias of a layer within here too, and clear its penalties at each call.
        self._mirror = types.SimpleNamespace(layer=mirror)
        self.activation = keras.activations.get(activation)
        self.use_bias = use_bias

    @property
    def mirror(self) -> keras.layers.Dense:
        """The layer whose kernel this one shares."""
        return self._mirror.layer

    def build(self, input_shape: tuple[int | None, ...]) -> None:
        self.kernel = self.mirror.kernel  # (a, b), the same variable
        if self.use_bias:
            self.bias = self.add_weight(shape=(self.kernel.shape[0],), initializer="zeros", name="bias")

    def call(self, x: Tensor) -> Tensor:
        output = keras.ops.matmul(x, keras.ops.transpose(self.kernel))  # (batch, a)
        return self.activation(output + self.bias if self.use_bias else output)

    def get_config(self) -> dict[str, Any]:
        return {
            **super().get_config(),
            "mirror": keras.saving.serialize_keras_object(self.mirror),
            "activation": keras.activations.serialize(self.activation),
            "use_bias": self.use_bias,
        }

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> "TiedDense":
        return cls(keras.saving.deserialize_keras_object(config.pop("mirror")), **config)
