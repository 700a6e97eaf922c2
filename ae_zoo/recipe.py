"""How a family is trained unless the caller says otherwise: data that the trainer reads, and nothing that runs."""

import dataclasses


@dataclasses.dataclass(frozen=True, kw_only=True)
class Recipe:
    """Defaults of `ae_zoo.fit` for a family.

    Attributes:
        learning_rate: the highest, at a batch of 256.
        batch_size: of at least 8,192 rows.
        beta_1: of Adam; an adversarial game wants less memory of past gradients.
        monitor: the metric whose least held-out value names the best epoch. None where no metric can: the last epoch's
            weights are kept, and nothing stops the run early.
        rows_shown: by a default run.
        warmup_rows: rows over which the loss itself still changes; patience is not counted before.
        jit_compile: whether XLA compiles the step.
        split_rounds: how often `ae_zoo.fit_robust` splits the rows of a family that is trained by it; 0 for the others.
    """

    learning_rate: float = 8e-3
    batch_size: int = 256
    beta_1: float = 0.9
    monitor: str | None = "reconstruction"  # without the penalties: a penalised model is chosen by what it reconstructs
    rows_shown: int = 430_000  # 8 epochs of MNIST, as many as 100 of a small table
    warmup_rows: int = 0
    jit_compile: bool = True
    split_rounds: int = 0
