"""How far a point is from its nearest neighbors among stored points of training rows."""

import dataclasses
from collections.abc import Mapping
from typing import Any, Self

import numpy as np

from ae_zoo.errors import AEZooError
from ae_zoo.typing import Array, Tensor

ENOUGH = 20_000  # points for their covariance
ROUNDING = 1e-10  # of a point's square; a smaller squared distance is none


@dataclasses.dataclass(frozen=True)
class Neighbors:
    """Stored points.

    Attributes:
        center: what is subtracted from a point, `(units,)`.
        kernel: what a centered point is multiplied by, `(units, axes)`, so that all axes have a variance of 1, or nearly;
            None for points as they are.
        bank: the stored points, centered and multiplied, `(m, axes)`.
        k: the distance is the mean of those to the k nearest.
    """

    center: Array
    kernel: Array | None
    bank: Array
    k: int

    @classmethod
    def of(cls, points: Array, k: int, size: int, seed: int, ridge: float | None) -> Self:
        """Returns the neighbors for points.

        Args:
            points: `(n, units)`.
            k: how many are near.
            size: how many points are kept.
            seed: of their choice.
            ridge: distances are measured as if the points had a variance of 1 in every direction (Mahalanobis 1936), after
                this share of the mean variance has been added to that of each; None to measure them as they are.
        """
        center, kernel = points.mean(axis=0, dtype="float64"), None
        if ridge is not None:
            values, axes = np.linalg.eigh(np.atleast_2d(np.cov(points[:ENOUGH].T.astype("float64"), bias=True)))
            # Directions in which the points hardly vary would make a distance of rounding.
            kept = values > 1e-4 * max(values[-1], 1e-12)
            kernel = axes[:, kept] / np.sqrt(values[kept] + ridge * values.mean())
        random = np.random.default_rng(seed)
        chosen = points[np.sort(random.permutation(len(points))[:size])]
        bank = (chosen - center) if kernel is None else (chosen - center) @ kernel
        kept = None if kernel is None else kernel.astype("float32")
        return cls(center.astype("float32"), kept, bank.astype("float32"), min(k, len(bank)))

    def distance(self, points: Tensor) -> Tensor:
        """Returns the mean distance `(batch,)` of points `(batch, units)` to their `k` nearest neighbors."""
        import keras

        ops = keras.ops
        points = points - self.center
        points = points if self.kernel is None else ops.matmul(points, self.kernel)
        squares = np.square(self.bank).sum(axis=1)
        # The products only choose the nearest: a small difference of large squares would be rounding.
        _, place = ops.top_k(2 * ops.matmul(points, self.bank.T) - squares, self.k)
        near = ops.take(ops.convert_to_tensor(self.bank), place, axis=0)  # (batch, k, axes)
        apart = ops.sum(ops.square(near - ops.expand_dims(points, 1)), axis=2)
        square = ops.sum(ops.square(points), axis=1, keepdims=True)
        # What is left of equal points is rounding, which other machines round otherwise.
        return ops.mean(ops.sqrt(ops.where(apart > ROUNDING * square, apart, ops.zeros_like(apart))), axis=1)

    def arrays(self) -> dict[str, Array]:
        """Returns the arrays of a file, by name."""
        return {name: np.asarray(value) for name, value in dataclasses.asdict(self).items() if value is not None}

    @classmethod
    def read(cls, arrays: Mapping[str, Any], prefix: str) -> Self:
        """Returns the neighbors in arrays that `arrays` returned.

        Raises:
            AEZooError: an array is missing, or does not go together with the others.
        """
        try:
            center, bank = (np.asarray(arrays[prefix + name], "float32") for name in ("center", "bank"))
            kernel = np.asarray(arrays[f"{prefix}kernel"], "float32") if f"{prefix}kernel" in arrays else None
            k = int(arrays[f"{prefix}k"])
        except (KeyError, TypeError, ValueError) as error:
            raise AEZooError(f"The stored neighbors lack an array, or hold one of another kind: {error}") from error
        axes = (len(center),) if center.ndim == 1 else (0,)
        fits = bank.ndim == 2 and (bank.shape[1:] == axes if kernel is None else kernel.shape == axes + bank.shape[1:])
        finite = all(np.isfinite(each).all() for each in (center, bank, *([] if kernel is None else [kernel])))
        if not fits or not finite or not 1 <= k <= len(bank):
            raise AEZooError("The stored neighbors do not go together.")
        return cls(center, kernel, bank, k)
