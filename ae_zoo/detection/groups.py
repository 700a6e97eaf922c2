"""The calibration of a detector: one for all rows, or one for each group of them, such as each value of a column."""

import dataclasses
import json
from collections.abc import Mapping
from typing import Any, Self

import numpy as np

from ae_zoo.detection.conformal import Calibration
from ae_zoo.errors import AEZooError, unknown
from ae_zoo.layers.ranks import ranks
from ae_zoo.schemas import Schema
from ae_zoo.tables.cells import shown
from ae_zoo.typing import Array, Tensor

MOST = 1000  # groups


@dataclasses.dataclass(frozen=True)
class Calibrations:
    """The scores of held-out rows, of all and by group.

    Attributes:
        by: the column whose values are the groups, or None for one group.
        values: the column's coded values that are groups, float32 `(groups,)`.
        each: the calibration of all rows, for values that are no group, and then of each group.
    """

    by: str | None
    values: Array
    each: tuple[Calibration, ...]

    @classmethod
    def of(cls, schema: Schema, x: Array, scores: Array, weights: Array | None, by: str | None) -> Self:
        """Returns the calibrations by coded rows `(n, *input_shape)`, their scores `(n,)` and weights `(n,)`.

        Raises:
            AEZooError: there is no such column, or it has too many values.
        """
        every = Calibration.of(scores, weights)
        if by is None:
            return cls(None, np.zeros(0, "float32"), (every,))
        column = x[:, place_of(schema, by)]
        values = np.unique(column[~np.isnan(column)])
        if len(values) > MOST:
            raise AEZooError(
                f"by={by!r} has {len(values):,} different values, too many for groups: give a column of at most {MOST}."
            )
        groups = [column == value for value in values]
        if weights is not None and not all(weights[rows].any() for rows in groups):
            raise AEZooError(
                f"All weights of a group of by={by!r} are 0, so nothing is known of it: leave its rows out."
            )
        return cls(
            by,
            values.astype("float32"),
            (every, *(Calibration.of(scores[rows], None if weights is None else weights[rows]) for rows in groups)),
        )

    def groups(self, schema: Schema, x: Array) -> Array:
        """Returns the group of coded rows `(n,)`; 0 for a value that is no group."""
        if self.by is None:
            return np.zeros(len(x), int)
        same = x[:, place_of(schema, self.by), None] == self.values
        return np.where(same.any(axis=1), same.argmax(axis=1) + 1, 0)

    def thresholds(self, schema: Schema, rate: float) -> Array:
        """Returns the threshold of each group for a rate of false alarms, float32 `(1 + groups,)`.

        Raises:
            AEZooError: a group has too few held-out rows for so small a rate.
        """
        found = []
        for index, one in enumerate(self.each):
            try:
                found.append(one.threshold(rate))
            except AEZooError as error:
                where = f" In the group {self.by} = {self._shown(schema, index)} of by={self.by!r}." if index else ""
                raise AEZooError(f"{error}{where}") from error
        return np.array(found, "float32")

    def _shown(self, schema: Schema, group: int) -> str:
        """Returns the value of a group in the column's own words."""
        place = place_of(schema, str(self.by))
        row = np.full((1, len(schema.names)), np.nan, "float32")
        row[0, place] = self.values[group - 1]
        return shown(np.asarray(schema.rows(row), object)[0, place])

    def p_values(self, scores: Array, groups: Array) -> Array:
        """Returns the p-values `(n,)` of scores of rows in groups; NaN for an unknown score."""
        found = np.empty(len(scores))
        for group in np.unique(groups):
            some = groups == group
            found[some] = self.each[group].p_value(scores[some])
        return found

    # The same as tensors.

    def groups_of(self, schema: Schema, x: Tensor) -> Tensor:
        """Returns the group of coded rows, int32 `(batch,)`."""
        import keras

        ops = keras.ops
        if self.by is None:
            return ops.zeros_like(ops.sum(x, axis=tuple(range(1, len(x.shape)))), dtype="int32")
        same = ops.equal(x[:, place_of(schema, self.by), None], self.values)
        return ops.sum(ops.cast(same, "int32") * np.arange(1, len(self.values) + 1, dtype="int32"), axis=1)

    def p_values_of(self, scores: Tensor, groups: Tensor) -> Tensor:
        """Returns the p-values `(batch,)` of scores of rows in groups."""
        import keras

        size = max(len(one.scores) for one in self.each)
        kept = np.full((len(self.each), size), np.inf, "float32")
        above = np.zeros((len(self.each), size + 1), "float32")
        for index, one in enumerate(self.each):
            kept[index, : len(one.scores)] = one.scores
            above[index, : len(one.above)] = one.above
        found = ranks(keras.ops.convert_to_tensor(kept.ravel()), groups * size, size, scores)
        return keras.ops.take(keras.ops.convert_to_tensor(above.ravel()), groups * (size + 1) + found, axis=0)

    # In files.

    def arrays(self) -> dict[str, Array]:
        """Returns the calibrations as arrays, by name."""
        found = {"calibration/values": self.values, "calibration/by": np.array(json.dumps(self.by))}
        for index, one in enumerate(self.each):
            found |= {
                f"calibration/{index}/{name}": np.asarray(value) for name, value in dataclasses.asdict(one).items()
            }
        return found

    @classmethod
    def read(cls, arrays: Mapping[str, Any]) -> Self:
        """Returns the calibrations in arrays that `arrays` returned.

        Raises:
            AEZooError: an array is missing, or does not go together with the others.
        """
        try:
            by, values = json.loads(str(arrays["calibration/by"])), np.asarray(arrays["calibration/values"], "float32")
            each = []
            for index in range(1 + len(values)):
                parts = (arrays[f"calibration/{index}/{name}"] for name in ("scores", "above", "rows", "weighted"))
                scores, above, rows = next(parts).astype("float32"), next(parts).astype("float64"), int(next(parts))
                each.append(Calibration(scores, above, rows, bool(next(parts))))
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            raise AEZooError(f"The calibration lacks an array, or holds one of another kind: {error}") from error
        for one in each:
            legal = (
                one.scores.ndim == 1 and one.above.shape == (len(one.scores) + 1,) and one.rows >= len(one.scores) > 0
            )
            if not legal or not np.isfinite(one.scores).all() or not ((one.above > 0) & (one.above <= 1)).all():
                raise AEZooError("The calibration's scores and p-values do not go together.")
            if (np.diff(one.scores) < 0).any() or (np.diff(one.above) > 0).any():
                raise AEZooError("The calibration's scores are not sorted.")
        if by is not None and not isinstance(by, str):
            raise AEZooError("The calibration's column has no name.")
        return cls(by, values, tuple(each))


def place_of(schema: Schema, by: str) -> int:
    """Returns the place of a column in a coded row.

    Raises:
        AEZooError: the rows have no columns, or none of this name.
    """
    if schema.columns is None:
        raise AEZooError(
            f"by={by!r} is the name of a column, and the rows have no named columns: give them as a frame."
        )
    if by not in schema.columns:
        raise unknown("column", by, schema.columns)
    return schema.columns.index(by)
