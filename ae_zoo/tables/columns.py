"""A column of a table: its kind, its statistics, and how its cells become numbers and numbers become cells.

Each cell is coded as one float32: a number as itself, less an origin; a date in days from an origin; a category as the number
of its level, 0 for one that the training rows do not have; a missing cell as NaN.
"""

import dataclasses
import math
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Literal, Self, TypeAlias

import numpy as np

from ae_zoo.errors import AEZooError, first_line, short, unknown
from ae_zoo.typing import Array

if TYPE_CHECKING:
    import pandas as pd

Kind: TypeAlias = Literal["number", "integer", "boolean", "category", "date"]
KINDS: tuple[str, ...] = ("number", "integer", "boolean", "category", "date")
OTHER = "other"  # what a frame shows for a level that the training rows do not have
DAY = 86_400_000_000  # microseconds
WORDS = dict.fromkeys(("true", "1", "1.0", "yes"), "True") | dict.fromkeys(("false", "0", "0.0", "no"), "False")


@dataclasses.dataclass(frozen=True, kw_only=True)
class Column:
    """What a column is; plain values, for a model's config and its card.

    Attributes:
        name: the column's name.
        kind: `"number"`, `"integer"` (a whole number), `"boolean"`, `"category"` or `"date"`.
        missing: the share of the training rows whose cell is missing.
        origin: what is subtracted from a number, or a date's first day in days since 1970, so that float32 holds the rest.
        center, scale: of the coded training cells; the model's scale is (coded - center) / scale.
        low, high: least and greatest coded training cell.
        levels: of a category or boolean, the most frequent first; their numbers count from 1.
        counts: how many training rows have each level; the first is of all other levels.
        zone: of dates: the time zone's name, or None.
        step: of dates: 1 if all are whole days, 0 otherwise.
    """

    name: str
    kind: Kind
    missing: float = 0.0
    origin: float = 0.0
    center: float = 0.0
    scale: float = 1.0
    low: float = 0.0
    high: float = 0.0
    levels: tuple[str, ...] = ()
    counts: tuple[int, ...] = ()
    zone: str | None = None
    step: float = 0.0

    @property
    def discrete(self) -> bool:
        """Whether a cell is one of some levels."""
        return self.kind in ("category", "boolean")

    @property
    def constant(self) -> bool:
        """Whether the training rows tell nothing about the column: all cells are equal, or missing."""
        if self.discrete:
            return sum(count > 0 for count in self.counts) < 2
        return not self.high > self.low

    @property
    def probabilities(self) -> Array:
        """How often each level comes, the other ones first, `(1 + levels,)`: half a row is added to each."""
        counts = np.asarray(self.counts, "float64") + 0.5
        return counts / counts.sum()

    @property
    def entropy(self) -> float:
        """The mean loss of the training rows for always saying what is usual, in nats: the entropy of the levels."""
        counts = np.asarray(self.counts, "float64")
        return float(-(counts * np.log(self.probabilities)).sum() / max(1.0, counts.sum()))

    @classmethod
    def read(cls, plain: "Column | Mapping[str, Any]") -> Self:
        """Returns the column of plain values, or the column itself.

        Raises:
            AEZooError: a value is missing, unknown or of another type.
        """
        if isinstance(plain, cls):
            return plain
        if not isinstance(plain, Mapping):
            raise AEZooError(f"A column must be a mapping of its values; received {short(plain)}.")
        known = {field.name: field for field in dataclasses.fields(cls)}
        for name in plain:
            if name not in known:
                raise unknown("value of a column", name, known)
        values = dict(plain)
        if not isinstance(values.get("name"), str) or values.get("kind") not in KINDS:
            raise AEZooError(
                f"A column must have a name and a kind, one of {', '.join(KINDS)}; received {short(plain)}."
            )
        for name in ("missing", "origin", "center", "scale", "low", "high", "step"):
            value = values.get(name, known[name].default)
            if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
                raise AEZooError(
                    f"{name} of the column {values['name']!r} must be a finite number; received {short(value)}."
                )
            values[name] = float(value)
        levels, counts = values.get("levels", ()), values.get("counts", ())
        try:
            values |= {"levels": tuple(map(str, levels)), "counts": tuple(map(int, counts))}
        except (TypeError, ValueError) as error:
            raise AEZooError(f"levels and counts of the column {values['name']!r} must be lists.") from error
        found = cls(**values)
        if (
            found.scale <= 0
            or (found.discrete and len(found.counts) != 1 + len(found.levels))
            or min(found.counts, default=0) < 0
        ):
            raise AEZooError(f"The values of the column {found.name!r} do not go together: {short(plain)}.")
        return found

    def to_dict(self) -> dict[str, Any]:
        """Returns the column as plain values, without those that are at their default."""
        fields = dataclasses.fields(self)
        values = {field.name: getattr(self, field.name) for field in fields}
        kept = {field.name for field in fields if values[field.name] != field.default}
        return {
            name: list(value) if isinstance(value, tuple) else value for name, value in values.items() if name in kept
        }

    # From cells to numbers and back.

    def code(self, cells: "pd.Series[Any]") -> Array:
        """Returns cells as float32 `(n,)`, NaN where one is missing.

        Raises:
            AEZooError: a cell is not of the column's kind.
        """
        return coded(self.plain(cells), self)

    def plain(self, cells: "pd.Series[Any]") -> Array:
        """Returns cells as they are before the origin is subtracted and levels are numbered.

        Numbers are float64, dates are days since 1970 as float64, and levels are texts; NaN or None where one is missing.
        """
        if self.discrete:
            return texts(cells, self.kind, self.name)
        return days(cells, self.name)[0] if self.kind == "date" else floats(cells, self.name)

    def cells(self, coded: Array) -> "pd.Series[Any]":
        """Returns coded numbers `(n,)` as cells of the column's kind; NaN becomes a missing cell."""
        import pandas as pd

        coded = np.asarray(coded, "float64")
        missing = np.isnan(coded)
        if self.kind == "date":
            date = np.where(missing, 0, coded + self.origin)
            whole = np.round((np.round(date) if self.step else date) * DAY).astype("int64")
            found = pd.Series(whole.astype("datetime64[us]"), name=self.name).mask(missing)
            return found if self.zone is None else found.dt.tz_localize("UTC").dt.tz_convert(self.zone)
        if self.kind == "number":
            return pd.Series(coded + self.origin, name=self.name)
        if self.kind == "integer":
            return pd.Series(np.round(coded + self.origin), name=self.name).astype(
                "Int64" if missing.any() else "int64"
            )
        level = np.where(missing, 0, coded).astype(int)
        if self.kind == "boolean":
            found = pd.Series(np.array([False, *(text == "True" for text in self.levels)])[level], name=self.name)
            return found.astype("boolean").mask(missing | (level == 0)) if (missing | (level == 0)).any() else found
        return pd.Series(np.array([OTHER, *self.levels], object)[level], name=self.name).mask(missing)


