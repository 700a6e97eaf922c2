"""What a detector keeps of its held-out rows, to compare new rows with: their scores, and how each column is spread."""

import collections
import dataclasses
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Self

import numpy as np

from ae_zoo.detection.drift import MISSING, Change, Spread
from ae_zoo.detection.martingale import Earlier, keys_of
from ae_zoo.endpoints import Arrays, Endpoint, Tensors
from ae_zoo.errors import AEZooError
from ae_zoo.layers.ranks import ranks
from ae_zoo.schemas import Schema
from ae_zoo.tables.cells import shown, texts
from ae_zoo.tables.frames import to_pandas
from ae_zoo.tables.schema import TableSchema
from ae_zoo.typing import Array, Rows, Tensor

if TYPE_CHECKING:
    import pandas as pd

MOST = 1000  # numbers of a row without names that are columns; of images and wider rows only the mean is one
ARRAYS = ("cuts", "counts", "sums", "missing", "units", "sizes", "keys", "times")


@dataclasses.dataclass(frozen=True)
class Reference:
    """Rows that new ones are compared with.

    Attributes:
        earlier: their scores.
        columns: how the cells of each column are spread.
    """

    earlier: Earlier
    columns: tuple[Spread, ...]

    @classmethod
    def of(cls, schema: Schema, x: Array, scores: Array, groups: Array) -> Self:
        """Returns the reference of coded rows `(n, *input_shape)`, their scores and groups `(n,)`; NaN for no score."""
        known = ~np.isnan(scores)
        spreads = zip(values_of(schema, x).T, levels_of(schema), strict=True)
        return cls(
            Earlier.of(keys_of(scores[known], groups[known])),
            tuple(Spread.of(cells, levels) for cells, levels in spreads),
        )

    def count(self, schema: Schema, x: Array) -> tuple[Spread, ...]:
        """Returns how the cells of other coded rows are spread."""
        return tuple(then.count(cells) for then, cells in zip(self.columns, values_of(schema, x).T, strict=True))

    # In files.

    def arrays(self) -> dict[str, Array]:
        """Returns the reference as arrays, by name."""
        found = {
            name: np.concatenate([np.zeros(0), *(getattr(one, name) for one in self.columns)])
            for name in ("cuts", "counts", "sums")
        }
        found |= {"missing": np.array([one.missing for one in self.columns], "int64")}
        found |= {"units": np.array([one.unit for one in self.columns], "float64")}
        found |= {"sizes": np.array([len(one.cuts) for one in self.columns], "int64")}
        found |= {"keys": self.earlier.keys, "times": self.earlier.counts}
        return {f"reference/{name}": value for name, value in found.items()}

    @classmethod
    def read(cls, schema: Schema, arrays: Mapping[str, Any]) -> Self:
        """Returns the reference in arrays that `arrays` returned.

        Raises:
            AEZooError: an array is missing, or does not go together with the others or with the schema.
        """
        levels = levels_of(schema)
        try:
            cuts, counts, sums, missing, units, sizes, keys, times = (
                np.asarray(arrays[f"reference/{name}"]) for name in ARRAYS
            )
            ends = np.cumsum(sizes)
            parts = zip(
                levels,
                np.split(cuts.astype("float32"), ends)[:-1],
                np.split(counts.astype("int64"), ends + np.arange(1, len(ends) + 1))[:-1],
                np.split(sums.astype("float64"), ends + np.arange(1, len(ends) + 1))[:-1],
                missing.astype("int64"),
                units.astype("float64"),
                strict=True,
            )
            columns = tuple(
                Spread(level is not None, cut, count, total, int(holes), float(unit))
                for level, cut, count, total, holes, unit in parts
            )
            earlier = Earlier(keys.astype("int64"), times.astype("int64"))
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            raise AEZooError(
                f"What new rows are compared with lacks an array, or does not go together: {error}"
            ) from error
        legal = all(_legal(one, level) for one, level in zip(columns, levels, strict=True))
        if not legal or earlier.keys.ndim != 1 or earlier.keys.shape != earlier.counts.shape:
            raise AEZooError("What new rows are compared with does not go together.")
        if (np.diff(earlier.keys) <= 0).any() or (earlier.counts < 1).any():
            raise AEZooError("The scores that new rows are compared with are not sorted.")
        return cls(earlier, columns)

    # Served.

    def endpoint(self, schema: Schema) -> dict[str, Endpoint]:
        """Returns what a server says of each cell, by name; nothing for rows whose numbers are no columns."""
        if not self.columns or not are_columns(schema):
            return {}
        size = max(len(one.cuts) for one in self.columns)
        cuts = np.full((len(self.columns), size), np.inf, "float32")
        places = np.zeros((len(self.columns), size + 1), "float32")
        for index, one in enumerate(self.columns):
            cuts[index, : len(one.cuts)] = one.cuts
            places[index, : len(one.counts)] = (one.counts.cumsum() - one.counts / 2) / max(1, one.present)

        def verb(x: Array) -> Arrays:
            bins = np.stack([one.bins(cells) for one, cells in zip(self.columns, x.T, strict=True)], axis=1)
            found = np.take_along_axis(places, np.minimum(bins, size).T, axis=1).T
            return {"place": np.where(np.isnan(x), np.float32(-1), found)}

        def function(x: Tensor) -> Tensors:
            import keras

            ops = keras.ops
            first = np.arange(len(self.columns), dtype="int32")
            bins = ranks(ops.convert_to_tensor(cuts.ravel()), first * size, size, x)
            found = ops.take(ops.convert_to_tensor(places.ravel()), first * (size + 1) + bins, axis=0)
            return {"place": ops.where(ops.isnan(x), -ops.ones_like(found), found)}

        about = "the share of the calibration's cells below each cell, with half of its bin; -1 for a missing cell"
        shape = schema.input_shape
        return {
            "monitor": Endpoint(
                input="x", shape=shape, may_miss=schema.may_miss, verb=verb, function=function, about=about
            )
        }


