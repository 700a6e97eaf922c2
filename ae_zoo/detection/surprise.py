"""How surprising a value is among those of held-out rows: -log p, in nats, so that different measures can be added up.

Within the held-out values p is the share of values that are at least as large, between them by straight lines over the
logarithm of the value. Beyond the largest, p falls as a power of the value, whose exponent is that of the largest tenth
(Hill 1975), so that of two rows that are stranger than any held-out row, the farther one scores higher.
"""

import numpy as np

from ae_zoo.typing import Array, Tensor

TINY = 1e-12
SHARES = np.concatenate([np.linspace(0.95, 0.1, 18), 0.1 * 0.75 ** np.arange(1, 40)])  # of values that are larger
STEEPEST = 50.0  # exponent of a tail: of a value that is nearly always the same, a small change is no proof


def knots_of(values: Array) -> tuple[Array, Array]:
    """Returns logarithms of values and slopes, each `(k,)`, by which `surprise` says how surprising a value is.

    Args:
        values: of held-out rows, `(n,)`, 0 or more.
    """
    logs = np.log(values.astype("float64") + TINY)
    n = len(logs)
    shares = SHARES[n * SHARES >= 1]
    # Of a value that comes often the first knot counts: no stranger than the share of values that are at least as large.
    at, first = np.unique(np.quantile(logs, 1 - shares, method="higher"), return_index=True)
    surprises = -np.log(shares[first])
    largest = np.sort(logs)[-max(2, n // 10) :]
    largest = largest[largest > np.log(TINY) + 1]  # zeros have no tail
    excess = float((largest[1:] - largest[0]).mean()) if len(largest) > 1 else 0.0
    tail = min(1 / excess, STEEPEST) if excess > 0 else 1.0  # of equal values only the direction is known
    slopes = np.append(np.diff(surprises) / np.maximum(np.diff(at), 1e-9), tail)
    return np.append(at[0] - 1, at).astype("float32"), np.append(surprises[0], slopes).astype("float32")


def surprise(values: Tensor, knots: Array, slopes: Array) -> Tensor:
    """Returns how surprising values `(batch,)` are, in nats: sums of slopes times the distances between knots."""
    import keras

    ops = keras.ops
    logs = ops.log(ops.expand_dims(values, 1) + TINY)
    widths = np.append(np.diff(knots), np.inf).astype("float32")
    return ops.sum(slopes * ops.clip(logs - knots, 0.0, widths), axis=1)
