"""Numbers from arrays of any library, from lists, and from frames of pandas, polars and Arrow."""

import collections
import contextlib
import decimal
import numbers
import reprlib
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from ae_zoo.errors import AEZooError, first_line
from ae_zoo.typing import Array, Frame, Rows

if TYPE_CHECKING:
    import pandas as pd

NUMBERS = (
    "boolean",
    "integer",
    "floating",
    "decimal",
    "mixed-integer-float",
    "empty",
)  # pandas's names for kinds of objects
FEW = 10  # rows; the spread of fewer says nothing
LOST = 0.01  # share of a feature's range by which rounding to float32 may change a value


def columns_of(x: Rows) -> tuple[str, ...] | None:
    """Returns the names of a frame's columns; None for an array."""
    names = getattr(x, "column_names", None)  # Arrow's
    names = getattr(x, "columns", None) if names is None else names
    return tuple(map(str, names)) if isinstance(names, Iterable) else None


def numeric(
    x: Rows, name: str = "x", first_row: int = 0, *, columns: Sequence[str] | None = None, learn: bool = False
) -> Array:
    """Returns `x` as finite float32 with at least one row; rows may have any shape.

    Args:
        x: an array, nested lists, or a frame.
        name: the name of `x` in messages.
        first_row: the number of the first row, for messages.
        columns: names of the features; a frame's columns are put into this order, an array's are taken as they are.
        learn: whether to refuse features whose differences float32 cannot hold.

    Raises:
        AEZooError: `x` holds no numbers, no rows, other columns than `columns`, or NaN or infinity.
    """
    names = columns_of(x) if getattr(x, "ndim", 2) == 2 else None
    array = _plain(x, name) if names is None else _of_frame(x, names, name, columns, first_row)
    if array.dtype.kind not in "fiub":
        raise AEZooError(f"{name} must hold numbers; received values of type {array.dtype}.")
    if array.ndim < 1 or array.size == 0:
        raise AEZooError(f"{name} must hold at least one row; received an array of shape {array.shape}.")
    with np.errstate(over="ignore"):  # a float64 beyond float32 becomes infinite, which the next check reports
        coded = np.ascontiguousarray(array, dtype="float32")
    # min and max carry NaN and infinity, and need no array of flags beside the data.
    if not np.isfinite(coded.min()) or not np.isfinite(coded.max()):
        bad = np.argwhere(~np.isfinite(coded))
        raise AEZooError(
            f"{name} must be finite; {len(bad)} of its values are NaN, infinite or beyond float32, the first in row "
            f"{first_row + bad[0][0]}{_feature(bad[0][1:], names if columns is None else columns)}. Drop or fill them first."
        )
    if learn and array.dtype.itemsize > 4 and array.dtype.kind in "fiu" and len(array) >= FEW:
        _check_precision(array, coded, name, names if columns is None else columns)
    return coded


def _plain(x: Any, name: str) -> Array:
    if isinstance(x, np.ma.MaskedArray) and np.ma.is_masked(x):
        raise AEZooError(
            f"{name} is a masked array with {int(np.ma.getmaskarray(x).sum()):,} masked values, which are not data: drop "
            f"those rows, or fill them with {name}.filled(...)."
        )
    try:
        with contextlib.suppress(AttributeError):
            x = x.detach()  # a tensor of PyTorch that has a gradient
        array = np.asarray(x)
    except Exception as error:  # whatever the library that holds it may raise
        raise AEZooError(f"{name} cannot be read as an array of numbers: {first_line(error)}") from error
    if array.dtype == object and array.size and all(isinstance(v, numbers.Real | decimal.Decimal) for v in array.flat):
        return np.array([_float(v) for v in array.flat]).reshape(array.shape)
    return array


def _float(value: Any) -> Any:
    """Returns a number as a float, infinite beyond float64; what is no number, such as a missing value, as it is."""
    if not isinstance(value, numbers.Real | decimal.Decimal):
        return value
    try:
        return float(value)
    except OverflowError:
        return np.inf if value == abs(value) else -np.inf
    except ValueError:  # a signaling NaN of decimal
        return np.nan


def as_pandas(x: Any, names: tuple[str, ...], name: str) -> "pd.DataFrame":
    """Returns a frame of any library as one of pandas.

    Args:
        x: the frame.
        names: of its columns, as texts.
        name: the frame's name in messages.

    Raises:
        AEZooError: it has no columns, two of one name, or cannot be converted.
    """
    import pandas as pd

    if not names:
        raise AEZooError(f"{name} has no columns.")
    twice = [column for column, count in collections.Counter(names).items() if count > 1]
    if twice:
        raise AEZooError(
            f"{name} has more than one column with the name {_listed(twice)}; every column needs a name of its own."
        )
    frame = x if isinstance(x, pd.DataFrame) else _to_pandas(x, name)
    if not isinstance(frame, pd.DataFrame) or frame.shape[1] != len(names):
        raise AEZooError(
            f"{name} is a {type(x).__name__} of {len(names)} columns, whose to_pandas() gives no DataFrame with as many."
        )
    return frame.set_axis(list(names), axis=1)


