"""Data is checked at the door: every verb and every trainer takes its rows through here."""

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from ae_zoo.errors import AEZooError


def rows(x: Any, shape: tuple[int, ...], name: str = "x", columns: Sequence[str] | None = None) -> np.ndarray:
    """`x` as float32 rows of the given shape, without a copy where it is that already.

    Args:
        x: array-like `(n, *shape)`: an array, nested lists or a data frame.
        shape: the shape of one row.
        name: what the messages call it.
        columns: names of the features; a data frame's columns are put in their order, an array's taken as they come.

    Raises:
        ValueError: `x` is not numeric, empty, of another shape, has other columns, or holds NaN or infinity.
    """
    if columns is not None and hasattr(x, "columns"):
        x = _in_order(x, columns, name)
    x = numeric(x, name)
    if x.shape[1:] != tuple(shape):
        expected = " x ".join(map(str, shape))
        received = " x ".join(map(str, x.shape[1:])) or "a single number"
        hint = ""
        if x.shape == tuple(shape):
            hint = f" For one row, give {name}[None]."
        elif math.prod(x.shape[1:]) == math.prod(shape) and min(len(shape), x.ndim - 1) == 1:
            hint = f" Give {name}.reshape(-1, {', '.join(map(str, shape))})."
        raise AEZooError(f"{name} must have rows of {expected} features; received rows of {received}.{hint}")
    return x


def _in_order(frame: Any, columns: Sequence[str], name: str) -> Any:
    frame = frame.set_axis([str(column) for column in frame.columns], axis=1)
    missing = [column for column in columns if column not in frame.columns]
    other = [column for column in frame.columns if column not in columns]
    if missing or other:
        parts = [
            f"{what} {', '.join(map(repr, some[:3]))}" for what, some in (("lacks", missing), ("adds", other)) if some
        ]
        raise AEZooError(
            f"{name} must have the {len(columns)} columns that the model was built on; it {' and '.join(parts)}."
        )
    return frame[list(columns)]


def numeric(x: Any, name: str = "x", first_row: int = 0) -> np.ndarray:
    """`x` as finite float32 with at least one row; its row shape is free. Messages count rows from `first_row`."""
    array = np.asarray(x)
    if array.dtype.kind not in "fiub":
        raise AEZooError(f"{name} must hold numbers; received values of type {array.dtype}.")
    if array.ndim < 1 or array.size == 0:
        raise AEZooError(f"{name} must hold at least one row; received an array of shape {array.shape}.")
    with np.errstate(over="ignore"):  # a float64 beyond float32 becomes infinite, which the next check reports
        array = np.ascontiguousarray(array, dtype="float32")
    # min and max carry NaN and infinity, and need no array of flags beside the data.
    if not np.isfinite(array.min()) or not np.isfinite(array.max()):
        bad = np.argwhere(~np.isfinite(array))
        where = f"row {first_row + bad[0][0]}" + (
            f", feature {', '.join(map(str, bad[0][1:]))}" if array.ndim > 1 else ""
        )
        raise AEZooError(
            f"{name} must be finite; {len(bad)} of its values are NaN or infinite, the first in {where}. "
            "Drop or fill them first."
        )
    return array


def as_many(y: np.ndarray, x: np.ndarray) -> np.ndarray:
    """`y`; raises `ValueError` where it has not as many rows as `x`."""
    if len(y) != len(x):
        raise AEZooError(f"y must have one entry for each of the {len(x)} rows of x; received {len(y)}.")
    return y


def labels(y: Any, classes: int, name: str = "y") -> np.ndarray:
    """`y` as whole numbers `(n,)` from -1, for "no label", to `classes` - 1.

    Raises:
        ValueError: for another shape, or a value that is no such number.
    """
    array = np.asarray(y)
    if array.ndim == 2 and array.shape[1] == 1:
        array = array[:, 0]
    if array.ndim != 1 or array.dtype.kind not in "iufb" or array.size == 0:
        raise AEZooError(
            f"{name} must be a label for each row, {classes} classes from 0, -1 for none; received {array.dtype} of "
            f"shape {array.shape}."
        )
    if not np.all(np.isin(array, np.arange(-1, classes))):
        strange = array[~np.isin(array, np.arange(-1, classes))][0]
        raise AEZooError(f"{name} must be whole numbers from -1 (no label) to {classes - 1}; received {strange}.")
    return array.astype("int32")


def within_unit(x: np.ndarray, why: str, name: str = "x") -> None:
    """Raises `ValueError` where a value lies outside [0, 1]; `why` says what needs that."""
    low, high = float(x.min()), float(x.max())
    if low < 0 or high > 1:
        raise AEZooError(
            f"{name} must lie in [0, 1], because {why}; received values from {low:g} to {high:g}. "
            "Divide by the largest value, or build the model with scaling='minmax' or with data=x."
        )


def finite_errors(errors: np.ndarray) -> np.ndarray:
    """`errors` `(n, ...)`; raises `ValueError` where one is beyond float32, which would compare with no threshold."""
    if not np.isfinite(errors).all():
        row = int(np.flatnonzero(~np.isfinite(errors.reshape(len(errors), -1)).all(axis=1))[0])
        raise AEZooError(
            f"Row {row} lies so far from the rows that the model was trained on that its error is beyond float32, or the "
            "model has diverged; is the row in the units of the training rows?"
        )
    return errors


def binary(x: np.ndarray, name: str = "x") -> None:
    """Raises `ValueError` where a value is neither 0 nor 1."""
    grey = (x != 0) & (x != 1)
    if grey.any():
        raise AEZooError(
            f"{name} must be zeros and ones, because a Bernoulli likelihood is a probability of those alone and the bce of "
            f"a grey is no log-likelihood; {grey.mean():.1%} of its values are greys: give binarisation='dynamic', say."
        )


def count(name: str, value: Any) -> int:
    """`value`; raises `ValueError` where it is no whole number of at least 1."""
    if isinstance(value, bool) or not isinstance(value, (int, np.integer)) or value < 1:
        raise AEZooError(f"{name} must be a whole number of at least 1; received {value!r}.")
    return int(value)


def finite(name: str, value: Any) -> float:
    """`value` as a float; raises `ValueError` where it is no finite number."""
    try:
        number = float(value)
    except (TypeError, ValueError):
        number = math.nan
    if not math.isfinite(number):
        raise AEZooError(f"{name} must be a finite number; received {value!r}.")
    return number
