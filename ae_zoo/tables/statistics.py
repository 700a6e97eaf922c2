"""The statistics of a column's cells, by what the cells are: numbers, dates, or levels. Those of pieces can be merged."""

import dataclasses
from typing import TYPE_CHECKING, Any, Literal, Self

import numpy as np

from ae_zoo._support import checks
from ae_zoo.errors import AEZooError, short, unknown
from ae_zoo.tables import cells as read
from ae_zoo.tables.columns import Column, Kind
from ae_zoo.tables.histogram import Histogram
from ae_zoo.tables.scale import normal_scores
from ae_zoo.typing import Array

if TYPE_CHECKING:
    import pandas as pd

SCALINGS = ("standard", "robust", "quantile")
MOST_LEVELS = 200_000  # that are counted; a column of more is no category
DECIMALS = 6  # at most, for a column of numbers to be written with them
WHOLE = 2.0**53  # beyond, float64 has gaps between whole numbers


@dataclasses.dataclass(frozen=True)
class Rules:
    """How the statistics of columns are taken.

    Attributes:
        max_levels: of a category; the rarest of more are taken together as "other".
        min_count: rows that a level needs, unless none has as many; rarer ones are taken together as "other".
        scaling: `"standard"` (mean and standard deviation), `"robust"` (median and quartiles), of numbers and dates, or
            `"quantile"` (ranks, mapped to a normal distribution), of numbers.
    """

    max_levels: int = 1000
    min_count: int = 2
    scaling: str = "standard"

    def __post_init__(self) -> None:
        checks.count("max_levels", self.max_levels)
        checks.count("min_count", self.min_count)
        if self.scaling not in SCALINGS:
            raise unknown("scaling of a table", self.scaling, SCALINGS)


@dataclasses.dataclass(frozen=True, eq=False)
class Numbers:
    """The statistics of numbers, in float64.

    Attributes:
        count: how many numbers there are.
        mean: of the numbers.
        squares: the sum of their squared differences from the mean.
        fraction: one of them that is not whole; None if all are whole.
        decimals: how many decimals they have at most, from 0 to `DECIMALS` + 1, which stands for more.
        histogram: how often each comes.
    """

    count: int
    mean: float
    squares: float
    fraction: float | None
    decimals: int
    histogram: Histogram

    @classmethod
    def of(cls, values: Array) -> Self:
        """Returns the statistics of finite float64 numbers `(n,)`."""
        histogram = Histogram.of(values)
        with np.errstate(over="ignore"):  # a range beyond float32 is refused later
            mean = histogram.low + float((values - histogram.low).mean()) if len(values) else 0.0
            squares = float(np.square(values - mean).sum())
        parts = values[values != np.round(values)]
        return cls(len(values), mean, squares, float(parts[0]) if len(parts) else None, _decimals(parts), histogram)

    def merge(self, other: Self) -> Self:
        """Returns the statistics of both (Chan, Golub and LeVeque 1979, equations 2.1)."""
        if not self.count or not other.count:
            return self if self.count else other
        count = self.count + other.count
        share, distance = other.count / count, other.mean - self.mean
        return type(self)(
            count,
            self.mean + share * distance,
            self.squares + other.squares + self.count * share * distance * distance,
            other.fraction if self.fraction is None else self.fraction,
            max(self.decimals, other.decimals),
            self.histogram.merge(other.histogram),
        )

    @property
    def kind(self) -> Literal["number", "integer", "boolean"]:
        """What numbers of these values are."""
        low, high = self.histogram.low, self.histogram.high
        if not self.count or self.fraction is not None or max(-low, high) >= WHOLE:
            return "number"
        return "boolean" if (low, high) == (0, 1) else "integer"

    def levels(self) -> "Levels":
        """Returns how many numbers are 0 and 1, if they are no others."""
        ones = round(self.mean * self.count)
        return Levels({"0": self.count - ones, "1": ones})

    def column(self, name: str, kind: Kind, rows: int, rules: Rules, zone: str | None = None) -> Column:
        """Returns the column of a kind that has these numbers, or dates in days, in some of its rows.

        Raises:
            AEZooError: the numbers are not of the kind, or their range is beyond float32.
        """
        if not self.count:
            return Column(name=name, kind=kind, missing=1.0, zone=zone)
        low, high = self.histogram.low, self.histogram.high
        if kind == "integer" and max(-low, high) >= WHOLE:
            raise AEZooError(
                f"The column {name!r} holds whole numbers beyond 2^53: give {name}='number' or 'category'."
            )
        if kind == "integer" and self.fraction is not None:
            raise AEZooError(f"The column {name!r} is to hold whole numbers; it holds {self.fraction:g}.")
        limit = float(np.finfo("float32").max)
        origin = self._origin(kind) if max(-low, high) <= limit else 0.0
        if high - low > limit or max(origin - low, high - origin) > limit:
            raise AEZooError(f"The column {name!r} must hold numbers within float32; it has {low:g} to {high:g}.")
        least, most = float(np.float32(low - origin)), float(np.float32(high - origin))
        center, scale = self.mean - origin, float(np.sqrt(self.squares / self.count))
        if rules.scaling == "robust":
            first, middle, last = self.histogram.quantiles(np.array([0.25, 0.5, 0.75])) - origin
            center, scale = float(middle), float((last - first) / 1.349) or scale  # 1.349: of a normal distribution
        constant = least == most or not scale > max(1e-12 * abs(center), float(np.finfo("float32").tiny))
        bent = rules.scaling == "quantile" and kind != "date" and not constant
        knots, scores = self._knots(origin) if bent else ((), ())
        return Column(
            name=name,
            kind=kind,
            missing=(rows - self.count) / rows,
            origin=origin,
            center=center,
            scale=1.0 if constant else scale,
            low=least,
            high=least if constant else most,
            knots=knots,
            scores=scores,
            zone=zone,
            step=1.0 if kind == "date" and self.fraction is None else 0.0,
            decimals=float(self.decimals) if kind == "number" and self.decimals <= DECIMALS else 0.0,
        )

    def _origin(self, kind: Kind) -> float:
        """Returns what is subtracted so that float32 holds the rest."""
        low, high = self.histogram.low, self.histogram.high
        middle = float(self.histogram.quantiles(np.array([0.5]))[0])
        if kind == "date":  # a Monday, so that days of the week and hours begin at the origin
            return float(np.floor((middle + 3) / 7) * 7 - 3)
        # Float32 may lose a ten-thousandth of the range.
        loses = high > low and float(np.spacing(np.float32(max(abs(low), abs(high))))) > 1e-4 * (high - low)
        return float(np.round(middle)) if loses else 0.0

    def _knots(self, origin: float) -> tuple[tuple[float, ...], tuple[float, ...]]:
        values, place = np.unique((self.histogram.values - origin).astype("float32"), return_inverse=True)
        return normal_scores(values.astype("float64"), np.bincount(place, weights=self.histogram.counts))


