"""Principal component analysis with a model's verbs, so that tables and figures can compare it with the networks."""

import json
import os
import pathlib
from typing import Self

import numpy as np
import sklearn.decomposition

from ae_zoo._support import archives, checks, files
from ae_zoo.autoencoder import Autoencoder, Unit
from ae_zoo.endpoints import Endpoints, shares
from ae_zoo.errors import AEZooError, short
from ae_zoo.schemas import SCALINGS, ArraySchema, ScalingMode, Schema, as_codes, fit_scaling, schema_of
from ae_zoo.tables.frames import is_table
from ae_zoo.typing import Array, Rows


class PCA:
    """The best linear code of a given width, to compare networks with.

    Args:
        code: number of components; at most the number of features and of training rows.
        scaling: `"none"`, `"minmax"`, `"standard"` or `"robust"`, as for a model. Errors are on the scaled data, so compare
            at equal scaling.

    Attributes:
        schema: what a row is, from the rows that the PCA was fitted to.
        components: `(code, features)`, orthonormal rows.
        mean: `(features,)`, on the scaled data.
        explained_variance_ratio: the share of the variance that each component explains, `(code,)`.
    """

    family = "pca"
    suffix = ".npz"
    threshold = None  # a detector has one

    _schema: Schema | None = None  # until it is fitted
    components: Array
    mean: Array
    explained_variance_ratio: Array

    def __init__(self, code: int = 32, *, scaling: ScalingMode = "none") -> None:
        checks.choice("scaling", scaling, SCALINGS)
        self.code, self.scaling = checks.count("code", code), scaling

    def __repr__(self) -> str:
        if not self.has_learned:
            return f"PCA(code={self.code}, scaling={self.scaling!r}), not fitted yet"
        explained = float(self.explained_variance_ratio.sum())
        return (
            f"PCA(code={self.code}, scaling={self.scaling!r}): {self.components.shape[1]} features, {explained:.1%} of the "
            "variance"
        )

    def fit(self, x: Rows, schema: Schema | None = None) -> Self:
        """Fits scaling and components to rows `(n, *input_shape)`; it keeps the names of a frame's columns.

        Args:
            x: training rows.
            schema: what a row is; by default the schema of the array or frame.

        Raises:
            AEZooError: the rows are not numbers without holes, or fewer than the components.
        """
        if is_table(x) if schema is None else not schema.symmetric:
            raise AEZooError(
                "PCA takes numbers without holes; the linear model of a table with other cells is a network without "
                f"hidden layers: model = ae_zoo.build('undercomplete', data=x, code={self.code}, hidden=[]), then "
                "ae_zoo.fit(model, x)."
            )
        if schema is None:
            schema, rows = ArraySchema.of(x, self.scaling)
        else:
            rows = schema.code(x, learn=True)
        if not 1 <= self.code <= min(len(rows), schema.features):
            raise AEZooError(
                f"code must be from 1 to {min(len(rows), schema.features)}, the smaller of {len(rows)} rows and "
                f"{schema.features} features; received {self.code}."
            )
        self._offset, self._scale = fit_scaling(self.scaling, rows)
        scaled = self._scaled(rows)
        # In float64, and centered first: with a large mean, the covariance would be a small difference of large numbers.
        self.mean = scaled.mean(axis=0, dtype="float64")
        # The solver is named because "auto" may pick a randomized one.
        wide = schema.features > 1000 or len(rows) < schema.features
        solver = sklearn.decomposition.PCA(self.code, svd_solver="full" if wide else "covariance_eigh")
        with np.errstate(invalid="ignore", divide="ignore"):  # rows that do not vary
            solver.fit((scaled - self.mean).astype("float32"))
        self.components = solver.components_.astype("float32")
        # Rows that do not vary have no variance to explain, and are reconstructed exactly: all of it, shared equally.
        ratio = np.nan_to_num(solver.explained_variance_ratio_, nan=1 / self.code)
        self.explained_variance_ratio = ratio.astype("float32")
        self._schema = schema
        return self

    @property
    def schema(self) -> Schema:
        """What a row is, from the rows that the PCA was fitted to."""
        if self._schema is None:
            raise AEZooError("This PCA has not seen any rows yet: call fit(x_train) first.")
        return self._schema

    @property
    def has_learned(self) -> bool:
        """Whether it has been fitted."""
        return self._schema is not None

    def encode(self, x: Rows, layer: str | None = None) -> Array:
        """Returns codes `(n, code)` of rows `(n, *input_shape)`; PCA has no other layer."""
        if layer is not None and str(layer) != "code":
            raise AEZooError(f"PCA has only the layer 'code'; received layer={short(layer)}.")
        with np.errstate(over="ignore", invalid="ignore"):  # refused below
            code = self._centered(self.check_rows(x)) @ self.components.T
        return checks.finite_answers(code, "code")

    def decode(self, code: Rows, *, draw: bool = False, seed: int | None = None) -> Array:
        """Returns reconstructions `(n, *input_shape)`, in the data's units, of codes `(n, code)`.

        Its squared error means no distribution, so a draw is the mean.
        """
        return self._inverted(as_codes(code, (self.code,)))

    def reconstruct(self, x: Rows) -> Array:
        """Returns reconstructions of rows `(n, *input_shape)`, of the same shape and in the data's units."""
        return self._inverted(self.encode(x))

    def reconstruction_error(self, x: Rows, per_feature: bool = False, *, unit: Unit = "squared") -> Array:
        """Returns the squared error on the scaled data: its mean over features `(n,)`, or by feature `(n, *input_shape)`.

        It is PCA's own loss too, so both units, `"squared"` and `"loss"`, give it.
        """
        checks.choice("unit", unit, ("squared", "loss"))
        with np.errstate(over="ignore", invalid="ignore"):  # refused below
            centered = self._centered(self.check_rows(x))
            error = np.square(centered - centered @ self.components.T @ self.components)
            error = error.reshape(-1, *self.schema.input_shape) if per_feature else error.mean(axis=1)
        return checks.finite_errors(error)

    def check_rows(self, x: Rows, name: str = "x", *, learn: bool = False) -> Array:
        """Returns `x` as float32 rows `(n, *input_shape)`: see `Schema.code`."""
        return self.schema.code(x, name, learn=learn)

    def check_reconstructs(self) -> None:
        """Does nothing, because a PCA always reconstructs."""

    def endpoints(self) -> Endpoints:
        """Returns what it can do, by name: as the linear autoencoder that is the same map."""
        return self.to_model().endpoints()

    def fresh(self) -> "PCA":
        """Returns a PCA with the same options that has seen no rows."""
        return PCA(self.code, scaling=self.scaling)

    def summary(self) -> None:
        """Prints the components' share of the variance."""
        features, explained = self.schema.features, self.explained_variance_ratio.sum()
        print(f"PCA: {features} features to {self.code} components, {explained:.1%} of the variance")

    def shares(self, error: Array) -> Array:
        """Returns each feature's share of its row's error, both `(n, *input_shape)`."""
        return shares(error)

    def to_model(self) -> Autoencoder:
        """Returns the same map as a linear autoencoder, for what works on models (`ae_zoo.export`).

        PCA is an autoencoder without activations. Its kernels are the components, and the mean becomes part of the scaling.
        """
        from ae_zoo.factory import build

        shape = self.schema.input_shape
        model = build(
            "undercomplete",
            shape,
            columns=self.schema.columns,
            code=self.code,
            hidden=[],
            scaling="standard",
            output_activation="linear",
        )
        model.scaling.offset.assign((self._offset + self._scale * self.mean.reshape(shape)).astype("float32"))
        model.scaling.scale.assign(self._scale.astype("float32"))
        model.scaling.adapted = True
        model.get_layer("code").kernel.assign(self.components.T)
        last = "reconstruction" if len(shape) == 1 else "reconstruction_flat"
        model.get_layer(last).kernel.assign(self.components)
        return model

    def members(self) -> tuple[Autoencoder, ...]:
        """The same map as a linear autoencoder."""
        return (self.to_model(),)

    def keep(self, folder: pathlib.Path) -> None:
        """Does nothing: an export needs only the components."""

    def save(self, path: str | os.PathLike[str]) -> None:
        """Writes an `.npz` file; `PCA.load` reads it."""
        options = {"code": self.code, "schema": self.schema.to_dict()}
        arrays = {name: getattr(self, name) for name in _ARRAYS}
        with files.whole(path) as sibling, sibling.open("wb") as file:
            np.savez(file, allow_pickle=False, options=json.dumps(options), **arrays)

    @classmethod
    def load(cls, path: str | os.PathLike[str]) -> Self:
        """Returns the fitted PCA in a file that `save` wrote.

        Raises:
            NotFoundError: there is no file.
            AEZooError: the file is damaged or of another kind.
        """
        arrays = archives.read_arrays(path)
        try:
            options = json.loads(str(arrays["options"]))
            schema = schema_of(options)
            pca = cls(options["code"], scaling=schema.scaling)
            wanted = {
                "components": (pca.code, schema.features),
                "mean": (schema.features,),
                "explained_variance_ratio": (pca.code,),
                "_offset": schema.input_shape,
                "_scale": schema.input_shape,
            }
            for name in _ARRAYS:
                setattr(pca, name, checks.stored(name, arrays[name], wanted[name]))
            if not (pca._scale > 0).all():
                raise AEZooError("_scale must be positive.")
            pca._schema = schema
        except (KeyError, TypeError, ValueError, RecursionError) as error:
            raise AEZooError(f"{path} is damaged, or holds no PCA of ae_zoo.") from error
        return pca

    def _scaled(self, x: Array) -> Array:
        if self.scaling != "none":
            x = (x - self._offset) / self._scale
        return x.reshape(len(x), -1)

    def _centered(self, x: Array) -> Array:
        return (self._scaled(x) - self.mean).astype("float32")

    def _inverted(self, code: Array) -> Array:
        shape = self.schema.input_shape
        with np.errstate(over="ignore", invalid="ignore"):  # refused below
            scaled = (code @ self.components + self.mean).reshape(-1, *shape)
            rows = (scaled * self._scale + self._offset).astype("float32")
        return checks.finite_answers(rows, "reconstruction")


_ARRAYS = ("components", "mean", "explained_variance_ratio", "_offset", "_scale")
