"""A run that collapses is noticed, taken back to its best weights, and continued at a lower rate."""

import math

import keras
import numpy as np

from ae_zoo.autoencoder import Autoencoder
from ae_zoo.errors import DivergedError
from ae_zoo.training import steps
from ae_zoo.training.callbacks import Record
from ae_zoo.training.holdout import Data
from ae_zoo.training.schedule import Pace
from ae_zoo.typing import Logs

RESCUES = 3
LOWER = 0.25  # of the rate before
ADVICE = "try a learning_rate ten times smaller, and scaling='standard' if the features have large values"
SAMPLE = 2048  # rows whose mean is asked for its error


class Rescue(keras.callbacks.Callback):
    """Notices a collapse at the end of an epoch, and rescues the run up to three times.

    A collapse is: a loss or weights that are NaN or infinite; an error that was far below that of the rows' mean and is
    back there, or stays for two epochs more than halfway back; or an error that has neither fallen nor been below that of
    the rows' mean in the first tenth of the epochs, nor in twice the steps of the warm-up. The model gets its best weights
    back, the optimizer forgets its moments, and the rest of the epochs have a warm-up of their own and a quarter of the rate.

    Args:
        record: what holds the best weights; it must come before this callback.
        pace: the rates that are lowered; None if the caller's optimizer has its own. Then only NaN ends the run.
        says: whether to print each rescue.
    """

    def __init__(self, record: Record, pace: Pace | None, says: bool) -> None:
        super().__init__()
        self.record, self.pace, self.says = record, pace, says

    def on_epoch_end(self, epoch: int, logs: Logs = None) -> None:
        record, pace = self.record, self.pace
        why = record.broken or (self._collapse() if pace is not None else None)
        if why is None:
            return
        hopeless = pace is None or len(pace.notes) >= RESCUES
        if record.broken and hopeless:
            raise DivergedError(
                f"{why[0].upper()}{why[1:]}, so the training was stopped and the best weights so far were kept; {ADVICE}."
            )
        if pace is None or hopeless:
            if pace is not None and record.best_error < record.baseline:
                self.model.stop_training = True
                pace.notes.append(f"{why}; the run was stopped: {ADVICE}")
            return
        record.restore(self.model)
        steps.inner(self.model.optimizer).forget()
        factor = pace.lower(epoch + 1, LOWER)
        record.since = epoch + 1
        if record.stops:  # a stop that somebody else asked for stays
            self.model.stop_training = record.stops = False
        weights = f"the weights of epoch {record.best_epoch + 1}" if record.best_epoch >= 0 else "the first weights"
        note = f"{why}; went back to {weights} and on at {factor:.3g} of the rate"
        pace.notes.append(note)
        if self.says:
            print(f"\nNote: {note}.")

    def _collapse(self) -> str | None:
        """Returns what has happened, or None if nothing has."""
        assert self.pace is not None
        record, baseline = self.record, self.record.baseline
        errors = record.history[record.monitor][record.since :]
        if record.last or record.next_epoch <= max(record.warmup, record.since):
            return None
        if record.best_error < baseline - 0.3 * abs(baseline):  # a loss in nats may be negative
            halfway = (record.best_error + baseline) / 2
            losses = record.history["val_loss" if record.monitor.startswith("val_") else "loss"][record.since :]
            if losses[-1] <= min(losses):
                return None  # a penalty is paid for, and the loss as a whole still falls
            if errors[-1] >= baseline or (len(errors) > 1 and min(errors[-2:]) > halfway):
                return f"the error rose from {record.best_error:.4g} to {errors[-1]:.4g} in epoch {record.next_epoch}"
        elif (
            record.best_error > baseline
            and len(errors) >= max(3, record.epochs // 10, math.ceil(2 * self.pace.warmup / self.pace.schedule.steps))
            and errors[-1] > errors[0] - 0.02 * abs(errors[0])
        ):
            return (
                f"the error was no better than that of the rows' mean, {baseline:.4g}, up to epoch {record.next_epoch}"
            )
        return None


def error_of_mean(model: Autoencoder, data: Data) -> float:
    """Returns the reconstruction loss of some of the rows if each is given back as their best constant."""
    some = (None if each is None else keras.ops.convert_to_tensor(each[:SAMPLE]) for each in (data.x, data.y))
    target = model.target(*some)
    constant = model.likelihood.start(keras.ops.convert_to_numpy(target))
    output = keras.ops.broadcast_to(keras.ops.convert_to_tensor(constant), (len(target), *constant.shape))
    losses = keras.ops.convert_to_numpy(model.row_loss(target, output))
    return float(np.average(losses, weights=None if data.weights is None else data.weights[:SAMPLE] + 1e-12))
