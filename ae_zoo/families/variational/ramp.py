"""A weight that rises with the rows that a model has been trained on."""

from typing import Any

import keras


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
