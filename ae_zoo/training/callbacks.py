"""The callbacks of a run: ordinary Keras callbacks with one task each."""

import math
import time

import keras
import numpy as np

from ae_zoo.errors import DivergedError
from ae_zoo.typing import Array, Logs

ADVICE = "try a learning_rate ten times smaller, and scaling='standard' if the features have large values"


class Record(keras.callbacks.Callback):
    """The record of a run: each metric by epoch, and the weights of the best epoch.

    It stops the run after `patience` epochs without a better one.

    Args:
        monitor: the metric to minimize.
        epochs: the run's number of epochs, at most.
        patience: number of epochs without improvement after which the run stops; None never stops it.
        warmup: number of epochs in which the loss itself still changes; patience is counted after them.
        last: whether to take the last epoch as the best one, whatever the metric says.
    """

    def __init__(self, monitor: str, epochs: int, patience: int | None, warmup: int = 0, last: bool = False) -> None:
        super().__init__()
        self.monitor, self.epochs, self.patience, self.warmup, self.last = monitor, epochs, patience, warmup, last
        self.history: dict[str, list[float]] = {}
        self.best_error, self.best_epoch = math.inf, -1
        self.best_weights: list[Array] = []

    def on_train_begin(self, logs: Logs = None) -> None:
        if not self.best_weights:  # what is restored if the first epoch fails
            self.best_weights = self.model.get_weights()

    def on_epoch_end(self, epoch: int, logs: Logs = None) -> None:
        for name, value in (logs or {}).items():
            self.history.setdefault(name, []).append(float(value))
        error = self.history[self.monitor][-1]
        # Losses in the warm-up cannot be compared with each other or with later ones. A NaN is no reason to go on.
        if error < self.best_error or self.last or epoch <= self.warmup or not math.isfinite(error):
            weights = self.model.get_weights()
            if not all(np.isfinite(weight).all() for weight in weights if weight.dtype.kind == "f"):
                raise DivergedError(  # the last step's loss was still finite
                    f"The weights became NaN or infinite in the last step of epoch {epoch + 1}, so the training was stopped "
                    f"and the best weights so far were kept; {ADVICE}."
                )
            self.best_error, self.best_epoch, self.best_weights = error, epoch, weights
        elif self.is_exhausted:
            self.model.stop_training = True

    @property
    def next_epoch(self) -> int:
        return len(self.history.get("loss", ()))

    @property
    def is_exhausted(self) -> bool:
        """Whether there was no better epoch for `patience` epochs."""
        return self.patience is not None and self.next_epoch - 1 - max(self.best_epoch, self.warmup) >= self.patience

    @property
    def is_complete(self) -> bool:
        return self.next_epoch >= self.epochs

    def restore(self, model: keras.Model) -> None:
        """Sets the weights of `model` to those of the best epoch, if there was one."""
        if self.best_weights:
            model.set_weights(self.best_weights)


class StopOnNaN(keras.callbacks.Callback):
    """Raises `DivergedError`, with advice, as soon as the loss is not finite."""

    def on_train_batch_end(self, batch: int, logs: Logs = None) -> None:
        if logs and not math.isfinite(float(logs["loss"])):
            raise DivergedError(
                f"The loss became {float(logs['loss'])} by step {batch + 1} of an epoch, so the training was stopped and "
                f"the best weights so far were kept; {ADVICE}."
            )


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
