"""Shuffled batches whose order depends on the seed and the epoch alone, so that a run can be resumed at any epoch."""

from typing import Any

import keras
import numpy as np


class Batches(keras.callbacks.Callback):
    """Batches of some of the rows of `x`, in a new order each epoch.

    The last rows of an order that do not fill a batch are left out of that epoch: a batch of another size would be
    another compiled program.

    Args:
        x: all rows `(n, *input_shape)`, float32; they are not copied by row set.
        rows: the indices to train on `(m,)`.
        batch_size: at most m.
        seed: equal seeds give equal orders.

    Give `dataset` to Keras's `fit` and this object to its callbacks, which sets the order as each epoch begins.
    """

    def __init__(self, x: np.ndarray, rows: np.ndarray, batch_size: int, seed: int) -> None:
        super().__init__()
        self.rows, self.batch_size, self.seed = rows, batch_size, seed
        self.steps = len(rows) // batch_size
        if keras.backend.backend() == "tensorflow":
            self.dataset, self._set_order = self._tensorflow(x)
        else:
            self.dataset, self._set_order = self._python(x)

    def on_epoch_begin(self, epoch: int, logs: dict | None = None) -> None:
        self._set_order(np.random.default_rng([self.seed, epoch]).permutation(self.rows))

    def _tensorflow(self, x: np.ndarray) -> tuple[Any, Any]:
        """Gathers on a thread of tf.data's, beside the step that is running."""
        import tensorflow as tf

        data = tf.convert_to_tensor(x)
        order = tf.Variable(self.rows, trainable=False)
        size = self.batch_size

        def batch(step: Any) -> Any:
            rows = tf.gather(data, order[step * size : (step + 1) * size])
            return tf.ensure_shape(rows, (size, *x.shape[1:]))

        options = tf.data.Options()
        options.autotune.enabled = False
        options.experimental_optimization.apply_default_optimizations = False  # rewriting the graph copies the data
        return tf.data.Dataset.range(self.steps).map(batch).prefetch(2).with_options(options), order.assign

    def _python(self, x: np.ndarray) -> tuple[Any, Any]:
        """The same batches for the other backends."""
        size = self.batch_size

        class Rows(keras.utils.PyDataset):
            order = self.rows

            def __len__(rows) -> int:
                return self.steps

            def __getitem__(rows, step: int) -> tuple[np.ndarray]:
                return (x[rows.order[step * size : (step + 1) * size]],)

        dataset = Rows()
        return dataset, lambda order: setattr(dataset, "order", order)
