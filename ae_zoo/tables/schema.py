"""What a row of a table is: its columns in order, as coded numbers and as a frame."""

import collections
import dataclasses
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, ClassVar, Self

import numpy as np

from ae_zoo._support import checks
from ae_zoo.errors import AEZooError, short, unknown
from ae_zoo.options import option
from ae_zoo.schemas import Schema
from ae_zoo.tables import raw
from ae_zoo.tables.columns import Column
from ae_zoo.tables.frames import pieces, to_pandas
from ae_zoo.tables.statistics import SCALINGS, Rules
from ae_zoo.tables.summary import TableSummary, summarize
from ae_zoo.typing import Array, Rows

if TYPE_CHECKING:
    import keras
    import pandas as pd

    from ae_zoo.autoencoder import Autoencoder
    from ae_zoo.config import Config
    from ae_zoo.endpoints import Endpoints
    from ae_zoo.layers.table import TableLayer
    from ae_zoo.likelihoods import Likelihood

DEFAULT = Rules()


def _read_columns(value: Any) -> tuple[Column, ...]:
    if isinstance(value, str | bytes | Mapping) or not isinstance(value, Sequence):
        raise AEZooError(f"table must be a list of columns; received {short(value)}.")
    return tuple(map(Column.read, value))


def _read_weights(value: Any) -> tuple[float, ...]:
    found = np.asarray(value, "float64")
    if found.ndim != 1 or not np.isfinite(found).all() or (found < 0).any():
        raise AEZooError(f"column_weights must be numbers of at least 0; received {short(value)}.")
    return tuple(map(float, found))


