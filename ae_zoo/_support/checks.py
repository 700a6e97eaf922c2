"""Checks of single arguments and of results; each raises an error of one sentence."""

import math
from collections.abc import Collection

import numpy as np

from ae_zoo.errors import AEZooError, short, unknown
from ae_zoo.frames import numeric
from ae_zoo.typing import Array, Rows

MOST = 2**31 - 1  # of whatever is counted: rows beyond it fit into no memory, and into no 32-bit index
NUMBERS = 2**28  # that one call may make: 1 GiB in float32, and several times as much on the way


def count(name: str, value: object) -> int:
    """Returns `value` as an int; raises `AEZooError` if it is not a whole number from 1 to `MOST`."""
    if isinstance(value, bool) or not isinstance(value, (int, np.integer)) or value < 1:
        raise AEZooError(f"{name} must be a whole number of at least 1; received {short(value)}.")
    if value > MOST:
        received = f"{value:,}" if value < 10**30 else "a number beyond 10^30"
        raise AEZooError(f"{name} must be at most {MOST:,}; received {received}.")
    return int(value)


def in_memory(name: str, value: object, width: int) -> int:
    """Returns `value` as an int; raises `AEZooError` if it is not a count, or if rows of `width` numbers are too many."""
    rows = count(name, value)
    if rows * width > NUMBERS:
        raise AEZooError(
            f"{name} must be at most {max(NUMBERS // width, 1):,} for rows of {width:,} numbers, because of the memory; "
            f"received {rows:,}: make them in several calls."
        )
    return rows


def choice(what: str, value: object, known: Collection[str]) -> None:
    """Raises `AEZooError` if `value` is not one of the words `known`, each the name of a `what`."""
    if not isinstance(value, str) or value not in known:
        raise unknown(what, value, known)


def finite(name: str, value: object) -> float:
    """Returns `value` as a float; raises `AEZooError` if it is not a real number, or not finite in float32."""
    try:
        # Types are ignored here, because the value may be anything. Texts have a float too, NumPy drops the imaginary
        # part of a complex number, and some lists are one number.
        real = np.ndim(value) == 0 and np.asarray(value).dtype.kind in "iufO"  # type: ignore[arg-type]
        number = float(value) if real else math.nan  # type: ignore[arg-type]
    except (TypeError, ValueError, OverflowError):
        number = math.nan
    if not math.isfinite(number):
        raise AEZooError(f"{name} must be a finite number; received {short(value)}.")
    if abs(number) > float(np.finfo("float32").max):
        raise AEZooError(f"{name} must be a finite number in float32, up to 3.4e38; received {number:g}.")
    return number


def share(name: str, value: object) -> float:
    """Returns `value` as a float; raises `AEZooError` if it is not a number between 0 and 1."""
    number = finite(name, value)
    if not 0 < number < 1:
        raise AEZooError(f"{name} must lie between 0 and 1; received {number:g}.")
    return number


def weights(value: Rows, rows: int) -> Array:
    """Returns the weights of rows as float64 `(rows,)`.

    Raises:
        AEZooError: they are not one finite number of at least 0 for each row, or all are 0.
    """
    try:
        found = np.asarray(value, "float64")
    except (TypeError, ValueError) as error:
        raise AEZooError(f"weights must be numbers (n,), one for each row; received {short(value)}.") from error
    if found.ndim != 1 or len(found) != rows:
        raise AEZooError(f"weights must be one number for each of the {rows} rows; received the shape {found.shape}.")
    if not np.isfinite(found).all() or found.min() < 0 or not found.any():
        raise AEZooError("weights must be finite, 0 or more, and not all 0.")
    return found


def seed(value: object) -> int | None:
    """Returns `value`; raises `AEZooError` if it is neither a whole number from 0 to 2^32 - 1 nor None."""
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, (int, np.integer)) or not 0 <= value < 2**32:
        raise AEZooError(f"seed must be a whole number from 0 to {2**32 - 1}; received {short(value)}.")
    return int(value)


def as_many(y: Array, x: Array) -> Array:
    """Returns `y`; raises `AEZooError` if it has another number of rows than `x`."""
    if len(y) != len(x):
        raise AEZooError(f"y must have one entry for each of the {len(x)} rows of x; received {len(y)}.")
    return y


def labels(y: Rows, classes: int, name: str = "y") -> Array:
    """Returns labels as int32 `(n,)`, from -1 (no label) to `classes` - 1.

    Args:
        y: labels `(n,)` or `(n, 1)`.
        classes: number of classes.
        name: name of the labels, for the error.

    Raises:
        AEZooError: `y` has another shape, or a value that is not a label.
    """
    array = numeric(y, name)
    if array.ndim == 2 and array.shape[1] == 1:
        array = array[:, 0]
    if array.ndim != 1:
        raise AEZooError(
            f"{name} must be a label for each row, {classes} classes from 0, or -1 for no label; received an array of shape "
            f"{array.shape}."
        )
    if not np.all(np.isin(array, np.arange(-1, classes))):
        strange = array[~np.isin(array, np.arange(-1, classes))][0]
        raise AEZooError(f"{name} must be whole numbers from -1 (no label) to {classes - 1}; received {strange:g}.")
    return array.astype("int32")


def finite_errors(errors: Array) -> Array:
    """Returns `errors` `(n, ...)`; raises `AEZooError` if one is not finite, because it compares with no threshold."""
    return finite_answers(errors, "error")


def finite_answers(answers: Array, what: str) -> Array:
    """Returns `answers` `(n, ...)`; raises `AEZooError` if one is NaN or infinite.

    Args:
        answers: what a model gives for rows.
        what: name of an answer, for the error.
    """
    # min and max propagate NaN and infinity, and need no array of flags.
    if answers.size and not (np.isfinite(answers.min()) and np.isfinite(answers.max())):
        row = int(np.flatnonzero(~np.isfinite(answers.reshape(len(answers), -1)).all(axis=1))[0])
        raise AEZooError(
            f"Row {row} lies so far from the rows that the model was trained on that its {what} is beyond float32, or the "
            "model has diverged; is the row in the units of the training rows?"
        )
    return answers


def stored(name: str, array: Array, shape: tuple[int, ...]) -> Array:
    """Returns an array from a file; raises `AEZooError` if it is not of real numbers, finite and of the shape."""
    if array.dtype.kind != "f" or array.shape != shape or not np.isfinite(array).all():
        raise AEZooError(
            f"{name} must be finite real numbers of shape {shape}; received {array.dtype} of {array.shape}."
        )
    return array


def binary(x: Array, name: str = "x") -> None:
    """Raises `AEZooError` if a value is neither 0 nor 1."""
    gray = (x != 0) & (x != 1)
    if gray.any():
        raise AEZooError(
            f"{name} must hold only zeros and ones, because a Bernoulli likelihood is the probability of these two values; "
            f"{gray.mean():.1%} of its values lie elsewhere: give binarization='dynamic', for example."
        )
