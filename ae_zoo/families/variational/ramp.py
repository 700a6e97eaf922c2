"""A weight that rises with the number of rows that a model has been trained on."""

from typing import Any

import keras

from ae_zoo.typing import Tensor


@keras.saving.register_keras_serializable("ae_zoo")
class Ramp(keras.layers.Layer):
    """A weight that rises from 0 to 1 with the number of training rows that it has counted.

    Args:
        rows: number of rows over which it rises; 0 for a weight of 1 from the start.

    Call: a batch of rows `(batch, ...)` to the weight, a scalar. A training step counts the rows. Outside training the
    weight is 1, because losses are compared there.
    """

    def __init__(self, rows: int, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.rows = rows
        if rows:
            self.seen = self.add_weight(shape=(), initializer="zeros", dtype="int32", trainable=False, name="seen")
        self.built = True

    def call(self, x: Tensor, training: bool | None = None) -> Tensor:
        ops = keras.ops
        if not self.rows or not training:
            return ops.ones(())
        weight = ops.cast(self.seen, "float32") / self.rows
        self.seen.assign(ops.minimum(self.seen + ops.shape(x)[0], self.rows))
        return weight

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "rows": self.rows}