def coded(plain: Array, column: Column) -> Array:
    """Returns what `Column.plain` gives as float32 `(n,)`."""
    if not column.discrete:
        return (plain - column.origin).astype("float32")
    import pandas as pd

    numbers = pd.Index(column.levels, dtype=object).get_indexer(pd.Index(plain, dtype=object)).astype("float32") + 1
    numbers[pd.isna(plain)] = np.nan
    return numbers


def floats(cells: "pd.Series[Any]", name: str) -> Array:
    """Returns numbers as float64, NaN where one is missing."""
    import pandas as pd

    try:
        if pd.api.types.is_object_dtype(cells) or pd.api.types.is_string_dtype(cells):
            found = pd.to_numeric(cells.map(_number, na_action="ignore") if cells.dtype == object else cells).to_numpy(
                "float64", na_value=np.nan
            )
        else:
            found = cells.to_numpy("float64", na_value=np.nan)
    except (TypeError, ValueError, ArithmeticError) as error:
        parsed = pd.to_numeric(cells, errors="coerce")
        row = int(np.flatnonzero((parsed.isna() & cells.notna()).to_numpy())[:1].sum())
        raise AEZooError(
            f"The column {name!r} holds numbers, but row {row} holds {short(cells.iloc[row])}; correct it, or say what the "
            f"column is, such as {name}='category'."
        ) from error
    if np.isinf(found).any():
        row = int(np.flatnonzero(np.isinf(found))[0])
        raise AEZooError(f"The column {name!r} must hold finite numbers; row {row} holds an infinite one.")
    return found


