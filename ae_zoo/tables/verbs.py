"""What a model of a table can say of its cells: why a row is strange, what belongs into a hole, and which columns matter."""

from typing import TYPE_CHECKING, Any

import numpy as np

from ae_zoo._support import checks
from ae_zoo.errors import AEZooError
from ae_zoo.tables import cells as read
from ae_zoo.tables.columns import Column
from ae_zoo.tables.frames import to_pandas
from ae_zoo.tables.schema import TableSchema
from ae_zoo.typing import Array, Rows, Tensor

if TYPE_CHECKING:
    import pandas as pd

    from ae_zoo.autoencoder import Autoencoder

USUAL = 0.9  # share of the held-out cells in a number's usual range
ROUNDS = 3  # of filling holes: each sees what the last has filled


def explain(model: "Autoencoder", x: Rows, *, top: int | None = None) -> "pd.DataFrame":
    """See `Autoencoder.explain`."""
    import pandas as pd

    schema = _table(model, "explain")
    coded = model.check_rows(x)
    names = np.array(schema.columns, object)
    shown = min(checks.count("top", top) if top is not None else len(names), len(names))
    errors, expected, probability = unseen(model, coded)
    checks.finite_errors(np.nan_to_num(errors, nan=0.0, posinf=np.inf, neginf=-np.inf))
    rarity = _rarity(model, errors)
    # Not the rarest first: of a broken row many errors are as rare as can be told. Missing cells, which have no error, and
    # columns that count for nothing come last.
    worst = np.argsort(np.where(np.isnan(errors), np.inf, -errors), axis=1, kind="stable")[:, :shown]
    row, column = np.repeat(np.arange(len(coded)), shown), worst.ravel()
    seen, said = np.empty(len(row), object), np.empty(len(row), object)
    given = schema.rows(coded) if isinstance(x, np.ndarray) else to_pandas(x, "x")
    for place, one in enumerate(schema.table):
        chosen = np.flatnonzero(column == place)
        seen[chosen] = [read.shown(value) for value in given[one.name].iloc[row[chosen]]]
        usual = expected[row[chosen], place], probability[row[chosen], place]
        said[chosen] = _levels(one, *usual) if one.discrete else _ranges(one, usual[0], _spread(model, place))
    return pd.DataFrame(
        {
            "row": _index(x, len(coded))[row],
            "column": names[column],
            "seen": seen,
            "expected": said,
            "error": errors[row, column],
            "p_value": rarity[row, column],
        },
        index=pd.Index(row, name="position"),
    )


def unseen(model: "Autoencoder", coded: Array) -> tuple[Array, Array, Array]:
    """Returns, for each cell, what the model says if it does not see it: see `TableLayer`.

    A network may copy a cell that it sees, however strange. What it says of one that it does not see follows from the row's
    other cells.

    Returns:
        The errors, NaN for missing cells; the expected cells, coded; and the probability of an expected level, each
        `(n, columns)`.
    """
    found = model.unseen(coded).reshape(len(coded), 3, coded.shape[1])
    return np.where(model.scaling.weight > 0, found[:, 0], np.nan), found[:, 1], found[:, 2]


def unseen_of(model: "Autoencoder", x: Tensor) -> Tensor:
    """Returns errors, expected cells and probabilities for coded rows as tensors, `(batch, 3 * columns)`."""
    import keras

    ops, layer = keras.ops, model.scaling
    p = int(x.shape[1])
    own = np.eye(p, dtype=bool)
    hidden = ops.reshape(ops.where(own, float("nan"), ops.expand_dims(x, 1)), (-1, p))  # (batch * columns, columns)
    output = ops.cast(model.decoder(model.encoder(hidden, training=False), training=False), "float32")
    target = ops.reshape(ops.repeat(ops.expand_dims(layer.target(x), 1), p, axis=1), (-1, p))
    parts = [model.likelihood.error(target, output), *layer.expected(output)]

    def of_hidden(part: Tensor) -> Tensor:
        square = ops.reshape(part, (-1, p, p))
        return ops.sum(ops.where(own, square, ops.zeros_like(square)), axis=2)

    return ops.concatenate([of_hidden(part) for part in parts], axis=1)


def impute(model: "Autoencoder", x: Rows) -> "pd.DataFrame":
    """See `Autoencoder.impute`."""
    schema = _table(model, "impute")
    frame, coded = to_pandas(x, "x").copy(), model.check_rows(x)
    holes = np.isnan(coded)
    filled = coded
    for _ in range(ROUNDS if holes.any() else 0):
        filled = np.where(holes, model.reconstructed(filled), coded)
    for place, column in enumerate(schema.table):
        hole = holes[:, place]
        if hole.any() and column.missing < 1:
            frame[column.name] = _filled(frame[column.name], hole, column, filled[:, place])
    return frame


