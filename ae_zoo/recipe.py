"""How a family is trained by default. A recipe follows from a config; this module loads no Keras."""

import dataclasses
from typing import Literal, TypeAlias, get_args

Split: TypeAlias = Literal["elements", "rows", "features"]
SPLITS: tuple[str, ...] = get_args(Split)


@dataclasses.dataclass(frozen=True, kw_only=True)
class Recipe:
    """How `ae_zoo.fit` trains a family by default.

    Attributes:
        learning_rate: the highest learning rate, at a batch of 256 rows.
        batch_size: rows in a batch if there are at least 8,192 training rows; with fewer rows it is smaller.
        beta_1: Adam's; an adversarial game works better with less memory of past gradients.
        monitor: the metric whose lowest held-out value marks the best epoch. None if no metric can: then the last epoch's
            weights are kept, and nothing stops the run early.
        rows_shown: number of rows that a default run trains on, all epochs together.
        warmup_rows: number of rows over which the loss itself still changes; patience is counted after them.
        jit_compile: whether XLA compiles the step.
        split: what robust training leaves out as a whole; None for a family that is not trained in this way.
        split_weight: the root mean square error that stays, on the model's scale; None for the median row's.
        split_rounds: how often robust training splits the rows.
    """

    learning_rate: float = 8e-3
    batch_size: int = 256
    beta_1: float = 0.9
    monitor: str | None = "reconstruction"  # without the penalties
    rows_shown: int = 430_000  # 8 epochs of MNIST, as many as 100 of a small table
    warmup_rows: int = 0
    jit_compile: bool = True
    split: Split | None = None
    split_weight: float | None = None
    split_rounds: int = 10

    def batch_for(self, rows: int) -> int:
        """Returns the batch size for a number of training rows."""
        return max(8, min(self.batch_size, rows // 32))
