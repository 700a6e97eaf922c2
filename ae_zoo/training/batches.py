"""Shuffled batches whose order depends on the seed and the epoch alone, so that a run can be resumed at any epoch."""

import functools
from typing import Any

import keras
import numpy as np

LABELLED_SHARE = 4  # one row in so many has a label, where few have


class Batches(keras.callbacks.Callback):
    """Batches of some of the rows of `x`, in a new order each epoch.

    The last rows of an order that do not fill a batch are left out of that epoch: a batch of another size would be
    another compiled program.

    Where `y` are labels and few rows have one, a quarter of each batch is drawn from those that do, in turn: a batch of
    256 rows of MNIST with 1,000 labels would hold four of them, too few to learn from. They are rows like the others, and
    count as such in the rest of the loss, if more often.

    Args:
        x: all rows `(n, *input_shape)`, float32; they are not copied by row set.
        rows: the indices to train on `(m,)`.
        batch_size: at most m.
        seed: equal seeds give equal orders.
        y: what goes with each row `(n, ...)`, if anything: rows that are wanted back, or labels, -1 for none.
        labels: whether `y` are labels.
        replaceable: whether `replace` will be called.

    Give `dataset` to Keras's `fit` and this object to its callbacks, which sets the order as each epoch begins.
    """

    def __init__(
        self,
        x: np.ndarray,
        rows: np.ndarray,
        batch_size: int,
        seed: int,
        y: np.ndarray | None = None,
        labels: bool = False,
        replaceable: bool = False,
    ) -> None:
        super().__init__()
        self.rows, self.batch_size, self.seed = rows, batch_size, seed
        self.steps = len(rows) // batch_size
        self.labelled = rows[:0]
        if y is not None and labels:
            labelled = rows[y[rows] >= 0]
            if len(labelled) < len(rows) / LABELLED_SHARE:
                self.labelled = labelled
        if keras.backend.backend() == "tensorflow":
            self.dataset, self._set_order, self.replace = self._tensorflow(x, y, replaceable)
        else:
            self.dataset, self._set_order, self.replace = self._python(x, y)

    def on_epoch_begin(self, epoch: int, logs: dict | None = None) -> None:
        self._set_order(self.order(epoch))

    def order(self, epoch: int) -> np.ndarray:
        """The indices of an epoch's rows `(m,)`, batch after batch."""
        random = np.random.default_rng([self.seed, epoch])
        order = random.permutation(self.rows)
        if len(self.labelled):
            batches = order[: self.steps * self.batch_size].reshape(self.steps, -1)  # a view
            slots = batches[:, : max(1, self.batch_size // LABELLED_SHARE)]
            turns = -(-slots.size // len(self.labelled))
            drawn = np.concatenate([random.permutation(self.labelled) for _ in range(turns)])
            slots[:] = drawn[: slots.size].reshape(slots.shape)
        return order

    def _tensorflow(self, x: np.ndarray, y: np.ndarray | None, replaceable: bool) -> tuple[Any, Any, Any]:
        """Gathers on a thread of tf.data's, beside the step that is running. Gives what `_python` does."""
        import tensorflow as tf

        arrays = [tf.convert_to_tensor(array) for array in (x, y) if array is not None]
        if replaceable:
            with tf.device("CPU"):
                arrays[0] = tf.Variable(x, trainable=False)
        order = tf.Variable(self.rows, trainable=False)
        size = self.batch_size

        def batch(step: Any) -> Any:
            rows = order[step * size : (step + 1) * size]
            parts = [tf.ensure_shape(tf.gather(array, rows), (size, *array.shape[1:])) for array in arrays]
            return tuple(parts) if len(parts) > 1 else parts[0]

        options = tf.data.Options()
        options.autotune.enabled = False
        options.experimental_optimization.apply_default_optimizations = False  # rewriting the graph copies the data
        dataset = tf.data.Dataset.range(self.steps).map(batch).prefetch(2).with_options(options)
        return dataset, order.assign, arrays[0].assign if replaceable else None

    def _python(self, x: np.ndarray, y: np.ndarray | None) -> tuple[Any, Any, Any]:
        """The same batches for the other backends: the dataset, what sets its order, what sets its rows."""
        size = self.batch_size

        class Rows(keras.utils.PyDataset):
            order, x = self.rows, None

            def __len__(rows) -> int:
                return self.steps

            def __getitem__(rows, step: int) -> tuple[np.ndarray, ...]:
                some = rows.order[step * size : (step + 1) * size]
                return (rows.x[some],) if y is None else (rows.x[some], y[some])

        dataset = Rows()
        dataset.x = x
        return dataset, functools.partial(setattr, dataset, "order"), functools.partial(setattr, dataset, "x")
