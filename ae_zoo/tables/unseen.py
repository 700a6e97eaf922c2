"""What a model of a table says of a cell that it does not see, and what it puts into holes: as tensors, and served.

A network may copy a cell that it sees, however strange. What it says of one that it does not see follows from the row's other
cells.
"""

from typing import TYPE_CHECKING

import numpy as np

from ae_zoo.endpoints import Arrays, Endpoint, Endpoints, Tensors
from ae_zoo.tables import raw
from ae_zoo.typing import Array, Tensor

if TYPE_CHECKING:
    from ae_zoo.autoencoder import Autoencoder
    from ae_zoo.tables.schema import TableSchema

PARTS = ("cell_error", "other_error", "p_value", "probability", "expected", "low", "high")
UNKNOWN = {"cell_error": 0.0, "p_value": 1.0}  # what a server answers for a missing cell, because NaN is no JSON


def unseen(model: "Autoencoder", coded: Array) -> Arrays:
    """Returns what a model says of each cell of coded rows `(n, columns)` if it does not see it, by name, each of that shape.

    | name          | content                                                                                            |
    |---------------|----------------------------------------------------------------------------------------------------|
    | `cell_error`  | the cell's error; NaN where it is missing, or of a column that does not count                       |
    | `other_error` | the errors of the row's other cells meanwhile, added up by their weights                            |
    | `p_value`     | share of the held-out cells of the column with at least this error; NaN if it or they are not known |
    | `probability` | the probability of an expected level; 1 for a number                                                |
    | `expected`    | the expected cell, coded                                                                            |
    | `low`, `high` | the range of nine in ten held-out cells around an expected number, coded; the level itself          |
    """
    found = model.unseen(coded)
    return dict(zip(PARTS, np.split(found, len(PARTS), axis=1), strict=True))


def unseen_of(model: "Autoencoder", x: Tensor) -> Tensor:
    """Returns the parts of `unseen` as one tensor `(batch, len(PARTS) * columns)`, for coded rows `(batch, columns)`."""
    import keras

    ops, layer = keras.ops, model.scaling
    p = int(x.shape[1])
    own = np.eye(p, dtype=bool)
    hidden = ops.reshape(ops.where(own, float("nan"), ops.expand_dims(x, 1)), (-1, p))  # (batch * columns, columns)
    output = ops.cast(model.decoder(model.encoder(hidden, training=False), training=False), "float32")
    target = ops.reshape(ops.repeat(ops.expand_dims(layer.target(x), 1), p, axis=1), (-1, p))
    expected, probability, low, high = layer.expected(output)

    def of_row(part: Tensor, chosen: Array = own) -> Tensor:
        square = ops.reshape(part, (-1, p, p))  # (batch, hidden column, column)
        return ops.sum(ops.where(chosen, square, ops.zeros_like(square)), axis=2)

    every = model.likelihood.error(target, output)
    error = ops.where(layer.weight > 0, of_row(every), float("nan"))
    others = of_row(layer.shared(every), ~own)
    parts = [error, others, layer.p_value(error), *map(of_row, (probability, expected, low, high))]
    return ops.concatenate(parts, axis=1)


def filled_of(model: "Autoencoder", x: Tensor) -> Tensor:
    """Returns coded rows `(batch, columns)` with what the model expects in their holes."""
    import keras

    # Once: networks are trained to see holes, and what they say fills worse if they see what they filled before.
    return keras.ops.where(keras.ops.isnan(x), model.rows_of(model.encoder(x, training=False)), x)


def endpoints(model: "Autoencoder") -> Endpoints:
    """Returns what a model of a table can do besides, by name. No answer holds NaN: see the words on each."""

    def explained(x: Array) -> Arrays:
        found = unseen(model, model.check_rows(x))
        return found | {name: np.where(np.isnan(found[name]), value, found[name]) for name, value in UNKNOWN.items()}

    def explained_of(x: Tensor) -> Tensors:
        import keras

        ops = keras.ops
        found = dict(zip(PARTS, ops.split(unseen_of(model, x), len(PARTS), axis=1), strict=True))
        return found | {name: ops.where(ops.isnan(found[name]), value, found[name]) for name, value in UNKNOWN.items()}

    shared = {"input": "x", "shape": model.schema.input_shape, "may_miss": True, "one_pass": False}
    return {
        "explain": Endpoint(
            **shared,  # type: ignore[arg-type]
            verb=explained,
            function=explained_of,
            about="of each cell, from the row's other cells: its error, how rare it is, and what is expected; error 0 and "
            "p-value 1 for a missing cell",
        ),
        "impute": Endpoint(
            **shared,  # type: ignore[arg-type]
            keeps=True,
            verb=lambda x: {"filled": filled(model, model.check_rows(x))},
            function=lambda x: {"filled": filled_of(model, x)},
            about="the row with its holes filled with what is expected",
        ),
    }


def of_served(schema: "TableSchema", answers: Arrays, coded: Array) -> Arrays:
    """Returns what `unseen` returns, for a server's answers to coded rows."""
    import pandas as pd

    keys = raw.keys(schema.columns)
    found = {name: answers[name] for name in PARTS if name in answers}
    for name in ("expected", "low", "high"):
        columns = {}
        for own in schema.table:
            cells = answers.get(f"{name}_{keys[own.name]}", answers[f"expected_{keys[own.name]}"])
            columns[own.name] = [cell.decode() if isinstance(cell, bytes) else cell for cell in cells.tolist()]
        found[name] = schema.code(pd.DataFrame(columns))
    unknown = np.isnan(coded) | (schema.weights == 0)
    return found | {name: np.where(unknown, np.nan, found[name]) for name in UNKNOWN}


def filled(model: "Autoencoder", coded: Array) -> Array:
    """Returns coded rows `(n, columns)` with what the model expects in their holes."""
    holes = np.isnan(coded)
    return np.where(holes, model.reconstructed(coded), coded) if holes.any() else coded