@dataclasses.dataclass(frozen=True, kw_only=True)
class TableSchema(Schema):
    """Rows of a table with columns of several kinds, which may have missing cells.

    Coded rows are float32 `(n, columns)`: see `Column`. The networks see one number a number, one-hot levels or a vector for
    a category, and for each column whether its cell is missing. They return one number a number, and a logit a level.
    """

    kind: ClassVar[str] = "table"
    corrupts_coded: ClassVar[bool] = True
    starts_at_zero: ClassVar[bool] = True
    symmetric: ClassVar[bool] = False
    draws: ClassVar[bool] = True
    may_miss: ClassVar[bool] = True
    usual: ClassVar[float | None] = 1.0

    table: tuple[Column, ...] = option(help="the columns", read=_read_columns)
    max_levels: int = option(DEFAULT.max_levels, help='levels of a category; the rarest of more are "other"', low=1)
    min_count: int = option(DEFAULT.min_count, help='rows that a level needs; rarer ones are "other"', low=1)
    scaling: str = option(DEFAULT.scaling, help="scaling of numbers and dates", choices=SCALINGS)  # type: ignore[assignment]
    column_weights: tuple[float, ...] | None = option(
        None, help="weight of each column in a row's loss and score; none: all alike", read=_read_weights
    )

    def __post_init__(self) -> None:
        super().__post_init__()
        if not self.table:
            raise AEZooError("A table needs at least one column.")
        twice = [name for name, count in collections.Counter(self.names).items() if count > 1]
        if twice:
            raise AEZooError(f"Every column needs a name of its own; {twice[0]!r} is there more than once.")
        if self.column_weights is not None and len(self.column_weights) != len(self.table):
            raise AEZooError(f"column_weights must be one number for each of the {len(self.table)} columns.")

    @classmethod
    def of(
        cls,
        frame: "Rows",
        kinds: Mapping[str, str] | None = None,
        rules: Rules = DEFAULT,
        name: str = "x",
    ) -> tuple[Self, Array]:
        """Returns the schema of a frame, and its rows, coded. The arguments are those of `ae_zoo.schema`."""
        table = to_pandas(frame, name)
        schema = cls.of_summary(summarize([table], kinds or {}, name), rules)
        return schema, schema.code(table, name)

    @classmethod
    def of_summary(
        cls, summary: TableSummary, rules: Rules = DEFAULT, column_weights: Mapping[str, float] | None = None
    ) -> Self:
        """Returns the schema of a table of which the summary is known. The other arguments are those of `ae_zoo.schema`."""
        columns = summary.table(rules)
        weights = None
        if column_weights is not None:
            names = [column.name for column in columns]
            for key in column_weights:
                if key not in names:
                    raise unknown("column", key, names)
            weights = tuple(checks.finite(f"column_weights[{key!r}]", column_weights.get(key, 1.0)) for key in names)
        return cls(table=columns, column_weights=weights, **dataclasses.asdict(rules))

    def of_rows(self, frame: Rows | Iterable[Rows]) -> Self:
        """Returns the schema with the same columns, and the statistics of other rows; they may come in pieces."""
        tables = (piece[list(self.columns)] for piece in pieces(frame, "frame"))
        summary = summarize(tables, {column.name: column.kind for column in self.table}, "frame")
        return dataclasses.replace(self, table=summary.table(Rules(self.max_levels, self.min_count, self.scaling)))

    # What a schema says.

    @property
    def input_shape(self) -> tuple[int, ...]:  # type: ignore[override]
        """Shape of one coded row: a number a column."""
        return (len(self.table),)

    @property
    def output_shape(self) -> tuple[int, ...]:
        """Shape of what the networks return for one row."""
        return (sum(column.width for column in self.table),)

    @property
    def target_shape(self) -> tuple[int, ...]:
        """Shape of what the networks must give back for one row: a number a column."""
        return self.input_shape

    @property
    def columns(self) -> tuple[str, ...]:  # type: ignore[override]
        """The columns' names."""
        return tuple(column.name for column in self.table)

    @property
    def names(self) -> tuple[str, ...]:
        """The columns' names."""
        return self.columns

    @property
    def features(self) -> int:
        """The number of columns; a row's loss is a mean over them."""
        return len(self.table)

    @property
    def bounded(self) -> bool:
        """Never: numbers are standardized, and levels are logits."""
        return False

    @property
    def weights(self) -> Array:
        """The weight of each column in a row's loss and score `(columns,)`: 0 where the training rows say nothing of it."""
        given = np.ones(len(self.table)) if self.column_weights is None else np.asarray(self.column_weights)
        found = np.where([column.constant for column in self.table], 0.0, given)
        if not found.any():
            raise AEZooError("No column of the table has two different values, so there is nothing to learn.")
        return found

    def code(self, x: Rows, name: str = "x", *, learn: bool = False) -> Array:
        """Returns a frame's rows as float32 `(n, columns)`; coded rows, which are float32 already, are returned as they are.

        Raises:
            AEZooError: a column is missing, or a cell is not of its column's kind.
        """
        if isinstance(x, np.ndarray) and x.dtype == "float32":
            return self._coded_already(x, name)
        if isinstance(x, np.ndarray):  # such as frame.to_numpy(), whose numbers are not coded
            raise AEZooError(
                f"{name} must be a frame with the columns {', '.join(map(repr, self.columns[:5]))}..., or coded rows, "
                f"float32, from schema.code(frame); received an array of type {x.dtype}."
            )
        frame = to_pandas(x, name)
        lacks = [column for column in self.columns if column not in frame.columns]
        if lacks:
            shown = ", ".join(map(repr, lacks[:5])) + (f" and {len(lacks) - 5} more" if len(lacks) > 5 else "")
            raise AEZooError(f"{name} must have the {len(self.table)} columns of the model's rows; it lacks {shown}.")
        if not len(frame):
            raise AEZooError(f"{name} must hold at least one row.")
        found = np.empty((len(frame), len(self.table)), "float32")
        for place, column in enumerate(self.table):
            found[:, place] = column.code(frame[column.name])
        if np.isinf(found).any():
            row, place = np.argwhere(np.isinf(found))[0]
            raise AEZooError(
                f"{name} holds a number beyond float32 in row {row} of the column {self.columns[place]!r}."
            )
        return found

    def _coded_already(self, x: Array, name: str) -> Array:
        if x.ndim != 2 or x.shape[1] != len(self.table) or not len(x):
            raise AEZooError(
                f"{name} must be a frame with the columns {', '.join(map(repr, self.columns[:5]))}..., or coded rows "
                f"(n, {len(self.table)}); received an array of shape {x.shape}."
            )
        coded = np.ascontiguousarray(x, "float32")
        if np.isinf(coded).any():
            raise AEZooError(f"{name} must hold finite numbers, or NaN for a missing cell.")
        for place, column in enumerate(self.table):
            cells = coded[:, place]
            cells = cells[~np.isnan(cells)]
            if column.discrete and ((cells != np.round(cells)) | (cells < 0) | (cells > len(column.levels))).any():
                raise AEZooError(
                    f"{name} is coded, and the column {column.name!r} is a level from 0 to {len(column.levels)}; received "
                    f"{cells[(cells != np.round(cells)) | (cells < 0) | (cells > len(column.levels))][0]:g}."
                )
        return coded

    def row(self, x: Any, name: str = "x") -> Array:
        """Returns one row as `(1, columns)`, coded: from a Series by its names, a dictionary, or a frame of one row."""
        found = super().row(x, name) if hasattr(x, "to_frame") and getattr(x, "ndim", 1) == 1 else self.code(x, name)
        if len(found) != 1:
            raise AEZooError(f"{name} must be one row; received {len(found)}.")
        return found

    def rows(self, coded: Array) -> "pd.DataFrame":
        """Returns coded rows `(n, columns)` as a frame of the columns' own kinds."""
        import pandas as pd

        return pd.DataFrame({column.name: column.cells(coded[:, place]) for place, column in enumerate(self.table)})

    def known(self, coded: Array) -> Array:
        """Returns which coded rows have a cell that is present, of a column that counts."""
        return (~np.isnan(coded) & (self.weights > 0)).any(axis=1)

    def errors(self, share: Array, error: Array, x: Rows) -> Array:
        """Returns errors of cells from their shares of the errors of rows; NaN where a cell is missing or counts not."""
        weights, present = self.weights, ~np.isnan(self.code(x))
        with np.errstate(divide="ignore", invalid="ignore"):
            found = share * (error * (present * weights).sum(axis=1))[:, None] / weights
        return np.where(present & (weights > 0), found, np.nan)

    def served(self, coded: Array) -> dict[str, Array]:
        """Returns coded rows as raw columns, by key: see `tables/raw.py`."""
        return raw.arrays(self.table, coded)

    def layer(self, name: str) -> "TableLayer":
        from ae_zoo.layers.table import TableLayer

        return TableLayer(self.to_dict(), name=name)

    def noise(self, kind: str, amount: float, name: str) -> "keras.layers.Layer":
        """Returns the layer that hides or swaps cells of coded rows in training."""
        from ae_zoo.layers.table import CellNoise

        return CellNoise(kind, amount, name=name)

    def likelihood(self, config: "Config") -> "Likelihood":
        from ae_zoo.tables.losses import of_table

        return of_table(self, config)

    def endpoints(self, model: "Autoencoder") -> "Endpoints":
        from ae_zoo.tables.unseen import endpoints

        return endpoints(model)

    def to_dict(self) -> dict[str, Any]:
        weights = None if self.column_weights is None else list(self.column_weights)
        rules = {"max_levels": self.max_levels, "min_count": self.min_count, "scaling": self.scaling}
        columns = [column.to_dict() for column in self.table]
        return {"kind": self.kind, "table": columns, **rules, "column_weights": weights}

    def described(self) -> list[tuple[str, str, str, str]]:
        """Returns each column's name, kind, share of missing cells, and levels or range, as texts."""
        return [
            (column.name, column.kind, f"{column.missing:.1%}" if column.missing else "", str(column))
            for column in self.table
        ]

    def __str__(self) -> str:
        """The columns as a table of text."""
        lines = [("column", "kind", "missing", "values"), *self.described()]
        widths = [max(len(line[place]) for line in lines) for place in range(3)]
        return "\n".join(
            "  ".join((*(cell.ljust(size) for cell, size in zip(line[:3], widths, strict=True)), line[3])).rstrip()
            for line in lines
        )


