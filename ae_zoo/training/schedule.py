"""How long a run is, how large its batches are, and how its learning rate goes: from what the caller and the family say."""

import dataclasses
import math
import os
from collections.abc import Sequence
from typing import Any, Self

import keras

from ae_zoo._support import checks
from ae_zoo.autoencoder import Autoencoder
from ae_zoo.errors import AEZooError

STEPS_PER_CALL = 50  # one call of the compiled function; long enough to hide its overhead, short enough to watch


@dataclasses.dataclass(frozen=True, kw_only=True)
class Plan:
    """What the caller asks of a run; the fields are the arguments of `ae_zoo.fit`."""

    validation: float | Any = 0.1
    epochs: int | None = None
    batch_size: int | None = None
    learning_rate: float | None = None
    optimizer: keras.optimizers.Optimizer | None = None
    patience: int | None = None
    minutes: float | None = None
    seed: int = 1
    checkpoint: str | os.PathLike | None = None
    callbacks: Sequence[keras.callbacks.Callback] = ()
    verbose: int | str = "auto"

    def check(self) -> None:
        """Raises `AEZooError` for a value that is not legal."""
        for name in ("minutes", "learning_rate"):
            value = getattr(self, name)
            if value is not None and not checks.finite(name, value) > 0:
                raise AEZooError(f"{name} must be above 0; received {value!r}.")
        for name in ("batch_size", "epochs", "patience"):
            if getattr(self, name) is not None:
                checks.count(name, getattr(self, name))
        checks.seed(self.seed)


@dataclasses.dataclass(frozen=True)
class Schedule:
    """What a run is to do.

    Attributes:
        epochs: at most.
        steps: of an epoch.
        batch_size: rows in a step.
        learning_rate: the highest.
        beta_1: of Adam.
        patience: epochs without improvement; None waits for ever, as a training loss says nothing about when to stop.
        warmup: epochs in which the loss itself still changes.
    """

    epochs: int
    steps: int
    batch_size: int
    learning_rate: float
    beta_1: float
    patience: int | None
    warmup: int

    @classmethod
    def of(cls, model: Autoencoder, plan: Plan, rows: int, patient: bool) -> Self:
        """The schedule of a model for a number of training rows.

        Raises:
            AEZooError: the loss would still be changing when the run ends.
        """
        recipe = model.config.recipe
        batch_size = min(plan.batch_size or max(8, min(recipe.batch_size, rows // 32)), rows)
        epochs = plan.epochs or min(100, max(8, round(recipe.rows_shown / rows)))
        steps = rows // batch_size
        warmup = math.ceil(model.warmup_left / (steps * batch_size))
        if warmup >= epochs:
            raise AEZooError(
                f"A warm-up of {model.warmup_left:,} rows would not end within {epochs} epochs of "
                f"{steps * batch_size:,} rows; give more epochs or a shorter warm-up."
            )
        return cls(
            epochs=epochs,
            steps=steps,
            batch_size=batch_size,
            learning_rate=plan.learning_rate or recipe.learning_rate * math.sqrt(batch_size / 256),
            beta_1=recipe.beta_1,
            patience=(plan.patience or max(5, epochs // 5)) if patient else None,
            warmup=warmup,
        )

    @property
    def steps_per_call(self) -> int:
        """Steps that one call of the compiled function does."""
        return math.ceil(self.steps / math.ceil(self.steps / STEPS_PER_CALL))

    def adam(self) -> keras.optimizers.Optimizer:
        """Adam, whose rate rises over the first 5 % of the steps and then falls along a cosine."""
        total = self.epochs * self.steps
        warmup = max(1, total // 20)
        rate = keras.optimizers.schedules.CosineDecay(
            initial_learning_rate=self.learning_rate / 100,
            decay_steps=max(1, total - warmup),
            warmup_target=self.learning_rate,
            warmup_steps=warmup,
        )
        return keras.optimizers.Adam(rate, beta_1=self.beta_1)
