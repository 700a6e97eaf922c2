"""What a model of a table can say of its cells: why a row is strange, what belongs into a hole, and which columns matter."""

import warnings
from typing import TYPE_CHECKING

import numpy as np

from ae_zoo._support import checks
from ae_zoo.endpoints import Arrays
from ae_zoo.errors import AEZooError, AEZooWarning
from ae_zoo.tables import cells as read
from ae_zoo.tables import spelling, unseen
from ae_zoo.tables.columns import Column
from ae_zoo.tables.frames import to_pandas
from ae_zoo.tables.losses import TableLikelihood
from ae_zoo.tables.schema import TableSchema
from ae_zoo.typing import Array, Rows, Tensor

if TYPE_CHECKING:
    import pandas as pd

    from ae_zoo.autoencoder import Autoencoder

LEAST = 1e-3  # of the errors of a row's other cells, so that a row without errors has an order too


def explain(model: "Autoencoder", x: Rows, *, top: int | None = None) -> "pd.DataFrame":
    """See `Autoencoder.explain`."""
    schema = _table(model, "explain")
    coded = model.check_rows(x)
    found = unseen.unseen(model, coded)
    checks.finite_errors(np.nan_to_num(found["cell_error"], nan=0.0, posinf=np.inf, neginf=-np.inf))
    return reasons(schema, x, coded, found, top)


def reasons(schema: TableSchema, x: Rows, coded: Array, found: Arrays, top: int | None) -> "pd.DataFrame":
    """Returns what `Autoencoder.explain` returns.

    Args:
        schema: of the table.
        x: rows.
        coded: the same, coded, `(n, columns)`.
        found: what the model says of each cell that it does not see: see `unseen.unseen`.
        top: how many columns of each row; None for all.
    """
    import pandas as pd

    names, errors = np.array(schema.columns, object), found["cell_error"]
    shown = min(checks.count("top", top) if top is not None else len(names), len(names))
    # A broken cell spoils what is expected of its row's other cells, so it is the one without which their errors are small.
    # Not the rarest first: of a broken row many errors are as rare as can be told. Missing cells, which have no error, and
    # columns that count for nothing come last.
    blame = errors / (found["other_error"] + LEAST)
    worst = np.argsort(np.where(np.isnan(blame), np.inf, -blame), axis=1, kind="stable")[:, :shown]
    row, column = np.repeat(np.arange(len(coded)), shown), worst.ravel()
    seen, said = np.empty(len(row), object), np.empty(len(row), object)
    given = schema.rows(coded) if isinstance(x, np.ndarray) else to_pandas(x, "x")
    for place, one in enumerate(schema.table):
        chosen = np.flatnonzero(column == place)
        seen[chosen] = [read.shown(value) for value in given[one.name].iloc[row[chosen]]]
        told = {name: part[row[chosen], place] for name, part in found.items()}
        if one.discrete:
            said[chosen] = _levels(one, told["expected"], told["probability"])
        else:
            said[chosen] = _ranges(one, told["low"], told["high"])
    return pd.DataFrame(
        {
            "row": index_of(x, len(coded))[row],
            "column": names[column],
            "seen": seen,
            "expected": said,
            "error": errors[row, column],
            "p_value": found["p_value"][row, column],
        },
        index=pd.Index(row, name="position"),
    )


def impute(model: "Autoencoder", x: Rows, *, draws: int | None = None, seed: int | None = None) -> "pd.DataFrame":
    """See `Autoencoder.impute`."""
    import pandas as pd

    schema = _table(model, "impute")
    frame, coded = to_pandas(x, "x"), model.check_rows(x)
    holes = np.isnan(coded)
    if draws is None:
        return _filled(frame, holes, schema, unseen.filled(model, coded))
    some, count = holes.any(axis=1), checks.count("draws", draws)
    filled = np.tile(coded, (count, 1, 1))
    drawn = model.draw_holes(np.tile(coded[some], (count, 1)), np.random.default_rng(checks.seed(seed)))
    filled[:, some] = drawn.reshape(count, -1, coded.shape[1])
    frames = [_filled(frame, holes, schema, each) for each in filled]
    return pd.concat(frames, keys=range(count), names=["draw"])


def _filled(frame: "pd.DataFrame", holes: Array, schema: TableSchema, coded: Array) -> "pd.DataFrame":
    """Returns a frame whose holes are filled with coded cells, but for columns of which the model knows no cell."""
    frame = frame.copy()
    for place, column in enumerate(schema.table):
        if holes[:, place].any() and column.missing < 1:
            frame[column.name] = spelling.filled(frame[column.name], holes[:, place], column, coded[:, place])
    return frame