def are_columns(schema: Schema) -> bool:
    """Returns whether each number of a coded row is a column, rather than a part of an image or a long signal."""
    return schema.columns is not None or (len(schema.input_shape) == 1 and schema.input_shape[0] <= MOST)


def names_of(schema: Schema) -> tuple[str, ...]:
    """Returns the names of the columns that are compared."""
    return schema.names if are_columns(schema) else ("mean",)


def levels_of(schema: Schema) -> list[int | None]:
    """Returns how many levels each column has, those that are no level as one; None for numbers."""
    if isinstance(schema, TableSchema):
        return [1 + len(column.levels) if column.discrete else None for column in schema.table]
    return [None] * len(names_of(schema))


def values_of(schema: Schema, x: Array) -> Array:
    """Returns the cells of coded rows that are compared, float32 `(n, columns)`."""
    if are_columns(schema):
        return x
    return x.reshape(len(x), -1).mean(axis=1, dtype="float64")[:, None].astype("float32")


def others_of(schema: Schema, x: Rows, coded: Array) -> dict[str, collections.Counter[str]]:
    """Returns cells of a frame that are no level of their column, with how often each comes, by column."""
    if not isinstance(schema, TableSchema) or isinstance(x, np.ndarray):
        return {}
    frame, found = to_pandas(x, "x"), {}
    for place, column in enumerate(schema.table):
        other = coded[:, place] == 0
        if column.discrete and other.any():
            words = texts(frame[column.name][other], column.kind, column.name)
            found[column.name] = collections.Counter(map(str, words))
    return found


def sentences(schema: Schema, spreads: Sequence[Spread], found: Sequence[Change]) -> list[str]:
    """Returns what has changed most in each column, such as "above 112: 5.0% -> 19.2%"."""
    pairs = list(zip(spreads, found, strict=True))
    values = [
        np.nan if change.place == MISSING else change.place if spread.levels else spread.cuts[change.place]
        for spread, change in pairs
    ]
    cells = _frame(schema, np.array([values], "float32")).iloc[0]
    return [_sentence(spread, change, shown(cell)) for (spread, change), cell in zip(pairs, cells, strict=True)]


def _sentence(spread: Spread, change: Change, cell: str) -> str:
    before, now = change.before, change.now
    if change.place == MISSING or spread.levels:
        what = cell
    elif change.place == 0:  # the cut below all cells
        what, before, now = f"below {cell}", 1 - before, 1 - now
    else:
        what = f"above {cell}"
    return f"{what}: {before:.1%} -> {now:.1%}"


def cells_of(schema: Schema, index: int, values: Array) -> list[str]:
    """Returns coded cells `(n,)` of a column as a person would write them."""
    coded = np.full((len(values), len(names_of(schema))), np.nan, "float32")
    coded[:, index] = values
    return [shown(cell) for cell in _frame(schema, coded).iloc[:, index]]


def _frame(schema: Schema, coded: Array) -> "pd.DataFrame":
    import pandas as pd

    return pd.DataFrame(schema.rows(coded) if are_columns(schema) else coded)


def _legal(spread: Spread, levels: int | None) -> bool:
    cuts, counts, sums = spread.cuts, spread.counts, spread.sums
    fits = counts.shape == sums.shape == (len(cuts) + 1,) and (levels is None or len(counts) == levels)
    finite = np.isfinite(cuts).all() and np.isfinite(sums).all() and np.isfinite(spread.unit)
    return bool(
        fits
        and finite
        and (np.diff(cuts) > 0).all()
        and (counts >= 0).all()
        and spread.missing >= 0
        and spread.unit >= 0
    )
