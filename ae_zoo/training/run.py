"""One run with its preparation and its callbacks: the common part of `fit` and `fit_robust`."""

import contextlib
import dataclasses
import math
import warnings
from collections.abc import Iterator

import keras
import numpy as np

from ae_zoo.autoencoder import Autoencoder
from ae_zoo.errors import AEZooError, AEZooWarning
from ae_zoo.factory import compile_plainly
from ae_zoo.networks.inference import check_not_forked
from ae_zoo.training.batches import Batches
from ae_zoo.training.callbacks import Deadline, Record, Stopwatch
from ae_zoo.training.checkpoint import Checkpoint, digest, identity, trained
from ae_zoo.training.holdout import checked, hold_out
from ae_zoo.training.loop import Loop
from ae_zoo.training.rescue import SAMPLE, Rescue, error_of_mean
from ae_zoo.training.schedule import Pace, Plan, Schedule
from ae_zoo.training.split import Split
from ae_zoo.training.verdict import worse_than_pca
from ae_zoo.typing import Array, Rows

MANY_STEPS = 2000  # each is faster by a third of a millisecond, however small its network
HELD_OUT = 2000  # rows, or training rows where none are held out, by which a model tells how rare an error is
WORTH_COMPILING = 3e11  # FLOP of a whole run, a few seconds of work; XLA takes one or two to compile a step


