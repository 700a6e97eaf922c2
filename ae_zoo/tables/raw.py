"""A table's raw columns as arrays by name: what a server takes and returns in the place of coded rows.

A category is a text, a date is a text such as 2026-01-31 or 2026-01-31T12:00:00, and other columns are float64; a missing
cell is an empty text or NaN. The same in operations of TensorFlow is in `serving/tables.py`.
"""

import re
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from ae_zoo.errors import AEZooError
from ae_zoo.tables import cells as read
from ae_zoo.tables.columns import Column
from ae_zoo.typing import Array

if TYPE_CHECKING:
    import pandas as pd

SECONDS = 86_400  # in a day
Type = Literal["string", "float64"]


def keys(names: Sequence[str]) -> dict[str, str]:
    """Returns a key for each column's name: a name that TensorFlow accepts for an input.

    Raises:
        AEZooError: two names have one key.
    """
    found: dict[str, str] = {}
    for name in names:
        key = key_of(name)
        if key in found.values():
            other = next(one for one, own in found.items() if own == key)
            raise AEZooError(
                f"The columns {other!r} and {name!r} would both be called {key!r} on a server: rename one."
            )
        found[name] = key
    return found


def key_of(name: str) -> str:
    """Returns a name in which what is no letter, digit or underscore is an underscore, and which begins with a letter."""
    key = re.sub(r"\W", "_", name, flags=re.ASCII)
    return key if key[:1].isalpha() else f"column_{key}"


def type_of(column: Column) -> Type:
    """Returns the type of a raw column."""
    return "string" if column.kind in ("category", "date") else "float64"


def arrays(columns: Sequence[Column], coded: Array) -> dict[str, Array]:
    """Returns coded rows `(n, columns)` as an array `(n,)` for each column, by its key."""
    names = keys([column.name for column in columns])
    return {names[column.name]: _raw(column, coded[:, place]) for place, column in enumerate(columns)}


def missing(cells: Array) -> Array:
    """Returns which cells of a raw column are missing."""
    return np.isnan(cells) if cells.dtype.kind == "f" else cells == ""


def _raw(column: Column, coded: Array) -> Array:
    missing = np.isnan(coded)
    if column.kind == "category":
        texts = np.array([column.other, *column.levels])[np.where(missing, 0, coded).astype(int)]
        return np.where(missing, "", texts)
    if column.kind == "boolean":
        return np.where(missing | (coded == 0), np.nan, coded.astype("float64") - 1)
    value = coded.astype("float64") + column.origin
    if column.kind == "integer":
        return np.round(value)
    if column.kind == "number":
        return column.rounded(value)
    value = np.round(value) if column.step else np.round(value * SECONDS) / SECONDS
    seconds = np.where(missing, 0, np.round(value * SECONDS)).astype("datetime64[s]")
    texts = np.datetime_as_string(seconds, unit="D" if column.step else "s")
    return np.where(missing, "", texts)


def of_frame(types: Mapping[str, Type], frame: "pd.DataFrame") -> dict[str, Array]:
    """Returns a frame's columns as a server takes them, by key, where the schema is not known.

    Args:
        types: the type of each column by its key.
        frame: may have other columns too.

    Raises:
        AEZooError: the frame lacks a column, or a cell cannot be sent without the schema.
    """
    import pandas as pd

    known = "give the client the model's schema, columns=model.schema"
    found: dict[str, Array] = {}
    for key, kind in types.items():
        own = [name for name in frame.columns if key_of(name) == key]
        if len(own) != 1:
            what = "lacks" if not own else "has several columns for"
            raise AEZooError(f"x must have the columns of the model's rows; it {what} {key!r}.")
        cells = frame[own[0]]
        if kind == "float64":
            if isinstance(cells.dtype, pd.CategoricalDtype) or any(isinstance(value, str) for value in cells):
                raise AEZooError(f"The column {own[0]!r} must hold numbers, or {known}.")
            found[key] = read.floats(cells, own[0])
            continue
        if pd.api.types.is_datetime64_any_dtype(cells):
            if cells.dt.tz is not None:
                raise AEZooError(f"The column {own[0]!r} has a time zone, and the server has none: {known}.")
            texts: Any = np.datetime_as_string(cells.to_numpy("datetime64[us]"))
            found[key] = np.where(cells.isna().to_numpy(), "", texts)
        else:
            words = read.texts(cells, "category", own[0])
            found[key] = np.array(["" if word is None else word for word in words], str)
    return found
