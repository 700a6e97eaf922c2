"""One run of Keras's own `fit`, prepared and watched: what `ae_zoo.fit` and `ae_zoo.fit_robust` have in common."""

import dataclasses
import math
import os
import warnings
from collections.abc import Sequence
from typing import Any

import keras
import numpy as np

from ae_zoo.autoencoder import Autoencoder
from ae_zoo.checks import count
from ae_zoo.errors import AEZooError, AEZooWarning
from ae_zoo.factory import compile_plainly
from ae_zoo.networks.inference import no_retracing_alarm
from ae_zoo.training.batches import Batches
from ae_zoo.training.callbacks import Deadline, Progress, Record, StopOnNaN, Stopwatch
from ae_zoo.training.checkpoint import Checkpoint, digest
from ae_zoo.training.split import Split

STEPS_PER_CALL = 50  # one call of the compiled function; long enough to hide its overhead, short enough to watch
VALIDATION_BATCH = 2048
WORTH_COMPILING = 3e11  # FLOP of a whole run, a few seconds; XLA takes one or two to compile a step


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


@dataclasses.dataclass(frozen=True)
class TrainingResult:
    """What a run did. The model itself holds the best weights.

    Attributes:
        history: each metric's value by epoch, as in Keras's `History.history`.
        best_epoch: the epoch, from 1, whose weights the model has.
        best_error: its value of `monitor`.
        monitor: the metric that named it: the family's own on the held-out rows, or on the training rows where nothing
            was held out. It only describes the last epoch where no metric can choose: in some families, and with a split.
        rows, validation_rows: how many were trained on and held out.
        seconds: wall-clock time, compiling and validation included, an interrupted run's earlier part too.
        rows_per_second: rows trained on in a second, without compiling and validation.
        seconds_per_epoch: of an epoch with its validation, without compiling; 0 where there was one epoch alone.
        stopped: `"all epochs done"`, `"no improvement"`, `"time is up"` or `"stopped by a callback"`.
    """

    history: dict[str, list[float]]
    best_epoch: int
    best_error: float
    monitor: str
    rows: int
    validation_rows: int
    seconds: float
    rows_per_second: float
    seconds_per_epoch: float
    stopped: str

    @property
    def epochs(self) -> int:
        """Epochs run, a last partial one included."""
        return len(self.history["loss"])

    def __str__(self) -> str:
        rate = f", {self.rows_per_second:,.0f} rows/s" if self.rows_per_second else ""
        return (
            f"{self.stopped} after {self.epochs} epochs of {self.rows:,} rows in {self.seconds:.1f} s{rate}; "
            f"{self.monitor} {self.best_error:.5f} in epoch {self.best_epoch} ({self.validation_rows:,} rows held out)"
        )


