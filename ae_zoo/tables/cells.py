"""Cells of any type that pandas has, as plain numbers, days or texts."""

import decimal
import math
import numbers
import re
from typing import TYPE_CHECKING, Any

import numpy as np

from ae_zoo.errors import AEZooError, first_line, short
from ae_zoo.typing import Array

if TYPE_CHECKING:
    import pandas as pd

OTHER = "other"  # a level that the training rows do not have
DAY = 86_400_000_000  # microseconds
BOOLEANS = {"true": "True", "yes": "True", 1.0: "True", "false": "False", "no": "False", 0.0: "False"}
NUMERAL = re.compile(r"\s*[+-]?(?!0[0-9])(\.?[0-9]|inf)", re.IGNORECASE)  # how a number begins: with no zero in front
ZONED = re.compile(r"[T ]\d\d.*(Z|[+-]\d\d(:?\d\d)?)$")  # the end of a text of a date and time with a zone


def floats(cells: "pd.Series[Any]", name: str, first_row: int = 0) -> Array:
    """Returns numbers as float64, NaN where one is missing: also Decimal, and texts of numbers.

    Args:
        cells: the numbers.
        name: of the column.
        first_row: the number of the first row, for messages.

    Raises:
        AEZooError: a cell is no number, or infinite.
    """
    import pandas as pd

    others = (pd.api.types.is_datetime64_any_dtype, pd.api.types.is_timedelta64_dtype, pd.api.types.is_complex_dtype)
    if any(is_other(cells) for is_other in others):
        raise AEZooError(f"The column {name!r} holds numbers; received values of type {cells.dtype}.")
    if isinstance(cells.dtype, pd.CategoricalDtype) or not pd.api.types.is_numeric_dtype(cells):
        found = np.array([_float(value) for value in cells.astype(object)], "float64")
        unread = np.isnan(found) & cells.notna().to_numpy() & ~blank(cells)
        if unread.any():
            row = int(unread.argmax())
            raise AEZooError(
                f"The column {name!r} holds numbers, but row {first_row + row} holds {short(cells.iloc[row])}; correct it, "
                f"or say what the column is, such as {name}='category'."
            )
    else:
        found = cells.to_numpy("float64", na_value=np.nan)
    if np.isinf(found).any():
        row = int(np.isinf(found).argmax())
        raise AEZooError(f"The column {name!r} must hold finite numbers; row {first_row + row} holds an infinite one.")
    return found


def numeral(text: str) -> float | None:
    """Returns the number that a text is, which may be infinite; None for another text, and for a code such as 0150."""
    number = _float(text) if NUMERAL.match(text) and "_" not in text else math.nan
    return None if math.isnan(number) else number


def _float(value: Any) -> float:
    """Returns a number, or a text of one, as a float; NaN for anything else, and infinity beyond float64."""
    if isinstance(value, str | numbers.Real | decimal.Decimal):
        try:
            return float(value)
        except ValueError:  # also a signaling NaN of decimal
            return math.nan
        except OverflowError:
            return math.inf
    return math.nan


def blank(cells: "pd.Series[Any]") -> Array:
    """Returns which cells are empty texts: they are missing cells too."""
    import pandas as pd

    if pd.api.types.is_numeric_dtype(cells) or pd.api.types.is_datetime64_any_dtype(cells):
        return np.zeros(len(cells), bool)
    return np.array([isinstance(value, str) and not value.strip() for value in cells], bool)


def days(cells: "pd.Series[Any]", name: str, zone: str | None = None, first_row: int = 0) -> tuple[Array, str | None]:
    """Returns dates as days since 1970 in float64, NaN where one is missing, and their time zone.

    Args:
        cells: dates, times, periods, or texts of ISO 8601 dates.
        name: of the column.
        zone: the zone in whose time they are wanted; None for their own. Cells without a zone are in that time already.
        first_row: the number of the first row, for messages.

    Raises:
        AEZooError: a cell is no date.
    """
    import pandas as pd

    if isinstance(cells.dtype, pd.ArrowDtype):
        cells = pd.Series(cells.array._pa_array.to_pandas(), cells.index, name=cells.name)
    if isinstance(cells.dtype, pd.PeriodDtype):
        cells = cells.dt.to_timestamp()
    if pd.api.types.is_numeric_dtype(cells) and not cells.isna().all():
        raise AEZooError(f"The column {name!r} holds dates; received values of type {cells.dtype}.")
    found = cells if pd.api.types.is_datetime64_any_dtype(cells) else _dates(cells, name, first_row)
    if isinstance(found.dtype, pd.DatetimeTZDtype):
        if zone is not None:
            found = found.dt.tz_convert(zone)
        zone, found = _name_of(found.dt.tz), found.dt.tz_localize(None)
    whole = found.astype("datetime64[us]")
    counted = whole.to_numpy().astype("int64") / DAY
    counted[whole.isna().to_numpy()] = np.nan
    return counted, zone