@dataclasses.dataclass(frozen=True)
class TrainingResult:
    """What a run did. The model itself holds the best weights.

    Attributes:
        history: each metric's value by epoch, as in Keras's `History.history`.
        best_epoch: the epoch, counted from 1, whose weights the model has; 0 if no epoch was better than the start.
        best_error: the value of `monitor` in that epoch.
        monitor: the metric that marks the best epoch: the family's own on the held-out rows, or on the training rows if none
            were held out. In some families, and in robust training, no metric can; then it describes the last epoch.
        rows: number of rows trained on.
        validation_rows: number of rows held out.
        seconds: wall-clock time, with compiling and validation, and with an interrupted run's earlier part.
        rows_per_second: rows trained on in one second, without compiling and validation.
        seconds_per_epoch: seconds of an epoch with its validation, without compiling; 0 if there was only one epoch.
        stopped: `"all epochs done"`, `"no improvement"`, `"time is up"` or `"stopped by a callback"`.
        notes: a sentence for each time that the training collapsed and was rescued.
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
    notes: tuple[str, ...]

    @property
    def epochs(self) -> int:
        """Number of epochs, with a last partial one."""
        return len(self.history["loss"])

    def __str__(self) -> str:
        rate = f", {self.rows_per_second:,.0f} rows/s" if self.rows_per_second else ""
        best = f"in epoch {self.best_epoch}" if self.best_epoch else "at the start, which no epoch improved"
        return (
            f"{self.stopped} after {self.epochs} epochs of {self.rows:,} rows in {self.seconds:.1f} s{rate}; "
            f"{self.monitor} {self.best_error:.5f} {best} ({self.validation_rows:,} rows held out)"
        )


def check_model(model: object) -> None:
    """Raises `AEZooError` if the first argument of a training is not a model."""
    if not isinstance(model, Autoencoder):
        raise AEZooError(
            f"The first argument must be a model, from ae_zoo.build or ae_zoo.load, and the second the rows; received a "
            f"{type(model).__name__} as the first. (A PCA is fitted by pca.fit(x).)"
        )


def run(model: Autoencoder, x: Rows, y: Rows | None, plan: Plan, splitter: Split | None = None) -> TrainingResult:
    """Trains a model, as `ae_zoo.fit` says.

    Args:
        model: the model to train.
        x: rows `(n, *input_shape)` in the data's units.
        y: the rows' `y`, or None.
        plan: the other arguments of `fit`.
        splitter: changes the rows before each of its rounds. Errors of two rounds cannot be compared, and errors on rows
            with outliers cannot mark the best epoch, so the last epoch's weights are kept.
    """
    this = _Run(model, x, y, plan, splitter)
    with _unchanged_if_refused(model):
        this.prepare()
    this.train()
    return this.result()


class _Run:
    """One training, in its steps. What can be refused is refused by the first two: the constructor and `prepare`."""

    def __init__(self, model: Autoencoder, x: Rows, y: Rows | None, plan: Plan, splitter: Split | None) -> None:
        plan.check()
        check_not_forked()
        self.model, self.plan, self.splitter = model, plan, splitter
        self.data = checked(model, x, y, plan.weights, learn=True)
        self.rows, self.valid = hold_out(model, self.data, plan.validation, plan.seed)
        self.keeps_last = model.config.recipe.monitor is None or splitter is not None
        patient = not self.keeps_last and self.valid is not None
        self.schedule = Schedule.of(model, plan, len(self.rows), patient)
        self.pace = Pace(self.schedule)
        self.deadline = Deadline(None if plan.minutes is None else 60 * plan.minutes)
        self.stopwatch = Stopwatch(self.schedule.steps * self.schedule.batch_size)
        monitor = f"{'' if self.valid is None else 'val_'}{model.config.recipe.monitor or 'reconstruction'}"
        self.record = Record(
            monitor, self.schedule.epochs, self.schedule.patience, self.schedule.warmup, self.keeps_last
        )
        self.saved: Checkpoint | None = None

    def prepare(self) -> None:
        """Fits the scaling, compiles the model, and takes up an interrupted run."""
        model, plan, schedule, data, rows = self.model, self.plan, self.schedule, self.data, self.rows
        if not model.scaling.adapted:
            model.adapt(data.x[rows])
        model.compile(optimizer=_optimizer(model, plan, schedule))
        model.optimizer.build(model.trainable_variables)
        labels = model.config.target == "labels"
        batches = Batches(data.balanced(rows), rows, schedule.batch_size, plan.seed, labels=labels)
        compiled = model.config.recipe.jit_compile and _pays_to_compile(model, schedule)
        pace = self.pace if plan.optimizer is None else None
        self.loop = Loop(model, batches, self.valid, schedule, pace=pace, compiled=compiled)
        if self.splitter is not None:
            self.splitter.begin(self.loop)
        _reseed(model, plan.seed)
        self.record.baseline = error_of_mean(model, data.take(rows[:SAMPLE]) if self.valid is None else self.valid)
        if plan.checkpoint is not None:
            arrays = (*data.arrays, *(() if self.valid is None else self.valid.arrays))
            run_id, start = identity(model, arrays, plan, schedule), digest(*trained(model, model.get_weights()))
            self.saved = Checkpoint(plan.checkpoint, run_id, self.record, self.deadline, self.pace, start)
            self.saved.restore(model)

    def train(self) -> None:
        """Runs the epochs that are left, and leaves the model with its best weights, also if it is interrupted."""
        model, record = self.model, self.record
        done = record.is_complete or record.is_exhausted or (self.saved is not None and self.saved.finished)
        try:
            if self.valid is not None and not (record.history or self.keeps_last or self.schedule.warmup):
                record.start(self.loop.test())
                _reseed(model, self.plan.seed)
            if not done:
                self.loop.run(self._callbacks(), record.next_epoch)
        finally:
            record.restore(model)
            compile_plainly(model)  # this schedule is over
            self.loop.release()
            model.keep_errors(self._some_held_out())

    def result(self) -> TrainingResult:
        """Returns what the run did; prints it and warns, if there is something to say."""
        record, plan = self.record, self.plan
        epochs = self.stopwatch.epochs
        result = TrainingResult(
            history=record.history,
            best_epoch=record.best_epoch + 1,
            best_error=record.best_error,
            monitor=record.monitor,
            rows=len(self.rows),
            validation_rows=0 if self.valid is None else len(self.valid.x),
            seconds=self.deadline.seconds,
            rows_per_second=self.stopwatch.rows_per_second,
            seconds_per_epoch=float(np.mean(epochs)) if epochs else 0.0,
            stopped=_reason(self.deadline, record),
            notes=tuple(self.pace.notes),
        )
        if plan.verbose:
            print(result)
        said = self.model.diagnose(record.history) if record.history else []
        if self.valid is not None and not self.keeps_last:
            said += filter(None, [worse_than_pca(self.model, self.data, self.rows, self.valid)])
        for sentence in said:
            warnings.warn(sentence, AEZooWarning, stacklevel=4)
        return result

    def _callbacks(self) -> keras.callbacks.CallbackList:
        rescue = Rescue(self.record, self.loop.pace, says=bool(self.plan.verbose))
        # The stopwatch comes before the splitter, so it counts its time. The caller's callbacks come before the record and
        # the checkpoint, so that these hold what they changed.
        own = [self.stopwatch, self.splitter, self.deadline, *self.plan.callbacks, self.record, rescue, self.saved]
        return keras.callbacks.CallbackList(
            [one for one in own if one is not None],
            add_history=True,
            add_progbar=bool(self.plan.verbose),
            model=self.model,
            verbose=self.plan.verbose,
            epochs=self.schedule.epochs,
            steps=self.schedule.steps,
        )

    def _some_held_out(self) -> Array:
        """Returns some held-out rows, or training rows, evenly spaced, because a table may be sorted."""
        x, rows = (self.data.x, self.rows) if self.valid is None else (self.valid.x, np.arange(len(self.valid.x)))
        return x[rows[:: -(-len(rows) // HELD_OUT)]]


def _reason(deadline: Deadline, record: Record) -> str:
    """Returns why a run has ended."""
    if deadline.passed:
        return "time is up"
    if record.is_complete:
        return "all epochs done"
    return "no improvement" if record.is_exhausted else "stopped by a callback"


@contextlib.contextmanager
def _unchanged_if_refused(model: Autoencoder) -> Iterator[None]:
    """Takes back what a preparation has changed in a model whose scaling had seen no rows, if the run is refused."""
    fresh = not model.scaling.adapted
    before = model.get_weights() if fresh else []
    try:
        yield
    except AEZooError:
        if fresh:
            model.set_weights(before)
            model.scaling.adapted = False
        compile_plainly(model)
        raise


def _optimizer(model: Autoencoder, plan: Plan, schedule: Schedule) -> keras.optimizers.Optimizer:
    """Returns Adam or the caller's optimizer."""
    optimizer = keras.optimizers.get(plan.optimizer or schedule.adam(plan))
    known = [id(one) for one in getattr(optimizer, "_trainable_variables", ())]
    if optimizer.built and known != [id(one) for one in model.trainable_variables]:
        raise AEZooError("The optimizer has been used for another model, whose state it holds: give a new one.")
    return optimizer


def _pays_to_compile(model: Autoencoder, schedule: Schedule) -> bool:
    """Returns whether XLA saves more time than compiling takes. On a CPU its convolutions take twice TensorFlow's time."""
    if keras.backend.backend() == "jax":
        return True  # otherwise each operation is a call of its own
    steps = schedule.epochs * schedule.steps
    work = 6.0 * sum(math.prod(weight.shape) for weight in model.trainable_weights) * steps * schedule.batch_size
    return model.config.network == "dense" and (work > WORTH_COMPILING or steps > MANY_STEPS)


def _reseed(model: keras.Model, seed: int) -> None:
    """Sets every noise generator of the model to a state that follows from the seed."""
    states = [v for v in model.variables if v.name == "seed_generator_state"]
    for index, state in enumerate(states):
        state.assign(np.array([(seed + 7919 * index) % 2**32, 0], "uint32"))
