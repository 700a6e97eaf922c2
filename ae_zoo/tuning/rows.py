"""The rows of a search: split once, measured on one scale, and given to other processes as files."""

import dataclasses
import functools
import pathlib
from collections.abc import Mapping
from typing import Any, Self, TypeAlias

import keras
import numpy as np
import numpy.typing as npt

from ae_zoo._support import checks, files
from ae_zoo.autoencoder import Autoencoder
from ae_zoo.errors import AEZooError
from ae_zoo.factory import build
from ae_zoo.layers.corruption import corrupted
from ae_zoo.layers.scaling import RowLayer
from ae_zoo.schemas import ArraySchema, Schema
from ae_zoo.tables.frames import is_table, to_pandas
from ae_zoo.tables.schema import TableSchema
from ae_zoo.typing import Array
from ae_zoo.typing import Rows as RowsLike

Validation: TypeAlias = "float | RowsLike | tuple[RowsLike, npt.ArrayLike]"
"""A share of the rows to hold out, or held-out rows, or a pair of rows and labels."""

PARTS = ("x", "y", "x_valid", "y_valid")
FREE = ("input_shape", "scaling")  # of an array's schema: the rows have the first, and trials may differ in the second
BATCH = 1024  # rows that are measured at a time


@dataclasses.dataclass(frozen=True)
class Rows:
    """Training and held-out rows, the same for every trial.

    Attributes:
        schema: what a row is; an array's has no scaling, because each trial has its own.
        x: training rows `(n, *input_shape)`, coded.
        x_valid: held-out rows `(m, *input_shape)`, coded.
        y: labels of the training rows `(n,)`, or None.
        y_valid: labels of the held-out rows `(m,)`, or None.
    """

    schema: Schema
    x: Array
    x_valid: Array
    y: Array | None = None
    y_valid: Array | None = None

    @classmethod
    def split(
        cls,
        x: RowsLike,
        y: npt.ArrayLike | None,
        validation: Validation,
        seed: int,
        strange: bool,
        schema: TableSchema | None = None,
    ) -> Self:
        """Splits rows into training and held-out rows, without those of a table that have no cell that counts.

        Args:
            x: rows `(n, *shape)`, in any form.
            y: whole numbers as labels `(n,)`, or None.
            validation: a share of the rows, or held-out rows, or a pair of rows and labels.
            seed: what chooses the held-out rows.
            strange: whether label 1 marks anomalies. Anomalies are held out, all of them, and never trained on.
            schema: what the columns of a table are, by default as guessed. Its statistics become those of the training rows.

        Raises:
            AEZooError: rows, labels, the schema or the share cannot be used.
        """
        found, coded, frame = _coded(x, schema)
        labels = None if y is None else _labels(y, coded, "y")
        kept = np.ones(len(coded), bool) if labels is None or not strange else labels != 1
        held = np.zeros(len(coded), bool)
        apart = not np.isscalar(validation)
        if not apart:
            share = checks.share("validation", validation)
            held[np.random.default_rng(seed).permutation(len(coded))[: max(1, round(share * len(coded)))]] = True
            held |= ~kept
            kept = ~held
            if held.all():
                raise AEZooError(f"{len(coded)} rows are too few to hold some out; give more.")
        if frame is not None:
            found = found.of_rows(frame.iloc[np.flatnonzero(kept)])
            coded = found.code(frame)
        train = _known(found, coded[kept], None if labels is None else labels[kept], "The training rows have")
        if apart:
            other, beside = validation if isinstance(validation, tuple) else (validation, None)
            x_valid = found.code(other, "validation")
            y_valid = None if beside is None else _labels(beside, x_valid, "the y of validation")
        else:
            x_valid, y_valid = coded[held], None if labels is None else labels[held]
        valid = _known(found, x_valid, y_valid, "The held-out rows have")
        return cls(found, train[0], valid[0], train[1], valid[1])

    def built(self, family: str, options: Mapping[str, Any], seed: int) -> Autoencoder:
        """Returns an untrained model for the rows."""
        told = {name: value for name, value in self.schema.as_options().items() if name not in FREE}
        return build(family, data=self.x, seed=seed, **{**told, **options})

    def error(self, model: Autoencoder, seen: Array | None = None) -> float:
        """Returns the mean error of the reconstructed held-out rows, on the scale of `layer`.

        It is the squared error; of a table it is 1 for a model that always says what is usual.

        Args:
            model: a trained model.
            seen: rows `(m, *input_shape)` that the model reconstructs in the place of the held-out rows, such as noisy ones.
        """
        ops, layer, seen = keras.ops, model.scaling, self.x_valid if seen is None else seen
        # Of a number that is scaled by a straight line; all models of a table have the same scale.
        unit = np.nan_to_num(layer.line()[1] / self.layer.line()[1], nan=1.0).astype("float32")
        errors = []
        for start in range(0, len(seen), BATCH):
            some = slice(start, start + BATCH)
            target, output = layer.target(self.x_valid[some]), ops.cast(model(seen[some], training=False), "float32")
            found = layer.by_feature(model.likelihood.error(target, output))
            errors.append(ops.convert_to_numpy(layer.by_row(found * unit**2)))
        return float(np.mean(np.concatenate(errors), dtype="float64"))

    def noisy(self, kind: str, amount: float) -> Array:
        """Returns the held-out rows with noise on the scale of `layer`, coded; it is the same at each call.

        Raises:
            AEZooError: such rows cannot have this kind of noise.
        """
        return corrupted(self.x_valid, self._comparable, self.layer, kind, amount, seed=1)

    @functools.cached_property
    def layer(self) -> RowLayer:
        """The scale of all errors: of an array in [0, 1] its own, of another array standardized, of a table its schema's."""
        layer = self._comparable.layer("scaling")
        layer.build((None, *self.schema.input_shape))
        layer.adapt(self.x)
        return layer

    @functools.cached_property
    def _comparable(self) -> Schema:
        return self.schema.comparable(self.x)

    @property
    def parts(self) -> dict[str, Array]:
        """The arrays that are there, by name."""
        arrays = zip(PARTS, (self.x, self.y, self.x_valid, self.y_valid), strict=True)
        return {name: array for name, array in arrays if array is not None}

    def save(self, folder: pathlib.Path) -> None:
        """Writes the arrays, which other processes map into their memory."""
        for name, array in self.parts.items():
            with files.whole(folder / f"{name}.npy") as sibling:
                np.save(sibling, array)

    @classmethod
    def load(cls, folder: pathlib.Path, schema: Schema) -> Self:
        """Returns the rows that `save` wrote, mapped into memory, so that the processes of a machine share them."""
        paths = {name: folder / f"{name}.npy" for name in PARTS}
        arrays = {name: np.load(path, mmap_mode="r") for name, path in paths.items() if path.exists()}
        return cls(schema, **arrays)