def _decimals(values: Array) -> int:
    """Returns how many decimals numbers that are not whole have at most; `DECIMALS` + 1 for more."""
    for count in range(DECIMALS + 1):
        if all((part == np.round(part, count)).all() for part in (values[:1000], values)):  # a few are soon looked at
            return count
    return DECIMALS + 1


@dataclasses.dataclass(frozen=True, eq=False)
class Dates:
    """The statistics of dates: of their days since 1970, and the time zone in which these are."""

    days: Numbers
    zone: str | None

    @classmethod
    def of(cls, days: Array, zone: str | None) -> Self:
        """Returns the statistics of days since 1970 `(n,)`, NaN where one is missing."""
        return cls(Numbers.of(days[~np.isnan(days)]), zone)

    def merge(self, other: Self, name: str) -> Self:
        """Returns the statistics of both; dates without a zone are in the time of the zone that the others have.

        Raises:
            AEZooError: they are in two zones.
        """
        if None not in (self.zone, other.zone) and self.zone != other.zone:
            raise AEZooError(
                f"The column {name!r} holds dates of the time zones {self.zone} and {other.zone}: convert them to one, such "
                f"as with frame[{name!r}].dt.tz_convert({self.zone!r})."
            )
        return type(self)(self.days.merge(other.days), self.zone or other.zone)


@dataclasses.dataclass(frozen=True, eq=False)
class Levels:
    """How many cells have each level; None for more than `MOST_LEVELS` levels, so that memory is bounded."""

    counts: dict[str, int] | None

    @classmethod
    def of(cls, cells: "pd.Series[Any]", name: str) -> Self:
        """Returns the levels of cells of any kind, as texts."""
        return cls(read.counts(cells, name)).bounded()

    def merge(self, other: Self) -> Self:
        """Returns the levels of both."""
        if self.counts is None or other.counts is None:
            return type(self)(None)
        counts = dict(self.counts)
        for level, count in other.counts.items():
            counts[level] = counts.get(level, 0) + count
        return type(self)(counts).bounded()

    def bounded(self) -> Self:
        return self if self.counts is None or len(self.counts) <= MOST_LEVELS else type(self)(None)

    def _booleans(self, name: str) -> dict[str, int]:
        """Returns how many cells are false and true.

        Raises:
            AEZooError: a level is neither.
        """
        found = {"False": 0, "True": 0}
        others: dict[str, int] = {}
        for level, count in self._known(name).items():
            word = read.boolean(level)
            if word is not None:
                found[word] += count
            elif level.strip():
                others[level] = count
        if others:
            raise AEZooError(
                f"The column {name!r} is to hold booleans; {sum(others.values()):,} of its cells are none, such as "
                f"{short(next(iter(others)))}."
            )
        return found

    def column(self, name: str, kind: Kind, rows: int, rules: Rules) -> Column:
        """Returns the column of a kind that has these levels in some of its rows.

        Raises:
            AEZooError: there are too many levels, or a level is not of the kind.
        """
        if kind == "boolean":
            kept = found = self._booleans(name)
        else:
            found = self._known(name)
            enough = min(rules.min_count, max(found.values(), default=1))
            # The most frequent first; equal ones in the order of the alphabet.
            order = sorted((-count, level) for level, count in found.items() if count >= enough)
            kept = {level: -count for count, level in order[: rules.max_levels]}
        total = sum(found.values())
        return Column(
            name=name,
            kind=kind,
            missing=(rows - total) / rows,
            levels=tuple(kept),
            counts=(total - sum(kept.values()), *kept.values()),
        )

    def _known(self, name: str) -> dict[str, int]:
        if self.counts is None:
            raise AEZooError(
                f"The column {name!r} has more than {MOST_LEVELS:,} different levels, which are too many to learn: group "
                f"them, or give {name}='ignore' to leave the column out."
            )
        return self.counts
