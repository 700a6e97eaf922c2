"""Ranks of values among sorted ones, in operations that compile, export and run on every backend."""

import keras
import numpy as np

from ae_zoo.typing import Tensor


def ranks(kept: Tensor, first: Tensor, size: int, values: Tensor) -> Tensor:
    """Returns how many of some sorted values are less than each value, int32 of its shape, by bisection.

    Args:
        kept: sorted values, one list behind the other, `(lists * size,)`.
        first: where the list of each value begins, int32, of the shape of `values` or one that broadcasts to it.
        size: length of each list.
        values: what to look up.
    """
    ops = keras.ops
    found = ops.zeros_like(values, dtype="int32")
    for step in 2 ** np.arange(size.bit_length() - 1, -1, -1, dtype="int32"):
        tried = found + step
        at = ops.take(kept, first + ops.minimum(tried, size) - 1, axis=0)
        found = ops.where(ops.logical_and(tried <= size, at < values), tried, found)
    return found