def run(model: Autoencoder, x: Any, y: Any, plan: Plan, splitter: Split | None = None) -> TrainingResult:
    """Trains `model` on `x`, with `y` beside it, as `ae_zoo.fit` says.

    Args:
        splitter: changes the rows before each of its rounds. Errors of two rounds do not compare, and those on rows with
            outliers choose no epoch, so the last one is kept.
    """
    x, y = _checked(model, x, y)
    for name in ("minutes", "learning_rate"):
        value = getattr(plan, name)
        if value is not None and not value > 0:
            raise AEZooError(f"{name} must be above 0; received {value!r}.")
    for name in ("batch_size", "epochs", "patience"):
        if getattr(plan, name) is not None:
            count(name, getattr(plan, name))
    recipe, seed = model.recipe, plan.seed  # read once, as training may change what it says
    last = recipe.monitor is None or splitter is not None
    rows, valid = _split(model, x, y, plan.validation, seed)
    batch_size = min(plan.batch_size or max(8, min(recipe.batch_size, len(rows) // 32)), len(rows))
    epochs = plan.epochs or min(100, max(8, round(recipe.rows_shown / len(rows))))
    learning_rate = plan.learning_rate or recipe.learning_rate * math.sqrt(batch_size / 256)
    patience = plan.patience or max(5, epochs // 5)
    if valid is None or last:
        patience = None  # a training loss says nothing about when to stop

    if not model.scaling.adapted:
        model.adapt(x[rows])
    batches = Batches(x, rows, batch_size, seed, y, replaceable=splitter is not None)
    if splitter is not None:
        splitter.begin(batches)
    warmup = math.ceil(recipe.warmup_rows / (batches.steps * batch_size))  # epochs
    if warmup >= epochs:
        raise AEZooError(
            f"A warm-up of {recipe.warmup_rows:,} rows would not end within {epochs} epochs of "
            f"{batches.steps * batch_size:,} rows; give more epochs or a shorter warm-up."
        )
    steps_per_call = math.ceil(batches.steps / math.ceil(batches.steps / STEPS_PER_CALL))
    optimizer = plan.optimizer
    if optimizer is None:
        optimizer = _adam(learning_rate, recipe.beta_1, epochs * batches.steps)
    model.compile(
        optimizer=keras.optimizers.get(optimizer),
        steps_per_execution=steps_per_call,
        jit_compile=recipe.jit_compile and _pays_to_compile(model, epochs * batches.steps * batch_size),
    )
    model.optimizer.build(model.trainable_variables)
    _reseed(model, seed)

    deadline = Deadline(None if plan.minutes is None else 60 * plan.minutes)
    stopwatch = Stopwatch(batches.steps * batch_size)
    monitor = f"{'' if valid is None else 'val_'}{recipe.monitor or 'reconstruction'}"
    record = Record(monitor, epochs, patience, warmup, last)
    # The caller's callbacks come before what records the epoch, so that a checkpoint holds what they changed.
    watchers = [stopwatch, batches, StopOnNaN(), deadline, *plan.callbacks, record]
    if splitter is not None:
        watchers.insert(1, splitter)  # on the watch's time
    saved = None
    if plan.checkpoint is not None:
        identity = {
            "family": type(model).__name__,
            "config": model.config.to_dict(),
            "data": [None if part is None else digest(part) for part in (x, y, *(valid or ()))],
            "plan": [epochs, batch_size, seed, patience],
            "optimizer": {k: v for k, v in model.optimizer.get_config().items() if k != "name"},
        }
        saved = Checkpoint(plan.checkpoint, identity, record, deadline)
        watchers.append(saved)
    if plan.verbose:
        watchers.append(Progress())

    try:
        if saved:
            saved.restore(model)
        if not (record.is_complete or record.is_exhausted or (saved and saved.finished)):
            with no_retracing_alarm():  # one model after another in a notebook
                model.fit(
                    batches.dataset,
                    epochs=epochs,
                    initial_epoch=record.next_epoch,
                    validation_data=valid if valid is None or valid[1] is not None else valid[0],
                    validation_batch_size=None if valid is None else _even(len(valid[0])),
                    callbacks=watchers,
                    verbose=plan.verbose,
                    shuffle=False,
                )
    finally:  # also when interrupted: what was found is kept
        record.restore(model)
        compile_plainly(model)  # this schedule has run out, and `predict` is slow with many steps a call
    if deadline.passed:
        stopped = "time is up"
    elif record.is_complete:
        stopped = "all epochs done"
    else:
        stopped = "no improvement" if record.is_exhausted else "stopped by a callback"
    result = TrainingResult(
        history=record.history,
        best_epoch=record.best_epoch + 1,
        best_error=record.best_error,
        monitor=record.monitor,
        rows=len(rows),
        validation_rows=0 if valid is None else len(valid[0]),
        seconds=deadline.seconds,
        rows_per_second=stopwatch.rows_per_second,
        seconds_per_epoch=float(np.mean(stopwatch.epochs)) if stopwatch.epochs else 0.0,
        stopped=stopped,
    )
    if plan.verbose:
        print(result)
    for sentence in model.diagnose(record.history) if record.history else ():
        warnings.warn(sentence, AEZooWarning, stacklevel=3)
    return result


def _checked(model: Autoencoder, x: Any, y: Any, name: str = "x") -> tuple[np.ndarray, np.ndarray | None]:
    """The rows and their `y`. Rows may lie outside what the output can reach where others are wanted back."""
    x = model.check_rows(x, name)
    y = None if y is None else model.check_y(y, x)
    if y is None or y.dtype.kind == "i":
        model.check_targets(x, name)
    return x, y


def _split(
    model: Autoencoder, x: np.ndarray, y: np.ndarray | None, validation: Any, seed: int
) -> tuple[np.ndarray, tuple[np.ndarray, np.ndarray | None] | None]:
    """The indices of the training rows, and the validation rows themselves with their `y` (None for none)."""
    if not np.isscalar(validation):
        rows, targets = validation if isinstance(validation, tuple) else (validation, None)
        if targets is None and y is not None and y.dtype.kind == "f":
            raise AEZooError("The rows of validation need their y too, as it is what is wanted back: give (rows, y).")
        return np.arange(len(x)), _checked(model, rows, targets, "validation")
    if not 0 <= validation < 1:
        raise AEZooError(f"validation must be a share from 0 to below 1, or rows; received {validation!r}.")
    if not validation:
        return np.arange(len(x)), None
    held_out = max(1, round(validation * len(x)))
    if held_out >= len(x):
        raise AEZooError(
            f"{len(x)} rows cannot be split for validation={validation:g}; give more rows or validation=0."
        )
    # Rows with a label apart from those without: a few labels must not all be held out, as they would be where the
    # caller has chosen their rows by the same generator and seed.
    labelled = np.zeros(len(x), bool) if y is None or y.dtype.kind != "i" else y >= 0
    of_labelled = min(round(held_out * labelled.mean()), max(0, labelled.sum() - 1))
    random, held = np.random.default_rng(seed), np.zeros(len(x), bool)
    for group, some in ((labelled, of_labelled), (~labelled, held_out - of_labelled)):
        held[random.permutation(np.flatnonzero(group))[:some]] = True
    return np.flatnonzero(~held), (x[held], None if y is None else y[held])


def _pays_to_compile(model: Autoencoder, rows_shown: int) -> bool:
    """Whether XLA saves more time than it takes. Its convolutions are slow on a CPU, half of plain TensorFlow's rate."""
    return model.config.network == "dense" and 6.0 * model.count_params() * rows_shown > WORTH_COMPILING


def _even(rows: int) -> int:
    """A batch size of at most VALIDATION_BATCH that leaves the last batch as full as can be."""
    return math.ceil(rows / math.ceil(rows / VALIDATION_BATCH))


def _adam(learning_rate: float, beta_1: float, steps: int) -> keras.optimizers.Optimizer:
    warmup = max(1, steps // 20)
    schedule = keras.optimizers.schedules.CosineDecay(
        initial_learning_rate=learning_rate / 100,
        decay_steps=max(1, steps - warmup),
        warmup_target=learning_rate,
        warmup_steps=warmup,
    )
    return keras.optimizers.Adam(schedule, beta_1=beta_1)


def _reseed(model: keras.Model, seed: int) -> None:
    """Starts every noise generator of the model at a state that follows from the seed."""
    states = [v for v in model.variables if v.name == "seed_generator_state"]
    for index, state in enumerate(states):
        state.assign(np.array([seed + 7919 * index, 0], "uint32"))