def _coded(x: RowsLike, schema: TableSchema | None) -> tuple[Any, Array, Any]:
    """Returns the schema of rows, the rows as it codes them, and a table as a frame of pandas, or None for an array."""
    if schema is None and not is_table(x):
        return *ArraySchema.of(x), None
    if not isinstance(schema, TableSchema | None):
        raise AEZooError(f"schema must be that of a table, from ae_zoo.schema(x); received a {type(schema).__name__}.")
    frame = to_pandas(x, "x")
    if schema is None:
        return *TableSchema.of(frame), frame
    return schema, schema.code(frame), frame


def _known(schema: Schema, x: Array, y: Array | None, which: str) -> tuple[Array, Array | None]:
    """Returns the rows that have a cell that counts, and their labels."""
    known = schema.known(x)
    if known.all():
        return x, y
    if not known.any():
        raise AEZooError(f"{which} no cell that is present and counts.")
    return x[known], None if y is None else y[known]


def _labels(y: npt.ArrayLike, x: Array, name: str) -> Array:
    labels = np.asarray(y)
    if labels.dtype.kind == "f" and (labels == np.round(labels)).all():  # as a file of numbers holds them
        labels = labels.astype("int64")
    if labels.ndim != 1 or labels.dtype.kind not in "iub":
        raise AEZooError(
            f"{name} must hold a whole number as label for each row; received {labels.dtype} of shape {labels.shape}."
        )
    return checks.as_many(labels, x)