def _filled(cells: "pd.Series[Any]", hole: Array, column: Column, coded: Array) -> "pd.Series[Any]":
    """Returns cells with the holes filled, in their own type where it can hold the values."""
    import pandas as pd

    values = column.cells(coded).set_axis(cells.index)
    if hole.all():
        return values
    if isinstance(cells.dtype, pd.CategoricalDtype):
        own = dict(
            zip(
                read.texts(pd.Series(cells.cat.categories), column.kind, column.name), cells.cat.categories, strict=True
            )
        )
        values = values.astype(object).map(lambda value: own.get(str(value), value))
        cells = cells.cat.add_categories(
            [value for value in values[hole].unique() if value not in cells.cat.categories]
        )
    elif pd.api.types.is_datetime64_any_dtype(values) and pd.api.types.is_datetime64_any_dtype(cells):
        zone = cells.dt.tz
        both = values.dt.tz is not None and zone is not None
        values = values.dt.tz_convert(zone) if both else values.dt.tz_localize(zone)
    try:
        return cells.mask(hole, values.astype(cells.dtype))
    except (TypeError, ValueError):  # the type has no place for the value, such as one of text for a number
        texts = pd.api.types.is_string_dtype(cells)
        return cells.astype(object).mask(hole, values.map(read.shown) if texts else values.astype(object))


def importance(model: "Autoencoder", x: Rows, *, seed: int = 1) -> "pd.Series[float]":
    """See `Autoencoder.importance`."""
    import pandas as pd

    schema = _table(model, "importance")
    coded, random = model.check_rows(x), np.random.default_rng(checks.seed(seed))
    weights = schema.weights
    before = _means(model.reconstruction_error(coded, per_feature=True))
    found = np.zeros(len(weights))
    for place in np.flatnonzero(weights):
        shuffled = coded.copy()
        shuffled[:, place] = random.permutation(coded[:, place])
        grown = _means(model.reconstruction_error(shuffled, per_feature=True)) - before
        others = np.where(np.arange(len(weights)) == place, 0, weights)
        found[place] = float((others * grown).sum() / max(others.sum(), 1e-12))
    return pd.Series(found, schema.columns, name="importance").sort_values(ascending=False)


def _means(errors: Array) -> Array:
    """Returns the mean error of each column; 0 for one without a cell."""
    present = ~np.isnan(errors)
    return np.where(present, errors, 0).sum(axis=0) / np.maximum(present.sum(axis=0), 1)


def sentences(explained: "pd.DataFrame", rows: int, columns: int = 3, below: float = 0.05) -> list[str]:
    """Returns a sentence for each of the strangest rows of what `explain` returned.

    The strangest have the largest sum of -log p over their cells (Fisher's method, for the order alone).
    """
    strangeness = (-np.log(explained["p_value"])).groupby(level="position").sum()
    found = []
    for position in strangeness.sort_values(ascending=False, kind="stable").index[:rows]:
        some = explained.loc[[position]]
        rare = some[some["p_value"] <= below].head(columns)
        shown = rare if len(rare) else some.head(1)
        parts = [
            f"{column} {seen}, expected {expected}, {_rare(p)}"
            for column, seen, expected, p in zip(
                shown["column"], shown["seen"], shown["expected"], shown["p_value"], strict=True
            )
        ]
        found.append(f"row {some['row'].iloc[0]}: {'; '.join(parts)}")
    return found


def _rare(p_value: float) -> str:
    return f"rarer than 1 in {max(1, round(1 / p_value)):,}" if p_value < 0.5 else "not rare"


def _table(model: "Autoencoder", verb: str) -> TableSchema:
    if not isinstance(model.schema, TableSchema):
        raise AEZooError(
            f"{verb} is for models of tables: build one with schema=ae_zoo.schema(frame). For arrays, "
            "reconstruction_error(x, per_feature=True) gives each feature's error."
        )
    return model.schema


def _index(x: Rows, rows: int) -> Array:
    index = getattr(x, "index", None)
    return np.arange(rows) if index is None or callable(index) else np.asarray(index)


def _rarity(model: "Autoencoder", errors: Array) -> Array:
    """Returns the share of held-out cells of the same column with at least this error; NaN for missing cells.

    It is NaN too where no held-out cells are known: the model was not trained by `ae_zoo.fit`.
    """
    kept, counts = (np.asarray(weight) for weight in (model.scaling.errors, model.scaling.counts))
    found = np.full(errors.shape, np.nan, "float64")
    for place in np.flatnonzero(counts):
        present = ~np.isnan(errors[:, place])
        # A ten-thousandth less, because rounding may change the error of an equal cell.
        above = kept.shape[1] - np.searchsorted(kept[place], errors[present, place] * (1 - 1e-4), side="left")
        n = float(counts[place])
        found[present, place] = (above / kept.shape[1] * n + 1) / (n + 1)
    return found


def _spread(model: "Autoencoder", place: int) -> float:
    """Returns the distance from what is expected that one in ten held-out cells of a column exceeds, as it is coded."""
    scale = model.schema.table[place].scale  # type: ignore[attr-defined]
    return float(np.sqrt(np.quantile(np.asarray(model.scaling.errors)[place], USUAL)) * scale)


def _levels(column: Column, level: Array, probability: Array) -> list[str]:
    if not len(column.levels):
        return [""] * len(level)
    return [f"{column.levels[int(one) - 1]} ({share:.0%})" for one, share in zip(level, probability, strict=True)]


def _ranges(column: Column, middle: Array, spread: float) -> list[str]:
    """Returns the ranges around what is expected as texts; of whole numbers those that lie inside."""
    low, high = (np.clip(middle + side * spread, column.low, column.high) for side in (-1, 1))
    if column.kind == "integer":
        inside = np.ceil(low) <= np.floor(high)
        low, high = np.where(inside, np.ceil(low), np.round(middle)), np.where(inside, np.floor(high), np.round(middle))
    ends = ([read.shown(value) for value in column.cells(end)] for end in (low, high))
    return [a if a == b else f"{a} to {b}" for a, b in zip(*ends, strict=True)]
