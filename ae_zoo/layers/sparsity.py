"""Penalties on the code, as activity regularizers."""

from typing import Any

import keras

from ae_zoo.config import RANGES
from ae_zoo.typing import Tensor


@keras.saving.register_keras_serializable("ae_zoo")
class KLSparsity(keras.regularizers.Regularizer):
    """Keeps each code unit's mean activation over the batch near a target, by a KL divergence.

    Each activation is mapped to (0, 1) by its range; with q_j the batch mean of unit j and p the target, both mapped,
    the penalty is

        weight * mean_j [ p log(p / q_j) + (1 - p) log((1 - p) / (1 - q_j)) ]      in nats

    which is the divergence between two Bernoulli variables (Ng 2011, CS294A lecture notes, section 3). It is a mean
    over units where the notes have a sum, because the reconstruction loss is a mean over features: so a weight means the
    same at every width.

    Args:
        target: target of the mean activation, in the activation's own range: (-1, 1) for tanh, (0, 1) for sigmoid.
        weight: weight of the penalty.
        activation: `"tanh"` or `"sigmoid"`.

    Call: code `(batch, ..., units)` to a scalar. Keras divides the result of an activity regularizer by the batch size. A
    function of the batch *mean* needs no such division, so it is undone here.
    """

    def __init__(self, target: float, weight: float, activation: str) -> None:
        self.target, self.weight, self.activation = target, weight, activation

    def __call__(self, code: Tensor) -> Tensor:
        ops = keras.ops
        low, high = RANGES[self.activation]
        p = (self.target - low) / (high - low)
        axes = tuple(range(len(code.shape) - 1))
        code = ops.cast(code, "float32")  # the logarithms need it in mixed precision
        q = (ops.mean(code, axis=axes) - low) / (high - low)  # (units,)
        q = ops.clip(q, 1e-6, 1 - 1e-6)  # a dead or saturated unit has a finite penalty
        divergence = p * ops.log(p / q) + (1 - p) * ops.log((1 - p) / (1 - q))
        batch = ops.cast(ops.shape(code)[0], code.dtype)
        return self.weight * ops.mean(divergence) * batch

    def get_config(self) -> dict[str, Any]:
        return {"target": self.target, "weight": self.weight, "activation": self.activation}


@keras.saving.register_keras_serializable("ae_zoo")
class L1Sparsity(keras.regularizers.Regularizer):
    """`weight` times the mean absolute activation, over rows and units; `keras.regularizers.L1` sums over units.

    Args:
        weight: weight of the penalty.

    Call: code `(batch, ..., units)` to a scalar.
    """

    def __init__(self, weight: float) -> None:
        self.weight = weight

    def __call__(self, code: Tensor) -> Tensor:
        code = keras.ops.cast(code, "float32")
        batch = keras.ops.cast(keras.ops.shape(code)[0], "float32")
        return self.weight * keras.ops.mean(keras.ops.abs(code)) * batch

    def get_config(self) -> dict[str, Any]:
        return {"weight": self.weight}
