"""The proximal step of robust training: rows without the part that the network cannot reconstruct."""

import keras
import numpy as np

from ae_zoo.autoencoder import Autoencoder
from ae_zoo.recipe import Split as SplitKind
from ae_zoo.training.loop import Loop
from ae_zoo.typing import Array, Logs

BLOCK = 256  # rows split at a time


def shrink(residual: Array, weight: float, split: SplitKind, cells: Array | None = None) -> Array:
    """Returns the sparse part of a residual: what exceeds a root mean square of `weight`.

    Let v be an element, a row or a feature's column of the residual, with m values. Its sparse part is the s that minimizes
    |v - s|^2 / 2 + weight * sqrt(m) * |s|, where the second norm is not squared: s = v * max(0, 1 - weight / rms(v)). For
    elements this is the soft threshold.

    Args:
        residual: differences between rows and their reconstructions, `(n, *features)`.
        weight: the root mean square that stays.
        split: `"elements"`, `"rows"` or `"features"`.
        cells: which differences count `(n, *features)`; the others are 0. None for all.
    """
    if split == "elements":
        size = np.abs(residual)
    else:
        axis = tuple(range(1, residual.ndim)) if split == "rows" else 0
        size = np.sqrt(_mean(np.square(residual), axis, cells))
    excess = np.maximum(size - weight, 0)
    return residual * np.divide(excess, size, out=np.zeros_like(size), where=size > 0)


class Split(keras.callbacks.Callback):
    """Splits the rows of a run after each of its rounds; the next round trains on the rows without their sparse part.

    Only numbers that are scaled by a straight line have a sparse part. Those of a table are its numbers and dates: a missing
    cell has none, and the cross-entropy of a category needs none, because its gradient has a bound.

    Args:
        model: the model that is trained.
        x: all rows `(n, *input_shape)`, coded.
        split: as in `shrink`.
        weight: as in `shrink`, on the model's scale; None takes the median row's root mean square error after the first
            round.
        rounds: number of rounds, which share the epochs equally.

    Attributes:
        sparse: the sparse part `(n, *input_shape)` on the model's scale.
        reconstructable: the reconstructions `(n, *input_shape)` of the rows without their sparse part, coded.
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
        self.loop = loop
        self.offset, scale = self.network.scaling.line()
        straight = ~np.isnan(scale)
        self.scale = np.where(straight, scale, np.float32(1))
        self.cells = straight & ~np.isnan(self.x)
        self.size = float(np.linalg.norm(np.where(self.cells, (self.x - self.offset) / self.scale, 0)))

    def on_epoch_begin(self, epoch: int, logs: Logs = None) -> None:
        epochs = self.params["epochs"]
        if epoch and epoch * self.rounds // epochs > (epoch - 1) * self.rounds // epochs:
            self.step()
            self.loop.replace(self.left)

    def step(self) -> None:
        """Splits the rows by the network's present weights."""
        self.reconstructable = self.network.reconstructed(self.left)
        if self.weight is None:
            residual = np.where(self.cells, (self.x - self.reconstructable) / self.scale, 0)
            self.weight = float(np.sqrt(np.median(self._by_row(np.square(residual)))))
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
        x, given, cells = self.x[some], self.reconstructable[some], self.cells[some]
        residual = np.where(cells, (x - given) / self.scale, 0)
        sparse = shrink(residual, weight, self.split, cells)
        # Clipped between the row and its reconstruction, so that rounding cannot leave the output's range.
        left = np.clip(x - sparse * self.scale, np.minimum(x, given), np.maximum(x, given))
        self.left[some] = np.where(cells, left, x)
        sums = np.where(cells, (given - self.offset) / self.scale + sparse, 0)
        squares = [_square(residual - sparse), _square(sums - self.sums[some])]
        self.sparse[some], self.sums[some] = sparse, sums
        return np.array(squares)

    @property
    def scores(self) -> Array:
        """The root mean square of each row's sparse part `(n,)`, on the model's scale."""
        return np.sqrt(self._by_row(np.square(self.sparse)))

    def _by_row(self, squares: Array) -> Array:
        """Returns the mean of each row `(n,)`."""
        return _mean(squares, tuple(range(1, squares.ndim)), self.cells).reshape(len(squares))


def _mean(values: Array, axis: int | tuple[int, ...], cells: Array | None) -> Array:
    """Returns the means along axes, which stay, of the values that count; the others are 0, and so is the mean of none."""
    if cells is None:
        return np.mean(values, axis=axis, keepdims=True)
    return np.sum(values, axis=axis, keepdims=True) / np.maximum(np.sum(cells, axis=axis, keepdims=True), 1)


def _square(x: Array) -> float:
    return float(np.linalg.norm(x)) ** 2
