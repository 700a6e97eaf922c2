"""Shuffled batches. Their order depends only on the seed and the epoch, so a run can be resumed at any epoch."""

import functools
from collections.abc import Callable
from typing import Any, TypeAlias

import keras
import numpy as np

from ae_zoo.typing import Array, Logs, Tensor

FEW_LABELS = 4  # where fewer than 1 row in 4 has a label, 1 row in 4 of a batch has one
Source: TypeAlias = tuple[Any, Callable[[Array], object], Callable[[Array], object] | None]


class Batches(keras.callbacks.Callback):
    """Batches of some of the rows of `x`, in a new order in each epoch.

    An epoch leaves out the last rows of its order if they do not fill a batch, because a batch of another size would need
    another compilation.

    If `y` are labels and fewer than a quarter of the rows have one, a quarter of each batch is drawn from the labeled rows,
    one after another: a batch of 256 rows of MNIST with 1,000 labels would hold four of them, too few to learn from. In the
    rest of the loss they count like the other rows, only more often.

    Args:
        x: all rows `(n, *input_shape)`, float32; the training rows among them are not copied.
        rows: the indices of the training rows, `(m,)`.
        batch_size: rows in a batch, at most m.
        seed: equal seeds give equal orders.
        y: the second argument of `fit`, `(n, ...)`: rows to give back, or labels with -1 for no label; or None.
        labels: whether `y` are labels.
        replaceable: whether `replace` will be called.

    Give `dataset` to Keras's `fit`, and this object to its callbacks; it sets the order when an epoch begins.
    """

    def __init__(
        self,
        x: Array,
        rows: Array,
        batch_size: int,
        seed: int,
        y: Array | None = None,
        labels: bool = False,
        replaceable: bool = False,
    ) -> None:
        super().__init__()
        self.rows, self.batch_size, self.seed = rows, batch_size, seed
        self.steps = len(rows) // batch_size
        self.labeled = rows[:0]
        if y is not None and labels:
            labeled = rows[y[rows] >= 0]
            if len(labeled) < len(rows) / FEW_LABELS:
                self.labeled = labeled
        if keras.backend.backend() == "tensorflow":
            self.dataset, self._set_order, self.replace = self._tensorflow(x, y, replaceable)
        else:
            self.dataset, self._set_order, self.replace = self._python(x, y)

    def on_epoch_begin(self, epoch: int, logs: Logs = None) -> None:
        self._set_order(self.order(epoch))

    def order(self, epoch: int) -> Array:
        """Returns the indices of an epoch's rows, `(m,)`, batch after batch."""
        random = np.random.default_rng([self.seed, epoch])
        order = random.permutation(self.rows)
        if len(self.labeled):
            batches = order[: self.steps * self.batch_size].reshape(self.steps, -1)  # a view
            slots = batches[:, : max(1, self.batch_size // FEW_LABELS)]
            turns = -(-slots.size // len(self.labeled))
            drawn = np.concatenate([random.permutation(self.labeled) for _ in range(turns)])
            slots[:] = drawn[: slots.size].reshape(slots.shape)
        return order

    def _tensorflow(self, x: Array, y: Array | None, replaceable: bool) -> Source:
        """Returns what `_python` does; a thread of tf.data gathers a batch while a step is running."""
        import tensorflow as tf

        arrays = [tf.convert_to_tensor(array) for array in (x, y) if array is not None]
        if replaceable:
            with tf.device("CPU"):
                arrays[0] = tf.Variable(x, trainable=False)
        order = tf.Variable(self.rows, trainable=False)
        size = self.batch_size

        def batch(step: Tensor) -> Tensor:
            rows = order[step * size : (step + 1) * size]
            parts = [tf.ensure_shape(tf.gather(array, rows), (size, *array.shape[1:])) for array in arrays]
            return tuple(parts) if len(parts) > 1 else parts[0]

        options = tf.data.Options()
        options.autotune.enabled = False
        options.experimental_optimization.apply_default_optimizations = False  # rewriting the graph copies the data
        dataset = tf.data.Dataset.range(self.steps).map(batch).prefetch(2).with_options(options)
        return dataset, order.assign, arrays[0].assign if replaceable else None

    def _python(self, x: Array, y: Array | None) -> Source:
        """Returns the dataset, a function that sets its order, and a function that sets its rows, for the other backends."""
        dataset = _Gathered(x, y, self.rows, self.batch_size)
        return dataset, functools.partial(setattr, dataset, "order"), functools.partial(setattr, dataset, "x")


class _Gathered(keras.utils.PyDataset):
    """Batches of rows `x`, and `y` if there is any, in an order that may be changed."""

    def __init__(self, x: Array, y: Array | None, order: Array, batch_size: int) -> None:
        super().__init__()
        self.x, self.y, self.order, self.batch_size = x, y, order, batch_size

    def __len__(self) -> int:
        return len(self.order) // self.batch_size

    def __getitem__(self, step: int) -> tuple[Array, ...]:
        some = self.order[step * self.batch_size : (step + 1) * self.batch_size]
        return (self.x[some],) if self.y is None else (self.x[some], self.y[some])
