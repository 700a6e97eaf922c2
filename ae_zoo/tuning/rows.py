"""The rows of a search: split once, measured on one scale, and given to other processes as files."""

import dataclasses
import functools
import pathlib
from typing import TYPE_CHECKING, Self, TypeAlias

import numpy as np
import numpy.typing as npt

from ae_zoo._support import checks, files
from ae_zoo.errors import AEZooError
from ae_zoo.schemas import ArraySchema, ScalingMode, Schema, fit_scaling
from ae_zoo.typing import Array
from ae_zoo.typing import Rows as RowsLike

if TYPE_CHECKING:
    import pandas as pd

Validation: TypeAlias = "float | RowsLike | tuple[RowsLike, npt.ArrayLike]"
"""A share of the rows to hold out, or held-out rows, or a pair of rows and labels."""

PARTS = ("x", "y", "x_valid", "y_valid")


@dataclasses.dataclass(frozen=True)
class Rows:
    """Training and held-out rows, the same for every trial.

    Attributes:
        schema: what a row is.
        x: training rows `(n, *shape)`, float32, in the data's units.
        x_valid: held-out rows `(m, *shape)`, float32, in the data's units.
        y: labels of the training rows `(n,)`, or None.
        y_valid: labels of the held-out rows `(m,)`, or None.
    """

    schema: Schema
    x: Array
    x_valid: Array
    y: Array | None = None
    y_valid: Array | None = None

    @classmethod
    def split(cls, x: RowsLike, y: npt.ArrayLike | None, validation: Validation, seed: int, strange: bool) -> Self:
        """Splits rows into training and held-out rows.

        Args:
            x: rows `(n, *shape)`, in any form.
            y: whole numbers as labels `(n,)`, or None.
            validation: a share of the rows, or held-out rows, or a pair of rows and labels.
            seed: what chooses the held-out rows.
            strange: whether label 1 marks anomalies. Anomalies are held out, all of them, and never trained on.

        Raises:
            AEZooError: rows, labels or the share cannot be used.
        """
        schema, coded = ArraySchema.of(x)
        labels = None if y is None else _labels(y, coded, "y")
        if np.isscalar(validation):
            share = checks.share("validation", validation)
            order = np.random.default_rng(seed).permutation(len(coded))
            held = np.zeros(len(coded), bool)
            held[order[: max(1, round(share * len(coded)))]] = True
            if strange and labels is not None:
                held |= labels == 1
            if held.all():
                raise AEZooError(f"{len(coded)} rows are too few to hold some out; give more.")
            if labels is None:
                return cls(schema, coded[~held], coded[held])
            return cls(schema, coded[~held], coded[held], labels[~held], labels[held])
        other, beside = validation if isinstance(validation, tuple) else (validation, None)
        x_valid = schema.code(other, "validation")
        y_valid = None if beside is None else _labels(beside, x_valid, "the y of validation")
        if labels is None:
            return cls(schema, coded, x_valid, None, y_valid)
        trained = labels != 1 if strange else np.ones(len(labels), bool)
        return cls(schema, coded[trained], x_valid, labels[trained], y_valid)

    @property
    def frame(self) -> "Array | pd.DataFrame":
        """`x`, as a frame where its columns have names."""
        if self.schema.columns is None:
            return self.x
        import pandas as pd

        return pd.DataFrame(self.x, columns=list(self.schema.columns))

    @functools.cached_property
    def scaling(self) -> ScalingMode:
        """The scale of all errors: `"none"` for rows in [0, 1], otherwise `"standard"`."""
        return "none" if self.x.min() >= 0 and self.x.max() <= 1 else "standard"

    def error(self, reconstruction: Array) -> float:
        """Returns the mean squared error of reconstructed held-out rows `(m, *shape)`, on the scale `scaling`."""
        return float(np.mean(np.square((self.x_valid - reconstruction) / self.spread), dtype="float64"))

    @functools.cached_property
    def spread(self) -> Array:
        """The unit of that scale in the data's units, for each feature `(*shape)`."""
        return fit_scaling(self.scaling, self.x)[1] if self.scaling != "none" else np.ones((), "float32")

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


def _labels(y: npt.ArrayLike, x: Array, name: str) -> Array:
    labels = np.asarray(y)
    if labels.ndim != 1 or labels.dtype.kind not in "iub":
        raise AEZooError(
            f"{name} must hold a whole number as label for each row; received {labels.dtype} of shape {labels.shape}."
        )
    return checks.as_many(labels, x)
