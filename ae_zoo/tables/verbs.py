"""What a model of a table can say of its cells: why a row is strange, what belongs into a hole, and which columns matter."""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import numpy as np

from ae_zoo._support import checks
from ae_zoo.errors import AEZooError
from ae_zoo.tables.columns import Column
from ae_zoo.tables.schema import TableSchema, to_pandas
from ae_zoo.typing import Array, Rows

if TYPE_CHECKING:
    import pandas as pd

    from ae_zoo.autoencoder import Autoencoder

USUAL = 0.9  # share of the held-out cells in a number's usual range
ROUNDS = 3  # of filling holes: each sees what the last has filled


def explain(model: "Autoencoder", x: Rows, *, columns: int | None = None) -> "pd.DataFrame":
    """See `Autoencoder.explain`."""
    import pandas as pd

    schema = _table(model, "explain")
    coded = model.check_rows(x)
    names, index = np.array(schema.columns, object), _index(x, len(coded))
    shown = min(checks.count("columns", columns) if columns is not None else len(names), len(names))
    errors, expected = np.empty(coded.shape), []
    for place, (error, output) in enumerate(unseen(model, coded)):
        errors[:, place] = error
        expected.append(_expected(model, place, output))
    seen = [[_text(value) for value in cells] for _, cells in schema.rows(coded).items()]
    # Missing cells have no error and come last; equal ones stay in the table's order.
    worst = np.argsort(np.where(np.isnan(errors), np.inf, -errors), axis=1, kind="stable")[:, :shown]
    row, column = np.repeat(np.arange(len(coded)), shown), worst.ravel()
    return pd.DataFrame(
        {
            "row": index[row],
            "column": names[column],
            "seen": [seen[c][r] for r, c in zip(row, column, strict=True)],
            "expected": [expected[c][r] for r, c in zip(row, column, strict=True)],
            "error": errors[row, column],
            "p_value": _rarity(model, errors)[row, column],
        }
    )


def unseen(model: "Autoencoder", coded: Array) -> Iterator[tuple[Array, Array]]:
    """Yields, for each column, the errors `(n,)` and the outputs `(n, *output_shape)` where the model does not see its cells.

    A network may copy a cell that it sees, however strange. What it says of one that it does not see follows from the row's
    other cells.
    """
    target = model.scaling.target(coded)
    for place in range(coded.shape[1]):
        hidden = coded.copy()
        hidden[:, place] = np.nan
        output = model.decoder_outputs(hidden)
        yield np.asarray(model.likelihood.error(target, output))[:, place], output


def impute(model: "Autoencoder", x: Rows) -> "pd.DataFrame":
    """See `Autoencoder.impute`."""
    import pandas as pd

    schema = _table(model, "impute")
    frame, coded = to_pandas(x, "x").copy(), model.check_rows(x)
    holes = np.isnan(coded)
    filled = coded
    for _ in range(ROUNDS if holes.any() else 0):
        filled = np.where(holes, model.reconstructed(filled), coded)
    for place, column in enumerate(schema.table):
        hole = holes[:, place]
        if not hole.any() or column.missing == 1:
            continue
        cells, values = frame[column.name], column.cells(filled[:, place])[hole]
        if isinstance(cells.dtype, pd.CategoricalDtype):
            cells = cells.cat.add_categories([level for level in values.unique() if level not in cells.cat.categories])
        elif pd.api.types.is_numeric_dtype(cells):
            values = values.astype("float64")
        elif not pd.api.types.is_datetime64_any_dtype(cells):
            values = values.astype(object)
            if column.kind == "date":
                values = pd.Series([_text(value) for value in values], values.index, object)
        cells = cells.copy()
        cells[hole] = values.to_numpy() if not isinstance(values.dtype, pd.DatetimeTZDtype) else values.array
        frame[column.name] = cells
    return frame


