"""The rows of a search: split once, measured on one scale, and handed to other processes by file."""

import dataclasses
import functools
import pathlib
from typing import Any, Self

import numpy as np

from ae_zoo._support import checks, files
from ae_zoo.errors import AEZooError
from ae_zoo.schemas import ArraySchema, Schema, fit_scaling

PARTS = ("x", "y", "x_valid", "y_valid")


@dataclasses.dataclass(frozen=True)
class Rows:
    """Training and held-out rows, the same for every trial.

    Attributes:
        x, x_valid: rows `(n, *shape)`, float32, in the data's units.
        y, y_valid: labels beside them `(n,)`, or None.
        schema: what a row is.
    """

    schema: Schema
    x: np.ndarray
    x_valid: np.ndarray
    y: np.ndarray | None = None
    y_valid: np.ndarray | None = None

    @classmethod
    def split(cls, x: Any, y: Any, validation: float | Any, seed: int, strange: bool) -> Self:
        """Holds rows out.

        Args:
            x, y: rows and labels, if any.
            validation: a share, or rows, or a pair of rows and labels.
            strange: the labels say which rows are anomalies (1) and which are not (0): none of those is trained on, and
                all of them are among the rows held out.
        """
        schema, x = ArraySchema.of(x)
        y = None if y is None else checks.as_many(np.asarray(y), x)
        if y is not None and (y.ndim != 1 or y.dtype.kind not in "iub"):
            raise AEZooError(
                f"y must hold a label, a whole number, for each row; received {y.dtype} of shape {y.shape}."
            )
        if np.isscalar(validation):
            if not 0 < validation < 1:
                raise AEZooError(f"validation must be a share above 0 and below 1, or rows; received {validation!r}.")
            order = np.random.default_rng(seed).permutation(len(x))
            held = np.zeros(len(x), bool)
            held[order[: max(1, round(validation * len(x)))]] = True
            if strange and y is not None:
                held |= y == 1
            if held.all():
                raise AEZooError(f"{len(x)} rows are too few to hold some out; give more.")
            part = x[~held], x[held], *((None, None) if y is None else (y[~held], y[held]))
        else:
            x_valid, y_valid = validation if isinstance(validation, tuple) else (validation, None)
            x_valid = schema.code(x_valid, "validation")
            y_valid = None if y_valid is None else checks.as_many(np.asarray(y_valid), x_valid)
            kept = slice(None) if y is None or not strange else y != 1
            part = x[kept], x_valid, None if y is None else y[kept], y_valid
        return cls(schema, *part)

    @property
    def frame(self) -> Any:
        """`x`, with the names of its columns where it has them."""
        if self.schema.columns is None:
            return self.x
        import pandas as pd

        return pd.DataFrame(self.x, columns=list(self.schema.columns))

    @functools.cached_property
    def scaling(self) -> str:
        """The scale that errors are given on: that of rows in [0, 1] as it is, or standard deviations."""
        return "none" if self.x.min() >= 0 and self.x.max() <= 1 else "standard"

    def error(self, reconstruction: np.ndarray) -> float:
        """Mean squared error of the held-out rows, on one scale whatever the model's own."""
        return float(np.mean(np.square((self.x_valid - reconstruction) / self.spread), dtype="float64"))

    @functools.cached_property
    def spread(self) -> Any:
        """What a unit of that scale is in the data's own, for each feature."""
        return fit_scaling(self.scaling, self.x)[1] if self.scaling != "none" else np.float32(1)

    def save(self, folder: pathlib.Path) -> None:
        """Writes the arrays, for other processes to map."""
        for name in PARTS:
            if getattr(self, name) is not None:
                with files.whole(folder / f"{name}.npy") as sibling:
                    np.save(sibling, getattr(self, name))

    @classmethod
    def load(cls, folder: pathlib.Path, schema: Schema) -> Self:
        """The arrays that `save` wrote, mapped: processes of one machine share them."""
        paths = {name: folder / f"{name}.npy" for name in PARTS}
        arrays = {name: np.load(path, mmap_mode="r") for name, path in paths.items() if path.exists()}
        return cls(schema, **arrays)