def _of_frame(x: Any, names: tuple[str, ...], name: str, columns: Sequence[str] | None, first_row: int) -> Array:
    """Returns a frame's numbers as float64, with the columns in order."""
    frame = as_pandas(x, names, name)
    if columns is not None:
        missing = [column for column in columns if column not in names]
        other = [column for column in names if column not in columns]
        if missing or other:
            parts = [f"{what} {_listed(some)}" for what, some in (("lacks", missing), ("adds", other)) if some]
            raise AEZooError(
                f"{name} must have the {len(columns)} columns of the model's rows; it {' and '.join(parts)}."
            )
        frame = frame[list(columns)]
    text = [column for column in frame.columns if not is_numeric(frame[column])]
    if text:
        several = f"{len(text)} columns that are" if len(text) > 1 else "a column that is"
        them = "them" if len(text) > 1 else "it"
        raise AEZooError(
            f"{name} has {several} not numeric: {_listed(text)} (it holds {_strange(frame[text[0]])}, for example); drop "
            f"{them}, or turn {them} into numbers."
        )
    try:
        array = frame.to_numpy("float64", na_value=np.nan)
    except (OverflowError, ValueError):  # objects beyond float64
        array = frame.map(_float).to_numpy("float64", na_value=np.nan)
    _check_present(array, list(frame.columns), name, first_row)
    return array


def is_numeric(column: "pd.Series[Any]") -> bool:
    """Returns whether a column holds nothing but numbers and booleans."""
    import pandas as pd

    if pd.api.types.is_numeric_dtype(column) or pd.api.types.is_bool_dtype(column):
        return not pd.api.types.is_complex_dtype(column)
    return pd.api.types.is_object_dtype(column) and pd.api.types.infer_dtype(column, skipna=True) in NUMBERS


def has_other_cells(frame: "pd.DataFrame") -> bool:
    """Returns whether a frame has a column that is not numeric, or a missing cell."""
    columns = (frame.iloc[:, place] for place in range(frame.shape[1]))
    return any(not is_numeric(column) or bool(column.isna().any()) for column in columns)


def _check_present(x: Array, names: list[str], name: str, first_row: int) -> None:
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


def _strange(column: "pd.Series[Any]") -> str:
    """Returns the first value that is not a number, short enough for a message."""
    import pandas as pd

    present = column
    try:
        present = column.dropna()
        words = present[pd.to_numeric(present, errors="coerce").isna()]
    except (TypeError, ValueError, ArithmeticError):  # also numbers beyond float64
        words = present
    return reprlib.repr((words if len(words) else present).iloc[0])


def _listed(names: list[str]) -> str:
    shown = ", ".join(reprlib.repr(name) for name in names[:5])
    return f"{shown} and {len(names) - 5} more" if len(names) > 5 else shown


def _to_pandas(x: Frame, name: str) -> "pd.DataFrame":
    """Returns a frame of polars, Arrow or another library as a frame of pandas."""
    try:
        return x.to_pandas()
    except Exception as error:  # whatever that library may raise; polars needs pyarrow for it
        raise AEZooError(
            f"{name} is a {type(x).__name__}, which cannot be converted to a frame of pandas: {first_line(error)}"
        ) from error


def _check_precision(array: Array, coded: Array, name: str, names: Sequence[str] | None) -> None:
    """Raises `AEZooError` for features with differences too small for float32, such as times in seconds since 1970."""
    low, high = array.min(axis=0).astype("float64"), array.max(axis=0).astype("float64")
    spread = high - low
    size = np.maximum(np.abs(low), np.abs(high))
    risky = (spread > 0) & (np.spacing(size.astype("float32")) / 2 > LOST * spread)
    if not risky.any():
        return
    place = np.argwhere(risky)[0]
    at, where = tuple(place), _feature(place, names).replace(",", " of", 1)
    raise AEZooError(
        f"{name} must hold differences that float32 can represent; the values{where} are near {high[at]:.10g} and differ by "
        f"at most {spread[at]:g}: subtract their mean, or their first value, first."
    )


def _feature(place: Sequence[int] | Array, names: Sequence[str] | None) -> str:
    """Returns the place of a value in its row as text: `, column 'a'`, or `, feature 3`."""
    if names is not None and len(place) == 1:
        return f", column {names[int(place[0])]!r}"
    return f", feature {', '.join(str(int(index)) for index in place)}" if len(place) else ""


def take(rows: Any, places: Array) -> Any:
    """Returns some rows of a frame of pandas, or of an array, by their positions."""
    return rows.iloc[places] if columns_of(rows) is not None else rows[places]
