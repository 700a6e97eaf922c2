"""The length of a run, the size of its batches and its learning rate, from the caller's arguments and the family's recipe."""

import dataclasses
import math
import os
from collections.abc import Sequence
from typing import Literal, Self, TypeAlias

import keras
import numpy as np

from ae_zoo._support import checks, files
from ae_zoo.autoencoder import Autoencoder
from ae_zoo.errors import AEZooError, short
from ae_zoo.training.adam import Adam
from ae_zoo.typing import Array, Rows

# Steps in which Adam learns the size of the gradients: they grow neither with the run nor with the network.
WARMUP, SHORT_WARMUP = 200, 60  # at most; and at least, but no more than a third of the run
LOWEST = 2e-3  # rate by default, of families whose own is not lower
MOST = 8  # times the rate, for small networks
STEEPER = 1.25  # exponent for wide and deep networks, of the sweep in benchmarks/rates.py
INPUTS = 2800  # of a unit in each layer, summed over the layers, that the recipes' rates are for
Validation: TypeAlias = float | Rows | tuple[Rows, Rows]
Verbose: TypeAlias = Literal["auto"] | int


@dataclasses.dataclass(frozen=True, kw_only=True)
class Plan:
    """The caller's choices for a run; the fields are the arguments of `ae_zoo.fit`."""

    weights: Rows | None = None
    validation: Validation = 0.1
    epochs: int | None = None
    batch_size: int | None = None
    learning_rate: float | None = None
    weight_decay: float | None = None
    ema: float | None = None
    optimizer: keras.optimizers.Optimizer | None = None
    patience: int | None = None
    minutes: float | None = None
    seed: int = 1
    checkpoint: str | os.PathLike[str] | None = None
    callbacks: Sequence[keras.callbacks.Callback] = ()
    verbose: Verbose = "auto"

    def check(self) -> None:
        """Raises `AEZooError` if a value is not legal."""
        for name in ("minutes", "learning_rate"):
            value = getattr(self, name)
            if value is not None and not checks.finite(name, value) > 0:
                raise AEZooError(f"{name} must be above 0; received {value!r}.")
        if self.weight_decay is not None and not checks.finite("weight_decay", self.weight_decay) >= 0:
            raise AEZooError(f"weight_decay must be 0 or more; received {self.weight_decay!r}.")
        if self.ema is not None:
            checks.share("ema", self.ema)
        for name in ("batch_size", "epochs", "patience"):
            if getattr(self, name) is not None:
                checks.count(name, getattr(self, name))
        if not isinstance(self.optimizer, keras.optimizers.Optimizer | str | None):
            raise AEZooError(
                f"optimizer must be one of Keras's, such as keras.optimizers.Adam(0.001); received {short(self.optimizer)}."
            )
        if getattr(self.optimizer, "use_ema", False):
            raise AEZooError(
                "Averaged weights come from ae_zoo.fit(..., ema=0.999); give an optimizer without use_ema."
            )
        if self.checkpoint is not None:
            files.writable(self.checkpoint)  # better an error before the training than after it
        one = isinstance(self.callbacks, keras.callbacks.Callback | str)
        if one or not all(isinstance(each, keras.callbacks.Callback) for each in _listed(self.callbacks)):
            raise AEZooError(f"callbacks must be a list of Keras callbacks; received {short(self.callbacks)}.")
        if checks.seed(self.seed) is None:
            raise AEZooError(
                "seed must be a whole number, because the order of the rows follows from it; received None."
            )


def _listed(callbacks: object) -> Sequence[object]:
    return callbacks if isinstance(callbacks, Sequence) else [callbacks]


