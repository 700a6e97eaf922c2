"""Rows as plain numbers, for methods that know neither texts nor holes: PCA, nearest neighbors, forests."""

import keras
import numpy as np

from ae_zoo.autoencoder import Autoencoder
from ae_zoo.schemas import Schema
from ae_zoo.tables.schema import TableSchema
from ae_zoo.typing import Array


def plain(model: Autoencoder, x: Array) -> Array:
    """Returns coded rows `(n, *input_shape)` on the model's scale, float64 `(n, numbers)`.

    In a table each level of a category is a number that is 0 or 1. A missing number is the column's center, 0, and a
    missing category is no level at all.
    """
    target = keras.ops.convert_to_numpy(model.scaling.target(x)).reshape(len(x), -1).astype("float64")
    if not isinstance(model.schema, TableSchema):
        return target
    parts = []
    for place, column in enumerate(model.schema.table):
        cells = target[:, [place]]
        parts.append(cells == np.arange(1 + len(column.levels)) if column.discrete else np.nan_to_num(cells))
    return np.concatenate(parts, axis=1).astype("float64")


def categories(schema: Schema) -> Array:
    """Returns which numbers of a coded row are levels of a category, bool `(numbers,)`."""
    if isinstance(schema, TableSchema):
        return np.array([column.discrete for column in schema.table])
    return np.zeros(int(np.prod(schema.input_shape)), bool)