def schema(
    frame: Rows | Iterable[Rows],
    kinds: Mapping[str, str] | None = None,
    *,
    max_levels: int = DEFAULT.max_levels,
    min_count: int = DEFAULT.min_count,
    scaling: str = DEFAULT.scaling,
    column_weights: Mapping[str, float] | None = None,
    **more: str,
) -> TableSchema:
    """Returns what a table's columns are, guessed from its cells; printing it shows them.

    Whole numbers that are all 0 or 1 are booleans; texts that are all ISO dates are dates, and texts that are all numbers,
    none with a zero in front, are numbers; other texts are categories. An identifier or free text is refused, until you say
    what it is.

    Args:
        frame: the training rows, as a frame of pandas, polars or Arrow; or an iterator of such frames, which is read once,
            or a list of them. However the rows are cut into frames, the schema is the same.
        kinds: of columns, by name: `"number"`, `"integer"`, `"boolean"`, `"category"`, `"date"`, or `"ignore"` to leave a
            column out; the others are guessed.
        max_levels: of a category; the rarest of more are taken together as "other".
        min_count: rows that a level needs, unless none has as many; rarer ones are taken together as "other".
        scaling: `"standard"` (mean and standard deviation) or `"robust"` (median and quartiles), of numbers and dates; or
            `"quantile"`: numbers with long tails by their ranks, mapped to a normal distribution, and dates as `"standard"`.
        column_weights: weight of columns in a row's loss and score, by name; 1 for the others.
        **more: kinds of more columns.

    Raises:
        AEZooError: a column is an identifier or free text, or not of the kind that is said.

    Example:
        >>> schema = ae_zoo.schema(frame, zip="category", id="ignore")
        >>> model = ae_zoo.build("undercomplete", data=frame, schema=schema)
    """
    rules = Rules(max_levels, min_count, scaling)
    for name, given in (("kinds", kinds), ("column_weights", column_weights)):
        if given is not None and not isinstance(given, Mapping):
            raise AEZooError(f"{name} must be a mapping from columns; received {short(given)}.")
    summary = summarize(pieces(frame, "frame"), {**(kinds or {}), **more}, "frame")
    return TableSchema.of_summary(summary, rules, column_weights)
