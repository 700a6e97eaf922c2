"""Paths through the space of codes: between two rows, and along one unit.

They ask of a model only `encode` and `decode`, so they work for every family and for `PCA`. Codes that are feature maps
are handled as the vectors that they are when laid flat, and handed back in their shape.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np

from ae_zoo.errors import AEZooError, unknown

PATHS = ("linear", "spherical")


def interpolate(model: Any, a: Any, b: Any, steps: int = 10, how: str = "linear") -> np.ndarray:
    """Rows `(steps, *input_shape)`, in the data's units, along a path between the codes of two rows.

    Args:
        model: an `Autoencoder` or a fitted `PCA`.
        a, b: the rows `(*input_shape)` where the path begins and ends; its ends are their reconstructions.
        steps: rows on the path, both ends counted.
        how: `"linear"`, or `"spherical"`: the direction turns at an even rate from one code to the other and the length
            goes evenly from one length to the other (Shoemake 1985 for equal lengths). Where the codes prefer a shell
            around the origin, as under a wide Gaussian prior, a straight path would cut through its empty middle.
            Codes that point the same way or opposite ways, or a code of zeros, leave no single turn: the path is then
            linear.

    Raises:
        ValueError: for rows of another shape, less than two steps, or an unknown path.
    """
    if how not in PATHS:
        raise unknown("path", how, PATHS)
    if steps < 2:
        raise AEZooError(f"steps must be at least 2, the two ends; received {steps!r}.")
    (p, q), shape = _flat(model.encode(np.concatenate([model.schema.row(a, "a"), model.schema.row(b, "b")])))
    share = np.linspace(0, 1, steps)[:, None]
    codes = (1 - share) * p + share * q if how == "linear" else _turn(p, q, share)
    return model.decode(codes.reshape(steps, *shape).astype("float32"))


def traverse(
    model: Any, x: Any, unit: int, values: Sequence[float] | None = None, *, rows: Any = None, steps: int = 9
) -> np.ndarray:
    """Rows `(values, *input_shape)`, in the data's units: a row's reconstruction as one unit of its code changes.

    Args:
        model: an `Autoencoder` or a fitted `PCA`.
        x: the row `(*input_shape)` around whose code to walk.
        unit: the one to change, counted in the flat code.
        values: what to set it to. Default: `steps` quantiles from 1 % to 99 % of that unit over `rows`, or `steps`
            values from -3 to 3, three standard deviations of a standard normal prior, where no rows are given.
        rows: `(n, *input_shape)`.
        steps: how many values, where none are given.

    Raises:
        ValueError: for rows of another shape, or a unit that the code does not have.
    """
    (code,), shape = _flat(model.encode(model.schema.row(x)))
    if not -code.size <= unit < code.size:
        raise AEZooError(f"unit must be from 0 to {code.size - 1}, the code's units; received {unit!r}.")
    if values is None and rows is not None:
        values = np.quantile(_flat(model.encode(rows))[0][:, unit], np.linspace(0.01, 0.99, steps))
    elif values is None:
        values = np.linspace(-3, 3, steps)
    codes = np.repeat(code[None], len(values), axis=0)
    codes[:, unit] = values
    return model.decode(codes.reshape(len(codes), *shape))


def _flat(codes: np.ndarray) -> tuple[np.ndarray, tuple[int, ...]]:
    """(codes `(n, units)`, the shape of one)."""
    return codes.reshape(len(codes), -1), codes.shape[1:]


def _turn(p: np.ndarray, q: np.ndarray, share: np.ndarray) -> np.ndarray:
    """Codes `(steps, units)` from `p` to `q`: the angle and the length go evenly with `share` `(steps, 1)`."""
    lengths = np.linalg.norm(p), np.linalg.norm(q)
    cosine = np.dot(p, q) / max(lengths[0] * lengths[1], 1e-30)
    if min(lengths) == 0 or 1 - abs(cosine) < 1e-6:
        return (1 - share) * p + share * q
    angle = np.arccos(cosine)
    direction = (np.sin((1 - share) * angle) * p / lengths[0] + np.sin(share * angle) * q / lengths[1]) / np.sin(angle)
    return direction * ((1 - share) * lengths[0] + share * lengths[1])
