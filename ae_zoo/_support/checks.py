"""Checks of single arguments and of answers, each with one sentence."""

import math
from typing import Any

import numpy as np

from ae_zoo.errors import AEZooError

MOST = 2**31 - 1  # of whatever is counted: rows beyond it fit into no memory, and into no 32-bit index


def count(name: str, value: Any) -> int:
    """Returns `value`; raises `AEZooError` unless it is a whole number from 1 to `MOST`."""
    if isinstance(value, bool) or not isinstance(value, (int, np.integer)) or value < 1:
        raise AEZooError(f"{name} must be a whole number of at least 1; received {value!r}.")
    if value > MOST:
        raise AEZooError(f"{name} must be at most {MOST:,}; received {value:,}.")
    return int(value)


def finite(name: str, value: Any) -> float:
    """`value` as a float; raises `AEZooError` where it is no finite number."""
    try:
        number = math.nan if np.iscomplexobj(value) else float(value)  # float drops the imaginary part in NumPy
    except (TypeError, ValueError, OverflowError):
        number = math.nan
    if not math.isfinite(number):
        raise AEZooError(f"{name} must be a finite number; received {value!r}.")
    return number


def share(name: str, value: Any) -> float:
    """`value` as a float; raises `AEZooError` where it is no number between 0 and 1."""
    if isinstance(value, bool) or not 0 < finite(name, value) < 1:
        raise AEZooError(f"{name} must lie between 0 and 1; received {value!r}.")
    return float(value)


def seed(value: Any) -> int | None:
    """`value`; raises `AEZooError` where it is no whole number from 0 to 2^32 - 1, or None."""
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, (int, np.integer)) or not 0 <= value < 2**32:
        raise AEZooError(f"seed must be a whole number from 0 to {2**32 - 1}; received {value!r}.")
    return int(value)


def as_many(y: np.ndarray, x: np.ndarray) -> np.ndarray:
    """`y`; raises `AEZooError` where it has not as many rows as `x`."""
    if len(y) != len(x):
        raise AEZooError(f"y must have one entry for each of the {len(x)} rows of x; received {len(y)}.")
    return y


def labels(y: Any, classes: int, name: str = "y") -> np.ndarray:
    """`y` as whole numbers `(n,)` from -1, for "no label", to `classes` - 1.

    Raises:
        AEZooError: for another shape, or a value that is no such number.
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


def finite_errors(errors: np.ndarray) -> np.ndarray:
    """`errors` `(n, ...)`; raises `AEZooError` where one is beyond float32, which would compare with no threshold."""
    return finite_answers(errors, "error")


def finite_answers(answers: np.ndarray, what: str) -> np.ndarray:
    """`answers` `(n, ...)`; raises `AEZooError` where one is NaN or infinite."""
    # min and max carry NaN and infinity, and need no array of flags beside the answers.
    if answers.size and not (np.isfinite(answers.min()) and np.isfinite(answers.max())):
        row = int(np.flatnonzero(~np.isfinite(answers.reshape(len(answers), -1)).all(axis=1))[0])
        raise AEZooError(
            f"Row {row} lies so far from the rows that the model was trained on that its {what} is beyond float32, or the "
            "model has diverged; is the row in the units of the training rows?"
        )
    return answers


def binary(x: np.ndarray, name: str = "x") -> None:
    """Raises `AEZooError` where a value is neither 0 nor 1."""
    gray = (x != 0) & (x != 1)
    if gray.any():
        raise AEZooError(
            f"{name} must be zeros and ones, because a Bernoulli likelihood is a probability of those alone and the bce of "
            f"a gray is no log-likelihood; {gray.mean():.1%} of its values are grays: give binarization='dynamic', say."
        )
