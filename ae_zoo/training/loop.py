"""The epochs of a run: each is a few calls of a compiled program, with the callbacks' hooks between them."""

import contextlib
import dataclasses
import math
import time
from collections.abc import Iterable, Iterator

import keras
import numpy as np

from ae_zoo.autoencoder import Autoencoder
from ae_zoo.errors import AEZooError
from ae_zoo.training import steps
from ae_zoo.training.batches import Batches
from ae_zoo.training.holdout import Data
from ae_zoo.training.schedule import Pace, Schedule
from ae_zoo.training.steps import Make, Placed, Program, Some
from ae_zoo.typing import Array

SECONDS_A_CALL = 0.5  # so that progress is shown, and a limit of time or Ctrl-C is heeded
FIRST_CALL = 32  # steps in the first call, whose time says how many the next ones take
VALIDATION_BATCH = 2048
FINE = 1 << 14  # up to here numbers of rows are rounded up, so that nearly equal ones share a program


class Loop:
    """Trains a model on batches, and measures it on held-out rows.

    The rows lie on the device. Where they do not fit, an epoch's batches are gathered and sent in windows of many steps.

    Args:
        model: compiled, with its optimizer.
        batches: the training rows and their order.
        valid: the held-out rows, or None.
        schedule: the numbers of the run.
        pace: the learning rate of each step; None if the optimizer has its own.
        compiled: whether XLA compiles the steps.
    """

    def __init__(
        self,
        model: Autoencoder,
        batches: Batches,
        valid: Data | None,
        schedule: Schedule,
        *,
        pace: Pace | None,
        compiled: bool,
    ) -> None:
        self.model, self.batches, self.schedule = model, batches, schedule
        self.pace, self.compiled = pace, compiled
        self.window = _window(batches)
        self.valid = valid
        self.held_out: Placed | None = None
        self.resident: Placed | None = None
        self._seconds_a_step = 0.0
        self._programs: dict[Make, Program] = {}

    def run(self, callbacks: keras.callbacks.CallbackList, begin: int) -> None:
        """Runs the epochs from number `begin` on, until the last or until a callback stops the model."""
        model = self.model
        model.stop_training = False
        callbacks.on_train_begin()
        logs: dict[str, float] = {}
        for epoch in range(begin, self.schedule.epochs):
            with self._own_rate():
                callbacks.on_epoch_begin(epoch)
            with self._last_weights():
                logs = self._train(epoch, callbacks)
            if self.valid is not None:
                callbacks.on_test_begin()
                found = self.test()
                callbacks.on_test_end(found)
                logs |= {f"val_{name}": value for name, value in found.items()}
            with self._own_rate():
                callbacks.on_epoch_end(epoch, logs)
            if model.stop_training:
                break
        callbacks.on_train_end(logs)

    def replace(self, x: Array) -> None:
        """Trains on other rows `(n, *input_shape)` from the next epoch on."""
        self.batches.data, self.resident = dataclasses.replace(self.batches.data, x=x), None

    def release(self) -> None:
        """Takes the rows from the device."""
        self.resident = self.held_out = None

    def test(self) -> dict[str, float]:
        """Returns the metrics of the held-out rows."""
        assert self.valid is not None
        if self.held_out is None:
            self.held_out = _placed(self.valid.arrays, len(self.valid.x))
        make = Make("test", steps.shapes_of(self.valid.arrays), _even(len(self.valid.x)), compiled=self.compiled)
        return self._program(make)(self.model, self.held_out)

    def _train(self, epoch: int, callbacks: keras.callbacks.CallbackList) -> dict[str, float]:
        """Runs one epoch; returns its metrics."""
        model, order = self.model, self.batches.order(epoch)
        rates = np.zeros(len(order), "float32") if self.pace is None else self.pace.rates(epoch)
        logs: dict[str, float] = {}
        for first, rows, some in self._windows(order):
            count = _coarse(self.window or len(order)) if self.compiled else len(some)
            shapes = steps.shapes_of(rows)
            if not self.compiled:  # then a program is for any number of rows and of steps
                shapes, count = steps.of_any_length(shapes), 0
            make = Make("train", shapes, self.batches.batch_size, count, self.pace is not None, self.compiled)
            program, count = self._program(make), count or len(some)
            placed = steps.place(_lengthened(some, count))
            rate = steps.place(_lengthened(rates[first : first + len(some)], count))
            begin = 0
            while begin < len(some):
                end = min(len(some), begin + self._steps_a_call)
                with self._own_rate():
                    callbacks.on_train_batch_begin(first + begin)
                start = time.perf_counter()
                logs = program(model, rows, Some(placed, rate, begin, end, reset=first + begin == 0))
                self._seconds_a_step = (time.perf_counter() - start) / (end - begin)
                with self._own_rate():
                    callbacks.on_train_batch_end(first + end - 1, logs)
                if model.stop_training or not math.isfinite(logs["loss"]):
                    return logs
                begin = end
        return logs

    def _program(self, make: Make) -> Program:
        """Returns the model's program of this make."""
        if make not in self._programs:
            self._programs[make] = steps.program(self.model, make)
        return self._programs[make]

    def _windows(self, order: Array) -> Iterator[tuple[int, Placed, Array]]:
        """Gives (first step, rows on the device, the order of their steps) until all steps of an epoch are covered."""
        arrays = self.batches.data.arrays
        if self.window is None:
            if self.resident is None:
                n = len(self.batches.data.x)
                self.resident = _placed(arrays, _coarse(n) if self.compiled else n)
            yield 0, self.resident, order
            return
        size = order.shape[1]
        for first in range(0, len(order), self.window):
            some = order[first : first + self.window]
            parts = (None if each is None else each[some.ravel()] for each in arrays)
            rows = _placed(parts, self.window * size)
            yield first, rows, np.arange(some.size, dtype="int32").reshape(some.shape)

    @property
    def _steps_a_call(self) -> int:
        if not self._seconds_a_step:
            return FIRST_CALL
        return max(1, int(SECONDS_A_CALL / self._seconds_a_step))

    @contextlib.contextmanager
    def _last_weights(self) -> Iterator[None]:
        """Gives the model the weights of its last step, where it has averages of them between the epochs."""
        adam = None if self.pace is None else steps.inner(self.model.optimizer)
        if adam is not None:
            adam.swap()
        yield
        if adam is not None:
            adam.swap()

    @contextlib.contextmanager
    def _own_rate(self) -> Iterator[None]:
        """Refuses a callback that sets the learning rate, which the schedule would overwrite in silence."""
        if self.pace is None:
            yield
            return
        rate = steps.inner(self.model.optimizer).learning_rate
        before = float(rate)
        yield
        if float(rate) != before:
            raise AEZooError(
                "A callback changed the learning rate, which the schedule of ae_zoo.fit sets at each step: leave that "
                "callback out, or give an optimizer of your own, such as optimizer=keras.optimizers.Adam(1e-3)."
            )