def _name_of(zone: Any) -> str:
    """Returns the name by which a time zone can be found again, such as Europe/Oslo or UTC+02:00."""
    path = getattr(zone, "_filename", None)  # of dateutil, whose text is no name
    return path.partition("zoneinfo/")[2] or path if isinstance(path, str) else str(zone)


def _dates(cells: "pd.Series[Any]", name: str, first_row: int) -> "pd.Series[Any]":
    """Returns texts or objects as dates; with a zone, UTC, if they name one or several."""
    import pandas as pd

    cells = cells.mask(blank(cells))
    readable = pd.to_datetime(cells, format="ISO8601", errors="coerce", utc=True)
    unread = (readable.isna() & cells.notna()).to_numpy()
    if unread.any():
        row = int(unread.argmax())
        raise AEZooError(
            f"The column {name!r} holds dates, but row {first_row + row} holds {short(cells.iloc[row])}, which is none that "
            "can be read: write dates as 2026-01-31 or 2026-01-31T12:00."
        )
    zoned = any(map(has_zone, cells.dropna()))
    return readable if zoned else readable.dt.tz_localize(None)


def has_zone(value: Any) -> bool:
    """Returns whether a date, or a text of one, says its time zone."""
    return bool(ZONED.search(value)) if isinstance(value, str) else getattr(value, "tzinfo", None) is not None


def texts(cells: "pd.Series[Any]", kind: str, name: str) -> Array:
    """Returns levels as texts `(n,)`, None where one is missing.

    Equal values are equal texts, whatever holds them: whole numbers have no point, though holes make them floats.

    Raises:
        AEZooError: a cell is not of the kind, or no legal text.
    """
    places, words = _words(cells, kind, name)
    return np.array([*words, None], object)[places]  # a missing cell has the place -1


def counts(cells: "pd.Series[Any]", name: str) -> dict[str, int]:
    """Returns how many cells have each level, as a text, in the order in which they come; without missing cells."""
    places, words = _words(cells, "category", name)
    found: dict[str, int] = {}
    for word, count in zip(words, np.bincount(places[places >= 0], minlength=len(words)), strict=True):
        if word is not None:
            found[word] = found.get(word, 0) + int(count)
    return found


def _words(cells: "pd.Series[Any]", kind: str, name: str) -> tuple[Array, list[str | None]]:
    """Returns the place of each cell's level among the levels, -1 for a missing cell, and the levels as texts."""
    import pandas as pd

    try:
        places, values = pd.factorize(cells)
    except TypeError as error:  # lists, for example
        raise AEZooError(
            f"The column {name!r} holds values that are no texts, numbers or dates: {first_line(error)}"
        ) from error
    return places, [_word(value, kind, name) for value in np.asarray(values, object)]


def boolean(text: str) -> str | None:
    """Returns the level `"True"` or `"False"` that a text means; None for another text."""
    text = text.strip().lower()
    number = numeral(text)
    return BOOLEANS.get(text if number is None else number)


def _word(value: Any, kind: str, name: str) -> str | None:
    """Returns a level as a text; None for an empty one."""
    if kind == "boolean" and not isinstance(value, bool | np.bool_):
        word = boolean(str(value))
        if word is None and not isinstance(value, numbers.Real | decimal.Decimal) and str(value).strip():
            raise AEZooError(f"The column {name!r} holds booleans; received {short(value)}.")
        return word if word or not str(value).strip() else OTHER
    if isinstance(value, float | np.floating | decimal.Decimal) and not isinstance(value, str):
        if not math.isfinite(value):
            raise AEZooError(f"The column {name!r} must hold finite numbers; received {value}.")
        value = (
            int(value) if value == int(value) else value.normalize() if isinstance(value, decimal.Decimal) else value
        )
    text = str(value)
    try:
        text.encode("utf-8")
    except UnicodeEncodeError as error:
        raise AEZooError(f"The column {name!r} has a level that is not legal text (UTF-8): {text!r}.") from error
    return text or None


def short_text(text: str) -> str:
    """Returns a text on one line, of at most 40 characters."""
    line = " ".join(text.split())
    return line if len(line) <= 40 else f"{line[:37]}..."


def shown(value: Any) -> str:
    """Returns a cell as a person would write it."""
    import pandas as pd

    if not isinstance(value, str) and pd.isna(value):
        return "missing"
    if isinstance(value, pd.Timestamp):
        return str(value.date()) if value == value.normalize() else str(value.round("s"))
    if isinstance(value, bool | np.bool_) or not isinstance(value, int | float | np.number):
        return short_text(str(value))
    number = float(value)
    if abs(number) >= 10_000:
        return f"{number:,.0f}"
    return f"{number:.0f}" if number == int(number) else f"{number:.4g}"
