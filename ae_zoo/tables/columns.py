"""A column of a table: its kind, its statistics, and how its cells become numbers and numbers become cells.

Each cell is coded as one float32: a number as itself, less an origin; a date in days from an origin; a category as the number
of its level, 0 for one that the training rows do not have; a missing cell as NaN.
"""

import dataclasses
import math
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Literal, Self, TypeAlias

import numpy as np

from ae_zoo.errors import AEZooError, short, unknown
from ae_zoo.tables import cells as read
from ae_zoo.tables.cells import DAY, OTHER
from ae_zoo.tables.scale import Bent
from ae_zoo.typing import Array

if TYPE_CHECKING:
    import pandas as pd

Kind: TypeAlias = Literal["number", "integer", "boolean", "category", "date"]
ONE_HOT = 32  # levels; more are a vector each
KINDS: tuple[str, ...] = ("number", "integer", "boolean", "category", "date")


@dataclasses.dataclass(frozen=True, kw_only=True)
class Column:
    """What a column is; plain values, for a model's config and its card.

    Attributes:
        name: the column's name.
        kind: `"number"`, `"integer"` (a whole number), `"boolean"`, `"category"` or `"date"`.
        missing: the share of the training rows whose cell is missing.
        origin: what is subtracted from a number, or a date's first day in days since 1970, so that float32 holds the rest.
        center, scale: of the coded training cells; the model's scale is (coded - center) / scale, unless there are knots.
        low, high: least and greatest coded training cell.
        levels: of a category or boolean, the most frequent first; their numbers count from 1.
        counts: how many training rows have each level; the first is of all other levels.
        zone: of dates: the time zone's name, or None. Dates are coded in the zone's own time, as a clock there shows it.
        step: of dates: 1 if all are whole days, 0 otherwise.
        decimals: of numbers: how many the training cells have at most, from 1 to 6; 0 if they have more.
        knots, scores: of a number that is scaled by quantiles: coded values, and theirs on the model's scale, which is
            straight between them and beyond the ends.
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
    decimals: float = 0.0
    knots: tuple[float, ...] = ()
    scores: tuple[float, ...] = ()

    @property
    def discrete(self) -> bool:
        """Whether a cell is one of some levels."""
        return self.kind in ("category", "boolean")

    @property
    def has_vectors(self) -> bool:
        """Whether a level is a vector to the networks, because there are too many for a number a level."""
        return len(self.levels) > ONE_HOT

    @property
    def width(self) -> int:
        """How many numbers the networks return for a cell: one, a logit a level with the other ones, or a level's vector."""
        if not self.discrete:
            return 1
        return min(32, math.ceil(len(self.levels) ** 0.5)) if self.has_vectors else 1 + len(self.levels)

    @property
    def other(self) -> str:
        """What a cell of another level is called: a word that is no level of its own."""
        word = OTHER
        while word in self.levels:
            word += "_"
        return word

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
        for name in ("missing", "origin", "center", "scale", "low", "high", "step", "decimals"):
            value = values.get(name, known[name].default)
            if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
                raise AEZooError(
                    f"{name} of the column {values['name']!r} must be a finite number; received {short(value)}."
                )
            values[name] = float(value)
        for name, kind in {"levels": str, "counts": int, "knots": float, "scores": float}.items():
            try:
                values[name] = tuple(map(kind, values.get(name, ())))
            except (TypeError, ValueError) as error:
                raise AEZooError(f"{name} of the column {values['name']!r} must be a list.") from error
        found = cls(**values)
        if (
            found.scale <= 0
            or (found.discrete and len(found.counts) != 1 + len(found.levels))
            or min(found.counts, default=0) < 0
            or found.decimals not in range(7)
            or len(found.knots) != len(found.scores)
            or len(found.knots) == 1
            or not all(np.isfinite(each).all() and (np.diff(each) > 0).all() for each in (found.knots, found.scores))
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

    # From coded numbers to the model's scale and back.

    def scaled(self, coded: Array) -> Array:
        """Returns coded numbers `(n,)` on the model's scale."""
        if self.knots:
            return Bent([self.knots], [self.scores])(coded[:, None])[:, 0]
        return (coded - self.center) / self.scale

    def unscaled(self, scaled: Array) -> Array:
        """Returns numbers on the model's scale `(n,)` as coded ones."""
        if self.knots:
            return Bent([self.scores], [self.knots])(scaled[:, None])[:, 0]
        return scaled * self.scale + self.center

    # From cells to coded numbers and back.

    def rounded(self, numbers: Array) -> Array:
        """Returns numbers with as many decimals as the training cells have, without float32's own."""
        return np.round(numbers, int(self.decimals)) if self.decimals else numbers

    def code(self, cells: "pd.Series[Any]") -> Array:
        """Returns cells as float32 `(n,)`, NaN where one is missing.

        Raises:
            AEZooError: a cell is not of the column's kind.
        """
        if not self.discrete:
            plain = read.days(cells, self.name, self.zone)[0] if self.kind == "date" else read.floats(cells, self.name)
            with np.errstate(over="ignore"):  # infinity is refused by the schema
                return (plain - self.origin).astype("float32")
        import pandas as pd

        found = read.texts(cells, self.kind, self.name)
        places = pd.Index(self.levels, dtype=object).get_indexer(pd.Index(found, dtype=object))  # -1 for another level
        return np.where(pd.isna(found), np.nan, places + 1).astype("float32")

    def cells(self, coded: Array) -> "pd.Series[Any]":
        """Returns coded numbers `(n,)` as cells of the column's kind; NaN becomes a missing cell."""
        import pandas as pd

        coded = np.asarray(coded, "float64")
        missing = np.isnan(coded)
        if self.kind == "date":
            date = np.where(missing, 0, coded + self.origin)
            whole = np.round((np.round(date) if self.step else date) * DAY).astype("int64")
            found = pd.Series(whole.astype("datetime64[us]"), name=self.name).mask(missing)
            if self.zone is None:
                return found
            # An hour that the clocks show twice is the second one; one that they never show is an hour later.
            return found.dt.tz_localize(self.zone, ambiguous=np.zeros(len(found), bool), nonexistent="shift_forward")
        if self.kind == "number":
            return pd.Series(self.rounded(coded + self.origin), name=self.name)
        if self.kind == "integer":
            return pd.Series(np.round(coded + self.origin), name=self.name).astype(
                "Int64" if missing.any() else "int64"
            )
        level = np.where(missing, 0, coded).astype(int)
        if self.kind == "boolean":
            found = pd.Series(np.array([False, *(text == "True" for text in self.levels)])[level], name=self.name)
            unknown = missing | (level == 0)
            return found.astype("boolean").mask(unknown) if unknown.any() else found
        return pd.Series(np.array([self.other, *self.levels], object)[level], name=self.name).mask(missing)

    def __str__(self) -> str:
        """The values that the training rows have, for a person."""
        if self.missing == 1:
            return "none"
        if self.discrete:
            named = [
                f"{read.short_text(level)} ({count:,})"
                for level, count in zip(self.levels[:3], self.counts[1:], strict=False)
            ]
            more = len(self.levels) - 3
            rest = f" and {more} more levels" if more > 0 else ""
            others = f", {self.counts[0]:,} rows of rarer ones" if self.counts[0] else ""
            return ", ".join(named) + rest + others
        low, high = (read.shown(cell) for cell in self.cells(np.array([self.low, self.high])))
        return f"{low} to {high}"
