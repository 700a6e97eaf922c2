"""Scales that are bent: from the values of a long-tailed number to those of a normal distribution, and back."""

import statistics
from collections.abc import Sequence
from typing import Any

import numpy as np

from ae_zoo.typing import Array, Tensor

KNOTS = 33
APART = 5  # rows that are at least between two knots, so that no slope comes from two values that happen to be close
NEAREST = float(np.finfo("float32").tiny)  # two knots; float32 takes nearer ones for one


def normal_scores(values: Array, counts: Array) -> tuple[tuple[float, ...], tuple[float, ...]]:
    """Returns the knots of a piecewise-linear map of a number to a normal distribution of mean 0 and variance 1.

    A value's score is the normal quantile of its rank (van der Waerden 1952), as in scikit-learn's `QuantileTransformer`;
    equal values have the middle of their ranks. The knots are evenly spaced in the scores. In the end the scores are shifted
    and scaled, so that the mapped rows have mean 0 and variance 1 also where many are equal.

    Args:
        values: increasing, at least two different ones, `(m,)`.
        counts: how many rows have each value, `(m,)`.

    Returns:
        The knots and their scores, both strictly increasing.
    """
    normal = statistics.NormalDist()
    share = (np.cumsum(counts) - counts / 2) / counts.sum()
    ends = normal.inv_cdf(float(share[0])), normal.inv_cdf(float(share[-1]))
    wanted = np.array([normal.cdf(score) for score in np.linspace(*ends, KNOTS)])
    last, apart = len(values) - 1, APART / counts.sum()
    chosen = [0]
    for place in np.searchsorted((share[1:] + share[:-1]) / 2, wanted):  # the nearest
        far = share[place] - share[chosen[-1]] >= apart and share[last] - share[place] >= apart
        if far and min(values[place] - values[chosen[-1]], values[last] - values[place]) > NEAREST:
            chosen.append(int(place))
    chosen.append(last)
    knots, scores = values[chosen], np.array([normal.inv_cdf(float(share[place])) for place in chosen])
    mapped = np.interp(values, knots, scores)
    mean = np.average(mapped, weights=counts)
    spread = np.sqrt(np.average(np.square(mapped - mean), weights=counts))
    return tuple(map(float, knots)), tuple(map(float, (scores - mean) / spread))


class Bent:
    """Increasing functions of straight pieces, one a column, by operations that NumPy and Keras both have.

    Beyond the first and the last knot a function goes on as it does just inside.

    Args:
        x: the knots of each column, strictly increasing, at least two.
        y: the values of each column's function at its knots, strictly increasing.
        dtype: in which it is computed.
    """

    def __init__(self, x: Sequence[Sequence[float]], y: Sequence[Sequence[float]], dtype: str = "float64") -> None:
        # A sum over the pieces, from a knot in the middle: where the ends are far, their size costs no precision there.
        start, (begin, low, high, rise) = np.zeros(len(x)), np.zeros((4, len(x), max(map(len, x)) - 1))
        width, far = np.ones_like(rise), float(np.finfo("float32").max)
        for row, (knots, values) in enumerate(zip(x, y, strict=True)):
            a, b, last = np.asarray(knots, "float64"), np.asarray(values, "float64"), len(knots) - 1
            middle = last // 2
            left = np.arange(last) < middle
            start[row] = b[middle]
            begin[row, :last] = np.where(left, a[1:], a[:-1])
            width[row, :last], rise[row, :last] = np.diff(a), np.diff(b)
            low[row, :last], high[row, :last] = np.where(left, -np.diff(a), 0), np.where(left, 0, np.diff(a))
            low[row, 0], high[row, last - 1] = -far, far
        self.parts = tuple(part.astype(dtype) for part in (start, begin, low, high, width, rise))

    def __call__(self, x: Tensor, ops: Any = np) -> Tensor:
        """Returns the functions of `x` `(n, columns)`, each of its own column; `ops` is NumPy or `keras.ops`."""
        start, begin, low, high, width, rise = self.parts
        share = ops.clip(ops.expand_dims(x, -1) - begin, low, high) / width  # (n, columns, pieces)
        return start + ops.sum(share * rise, axis=-1)
