"""Filled cells as a frame writes its own: in its type, and in the words and forms of the cells that are present."""

import contextlib
import datetime
import decimal
from typing import TYPE_CHECKING, Any

from ae_zoo.tables import cells as read
from ae_zoo.tables.columns import Column
from ae_zoo.typing import Array

if TYPE_CHECKING:
    import pandas as pd

PAIRS = (("yes", "no"), ("true", "false"), ("1", "0"), ("1.0", "0.0"))
OPPOSITE = dict(PAIRS) | {no: yes for yes, no in PAIRS}


def filled(cells: "pd.Series[Any]", hole: Array, column: Column, coded: Array) -> "pd.Series[Any]":
    """Returns a frame's cells `(n,)` with the holes filled, in their own type where it can hold the values.

    Args:
        cells: of the column, as the frame has them.
        hole: which of them are holes.
        column: what the column is.
        coded: the cells of all rows, coded, without missing ones.
    """
    import pandas as pd

    values = column.cells(coded).set_axis(cells.index)
    if hole.all():  # no cell shows how it is written
        return values
    if isinstance(cells.dtype, pd.CategoricalDtype):
        own = pd.Series(cells.cat.categories)
        written = _written(values[hole], own, column)
        new = [value for value in dict.fromkeys(written) if value not in cells.cat.categories]
        return _with(cells.cat.add_categories(new), hole, written)
    if cells.dtype == object or pd.api.types.is_string_dtype(cells):
        return _with(cells, hole, _written(values[hole], cells[~hole], column))
    if pd.api.types.is_datetime64_any_dtype(values) and pd.api.types.is_datetime64_any_dtype(cells):
        values = _in_zone(values, getattr(getattr(cells.dtype, "pyarrow_dtype", cells.dtype), "tz", None))
    for dtype in (cells.dtype, "Float64"):  # a type of whole numbers has no place for a fraction
        with contextlib.suppress(TypeError, ValueError):
            return cells.astype(dtype).mask(hole, values.astype(dtype))
    return cells.astype(object).mask(hole, values.astype(object))


def _with(cells: "pd.Series[Any]", hole: Array, written: list[Any]) -> "pd.Series[Any]":
    import pandas as pd

    found = cells.astype(object).to_numpy(copy=True)
    found[hole] = written
    return pd.Series(found, cells.index, cells.dtype, cells.name)


def _written(values: "pd.Series[Any]", present: "pd.Series[Any]", column: Column) -> list[Any]:
    """Returns values, of the column's kind, as the present cells are written."""
    if column.discrete:
        return _levels(values, present, column)
    if column.kind == "date":
        return _dates(values, present)
    sample = present.iloc[0]
    plain = [int(value) if column.kind == "integer" else float(value) for value in values]
    if isinstance(sample, decimal.Decimal):
        least = min(int(cell.as_tuple().exponent) for cell in present if isinstance(cell, decimal.Decimal))
        return [decimal.Decimal(str(value)).quantize(decimal.Decimal(1).scaleb(least)) for value in plain]
    return [str(value) for value in plain] if isinstance(sample, str) else plain


def _levels(values: "pd.Series[Any]", present: "pd.Series[Any]", column: Column) -> list[Any]:
    different = present.drop_duplicates()
    own = dict(zip(read.texts(different, column.kind, column.name), different, strict=True))
    sample = different.iloc[0]

    def written(level: str) -> Any:
        if level in own:
            return own[level]
        if column.kind == "boolean":
            return _opposite(sample)
        try:
            return type(sample)(level)  # such as the whole number of a level that is a text
        except (TypeError, ValueError, ArithmeticError):
            return level

    return [written(str(value)) for value in values]


def _opposite(cell: Any) -> Any:
    """Returns the other one of two booleans, written alike: No for Yes, and 0 for 1."""
    if not isinstance(cell, str):
        return type(cell)(not cell)
    word = OPPOSITE[cell.strip().lower()]
    return word.upper() if cell.isupper() else word.capitalize() if cell[:1].isupper() else word


def _dates(values: "pd.Series[Any]", present: "pd.Series[Any]") -> list[Any]:
    """Returns dates as texts of ISO 8601, dates, or dates and times, with a time zone if the present cells have one."""
    sample = present.iloc[0]
    zoned = any(map(read.has_zone, present.drop_duplicates()))
    values = _in_zone(values, "UTC" if zoned else None).dt.round("s")
    if isinstance(sample, str):
        days = present.astype(str).str.len().max() <= 10 and (values == values.dt.normalize()).all()
        return [str(value.date()) if days else value.isoformat(sample[10:11] or "T") for value in values]
    if isinstance(sample, datetime.date) and not isinstance(sample, datetime.datetime):
        return [value.date() for value in values]
    return list(values)


def _in_zone(values: "pd.Series[Any]", zone: Any) -> "pd.Series[Any]":
    """Returns times in a zone; those without one are taken in it. Without a zone they stay as the clock shows them."""
    both = values.dt.tz is not None and zone is not None
    return values.dt.tz_convert(zone) if both else values.dt.tz_localize(zone)
