"""How the cells of a column are spread, and whether those of other rows are spread differently.

The cells of a column are counted: numbers between cuts, each level, and the missing ones. Every cut, every level and the
missing cells give a table of two by two: how many cells are inside, and how many outside, then and now. Its p-value is that
of Fisher's exact test (1935). The column's p-value is the smallest of them times their number (Bonferroni): if the column
has not changed, it is at most a with a probability of at most a, however few the rows are, and however the column is
spread. The table with the smallest p-value says what has changed most.
"""

import dataclasses
from collections.abc import Sequence
from typing import Self

import numpy as np

from ae_zoo.typing import Array

SHARES = np.array([0.01, *np.linspace(0.05, 0.95, 19), 0.99])  # of the cells that are not above a cut
MISSING = -1  # the place of the missing cells among cuts or levels


@dataclasses.dataclass(frozen=True)
class Spread:
    """How many cells of a column are in each bin: between two cuts, or of one level.

    Attributes:
        levels: whether the bins are levels, rather than parts of a line.
        cuts: float32 `(k,)`, ascending; a cell that is equal to a cut is in the bin below it.
        counts: cells in each bin, int64 `(k + 1,)`.
        sums: of the cells in each bin, float64 `(k + 1,)`.
        missing: number of missing cells.
        unit: the standard deviation of the cells by which the cuts were made; 0 for a constant.
    """

    levels: bool
    cuts: Array
    counts: Array
    sums: Array
    missing: int
    unit: float

    @classmethod
    def of(cls, cells: Array, levels: int | None = None) -> Self:
        """Returns the spread of cells, float32 `(n,)`, NaN for a missing one.

        Args:
            cells: numbers, or those of levels.
            levels: of a column of levels, how many there are: the cells are from 0 to `levels` - 1; None for numbers.
        """
        present = cells[~np.isnan(cells)]
        if levels is not None:
            cuts, unit = np.arange(levels - 1) + 0.5, 0.0
        elif len(present):
            unit, least = float(present.std(dtype="float64")), float(present.min())
            below = least - max(1e-6 * max(abs(least), unit), 1e-30)  # in float32 too
            inner = np.quantile(present, SHARES, method="inverted_cdf")
            cuts = np.unique(np.array([below, *inner, present.max()], "float32"))
        else:
            cuts, unit = np.zeros(0), 0.0
        cuts = cuts.astype("float32")
        blank = cls(levels is not None, cuts, np.zeros(len(cuts) + 1, "int64"), np.zeros(len(cuts) + 1), 0, unit)
        return blank.count(cells)

    def bins(self, cells: Array) -> Array:
        """Returns the bin of each cell that is present, `(n,)`."""
        return np.searchsorted(self.cuts, cells, side="left")

    def count(self, cells: Array) -> Self:
        """Returns how other cells `(n,)` are spread over the same bins."""
        present = cells[~np.isnan(cells)]
        bins = self.bins(present)
        counts, sums = (np.bincount(bins, weights, len(self.counts)) for weights in (None, present))
        missing = len(cells) - len(present)
        return dataclasses.replace(self, counts=counts.astype("int64"), sums=sums.astype("float64"), missing=missing)

    def __add__(self, other: Self) -> Self:
        return dataclasses.replace(
            self,
            counts=self.counts + other.counts,
            sums=self.sums + other.sums,
            missing=self.missing + other.missing,
        )

    @property
    def present(self) -> int:
        """How many cells are present."""
        return int(self.counts.sum())

    @property
    def missing_share(self) -> float:
        """The share of the cells that are missing."""
        return self.missing / max(1, self.missing + self.present)

    def sides(self) -> Array:
        """Returns for each cut how many cells are above it, or how many each level has, and the others; the missing last.

        Returns:
            int64 `(tables, 2)`.
        """
        inside = self.counts if self.levels else self.counts[::-1].cumsum()[::-1][1:]
        return np.column_stack(
            [np.append(inside, self.missing), np.append(self.present - inside, self.present)],
        )

    def distance(self, other: "Spread") -> float:
        """Returns how far the present cells of another spread over the same bins are from these; NaN if there are none.

        Of numbers it is the Wasserstein distance, how far the cells must be moved on average, in standard deviations: a
        shift by one has the distance 1. Within a bin it is that of the means. Of levels it is the total variation, the
        share of the cells that must change their level.
        """
        if not self.present or not other.present:
            return float("nan")
        if self.levels:
            return float(np.abs(self.counts / self.present - other.counts / other.present).sum() / 2)
        moved = float(np.abs(self._areas() - other._areas()).sum())
        if not self.unit:
            return 0.0 if moved == 0 else float("inf")
        return moved / self.unit

    def _areas(self) -> Array:
        """Returns the integral over each bin of the share of the cells below; in the last bin, of those above."""
        below = np.append(0, self.counts.cumsum()[:-1])
        areas = np.empty(len(self.counts))
        areas[:-1] = (below + self.counts)[:-1] * self.cuts - self.sums[:-1]
        areas[1:-1] -= below[1:-1] * self.cuts[:-1]
        areas[-1] = self.counts[-1] * self.cuts[-1] - self.sums[-1]
        return areas / self.present


@dataclasses.dataclass(frozen=True)
class Change:
    """How a column has changed.

    Attributes:
        distance: see `Spread.distance`.
        p_value: of the hypothesis that it has not.
        place: which cut or level has changed most; `MISSING` for the share of missing cells.
        before, now: the share of the cells above that cut, of that level, or missing.
    """

    distance: float
    p_value: float
    place: int
    before: float
    now: float


def changes(before: Sequence[Spread], now: Sequence[Spread]) -> list[Change]:
    """Returns how columns have changed, from spreads over the same bins."""
    if not before:
        return []
    tables = [np.hstack([then.sides(), new.sides()]) for then, new in zip(before, now, strict=True)]
    ends = np.cumsum([len(each) for each in tables])[:-1]
    found = []
    p_values = np.split(_fisher(np.vstack(tables)), ends)
    for then, new, table, p in zip(before, now, tables, p_values, strict=True):
        shares = table[:, ::2] / np.maximum(1, table.reshape(-1, 2, 2).sum(axis=2))
        place = int(np.lexsort([-np.abs(shares[:, 0] - shares[:, 1]), p])[0])
        # Of a table with an empty side nothing can be said, and of a column with such tables alone neither.
        tested = max(1, (table.reshape(-1, 2, 2).sum(axis=1) > 0).all(axis=1).sum())
        found.append(
            Change(
                then.distance(new),
                float(min(1.0, p[place] * tested)),
                MISSING if place == len(table) - 1 else place,
                *(float(share) for share in shares[place]),
            )
        )
    return found


def holm(p_values: Array, rate: float) -> Array:
    """Returns which hypotheses are refused, so that one that holds is among them with a probability of at most `rate`.

    Holm 1979; whatever the p-values `(n,)` have to do with each other.
    """
    order = np.argsort(p_values, kind="stable")
    small = p_values[order] <= rate / np.arange(len(order), 0, -1)
    refused = np.zeros(len(order), bool)
    refused[order] = small.cumprod().astype(bool)
    return refused


def _fisher(tables: Array) -> Array:
    """Returns the two-sided p-values, twice the smaller side, of tables `(n, 4)`: inside and outside, then and now."""
    from scipy.stats import hypergeom

    then_in, then_out, now_in, now_out = tables.T
    drawn = then_in + then_out + now_in + now_out, then_in + now_in, now_in + now_out
    return np.minimum(1.0, 2 * np.minimum(hypergeom.sf(now_in - 1, *drawn), hypergeom.cdf(now_in, *drawn)))