def _number(value: Any) -> Any:
    """Returns a Decimal as a float, and other values as they are."""
    return value if isinstance(value, str) else float(value)


def days(cells: "pd.Series[Any]", name: str) -> tuple[Array, str | None]:
    """Returns dates as days since 1970 (UTC, where they have a zone) in float64, NaN where one is missing; and the zone."""
    import pandas as pd

    if isinstance(cells.dtype, pd.PeriodDtype):
        cells = cells.dt.to_timestamp()
    zone = None
    try:
        found = cells if pd.api.types.is_datetime64_any_dtype(cells) else pd.to_datetime(cells, format="ISO8601")
        if isinstance(found.dtype, pd.DatetimeTZDtype):
            zone, found = str(found.dtype.tz), found.dt.tz_convert("UTC").dt.tz_localize(None)
        whole = found.astype("datetime64[us]")
    except (TypeError, ValueError, OverflowError) as error:  # pandas's own errors are ValueErrors
        readable = pd.to_datetime(cells, format="ISO8601", errors="coerce", utc=True)
        row = int(np.flatnonzero((readable.isna() & cells.notna()).to_numpy())[:1].sum())
        raise AEZooError(
            f"The column {name!r} holds dates, but row {row} holds {short(cells.iloc[row])}, which is none that can be read "
            f"({first_line(error)[:80]}): write dates as 2026-01-31 or 2026-01-31T12:00."
        ) from error
    numbers = whole.to_numpy().astype("int64") / DAY
    numbers[whole.isna().to_numpy()] = np.nan
    return numbers, zone


def texts(cells: "pd.Series[Any]", kind: str, name: str) -> Array:
    """Returns levels as texts, None where one is missing. Whole numbers have no point, though holes make them floats."""
    import pandas as pd

    if isinstance(cells.dtype, pd.CategoricalDtype):
        of_levels = [*texts(pd.Series(cells.cat.categories), kind, name), None]  # -1, a missing cell, is the last
        return np.array(of_levels, object)[cells.cat.codes.to_numpy()]
    missing, found = cells.isna().to_numpy(), np.array(cells.astype(object), object)  # a copy, which may be written to
    found[missing] = None
    if pd.api.types.is_bool_dtype(cells) or kind == "boolean":
        found = np.array([_boolean(value, name) for value in found], object)
    elif pd.api.types.is_numeric_dtype(cells):
        numbers = cells.to_numpy("float64", na_value=np.nan)
        unique, places = np.unique(np.where(missing, 0, numbers), return_inverse=True)
        words = [f"{value:.0f}" if value == int(value) else repr(float(value)) for value in unique]
        found = np.array(words, object)[places]
    elif pd.api.types.infer_dtype(found[~missing]) != "string":
        found = np.array([str(value) for value in found], object)
    found[missing] = None
    found[found == ""] = None
    for text in set(found):
        if text is not None and not text.isascii():
            try:
                text.encode("utf-8")
            except UnicodeEncodeError as error:
                raise AEZooError(
                    f"The column {name!r} has a level that is not legal text (UTF-8): {text!r}."
                ) from error
    return found


def _boolean(value: Any, name: str) -> str | None:
    if value is None:
        return None
    word = WORDS.get(str(value).lower())
    if word is None:
        raise AEZooError(f"The column {name!r} holds booleans; received {short(value)}.")
    return word
