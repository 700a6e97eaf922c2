"""The error of a row: the mean of those of its numbers, of the largest ones alone, or of numbers that count differently."""

import math

import numpy as np

from ae_zoo.autoencoder import Autoencoder
from ae_zoo.schemas import Schema
from ae_zoo.tables.schema import TableSchema
from ae_zoo.typing import Array, Tensor

FLOOR = 0.05  # of the mean error, added to that of each column


def error_of(
    network: Autoencoder, x: Tensor, top: int | None, code: Tensor | None = None, emphasis: Array | None = None
) -> Tensor:
    """Returns the errors `(batch,)` of coded rows: the mean over the row, or over its `top` largest errors.

    Args:
        network: whose errors they are.
        x: coded rows.
        top: the number of errors, or None for all.
        code: the codes of the rows, if they are known.
        emphasis: how much the error of each number counts, `(numbers,)`; None for the schema's own weights.
    """
    import keras

    ops = keras.ops
    error = network.feature_errors_of(x, code=code)
    if top is None and emphasis is None:
        return network.scaling.by_row(error)
    flat = ops.reshape(error, (-1, math.prod(error.shape[1:])))
    missing = ops.isnan(flat)
    flat = ops.where(missing, ops.zeros_like(flat), flat * (1.0 if emphasis is None else emphasis))
    if top is not None:
        return ops.mean(ops.top_k(flat, min(top, flat.shape[1]))[0], axis=1)
    counts = np.ones(flat.shape[1], "float32") if emphasis is None else (emphasis > 0).astype("float32")
    present = ops.sum(ops.where(missing, ops.zeros_like(flat), counts), axis=1)
    return ops.sum(flat, axis=1) / ops.maximum(present, 1.0)


def are_images(schema: Schema) -> bool:
    """Returns whether the numbers of a row are alike, as pixels are: they have no names, and are not scaled apart."""
    return schema.columns is None and schema.scaling == "none" and not schema.may_miss


def emphasis_of(model: Autoencoder, x: Array) -> Array:
    """Returns how much the error of each number counts, by its mean over held-out rows; 0 for one without a weight."""
    error = flat(model.reconstruction_error(x, per_feature=True))
    if are_images(model.schema):
        return np.ones(error.shape[1], "float32")
    present = ~np.isnan(error)
    means = np.where(present, error, 0).sum(axis=0, dtype="float64") / np.maximum(present.sum(axis=0), 1)
    weights = model.schema.weights if isinstance(model.schema, TableSchema) else np.ones(len(means))
    counted = (means > 0) & (weights > 0)
    level = means[counted].mean() if counted.any() else 1.0
    return np.where(weights > 0, weights * level / (means + FLOOR * level), 0).astype("float32")


def flat(points: Array) -> Array:
    """Returns points `(n, ...)` as vectors `(n, numbers)`."""
    return points.reshape(len(points), -1)