def _window(batches: Batches) -> int | None:
    """Returns the number of steps whose rows fit the device; None if all rows do."""
    room = steps.room()
    arrays = [each for each in batches.data.arrays if each is not None]
    if room is None or sum(each.nbytes for each in arrays) <= room:
        return None
    step = batches.batch_size * sum(each.nbytes // len(each) for each in arrays)
    return max(1, min(batches.steps, room // (2 * step)))  # the next window is placed beside the last


def _coarse(n: int) -> int:
    """Returns n or, if it is small, the next number of at most four binary digits and zeros."""
    if n > FINE:
        return n
    grain = 1 << max(0, n.bit_length() - 4)
    return -(-n // grain) * grain


def _placed(arrays: Iterable[Array | None], n: int) -> Placed:
    """Returns arrays of n rows on the device, and None for those that are missing."""
    return tuple(None if each is None else steps.place(_lengthened(each, n)) for each in arrays)


def _lengthened(array: Array, n: int) -> Array:
    """Returns an array of n rows, the last of them zeros."""
    if len(array) == n:
        return array
    longer = np.zeros((n, *array.shape[1:]), array.dtype)
    longer[: len(array)] = array
    return longer


def _even(rows: int) -> int:
    """Returns a batch size of at most VALIDATION_BATCH that makes the last batch as full as possible."""
    return math.ceil(rows / math.ceil(rows / VALIDATION_BATCH))
