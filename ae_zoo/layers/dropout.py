"""Dropout of hidden units."""

from typing import Any

import keras

from ae_zoo.layers import noise
from ae_zoo.typing import Tensor

SCALE, ALPHA = 1.0507009873554805, 1.6732632423543772  # selu's (Klambauer et al. 2017, equation 14)
# What a dropped unit is set to: where its activation ends for very negative inputs.
DROPPED = {"selu": -SCALE * ALPHA}


@keras.saving.register_keras_serializable("ae_zoo")
class Dropout(keras.layers.Layer):
    """Drops a random share of the units in training, other units for each row; at inference it does nothing.

    A dropped unit is 0, and the others are divided by 1 - rate, so that each unit keeps its mean (Srivastava et al. 2014).
    After selu that would break what the activation is made for: units with mean 0 and variance 1 in every layer. So a dropped
    unit is there -1.758, selu's lowest value, and a line maps all units so that mean 0 and variance 1 stay (alpha dropout,
    Klambauer et al. 2017, section 2; its rates are lower, such as 0.05 or 0.1).

    The numbers are those of `keras.layers.Dropout` and `keras.layers.AlphaDropout`. Keras's dropout takes a generator that
    makes a compiled step on a CPU almost twice as slow; this one takes the generator of `noise.py`.

    Args:
        rate: share of the units to drop, in [0, 1).
        activation: name of the units' activation.

    Input and output: `(batch, ...)`.
    """

    def __init__(self, rate: float, activation: str = "linear", **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.rate, self.activation = rate, activation
        self.seed_generator = keras.random.SeedGenerator(name="dropout")

    def call(self, x: Tensor, training: bool | None = None) -> Tensor:
        if not training or not self.rate:
            return x
        ops = keras.ops
        dropped = DROPPED.get(self.activation, 0.0)
        kept = noise.uniform(ops.shape(x), self.seed_generator) >= self.rate
        x = ops.where(kept, x, ops.full_like(x, dropped))
        if not dropped:
            return x / (1 - self.rate)
        # Of a unit with mean 0 and variance 1, a share of which is set to d, the mean is rate * d, and the variance is
        # (1 - rate) * (1 + rate * d^2).
        return (x - self.rate * dropped) / ((1 - self.rate) * (1 + self.rate * dropped**2)) ** 0.5

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "rate": self.rate, "activation": self.activation}
