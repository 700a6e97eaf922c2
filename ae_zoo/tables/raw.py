"""A table's raw columns as arrays by name: what a server takes and returns in the place of coded rows.

A category is a text, a date is a text such as 2026-01-31 or 2026-01-31T12:00:00, and other columns are float64; a missing
cell is an empty text or NaN. The same in operations of TensorFlow is in `serving/tables.py`.
"""

import re
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from ae_zoo.tables.columns import OTHER, Column
from ae_zoo.typing import Array

if TYPE_CHECKING:
    import pandas as pd

SECONDS = 86_400  # in a day
Type = Literal["string", "float64"]


def keys(names: Sequence[str]) -> dict[str, str]:
    """Returns a key for each column's name: a name that TensorFlow accepts for an input."""
    found: dict[str, str] = {}
    for name in names:
        key = re.sub(r"\W", "_", name, flags=re.ASCII)
        key = key if key[:1].isalpha() else f"column_{key}"
        while key in found.values():
            key += "_"
        found[name] = key
    return found


def type_of(column: Column) -> Type:
    """Returns the type of a raw column."""
    return "string" if column.kind in ("category", "date") else "float64"


def arrays(columns: Sequence[Column], coded: Array) -> dict[str, Array]:
    """Returns coded rows `(n, columns)` as an array `(n,)` for each column, by its key."""
    names = keys([column.name for column in columns])
    return {names[column.name]: _raw(column, coded[:, place]) for place, column in enumerate(columns)}


def _raw(column: Column, coded: Array) -> Array:
    missing = np.isnan(coded)
    if column.kind == "category":
        texts = np.array([OTHER, *column.levels])[np.where(missing, 0, coded).astype(int)]
        return np.where(missing, "", texts)
    if column.kind == "boolean":
        return np.where(missing | (coded == 0), np.nan, coded.astype("float64") - 1)
    value = coded.astype("float64") + column.origin
    if column.kind == "integer":
        return np.round(value)
    if column.kind == "number":
        return value
    value = np.round(value) if column.step else np.round(value * SECONDS) / SECONDS
    seconds = np.where(missing, 0, np.round(value * SECONDS)).astype("datetime64[s]")
    texts = np.datetime_as_string(seconds, unit="D" if column.step else "s")
    return np.where(missing, "", texts)


def of_frame(types: Mapping[str, Type], frame: "pd.DataFrame") -> dict[str, Array]:
    """Returns a frame's columns as a server takes them, by key. It needs no schema, so a client can call it.

    Args:
        types: the type of each column by its key.
        frame: may have other columns too.

    Raises:
        KeyError: the frame lacks a column; the argument is its key.
    """
    import pandas as pd

    names = {key: name for name, key in keys([str(name) for name in frame.columns]).items()}
    frame = frame.set_axis([str(name) for name in frame.columns], axis=1)
    found: dict[str, Array] = {}
    for key, kind in types.items():
        if key not in names:
            raise KeyError(key)
        cells = frame[names[key]]
        if kind == "float64":
            found[key] = cells.astype(object).where(cells.notna(), np.nan).astype("float64").to_numpy()
            continue
        if pd.api.types.is_datetime64_any_dtype(cells):
            if isinstance(cells.dtype, pd.DatetimeTZDtype):
                cells = cells.dt.tz_localize(None)  # in its own time, as the model has learned it
            texts: Any = np.datetime_as_string(cells.to_numpy("datetime64[us]"))
        else:
            texts = [_text(value) for value in cells]
        found[key] = np.where(cells.isna().to_numpy(), "", np.array(texts, str))
    return found


def _text(value: Any) -> str:
    return f"{value:.0f}" if isinstance(value, float | np.floating) and value == np.round(value) else str(value)
