"""The proximal step of robust training: rows without the part that the network cannot reconstruct."""

import keras
import numpy as np

from ae_zoo.autoencoder import Autoencoder
from ae_zoo.recipe import Split as SplitKind
from ae_zoo.training.loop import Loop
from ae_zoo.typing import Array, Logs

BLOCK = 256  # rows split at a time


def shrink(residual: Array, weight: float, split: SplitKind) -> Array:
    """Returns the sparse part of a residual: what exceeds a root mean square of `weight`.

    Let v be an element, a row or a feature's column of the residual, with m values. Its sparse part is the s that minimizes
    |v - s|^2 / 2 + weight * sqrt(m) * |s|, where the second norm is not squared: s = v * max(0, 1 - weight / rms(v)). For
    elements this is the soft threshold.

    Args:
        residual: differences between rows and their reconstructions, `(n, *features)`.
        weight: the root mean square that stays.
        split: `"elements"`, `"rows"` or `"features"`.
    """
    if split == "elements":
        size = np.abs(residual)
    else:
        axis = tuple(range(1, residual.ndim)) if split == "rows" else 0
        size = np.sqrt(np.mean(np.square(residual), axis=axis, keepdims=True))
    excess = np.maximum(size - weight, 0)
    return residual * np.divide(excess, size, out=np.zeros_like(size), where=size > 0)


class Split(keras.callbacks.Callback):
    """Splits the rows of a run after each of its rounds; the next round trains on the rows without their sparse part.

    Args:
        model: the model that is trained.
        x: all rows `(n, *input_shape)` in the data's units.
        split: as in `shrink`.
        weight: as in `shrink`, on the model's scale; None takes the median row's root mean square error after the first
            round.
        rounds: number of rounds, which share the epochs equally.

    Attributes:
        sparse: the sparse part `(n, *input_shape)` on the model's scale.
        reconstructable: the network's output `(n, *input_shape)` for the rows without their sparse part, in the data's
            units.
        residuals: for each round, the norm of what is in neither part, divided by the norm of the rows, on the model's scale.
        changes: for each round, the norm of the change in the sum of both parts, divided by the norm of the rows.
    """

    def __init__(self, model: Autoencoder, x: Array, split: SplitKind, weight: float | None, rounds: int) -> None:
        super().__init__()
        self.network, self.x, self.split, self.weight, self.rounds = model, x, split, weight, rounds
        self.left = x  # the rows without their sparse part, on which the network trains
        self.sums = np.zeros_like(x)  # both parts together, on the model's scale
        self.residuals: list[float] = []
        self.changes: list[float] = []

    def begin(self, loop: Loop) -> None:
        """Takes the loop of the run, and the model's scale, which has been fitted before."""
        model, self.loop = self.network, loop
        one = np.ones((1, *model.config.input_shape), "float32")
        # The unit and the zero of the model's scale in the data's units: the inverse is linear.
        self.offset = np.asarray(model.scaling.invert(0 * one))[0]
        self.scale = np.asarray(model.scaling.invert(one))[0] - self.offset
        self.size = float(np.linalg.norm(keras.ops.convert_to_numpy(model.scaling(self.x))))

    def on_epoch_begin(self, epoch: int, logs: Logs = None) -> None:
        epochs = self.params["epochs"]
        if epoch and epoch * self.rounds // epochs > (epoch - 1) * self.rounds // epochs:
            self.step()
            self.loop.replace(self.left)

    def step(self) -> None:
        """Splits the rows by the network's present weights."""
        self.reconstructable = self.network.reconstruct(self.left)
        if self.weight is None:
            rows = ((self.x - self.reconstructable) / self.scale).reshape(len(self.x), -1)
            self.weight = float(np.sqrt(np.median(np.mean(np.square(rows), axis=1))))
        if self.left is self.x:
            self.left, self.sparse = np.empty_like(self.x), np.empty_like(self.x)
        # A few rows at a time, so that they stay in the cache; a feature's column has all rows.
        size = len(self.x) if self.split == "features" else BLOCK
        weight = self.weight
        squares = sum(self._split(slice(start, start + size), weight) for start in range(0, len(self.x), size))
        residual, change = np.sqrt(squares) / self.size
        self.residuals.append(float(residual))
        self.changes.append(float(change))

    def _split(self, some: slice, weight: float) -> Array:
        """Splits some rows; returns the squared norms of what is in neither part, and of the change in the sum of both."""
        x, given = self.x[some], self.reconstructable[some]
        residual = (x - given) / self.scale
        sparse = shrink(residual, weight, self.split)
        # Clipped between the row and its reconstruction, so that rounding cannot leave the output's range.
        self.left[some] = np.clip(x - sparse * self.scale, np.minimum(x, given), np.maximum(x, given))
        sums = (given - self.offset) / self.scale + sparse
        squares = [_square(residual - sparse), _square(sums - self.sums[some])]
        self.sparse[some], self.sums[some] = sparse, sums
        return np.array(squares)


def _square(x: Array) -> float:
    return float(np.linalg.norm(x)) ** 2
