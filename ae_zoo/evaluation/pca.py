"""Principal component analysis with a model's verbs, so that every table and figure can show it beside the networks."""

import json
import os
from typing import Any, Self

import numpy as np
import sklearn.decomposition

from ae_zoo import checks
from ae_zoo._support import files
from ae_zoo.config import SCALINGS
from ae_zoo.errors import AEZooError, unknown
from ae_zoo.layers.scaling import fit_scaling


class PCA:
    """The best linear code of a given width: the peer that a network has to beat.

    Args:
        code: components to keep; at most the number of features and of training rows.
        scaling: `"none"`, `"minmax"` or `"standard"`, as a model's; errors are on the scaled data, so compare at equal
            scaling.

    Attributes:
        components: `(code, features)`, orthonormal rows.
        mean: `(features,)`, on the scaled data.
        explained_variance_ratio: share of the variance that each component explains `(code,)`.
    """

    def __init__(self, code: int = 32, *, scaling: str = "none") -> None:
        if scaling not in SCALINGS:
            raise unknown("scaling", scaling, SCALINGS)
        self.code, self.scaling = code, scaling

    def fit(self, x: Any) -> Self:
        """Fits scaling and components to rows `(n, *input_shape)`."""
        x = checks.numeric(x)
        self.input_shape = x.shape[1:]
        if not 1 <= self.code <= min(len(x), x[0].size):
            raise AEZooError(
                f"code must be from 1 to {min(len(x), x[0].size)}, the smaller of {len(x)} rows and {x[0].size} "
                f"features; received {self.code}."
            )
        self._offset, self._scale = fit_scaling(self.scaling, x)
        scaled = self._scaled(x)
        self.mean = scaled.mean(axis=0, dtype="float64").astype("float32")
        # The solver is named because "auto" may pick a randomised one. Centred first, because the covariance of rows
        # with a large mean would be a small difference of large numbers.
        wide = x[0].size > 1000 or len(x) < x[0].size
        solver = sklearn.decomposition.PCA(self.code, svd_solver="full" if wide else "covariance_eigh")
        solver.fit(scaled - self.mean)
        self.components = solver.components_.astype("float32")
        self.explained_variance_ratio = solver.explained_variance_ratio_.astype("float32")
        return self

    def encode(self, x: Any) -> np.ndarray:
        """Codes `(n, code)` of rows `(n, *input_shape)`."""
        return (self._scaled(self._rows(x)) - self.mean) @ self.components.T

    def decode(self, code: Any) -> np.ndarray:
        """Reconstructions `(n, *input_shape)`, in the data's units, of codes `(n, code)`."""
        code = checks.rows(code, (self.code,), "code")
        return self._inverted(code)

    def reconstruct(self, x: Any) -> np.ndarray:
        """Reconstructions of rows `(n, *input_shape)`, of the same shape and in the data's units."""
        return self._inverted(self.encode(x))

    def reconstruction_error(self, x: Any, per_feature: bool = False) -> np.ndarray:
        """Squared error on the scaled data: mean over features `(n,)`, or each feature's `(n, *input_shape)`."""
        scaled = self._scaled(self._rows(x))
        with np.errstate(over="ignore", invalid="ignore"):  # refused below
            error = np.square(scaled - ((scaled - self.mean) @ self.components.T @ self.components + self.mean))
            error = error.reshape(-1, *self.input_shape) if per_feature else error.mean(axis=1)
        return checks.finite_errors(error)

    def summary(self) -> None:
        """Prints the components' share of the variance."""
        explained = self.explained_variance_ratio.sum()
        print(f"PCA: {self.components.shape[1]} features to {self.code} components, {explained:.1%} of the variance")

    def to_model(self) -> Any:
        """The same map as a linear autoencoder, for what works on models (`ae_zoo.export`).

        PCA is an autoencoder without activations whose kernels are the components; their mean goes into the scaling.
        """
        from ae_zoo.factory import build

        self._rows(np.zeros((1, *getattr(self, "input_shape", ()))))
        model = build(
            "undercomplete",
            self.input_shape,
            code=self.code,
            hidden=[],
            scaling="standard",
            output_activation="linear",
        )
        model.scaling.offset.assign(self._offset + self._scale * self.mean.reshape(self.input_shape))
        model.scaling.scale.assign(self._scale)
        model.scaling.adapted = True
        model.get_layer("code").kernel.assign(self.components.T)
        model.get_layer("reconstruction").kernel.assign(self.components)
        return model

    def save(self, path: str | os.PathLike) -> None:
        """Writes an `.npz` file; `PCA.load` reads it."""
        options = {"code": self.code, "scaling": self.scaling, "input_shape": self.input_shape}
        arrays = {name: getattr(self, name) for name in _ARRAYS}
        with files.whole(path) as sibling, sibling.open("wb") as file:
            np.savez(file, options=json.dumps(options), **arrays)

    @classmethod
    def load(cls, path: str | os.PathLike) -> Self:
        """The fitted PCA in a file that `save` wrote.

        Raises:
            FileNotFoundError: there is no file.
            ValueError: the file is damaged or of another kind.
        """
        arrays = files.read_arrays(path)
        try:
            options = json.loads(str(arrays["options"]))
            pca = cls(options["code"], scaling=options["scaling"])
            pca.input_shape = tuple(options["input_shape"])
            for name in _ARRAYS:
                setattr(pca, name, arrays[name])
        except (KeyError, ValueError) as error:
            raise AEZooError(f"{path} is damaged, or holds no PCA of ae_zoo.") from error
        return pca

    def _rows(self, x: Any) -> np.ndarray:
        if not hasattr(self, "components"):
            raise AEZooError("This PCA has not seen any rows yet: call fit(x_train) first.")
        return checks.rows(x, self.input_shape)

    def _scaled(self, x: np.ndarray) -> np.ndarray:
        if self.scaling != "none":
            x = (x - self._offset) / self._scale
        return x.reshape(len(x), -1)

    def _inverted(self, code: np.ndarray) -> np.ndarray:
        scaled = (code @ self.components + self.mean).reshape(-1, *self.input_shape)
        return scaled * self._scale + self._offset


_ARRAYS = ("components", "mean", "explained_variance_ratio", "_offset", "_scale")
