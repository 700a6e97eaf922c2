"""Strange rows that are made up, where nobody has labeled real ones.

A column has levels if it is a category, or has few different values; the other columns are numbers.
"""

import dataclasses
from collections.abc import Callable, Mapping
from typing import Self

import numpy as np

from ae_zoo.typing import Array

FEW = 20  # different values of a column of numbers that are taken for levels
EXCHANGED = 0.2  # share of a row's cells
MOVED = 3.0  # standard deviations
WIDER = 0.1  # of the range, on each side


@dataclasses.dataclass(frozen=True)
class Values:
    """What the training rows have in each column.

    Attributes:
        levels: the different values of each column that has levels; None for numbers.
        low, high, spread: least and greatest value, and the standard deviation, of each column, `(columns,)`.
    """

    levels: tuple[Array | None, ...]
    low: Array
    high: Array
    spread: Array

    @classmethod
    def of(cls, x: Array, categories: Array) -> Self:
        """Returns those of coded rows `(n, columns)`, NaN for a missing cell; `categories` are columns of levels."""
        levels: list[Array | None] = []
        low, high, spread = np.zeros((3, x.shape[1]))
        for place, cells in enumerate(x.T):
            known = cells[~np.isnan(cells)]
            each = np.unique(known)
            levels.append(each if categories[place] or len(each) <= FEW else None)
            if len(each):
                low[place], high[place], spread[place] = each[0], each[-1], known.std(dtype="float64")
        return cls(tuple(levels), low, high, spread)


def exchanged(x: Array, values: Values, random: np.random.Generator) -> Array:
    """Returns rows in which a fifth of the cells, at least two, are those of other rows: each is usual in its column."""
    n, columns = x.shape
    count = min(columns, max(2, round(EXCHANGED * columns)))
    chosen = random.random(x.shape).argsort(axis=1) < count
    other = x[random.integers(n, size=x.shape), np.arange(columns)]
    return np.where(chosen, other, x)


def broken(x: Array, values: Values, random: np.random.Generator) -> Array:
    """Returns rows with one broken cell: a number is moved by three standard deviations, a level is another one."""
    found = x.copy()
    keys = np.where(np.isnan(x) | (values.high <= values.low), -1.0, random.random(x.shape))
    place = keys.argmax(axis=1)
    for column in np.unique(place):
        rows, levels = np.flatnonzero(place == column), values.levels[column]
        if levels is None:
            found[rows, column] += MOVED * values.spread[column] * random.choice([-1, 1], len(rows))
        elif len(levels) > 1:
            own = np.searchsorted(levels, x[rows, column])  # one that training did not have is between two of them
            found[rows, column] = levels[(own + random.integers(1, len(levels), len(rows))) % len(levels)]
    return found


def uniform(x: Array, values: Values, random: np.random.Generator) -> Array:
    """Returns rows whose cells are drawn evenly, from the levels, or from a range a tenth wider on each side."""
    found = x.copy()
    for column, levels in enumerate(values.levels):
        low, high = values.low[column], values.high[column]
        if levels is None:
            margin = WIDER * (high - low)
            found[:, column] = random.uniform(low - margin, high + margin, len(x))
        elif len(levels):
            found[:, column] = random.choice(levels, len(x))
    return found


KINDS: Mapping[str, Callable[[Array, Values, np.random.Generator], Array]] = {
    "exchanged": exchanged,
    "broken": broken,
    "uniform": uniform,
}


def made(x: Array, source: Array, categories: Array, seed: int) -> dict[str, Array]:
    """Returns strange rows of each kind, float32, coded, as many as `source` `(m, columns)`, from which they are made.

    Args:
        x: training rows `(n, columns)`, coded, which say what is usual.
        source: ordinary rows that no method was trained on, coded.
        categories: which columns are categories, bool `(columns,)`.
        seed: of the choices.
    """
    values, random = Values.of(x, categories), np.random.default_rng(seed)
    return {kind: make(source, values, random).astype("float32") for kind, make in KINDS.items()}
