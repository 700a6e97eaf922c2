"""Paths through the space of codes: between two rows, and along one unit.

They need only a model's `encode` and `decode`, so they work for every family and for `PCA`. Codes that are feature maps are
flattened to vectors, and decoded in their own shape.
"""

import math
from collections.abc import Sequence
from typing import Literal, TypeAlias, get_args

import numpy as np

from ae_zoo._support import checks
from ae_zoo.errors import AEZooError, short
from ae_zoo.evaluation.reconstructor import Reconstructor, check_model, flat_codes
from ae_zoo.frames import numeric
from ae_zoo.typing import Array, Rows

Path: TypeAlias = Literal["linear", "spherical"]
PATHS: tuple[str, ...] = get_args(Path)


def interpolate(model: Reconstructor, a: Rows, b: Rows, steps: int = 10, how: Path = "linear") -> Array:
    """Returns rows `(steps, *input_shape)`, in the data's units, along a path between the codes of two rows.

    Args:
        model: an `Autoencoder` or a fitted `PCA`.
        a: the row `(*input_shape)` where the path begins; the first row returned is its reconstruction.
        b: the row `(*input_shape)` where the path ends; the last row returned is its reconstruction.
        steps: number of rows on the path, with both ends.
        how: `"linear"`, or `"spherical"`: the direction turns at a constant rate from one code to the other, and the length
            changes at a constant rate (Shoemake 1985 for equal lengths). If codes are mostly in a shell around the origin,
            as with a wide Gaussian prior, a straight path would lead through its empty middle. Between codes of the same or
            of opposite directions, and from or to a code of zeros, the turn is not defined, and the path is linear.

    Raises:
        AEZooError: the argument is not a model, a row has another shape, there are fewer than two steps or too many for
            memory, or the path is unknown.
    """
    check_model(model, "A path")
    checks.choice("path", how, PATHS)
    if checks.count("steps", steps) < 2:
        raise AEZooError(f"steps must be at least 2, the two ends; received {steps!r}.")
    (p, q), shape = flat_codes(model, np.concatenate([model.schema.row(a, "a"), model.schema.row(b, "b")]))
    checks.in_memory("steps", steps, max(p.size, math.prod(model.schema.input_shape)))
    share = np.linspace(0, 1, steps)[:, None]
    codes = (1 - share) * p + share * q if how == "linear" else _turn(p, q, share)
    return model.decode(codes.reshape(steps, *shape).astype("float32"))


def traverse(
    model: Reconstructor,
    x: Rows,
    unit: int,
    values: Sequence[float] | Array | None = None,
    *,
    rows: Rows | None = None,
    steps: int = 9,
) -> Array:
    """Returns rows `(values, *input_shape)`, in the data's units: a row's reconstruction while one unit of its code changes.

    Args:
        model: an `Autoencoder` or a fitted `PCA`.
        x: the row `(*input_shape)` whose code is changed.
        unit: index of the unit to change, in the flattened code.
        values: the unit's values. Default: `steps` quantiles from 1 % to 99 % of the unit over `rows`, or, without rows,
            `steps` values from -3 to 3, three standard deviations of a standard normal prior.
        rows: rows `(n, *input_shape)` for the default values.
        steps: number of the default values.

    Raises:
        AEZooError: the argument is not a model, a row has another shape, the code has no such unit, the values are not
            finite numbers, or there are too many steps for memory.
    """
    check_model(model, "A walk")
    (code,), shape = flat_codes(model, model.schema.row(x))
    whole = isinstance(unit, int | np.integer) and not isinstance(unit, bool)
    if not whole or not -code.size <= unit < code.size:
        raise AEZooError(
            f"unit must be a whole number from 0 to {code.size - 1}, an index of the code's units; received {short(unit)}."
        )
    checks.in_memory("steps", steps, max(code.size, math.prod(model.schema.input_shape)))
    if values is None and rows is not None:
        values = np.quantile(flat_codes(model, rows)[0][:, unit], np.linspace(0.01, 0.99, steps))
    elif values is None:
        values = np.linspace(-3, 3, steps)
    at = numeric(values, "values")
    if at.ndim != 1:
        raise AEZooError(f"values must be a list of numbers; received an array of shape {at.shape}.")
    codes = np.repeat(code[None], len(at), axis=0)
    codes[:, unit] = at
    return model.decode(codes.reshape(len(codes), *shape))


def _turn(p: Array, q: Array, share: Array) -> Array:
    """Returns codes `(steps, units)` from `p` to `q`: angle and length change in proportion to `share` `(steps, 1)`."""
    p, q = p.astype("float64"), q.astype("float64")  # the sine of an angle near pi is a small difference
    lengths = np.linalg.norm(p), np.linalg.norm(q)
    straight = (1 - share) * p + share * q
    if min(lengths) == 0:
        return straight
    p, q = p / lengths[0], q / lengths[1]
    angle = 2 * math.atan2(
        np.linalg.norm(p - q), np.linalg.norm(p + q)
    )  # exact near 0 and pi too, unlike the arc cosine
    if math.sin(angle) < 1e-6:
        return straight
    direction = (np.sin((1 - share) * angle) * p + np.sin(share * angle) * q) / math.sin(angle)
    return direction * ((1 - share) * lengths[0] + share * lengths[1])
