"""How often each value of a number comes, in bounded memory: exactly for few values, by ranges of them for many."""

import dataclasses
from typing import Self

import numpy as np

from ae_zoo.typing import Array

MOST = 65_536  # values, or ranges of values, that are told apart


@dataclasses.dataclass(frozen=True, eq=False)
class Histogram:
    """Counts of values in ranges that depend on the values alone, so that merging is exact.

    Values are told apart by the leading bits of their float64: by all 64, as long as at most `MOST` different values have
    come; then the last bit is dropped, as often as it takes, which makes two neighbors one range. So the order of the
    values, and the pieces in which they come, change nothing. The ranges are relative to the values' size, as in DDSketch
    (Masson, Rim and Lee 2019, section 2); unlike there, they are as narrow as the memory allows.

    Attributes:
        keys: the leading bits of each range, as whole numbers that increase with the values, `(m,)`.
        counts: how many values each range has, `(m,)`.
        dropped: how many bits are dropped.
        low, high: the least and the greatest value; infinite if there is none.
    """

    keys: Array
    counts: Array
    dropped: int
    low: float
    high: float

    @classmethod
    def of(cls, values: Array) -> Self:
        """Returns the counts of finite float64 values `(n,)`."""
        keys = np.sort(_flipped((values + 0.0).view("int64")))  # -0.0 becomes 0.0
        keys, counts = _once(keys, np.arange(1, len(keys) + 1))
        low, high = values.min(initial=np.inf), values.max(initial=-np.inf)
        return cls(keys, counts, 0, float(low), float(high))._bounded()

    def merge(self, other: Self) -> Self:
        """Returns the counts of both."""
        dropped = max(self.dropped, other.dropped)
        first, second = self._coarser(dropped), other._coarser(dropped)
        keys = np.concatenate([first.keys, second.keys])
        order = np.argsort(keys, kind="stable")  # fast for two sorted parts
        keys, counts = _once(keys[order], np.cumsum(np.concatenate([first.counts, second.counts])[order]))
        low, high = min(self.low, other.low), max(self.high, other.high)
        return type(self)(keys, counts, dropped, low, high)._bounded()

    @property
    def values(self) -> Array:
        """The middle of each range, increasing, `(m,)`; the value itself while no bit is dropped."""
        lower, upper = self._ends()
        return lower + (upper - lower) / 2

    def quantiles(self, shares: Array) -> Array:
        """Returns quantiles as `np.quantile` does; a range's values count as spread evenly over it."""
        place = np.asarray(shares) * (self.counts.sum() - 1)
        below = np.floor(place)
        first, second = self._ranked(below), self._ranked(np.ceil(place))
        return first + (second - first) * (place - below)

    def _ranked(self, rank: Array) -> Array:
        """Returns the values that as many values as `rank` precede."""
        after = np.cumsum(self.counts)
        place = np.searchsorted(after, rank, side="right")
        lower, upper = (ends[place] for ends in self._ends())
        within = (rank - (after - self.counts)[place] + 0.5) / self.counts[place]
        return lower + (upper - lower) * within

    def _ends(self) -> tuple[Array, Array]:
        if not self.dropped:
            return (_flipped(self.keys).view("float64"),) * 2
        lower, upper = (_flipped(keys << self.dropped).view("float64") for keys in (self.keys, self.keys + 1))
        return np.clip(lower, self.low, self.high), np.clip(upper, self.low, self.high)

    def _coarser(self, dropped: int) -> Self:
        if dropped == self.dropped:
            return self
        keys, counts = _once(self.keys >> (dropped - self.dropped), np.cumsum(self.counts))
        return dataclasses.replace(self, keys=keys, counts=counts, dropped=dropped)

    def _bounded(self) -> Self:
        """Returns the counts with as few bits dropped as `MOST` allows."""
        if len(self.keys) <= MOST:
            return self
        # Two neighbors become one range when the first bit in which they differ is dropped.
        differing = (self.keys[1:] ^ self.keys[:-1]).view("uint64")
        return self._coarser(self.dropped + int(np.partition(differing, -MOST)[-MOST]).bit_length())


def _flipped(bits: Array) -> Array:
    """Returns the bits of floats as whole numbers in the floats' order, or those back: a negative one's are turned over."""
    return bits ^ ((bits >> 63) & np.int64(2**63 - 1))


def _once(keys: Array, reached: Array) -> tuple[Array, Array]:
    """Returns sorted keys, each once, and the count of each; `reached` has the sum of the counts up to each key."""
    last = np.flatnonzero(np.append(keys[1:] != keys[:-1], [True] * min(1, len(keys))))
    return keys[last], np.diff(reached[last], prepend=0)
