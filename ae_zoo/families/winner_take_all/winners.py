"""The layer that keeps a code's largest activations and sets the others to zero."""

from typing import Any

import keras

from ae_zoo.families.configs import WinnersRule
from ae_zoo.typing import Tensor

MOMENTUM = 0.95  # of the thresholds' moving average: about the last twenty steps


def kth_largest(h: Tensor, k: Tensor, axis: int) -> Tensor:
    """Returns the k-th largest value of `h` along an axis, kept with length 1; 0 where fewer than k are above zero.

    It is exact, and ten times as fast as a compiled sort or top-k on a CPU: positive floats have the same order as their
    bits read as integers, so each round finds one bit of the answer by counting how many values reach it. `k` may be a
    tensor, because the size of a batch may not be known in advance.
    """
    ops = keras.ops
    h, k = ops.cast(ops.stop_gradient(h), "float32"), ops.cast(k, "float32")

    def settle(index: Tensor, bits: Tensor) -> Tensor:
        raised = bits + ops.left_shift(1, 30 - index)
        reaching = ops.sum(ops.cast(h >= ops.view(raised, "float32"), "float32"), axis=axis, keepdims=True)
        return ops.where(reaching >= k, raised, bits)

    none = ops.zeros_like(ops.sum(h, axis=axis, keepdims=True), dtype="int32")
    bits = ops.fori_loop(0, 31, settle, none)
    return ops.view(ops.where(bits < 2**23, 0, bits), "float32")  # smaller floats are zero to a CPU


@keras.saving.register_keras_serializable("ae_zoo")
class Winners(keras.layers.Layer):
    """Keeps the largest activations, with their gradients, and sets the others to zero.

    Only an activation above zero can win, so fewer are kept where fewer are above zero. Equal activations win or lose
    together: where two share the last place, both are kept.

    Args:
        share: share of the activations that win: k = max(1, round(share * n)) of n.
        rule: `"lifetime"`: in training each unit keeps its k largest over the n rows of the batch. Of a map
            `(batch, rows, columns, units)` each row first keeps the one largest value of each unit, and those compete over
            the batch (Makhzani and Frey 2015, section 3).
            `"k_sparse"`: each row keeps the k largest of its n units, at inference too (Makhzani and Frey 2013).
        threshold: with `"lifetime"`: training follows each unit's k-th largest activation by a moving average, and
            inference keeps what reaches it; of a map it keeps each row's one largest value first. Without it, inference
            leaves the code as it is.
        alpha: with `"k_sparse"`: inference keeps alpha times as many units.

    Input and output: `(batch, units)` or `(batch, rows, columns, units)`.
    """

    def __init__(
        self, share: float, rule: WinnersRule = "lifetime", threshold: bool = False, alpha: float = 1.0, **kwargs: Any
    ) -> None:
        super().__init__(**kwargs)
        self.share, self.rule, self.follows, self.alpha = share, rule, threshold, alpha

    def build(self, input_shape: tuple[int | None, ...]) -> None:
        if self.follows:
            # Not rounded to half precision when it is read.
            self.threshold = self.add_weight(
                shape=(input_shape[-1],), initializer="zeros", trainable=False, autocast=False, name="threshold"
            )

    def call(self, h: Tensor, training: bool | None = None) -> Tensor:
        if self.rule == "k_sparse":
            return self._k_sparse(h, 1.0 if training else self.alpha)
        if not (training or self.follows):
            return h
        ops = keras.ops
        tops = h
        if len(h.shape) == 4:
            tops = ops.max(h, axis=(1, 2), keepdims=True)  # (batch, 1, 1, units)
            h = _only(h, h >= tops)  # (batch, rows, columns, units)
        if not training:
            return _only(h, ops.cast(h, "float32") >= self.threshold)
        bar = kth_largest(tops, _count(self.share, ops.shape(h)[0]), axis=0)  # (1, ..., units)
        if self.follows:
            seen, old = ops.reshape(bar, (-1,)), self.threshold.value
            # The first step, and the first in which a unit becomes active, takes the value as it is.
            self.threshold.assign(ops.where(old > 0, MOMENTUM * old + (1 - MOMENTUM) * seen, seen))
        return _only(h, ops.cast(h, "float32") >= bar)

    def _k_sparse(self, h: Tensor, times: float) -> Tensor:
        rows = keras.layers.Flatten()(h) if len(h.shape) > 2 else h  # (batch, n)
        bar = kth_largest(rows, _count(self.share * times, rows.shape[1]), axis=1)  # (batch, 1)
        bar = keras.ops.reshape(bar, (-1,) + (1,) * (len(h.shape) - 1))
        return _only(h, keras.ops.cast(h, "float32") >= bar)

    def get_config(self) -> dict[str, Any]:
        own = {"share": self.share, "rule": self.rule, "threshold": self.follows, "alpha": self.alpha}
        return {**super().get_config(), **own}


def _count(share: float, n: Tensor) -> Tensor:
    """Returns k for n activations; n is a number or a tensor."""
    return keras.ops.maximum(1.0, keras.ops.round(share * keras.ops.cast(n, "float32")))


def _only(h: Tensor, wins: Tensor) -> Tensor:
    """Returns `h` where it wins and is above zero, else 0, which has no gradient."""
    wins = keras.ops.logical_and(wins, h > 0)
    return h * keras.ops.stop_gradient(keras.ops.cast(wins, h.dtype))  # a NaN stays one, so that training stops
