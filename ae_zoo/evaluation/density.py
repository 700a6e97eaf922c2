"""New rows from a density of the codes of known rows.

It needs only a model's `encode` and `decode`, so it works for every family and for `PCA`. Codes that are feature maps are
flattened to vectors, and decoded in their own shape.
"""

import json
import math
import os
from typing import Literal, Self, TypeAlias, get_args

import numpy as np

from ae_zoo._support import archives, checks, files
from ae_zoo.errors import AEZooError
from ae_zoo.evaluation.reconstructor import Reconstructor, check_model, flat_codes
from ae_zoo.networks.generation import refuse_label
from ae_zoo.typing import Array, Rows

Kind: TypeAlias = Literal["gaussian", "mixture", "neighbors"]
KINDS: tuple[str, ...] = get_args(Kind)
ENOUGH = 20_000  # rows for a mixture, whose fit goes over them many times
WIDE = 256  # codes with more units get mixtures with diagonal covariances: full ones would need too many rows


class Density:
    """A density of the codes of a trained model, fitted after the training, to draw new rows from.

    It is not part of the model, and not a prior: nothing in the model's training gave a meaning to codes between those of
    its rows. Families with a prior (`variational`, `adversarial`) have the same verb, `generate`, and need no density.

    Args:
        model: a trained `Autoencoder` or a fitted `PCA`.
        kind: `"gaussian"`: one normal distribution with the codes' mean and covariance; `"mixture"`: several normal
            distributions, fitted by expectation maximization to 20,000 of the codes (with diagonal covariances for codes
            with more than 256 units); `"neighbors"`: a known code, moved by a random share of the way towards one of its
            nearest neighbors, so nothing is drawn far from the known codes, and each row resembles a known row.
        components: number of normal distributions in a mixture.
        neighbors: number of nearest neighbors of a code, one of which is chosen.

    Drawn codes are clipped to the least and the greatest value of each unit, because a rectified or bounded unit cannot
    give other values.

    Raises:
        AEZooError: the argument is not a model, the kind is unknown, or a number is not a whole number of at least 1.

    Example:
        >>> density = ae_zoo.Density(model, kind="mixture").fit(x_train)
        >>> images = density.generate(64, seed=1)
    """

    def __init__(
        self, model: Reconstructor, kind: Kind = "gaussian", *, components: int = 10, neighbors: int = 10
    ) -> None:
        check_model(model, "A density")
        checks.choice("density", kind, KINDS)
        self.model, self.kind = model, kind
        self.components = checks.count("components", components)
        self.neighbors = checks.count("neighbors", neighbors)
        self._arrays: dict[str, Array] = {}

    def __repr__(self) -> str:
        what = {
            "gaussian": "one normal distribution",
            "mixture": f"a mixture of {self.components} normal distributions",
            "neighbors": f"steps towards one of {self.neighbors} nearest neighbors",
        }[self.kind]
        state = "fitted to the codes after training" if self._arrays else "not fitted yet"
        return f"Density({what}, {state})"

    def fit(self, x: Rows, *, seed: int = 1) -> Self:
        """Fits the density to the codes of rows.

        Args:
            x: rows `(n, *input_shape)` in the data's units.
            seed: seed of a mixture's start and of the rows that it is fitted to, from 0 to 2^32 - 1.

        Raises:
            AEZooError: the rows have another shape, or are fewer than the density needs.
        """
        checks.seed(seed)
        codes, self.code_shape = flat_codes(self.model, x)
        needed = {"gaussian": 2, "mixture": max(2, self.components), "neighbors": self.neighbors + 1}[self.kind]
        if len(codes) < needed:
            raise AEZooError(f"{self.kind!r} needs at least {needed} rows; received {len(codes)}.")
        self._arrays = {"low": codes.min(axis=0), "high": codes.max(axis=0)}
        if self.kind == "neighbors":
            self._arrays["codes"] = codes
        elif self.kind == "gaussian":
            covariance = np.cov(codes, rowvar=False, dtype="float64").reshape(1, codes.shape[1], codes.shape[1])
            self._normals(np.ones(1), codes.mean(axis=0, dtype="float64")[None], covariance)
        else:
            from sklearn.mixture import GaussianMixture

            spread = "diag" if codes.shape[1] > WIDE else "full"
            mixture = GaussianMixture(
                self.components, covariance_type=spread, tol=0.01, max_iter=300, random_state=seed
            )
            some = np.random.default_rng(seed).permutation(len(codes))[:ENOUGH]
            mixture.fit(codes[some].astype("float64"))
            self._normals(mixture.weights_, mixture.means_, mixture.covariances_)
        return self

    def sample(self, n: int, *, seed: int | None = None) -> Array:
        """Returns `n` codes `(n, *code)` from the density; equal seeds give equal codes."""
        checks.count("n", n)
        if not self._arrays:
            raise AEZooError("The density has not seen any rows yet: call fit(x_train) first.")
        n = checks.in_memory("n", n, math.prod(self.code_shape))
        random, arrays = np.random.default_rng(checks.seed(seed)), self._arrays
        if self.kind == "neighbors":
            codes = self._near(n, random)
        else:
            which = random.choice(len(arrays["weights"]), n, p=arrays["weights"])
            noise = random.standard_normal((n, arrays["means"].shape[1]))
            codes = arrays["means"][which]
            for index, factor in enumerate(arrays["factors"]):
                of_this = which == index
                codes[of_this] += noise[of_this] * factor if factor.ndim == 1 else noise[of_this] @ factor.T
        return np.clip(codes, arrays["low"], arrays["high"]).reshape(n, *self.code_shape).astype("float32")

    def generate(self, n: int, *, label: int | None = None, draw: bool | None = None, seed: int | None = None) -> Array:
        """Returns new rows `(n, *input_shape)` in the data's units: decoded codes from the density.

        Args:
            n: number of rows.
            label: must be None, because a density has no classes.
            draw: whether to draw the row of a code too, or to return its mean: see `Autoencoder.decode`. None: draw rows of
                tables.
            seed: equal seeds give equal rows; None draws a seed.

        Raises:
            AEZooError: the density is not fitted, a label is given, or so many rows need too much memory.
        """
        refuse_label(label)
        checks.in_memory("n", n, math.prod(self.model.schema.input_shape))
        codes = self.sample(n, seed=seed)
        drawn = self.model.schema.draws if draw is None else draw
        return self.model.decode(codes, draw=True, seed=seed) if drawn else self.model.decode(codes)

    def save(self, path: str | os.PathLike[str]) -> None:
        """Writes the density, without its model, as an `.npz` file; `Density.load` reads it."""
        options = {"kind": self.kind, "components": self.components, "neighbors": self.neighbors}
        text = json.dumps({**options, "code_shape": self.code_shape})
        with files.whole(path) as sibling, sibling.open("wb") as file:
            np.savez(file, allow_pickle=False, options=text, **self._arrays)

    @classmethod
    def load(cls, path: str | os.PathLike[str], model: Reconstructor) -> Self:
        """Returns the density in a file that `save` wrote, for the model whose codes it was fitted to.

        Raises:
            NotFoundError: there is no file.
            AEZooError: the file is damaged or of another kind.
        """
        check_model(model, "A density")
        arrays = archives.read_arrays(path)
        try:
            # Version 0.1 spelled it "neighbours".
            options = json.loads(str(arrays.pop("options")).replace("neighbours", "neighbors"))
            shape = tuple(checks.count("code_shape", length) for length in options.pop("code_shape"))
            density = cls(model, **options)
            density.code_shape, density._arrays = shape, density._checked(arrays, math.prod(shape))
        except (AttributeError, KeyError, TypeError, ValueError, RecursionError) as error:
            raise AEZooError(f"{path} is damaged, or holds no density of ae_zoo.") from error
        return density

    def _checked(self, arrays: dict[str, Array], units: int) -> dict[str, Array]:
        """Returns a file's arrays; raises an error if they are not those that `fit` makes for codes of so many units."""
        shapes: dict[str, tuple[int, ...]] = {"low": (units,), "high": (units,)}
        if self.kind == "neighbors":
            shapes["codes"] = (max(len(arrays["codes"]), self.neighbors + 1), units)
        else:
            normals = self.components if self.kind == "mixture" else 1
            spread = (units,) if self.kind == "mixture" and arrays["factors"].ndim == 2 else (units, units)
            shapes |= {"weights": (normals,), "means": (normals, units), "factors": (normals, *spread)}
        if arrays.keys() != shapes.keys():
            raise AEZooError(f"The arrays must be {', '.join(shapes)}; received {', '.join(arrays)}.")
        found = {name: checks.stored(name, arrays[name], shape) for name, shape in shapes.items()}
        if (found["low"] > found["high"]).any():
            raise AEZooError("low must not be above high.")
        weights = found.get("weights", np.ones(1))
        if (weights < 0).any() or not math.isclose(weights.sum(), 1, rel_tol=1e-6):
            raise AEZooError("weights must not be negative, and must add up to 1.")
        return found

    def _normals(self, weights: Array, means: Array, covariances: Array) -> None:
        """Stores each normal distribution as its mean and a factor F of its covariance F F', or its standard deviations."""
        if covariances.ndim == 3:
            # Not Cholesky's factor: a unit that never changes makes the covariance singular.
            values, vectors = np.linalg.eigh(covariances)
            factors = vectors * np.sqrt(np.maximum(values, 0))[:, None, :]  # (components, code, code)
        else:
            factors = np.sqrt(covariances)  # (components, code)
        self._arrays |= {"weights": weights / weights.sum(), "means": means, "factors": factors}

    def _near(self, n: int, random: np.random.Generator) -> Array:
        from sklearn.neighbors import NearestNeighbors

        codes = self._arrays["codes"]
        start = random.integers(len(codes), size=n)
        search = NearestNeighbors(n_neighbors=self.neighbors + 1).fit(codes)
        near = search.kneighbors(codes[start], return_distance=False)[:, 1:]  # without the code itself
        end = near[np.arange(n), random.integers(self.neighbors, size=n)]
        return codes[start] + random.uniform(size=(n, 1)) * (codes[end] - codes[start])
