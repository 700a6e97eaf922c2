"""How far a point is from its nearest neighbors among stored points of training rows."""

import dataclasses
from collections.abc import Mapping
from typing import Any, Self

import numpy as np

from ae_zoo.errors import AEZooError
from ae_zoo.typing import Array, Tensor


@dataclasses.dataclass(frozen=True)
class Neighbors:
    """Stored points.

    Attributes:
        center: what is subtracted from a point, `(units,)`.
        kernel: what a centered point is multiplied by, `(units, axes)`: afterwards all axes have a variance of 1, or nearly.
        bank: the stored points, centered and multiplied, `(m, axes)`.
        k: the distance is the mean of those to the k nearest.
    """

    center: Array
    kernel: Array
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
        center = points.mean(axis=0, dtype="float64")
        kernel = np.eye(len(center))
        if ridge is not None:
            centered = points - center
            values, axes = np.linalg.eigh(centered.T @ centered / len(points))
            # Directions in which the points hardly vary would make a distance of rounding.
            kept = values > 1e-4 * max(values[-1], 1e-12)
            kernel = axes[:, kept] / np.sqrt(values[kept] + ridge * values.mean())
        random = np.random.default_rng(seed)
        chosen = points[np.sort(random.permutation(len(points))[:size])]
        bank = (chosen - center) @ kernel
        return cls(center.astype("float32"), kernel.astype("float32"), bank.astype("float32"), min(k, len(bank)))

    def distance(self, points: Tensor) -> Tensor:
        """Returns the mean distance `(batch,)` of points `(batch, units)` to their `k` nearest neighbors."""
        import keras

        ops = keras.ops
        points = ops.matmul(points - self.center, self.kernel)
        squares = np.square(self.bank).sum(axis=1)
        # The square of each point, the same for all neighbors, is added after the nearest are found.
        near, _ = ops.top_k(2 * ops.matmul(points, self.bank.T) - squares, self.k)
        square = ops.sum(ops.square(points), axis=1, keepdims=True)
        return ops.mean(ops.sqrt(ops.maximum(square - near, 0.0)), axis=1)

    def arrays(self) -> dict[str, Array]:
        """Returns the arrays of a file, by name."""
        return {name: np.asarray(value) for name, value in dataclasses.asdict(self).items()}

    @classmethod
    def read(cls, arrays: Mapping[str, Any], prefix: str) -> Self:
        """Returns the neighbors in arrays that `arrays` returned.

        Raises:
            AEZooError: an array is missing, or does not go together with the others.
        """
        try:
            center, kernel, bank = (
                np.asarray(arrays[prefix + name], "float32") for name in ("center", "kernel", "bank")
            )
            k = int(arrays[f"{prefix}k"])
        except (KeyError, TypeError, ValueError) as error:
            raise AEZooError(f"The stored neighbors lack an array, or hold one of another kind: {error}") from error
        fits = center.ndim == 1 and kernel.shape == (len(center), bank.shape[-1]) and bank.ndim == 2
        if not fits or not 1 <= k <= len(bank) or not all(np.isfinite(each).all() for each in (center, kernel, bank)):
            raise AEZooError("The stored neighbors do not go together.")
        return cls(center, kernel, bank, k)
