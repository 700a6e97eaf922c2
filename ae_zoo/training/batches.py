"""Shuffled batches. Their order depends only on the seed and the epoch, so a run can be resumed at any epoch."""

import numpy as np

from ae_zoo.training.holdout import Data
from ae_zoo.typing import Array

FEW_LABELS = 4  # where fewer than 1 row in 4 has a label, 1 row in 4 of a batch has one


class Batches:
    """Batches of some of the rows of `data`, in a new order in each epoch.

    An epoch leaves out the last rows of its order if they do not fill a batch, because a batch of another size would need
    another compilation.

    If `y` are labels and fewer than a quarter of the rows have one, a quarter of each batch is drawn from the labeled rows,
    one after another: a batch of 256 rows of MNIST with 1,000 labels would hold four of them, too few to learn from. In the
    rest of the loss they count like the other rows, only more often.

    Args:
        data: all rows; the training rows among them are not copied.
        rows: the indices of the training rows, `(m,)`.
        batch_size: rows in a batch, at most m.
        seed: equal seeds give equal orders.
        labels: whether the `y` are labels, with -1 for no label.
    """

    def __init__(self, data: Data, rows: Array, batch_size: int, seed: int, labels: bool = False) -> None:
        self.data = data
        self.rows, self.batch_size, self.seed = rows, batch_size, seed
        self.steps = len(rows) // batch_size
        self.labeled = rows[:0]
        if data.y is not None and labels:
            labeled = rows[data.y[rows] >= 0]
            if len(labeled) < len(rows) / FEW_LABELS:
                self.labeled = labeled

    def order(self, epoch: int) -> Array:
        """Returns the indices of the rows of an epoch's batches, `(steps, batch_size)`."""
        random = np.random.default_rng([self.seed, epoch])
        order = random.permutation(self.rows)[: self.steps * self.batch_size].reshape(self.steps, -1)
        if len(self.labeled):
            slots = order[:, : max(1, self.batch_size // FEW_LABELS)]
            turns = -(-slots.size // len(self.labeled))
            drawn = np.concatenate([random.permutation(self.labeled) for _ in range(turns)])
            slots[:] = drawn[: slots.size].reshape(slots.shape)
        return order.astype("int32")
