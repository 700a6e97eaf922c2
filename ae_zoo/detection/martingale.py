"""A bet that scores stay exchangeable: as long as they do, nobody can expect to win it.

Each new score gets a p-value among the held-out scores and all new ones before it, with ties broken at random. As long as
the rows are exchangeable, these p-values are independent and uniform (Vovk, Gammerman and Shafer 2005, chapter 7; Vovk
2021, "Testing randomness online"). Then a capital of 1 that is bet on small p-values is a martingale, and the probability
that it ever reaches c is at most 1/c (Ville 1939).

A bet with the exponent e multiplies its capital by e p^(e - 1). Not all capital is bet from the beginning: after t rows a
reserve of 1 / (1 + ln(1 + t)) is left, and what a row takes from the reserve is bet from that row on. So however long
nothing changes, a part of the capital remains.
"""

import dataclasses
from typing import Self

import numpy as np

from ae_zoo.typing import Array

STEP = 1e-3  # scores are rounded by so much of themselves: equal rows then tie, and there are not too many to store
LEAST = 1e-30  # lower scores are not told apart
GROUP = 2**18  # numbers for the scores of a group, more than there are from LEAST to the largest float32
BLOCK = 512  # rows that are compared with each other at once
EXPONENTS = np.array([0.25, 0.5, 0.75])


def keys_of(scores: Array, groups: Array) -> Array:
    """Returns scores `(n,)` of rows in groups `(n,)` as whole numbers, int64: larger for a stranger row of a group."""
    logs = np.log(np.maximum(scores.astype("float64"), LEAST))
    return groups.astype("int64") * GROUP + GROUP // 2 + np.round(logs / STEP).astype("int64")


def scores_of(keys: Array) -> Array:
    """Returns the scores of whole numbers that `keys_of` returned, rounded."""
    return np.exp((keys % GROUP - GROUP // 2) * STEP)


@dataclasses.dataclass(frozen=True)
class Earlier:
    """Scores that have come so far, as whole numbers.

    Attributes:
        keys: the different ones, int64 `(m,)`, ascending.
        counts: how often each has come, int64 `(m,)`.
    """

    keys: Array
    counts: Array

    @classmethod
    def of(cls, keys: Array) -> Self:
        """Returns the scores `(n,)` in any order."""
        return cls(*np.unique(keys, return_counts=True))

    def p_values(self, keys: Array, random: np.random.Generator) -> tuple[Array, "Earlier"]:
        """Returns the p-values `(n,)` of new scores, in their order, and all scores.

        A p-value is the share of the scores of the same group that are larger, and of a random part of those that are
        equal; the scores before it count, and the score itself.
        """
        found, earlier = np.empty(len(keys)), self
        for start in range(0, len(keys), BLOCK):
            some = keys[start : start + BLOCK]
            part = 1 - random.random(len(some))  # in (0, 1]
            larger, equal, total = earlier._compared(some)
            found[start : start + BLOCK] = (larger + part * equal) / total
            earlier = earlier.with_more(some)
        return found, earlier

    def with_more(self, keys: Array) -> "Earlier":
        """Returns these scores and others."""
        more = Earlier.of(keys)
        every, places = np.unique(np.concatenate([self.keys, more.keys]), return_inverse=True)
        counts = np.bincount(places, np.concatenate([self.counts, more.counts]), len(every))
        return Earlier(every, counts.astype("int64"))

    def _compared(self, keys: Array) -> tuple[Array, Array, Array]:
        """Returns how many scores are larger than each, equal to it, and in its group, itself among the latter two."""
        below = np.append(0, self.counts.cumsum())
        group = keys // GROUP
        first, last = (below[np.searchsorted(self.keys, value * GROUP)] for value in (group, group + 1))
        left, right = (below[np.searchsorted(self.keys, keys, side)] for side in ("left", "right"))
        before = np.tri(len(keys), k=-1, dtype=bool) & (group[:, None] == group)
        larger = (before & (keys > keys[:, None])).sum(axis=1)
        equal = (before & (keys == keys[:, None])).sum(axis=1)
        return last - right + larger, right - left + equal + 1, last - first + before.sum(axis=1) + 1


@dataclasses.dataclass(frozen=True)
class Martingale:
    """The capital, from 1 at the beginning.

    Attributes:
        rows: how many p-values there have been.
        bets: the logarithm of the capital that each exponent bets, `(exponents,)`.
    """

    rows: int = 0
    bets: Array = dataclasses.field(default_factory=lambda: np.full(len(EXPONENTS), -np.inf))

    def after(self, p_values: Array) -> tuple["Martingale", Array]:
        """Returns the martingale after p-values `(n,)`, and the logarithm of its capital after each."""
        if not len(p_values):
            return self, np.zeros(0)
        rows = self.rows + np.arange(len(p_values) + 1)
        reserve = 1 / (1 + np.log1p(rows))
        start = np.log(-np.diff(reserve) / len(EXPONENTS))[:, None]
        won = np.log(EXPONENTS) + (EXPONENTS - 1) * np.log(p_values)[:, None]
        grown = won.cumsum(axis=0)  # what a capital of 1 at the beginning becomes
        # What begins at a row is compared at the beginning, so the sum over all rows until now is a running one.
        begun = np.logaddexp.accumulate(np.vstack([self.bets, start - (grown - won)]), axis=0)[1:]
        bets = grown + begun
        capital = np.logaddexp.reduce(np.column_stack([bets, np.log(reserve[1:])]), axis=1)
        return Martingale(int(rows[-1]), bets[-1]), capital