def level_probabilities(model: "Autoencoder", x: Rows) -> "pd.DataFrame":
    """See `Autoencoder.level_probabilities`."""
    import pandas as pd

    schema, coded = _table(model, "level_probabilities"), model.check_rows(x)
    named = [column for column in schema.table if column.levels]
    if not named:
        raise AEZooError("The table has neither categories nor booleans, so no level has a probability.")
    levels = [(column.name, level) for column in named for level in column.cells(np.arange(len(column.levels)) + 1)]
    columns = pd.MultiIndex.from_tuples(levels, names=["column", "level"])
    return pd.DataFrame(model.probabilities(coded), index_of(x, len(coded)), columns)


def probabilities_of(model: "Autoencoder", x: Tensor) -> Tensor:
    """Returns probabilities of levels for coded rows as tensors, `(batch, levels)`."""
    import keras

    assert isinstance(model.likelihood, TableLikelihood)
    output = model.decoder(model.encoder(x, training=False), training=False)
    return model.likelihood.probabilities(keras.ops.cast(output, "float32"))


def importance(model: "Autoencoder", x: Rows, *, seed: int = 1) -> "pd.Series[float]":
    """See `Autoencoder.importance`."""
    import pandas as pd

    schema = _table(model, "importance")
    coded, random = model.check_rows(x), np.random.default_rng(checks.seed(seed))
    weights = schema.weights
    if len(coded) < 2:
        raise AEZooError("importance exchanges cells between rows, so x must have at least 2 rows; received 1.")
    empty = np.isnan(coded).all(axis=0) & (weights > 0)
    if empty.any():
        warnings.warn(
            f"The column {schema.columns[int(empty.argmax())]!r} of x has no cell that is present, so its importance is "
            "unknown: NaN.",
            AEZooWarning,
            stacklevel=3,
        )
    before = _means(model.reconstruction_error(coded, per_feature=True))
    found = np.zeros(len(weights))
    for place in np.flatnonzero(weights):
        shuffled = coded.copy()
        shuffled[:, place] = random.permutation(coded[:, place])
        grown = _means(model.reconstruction_error(shuffled, per_feature=True)) - before
        others = np.where(np.arange(len(weights)) == place, 0, weights)
        found[place] = float((others * grown).sum() / max(others.sum(), 1e-12))
    found[empty] = np.nan
    return pd.Series(found, schema.columns, name="importance").sort_values(ascending=False)


def _means(errors: Array) -> Array:
    """Returns the mean error of each column; 0 for one without a cell."""
    present = ~np.isnan(errors)
    return np.where(present, errors, 0).sum(axis=0) / np.maximum(present.sum(axis=0), 1)


def sentences(explained: "pd.DataFrame", rows: int) -> list[str]:
    """Returns a sentence for each of the strangest rows of what `explain` returned.

    The strangest have the largest sum of -log p over their cells (Fisher's method, for the order alone).
    """
    strangeness = (-np.log(explained["p_value"])).groupby(level="position").sum()
    order = strangeness.sort_values(ascending=False, kind="stable").index[:rows]
    return [sentence(explained.loc[[position]]) for position in order]


def sentence(some: "pd.DataFrame", columns: int = 3, below: float = 0.05) -> str:
    """Returns a sentence for one row of what `explain` returned: its strangest columns, those that are rare if any is."""
    rare = some[some["p_value"] <= below].head(columns)
    known = some["p_value"].notna().any()
    shown = rare if len(rare) else some.head(1 if known else columns)
    parts = [
        f"{column} {seen}, expected {expected}{_rare(p)}"
        for column, seen, expected, p in zip(
            shown["column"], shown["seen"], shown["expected"], shown["p_value"], strict=True
        )
    ]
    return f"row {some['row'].iloc[0]}: {'; '.join(parts)}"


def _rare(p_value: float) -> str:
    if np.isnan(p_value):
        return ""
    return f", rarer than 1 in {max(1, round(1 / p_value)):,}" if p_value < 0.5 else ", not rare"


def _table(model: "Autoencoder", verb: str) -> TableSchema:
    if not isinstance(model.schema, TableSchema):
        raise AEZooError(
            f"{verb} is for models of tables: build one with schema=ae_zoo.schema(frame). For arrays, "
            "reconstruction_error(x, per_feature=True) gives each feature's error."
        )
    return model.schema


def index_of(x: Rows, rows: int) -> Array:
    """Returns the index of a frame with so many rows, or their numbers for what has no index."""
    index = getattr(x, "index", None)
    return np.arange(rows) if index is None or callable(index) else np.asarray(index)


def _levels(column: Column, level: Array, probability: Array) -> list[str]:
    if not len(column.levels):
        return [""] * len(level)
    return [f"{column.levels[int(one) - 1]} ({share:.0%})" for one, share in zip(level, probability, strict=True)]


def _ranges(column: Column, low: Array, high: Array) -> list[str]:
    ends = ([read.shown(value) for value in column.cells(end)] for end in (low, high))
    return [a if a == b else f"{a} to {b}" for a, b in zip(*ends, strict=True)]