def importance(model: "Autoencoder", x: Rows, *, seed: int = 1) -> "pd.Series[float]":
    """See `Autoencoder.importance`."""
    import pandas as pd

    schema = _table(model, "importance")
    coded, random = model.check_rows(x), np.random.default_rng(checks.seed(seed))
    weights = schema.weights
    before = np.nanmean(model.reconstruction_error(coded, per_feature=True), axis=0)
    found = np.zeros(len(weights))
    for place in np.flatnonzero(weights):
        shuffled = coded.copy()
        shuffled[:, place] = random.permutation(coded[:, place])
        grown = np.nanmean(model.reconstruction_error(shuffled, per_feature=True), axis=0) - before
        others = np.where(np.arange(len(weights)) == place, 0, weights)
        found[place] = float((others * np.nan_to_num(grown)).sum() / max(others.sum(), 1e-12))
    return pd.Series(found, schema.columns, name="importance").sort_values(ascending=False)


def sentences(explained: "pd.DataFrame", rows: int, columns: int = 3, below: float = 0.05) -> list[str]:
    """Returns a sentence for each of the strangest rows of what `explain` returned.

    The strangest have the largest sum of -log p over their cells (Fisher's method, for the order alone).
    """
    found = []
    strangeness = (-np.log(explained["p_value"])).groupby(explained["row"], sort=False).sum()
    for row in strangeness.sort_values(ascending=False, kind="stable").index[:rows]:
        some = explained[explained["row"] == row]
        rare = some[some["p_value"] <= below].head(columns)
        parts = [
            f"{cell.column} {cell.seen}, expected {cell.expected}, {_rare(cell.p_value)}"
            for cell in (rare if len(rare) else some.head(1)).itertuples()
        ]
        found.append(f"row {row}: {'; '.join(parts)}")
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
    """Returns the share of held-out cells of the same column with at least this error; NaN for missing cells."""
    kept, counts = (np.asarray(weight) for weight in (model.scaling.errors, model.scaling.counts))
    found = np.full(errors.shape, np.nan, "float64")
    for place in range(errors.shape[1]):
        present = ~np.isnan(errors[:, place])
        above = kept.shape[1] - np.searchsorted(kept[place], errors[present, place], side="left")
        n = float(counts[place])
        found[present, place] = (above / kept.shape[1] * n + 1) / (n + 1)
    return found


def _expected(model: "Autoencoder", place: int, output: Array) -> list[str]:
    """Returns what the model expects of a column's cells, as text."""
    layer = model.scaling
    column = layer.schema.table[place]
    numbers, few, many = layer.split(output)
    if not column.discrete:
        # On the standardized scale, the error that one in ten held-out cells exceeds.
        spread = float(np.sqrt(np.quantile(np.asarray(layer.errors)[place], USUAL)))
        return _ranges(column, np.asarray(numbers)[:, list(layer.numbers).index(place)], spread)
    logs = (
        np.asarray(few)[:, layer.few.index(place)] if place in layer.few else np.asarray(many[layer.many.index(place)])
    )
    return _levels(column, np.exp(logs[:, : 1 + len(column.levels)]))


def _levels(column: Column, probability: Array) -> list[str]:
    best = probability[:, 1:].argmax(axis=1) if len(column.levels) else np.zeros(len(probability), int)
    if not len(column.levels):
        return [""] * len(probability)
    return [f"{column.levels[place]} ({probability[row, 1 + place]:.0%})" for row, place in enumerate(best)]


def _ranges(column: Column, middle: Array, spread: float) -> list[str]:
    ends = [np.clip(middle + side * spread, *_bounds(column)) * column.scale + column.center for side in (-1, 1)]
    low, high = (column.cells(end.astype("float32")) for end in ends)
    return [_text(a) if _text(a) == _text(b) else f"{_text(a)} to {_text(b)}" for a, b in zip(low, high, strict=True)]


def _bounds(column: Column) -> tuple[float, float]:
    """Returns the range of the training cells on the standardized scale."""
    return (column.low - column.center) / column.scale, (column.high - column.center) / column.scale


def _text(value: Any) -> str:
    import pandas as pd

    if pd.isna(value):
        return "missing"
    if isinstance(value, pd.Timestamp):
        return str(value.date()) if value == value.normalize() else str(value.round("s"))
    return (
        f"{value:,.6g}"
        if isinstance(value, float | np.floating)
        else f"{value:,}"
        if isinstance(value, int | np.integer) and not isinstance(value, bool | np.bool_)
        else str(value)
    )