@dataclasses.dataclass(frozen=True)
class Schedule:
    """The numbers of a run.

    Attributes:
        epochs: number of epochs, at most.
        steps: number of steps in an epoch.
        batch_size: rows in a step.
        learning_rate: the highest learning rate.
        beta_1: Adam's.
        patience: number of epochs without improvement after which the run stops; None never stops it, because a training
            loss does not say when to stop.
        warmup: number of epochs in which the loss itself still changes.
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
        """Returns the schedule for a model and a number of training rows.

        Args:
            model: the model to train.
            plan: the caller's choices.
            rows: number of training rows.
            patient: whether the run may stop early.

        Raises:
            AEZooError: the loss would still change when the run ends.
        """
        recipe = model.config.recipe
        batch_size = min(plan.batch_size or recipe.batch_for(rows), rows)
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
            learning_rate=plan.learning_rate or _rate(model, batch_size),
            beta_1=recipe.beta_1,
            patience=(plan.patience or max(5, epochs // 2)) if patient else None,
            warmup=warmup,
        )

    def adam(self, plan: Plan) -> Adam:
        """Returns Adam; each step sets its rate. Biases and learned variances do not decay."""
        adam = Adam(
            self.learning_rate,
            beta_1=self.beta_1,
            weight_decay=plan.weight_decay or None,
            use_ema=plan.ema is not None,
            ema_momentum=plan.ema or 0.99,
            name="adam",
        )
        adam.exclude_from_weight_decay(var_names=["bias", "variance", "gamma", "beta", "levels"])
        return adam


def _rate(model: Autoencoder, batch_size: int) -> float:
    """Returns the highest rate by default.

    It is the recipe's, proportional to the square root of the batch size (but not below 0.002 where that is only caution),
    and follows the widths and the depth of a dense network. A step of Adam moves each weight by about the rate, so it can
    move a unit by the rate times the number of its inputs, and the output by the sum of that over the layers. For wide and
    deep networks the rate keeps this product at what the recipe's rate is for. (Per layer this is the rule of Yang et al.
    2022, appendix B, for Adam.) The sweep in `benchmarks/rates.py` shows that the deepest networks need a little less, and
    that small networks gain less: there the rate grows with the root of what the sum allows.
    """
    of_256 = model.config.recipe.learning_rate
    rate = max(of_256 * math.sqrt(batch_size / 256), min(of_256, LOWEST))
    if model.config.network != "dense":
        return rate
    kernels = [weight for weight in (*model.encoder.weights, *model.decoder.weights) if weight.name == "kernel"]
    room = INPUTS / sum(int(kernel.shape[0]) for kernel in kernels)
    if room < 1:
        return rate * room**STEEPER
    return rate * min(math.sqrt(room), MOST) if of_256 > LOWEST else rate


class Pace:
    """The learning rate of each step: a warm-up and a cosine, and again after each rescue, with a lower peak.

    Attributes:
        begin: the epoch in which the present warm-up began.
        factor: the present peak's share of the first.
        notes: what happened, a sentence for each rescue.
    """

    def __init__(self, schedule: Schedule) -> None:
        self.schedule = schedule
        self.begin, self.factor = 0, 1.0
        self.notes: list[str] = []

    def lower(self, begin: int, factor: float) -> float:
        """Begins anew in epoch `begin` with a peak lower by `factor`; returns its share of the first peak."""
        self.begin, self.factor = begin, self.factor * factor
        return self.factor

    @property
    def warmup(self) -> int:
        """The number of steps of the present warm-up."""
        total = (self.schedule.epochs - self.begin) * self.schedule.steps
        return max(1, min(WARMUP, max(total // 20, min(SHORT_WARMUP, total // 3))))

    def rates(self, epoch: int) -> Array:
        """Returns the learning rate of each step of an epoch, `(steps,)`.

        It rises over the first 5 % of the steps, at least 60 and at most 200, and then falls along a cosine.
        """
        schedule, warmup = self.schedule, self.warmup
        total = (schedule.epochs - self.begin) * schedule.steps
        step = np.arange(schedule.steps) + (epoch - self.begin) * schedule.steps
        rising = 0.01 + 0.99 * step / warmup
        falling = (1 + np.cos(np.pi * (step - warmup) / max(1, total - warmup))) / 2
        return (self.factor * schedule.learning_rate * np.where(step < warmup, rising, falling)).astype("float32")
