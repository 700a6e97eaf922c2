"""A table's columns are checked and become numbers, whatever file they came from."""

import reprlib

import numpy as np
import pandas as pd

from ae_zoo import checks
from ae_zoo.errors import AEZooError

NUMBERS = ("boolean", "integer", "floating", "decimal", "mixed-integer-float", "empty")  # pandas's words for objects


def numbers(frame: pd.DataFrame, name: str, first_row: int = 0) -> np.ndarray:
    """The rows `(n, columns)` of a frame as float32.

    Columns of bools, of nullable types, of Arrow's types and of decimals are numbers too.

    Args:
        frame: the rows.
        name: what the messages call them.
        first_row: the number of the first row in the messages.

    Raises:
        ValueError: two columns have one name, a column holds something other than numbers, or values are missing or infinite.
    """
    names = [str(column) for column in frame.columns]
    if not names:
        raise AEZooError(f"{name} has no columns.")
    twice = pd.Index(names)[pd.Index(names).duplicated()].unique()
    if len(twice):
        raise AEZooError(
            f"{name} has more than one column with the name {_listed(list(twice))}; every column needs a name of its own."
        )
    text = [place for place, dtype in enumerate(frame.dtypes) if not _is_numeric(dtype, frame, place)]
    if text:
        several = f"{len(text)} columns that are" if len(text) > 1 else "a column that is"
        raise AEZooError(
            f"{name} has {several} not numeric: {_listed([names[place] for place in text])} (it holds "
            f"{_strange(frame.iloc[:, text[0]])}, for example); drop {'them' if len(text) > 1 else 'it'}, or turn "
            f"{'them' if len(text) > 1 else 'it'} into numbers."
        )
    x = frame.to_numpy("float64", na_value=np.nan)
    _check_present(x, names, name, first_row)
    return checks.numeric(x, name, first_row)


def _is_numeric(dtype: object, frame: pd.DataFrame, place: int) -> bool:
    if pd.api.types.is_numeric_dtype(dtype) or pd.api.types.is_bool_dtype(dtype):
        return not pd.api.types.is_complex_dtype(dtype)
    if pd.api.types.is_object_dtype(dtype):
        return pd.api.types.infer_dtype(frame.iloc[:, place], skipna=True) in NUMBERS
    return False


def _check_present(x: np.ndarray, names: list[str], name: str, first_row: int) -> None:
    missing = np.isnan(x)
    counts = missing.sum(axis=0)
    if not counts.any():
        return
    worst = int(counts.argmax())
    of = f"{len(x)} rows" if first_row == 0 else f"rows {first_row} to {first_row + len(x) - 1}"
    raise AEZooError(
        f"{name} has missing values in {np.count_nonzero(counts)} of {len(names)} columns, most in "
        f"{reprlib.repr(names[worst])} ({counts[worst]} of {of}), the first in row "
        f"{first_row + int(missing.any(axis=1).argmax())}; drop or fill them first."
    )


def _strange(column: pd.Series) -> str:
    """The first value that is not a number, short enough for a message."""
    present = column.dropna()
    try:
        words = present[pd.to_numeric(present, errors="coerce").isna()]
    except (TypeError, ValueError):
        words = present
    return reprlib.repr((words if len(words) else present).iloc[0])


def _listed(names: list[str]) -> str:
    shown = ", ".join(reprlib.repr(name) for name in names[:5])
    return f"{shown} and {len(names) - 5} more" if len(names) > 5 else shown
