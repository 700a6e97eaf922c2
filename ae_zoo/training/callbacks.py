"""The callbacks of a run: ordinary Keras callbacks with one task each."""

import math
import time

import keras
import numpy as np

from ae_zoo.typing import Array, Logs

_BROKEN = "the weights became NaN or infinite in the last step of epoch {}"


class Record(keras.callbacks.Callback):
    """The record of a run: each metric by epoch, and the weights of the best epoch.

    It stops the run after `patience` epochs without a better one.

    Args:
        monitor: the metric to minimize.
        epochs: the run's number of epochs, at most.
        patience: number of epochs without improvement after which the run stops; None never stops it.
        warmup: number of epochs in which the loss itself still changes; patience is counted after them.
        last: whether to take the last epoch as the best one, whatever the metric says.

    Attributes:
        since: the epoch from which patience is counted.
        stops: whether it was this callback that stopped the model.
        baseline: the error of the rows' mean, in the unit of `monitor`.
        broken: what became NaN or infinite in the last epoch; None if nothing did.
    """

    def __init__(self, monitor: str, epochs: int, patience: int | None, warmup: int = 0, last: bool = False) -> None:
        super().__init__()
        self.monitor, self.epochs, self.patience, self.warmup, self.last = monitor, epochs, patience, warmup, last
        self.history: dict[str, list[float]] = {}
        self.best_error, self.best_epoch = math.inf, -1
        self.best_weights: list[Array] = []
        self.since, self.stops = 0, False
        self.baseline = math.inf
        self.broken: str | None = None

    def on_train_begin(self, logs: Logs = None) -> None:
        if not self.best_weights:  # what is restored if the first epoch fails
            self.best_weights = self.model.get_weights()

    def start(self, found: dict[str, float]) -> None:
        """Takes the held-out metrics before the first epoch: an epoch must be better than the start."""
        error = found[self.monitor.removeprefix("val_")]
        self.best_error = error if math.isfinite(error) else math.inf

    def on_epoch_end(self, epoch: int, logs: Logs = None) -> None:
        for name, value in (logs or {}).items():
            self.history.setdefault(name, []).append(float(value))
        self.broken = None
        loss, error = self.history["loss"][-1], self.history[self.monitor][-1]
        if not math.isfinite(loss):
            self.broken = f"the loss became {loss} in epoch {epoch + 1}"
        elif not math.isfinite(error):  # the last step's loss was still finite
            self.broken = _BROKEN.format(epoch + 1)
        # Losses in the warm-up cannot be compared with each other or with later ones.
        elif error < self.best_error or self.last or (self.warmup and epoch <= self.warmup):
            weights = self.model.get_weights()
            if all(np.isfinite(weight).all() for weight in weights if weight.dtype.kind == "f"):
                self.best_error, self.best_epoch, self.best_weights = error, epoch, weights
            else:
                self.broken = _BROKEN.format(epoch + 1)
        elif self.is_exhausted and not self.model.stop_training:
            self.stops = self.model.stop_training = True

    @property
    def next_epoch(self) -> int:
        return len(self.history.get("loss", ()))

    @property
    def is_exhausted(self) -> bool:
        """Whether there was no better epoch for `patience` epochs."""
        return (
            self.patience is not None
            and self.next_epoch - 1 - max(self.best_epoch, self.warmup or -1, self.since - 1) >= self.patience
        )

    @property
    def is_complete(self) -> bool:
        return self.next_epoch >= self.epochs

    def restore(self, model: keras.Model) -> None:
        """Sets the weights of `model` to those of the best epoch, if there was one."""
        if self.best_weights:
            model.set_weights(self.best_weights)


class Deadline(keras.callbacks.Callback):
    """Stops the run when its wall-clock time is up.

    Args:
        seconds: the limit; None for no limit.

    Attributes:
        spent: seconds that the run took before it was interrupted.
        passed: whether the time is up.
    """

    def __init__(self, seconds: float | None) -> None:
        super().__init__()
        self.limit = math.inf if seconds is None else seconds
        self.begin, self.spent = time.perf_counter(), 0.0
        self.passed = False

    @property
    def seconds(self) -> float:
        return self.spent + time.perf_counter() - self.begin

    def on_train_batch_end(self, batch: int, logs: Logs = None) -> None:
        if self.seconds > self.limit:
            self.passed = self.model.stop_training = True


class Stopwatch(keras.callbacks.Callback):
    """Counts the rows trained on and the seconds that this took, in whole epochs without their validation.

    It leaves out the first epoch, which compiles.

    Args:
        rows_per_epoch: number of rows that an epoch trains on.

    Attributes:
        rows: number of rows trained on.
        seconds: seconds of training on them.
        epochs: seconds of each epoch, with its validation.
    """

    def __init__(self, rows_per_epoch: int) -> None:
        super().__init__()
        self.rows_per_epoch = rows_per_epoch
        self.rows, self.seconds = 0, 0.0
        self.epochs: list[float] = []
        self._begin: float | None = None
        self._compiled = False

    def on_epoch_begin(self, epoch: int, logs: Logs = None) -> None:
        self._begin = self._epoch = time.perf_counter()
        self._first = not self._compiled

    def on_test_begin(self, logs: Logs = None) -> None:
        self._stop()

    def on_epoch_end(self, epoch: int, logs: Logs = None) -> None:
        self._stop()
        if not self._first and not self.model.stop_training:
            self.epochs.append(time.perf_counter() - self._epoch)

    def _stop(self) -> None:
        if self._begin is not None and self._compiled and not self.model.stop_training:
            self.rows += self.rows_per_epoch
            self.seconds += time.perf_counter() - self._begin
        self._begin, self._compiled = None, True

    @property
    def rows_per_second(self) -> float:
        return self.rows / self.seconds if self.seconds else 0.0
