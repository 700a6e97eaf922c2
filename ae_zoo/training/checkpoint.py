"""A run's whole state in one file, written at the end of each epoch, so that a killed run can be continued."""

import hashlib
import json
import os
import pathlib
import warnings
from collections.abc import Iterable
from typing import Any

import keras
import numpy as np

from ae_zoo._support import archives, files
from ae_zoo.autoencoder import Autoencoder
from ae_zoo.errors import AEZooError, AEZooWarning
from ae_zoo.training.callbacks import Deadline, Record
from ae_zoo.training.schedule import Pace, Plan, Schedule
from ae_zoo.training.steps import without_names
from ae_zoo.typing import Array, Logs


class Checkpoint(keras.callbacks.Callback):
    """Writes and reads the state of a run: variables, optimizer, noise generators, record and time.

    The file is an `.npz` without pickled objects.

    Args:
        path: path of the file.
        run: what identifies this run (configuration, data, seed ...), from `identity`; a file of another run is refused.
        record: the callback that holds the metrics and the best weights.
        deadline: the callback that holds the time.
        pace: the learning rates.
        start: digest of the trained weights with which the run begins.
    """

    def __init__(
        self,
        path: str | os.PathLike[str],
        run: dict[str, Any],
        record: Record,
        deadline: Deadline,
        pace: Pace,
        start: str,
    ) -> None:
        super().__init__()
        self.path = pathlib.Path(path)
        self.run = hashlib.sha256(json.dumps(run, sort_keys=True, default=str).encode()).hexdigest()
        self.record, self.deadline, self.pace = record, deadline, pace
        self.start, self.finished = start, False

    def restore(self, model: keras.Model) -> None:
        """Sets the model, its optimizer, the record and the deadline to the state in the file, if there is one.

        The model may be one that has just been built, with other weights; then a warning says whose run it is. It may also be
        the one that an interrupted run left, in the same process or loaded from a file.

        Raises:
            AEZooError: the file is damaged, or belongs to another run.
        """
        if not self.path.exists():
            return
        arrays, state = self._read()
        if state["run"] != self.run:
            raise AEZooError(
                f"The checkpoint {self.path} belongs to a run with other options, data or seed; name another file, or "
                "delete it to start again."
            )
        best = [arrays[f"best_{index}"] for index in range(state["best_weights"])]
        if self.start not in (state.get("start", self.start), state.get("left"), digest(*trained(model, best))):
            warnings.warn(
                f"The checkpoint {self.path} is of a model that began with other weights than this one, and its run is "
                f"{'taken over' if state['finished'] else 'continued'}. To train this model, name another file; build with "
                "a seed, so that the same program begins with the same weights.",
                AEZooWarning,
                stacklevel=5,
            )
        self.start = state.get("start", self.start)
        for index, variable in enumerate(_variables(model)):
            variable.assign(arrays[f"variable_{index}"])
        self.finished = state["finished"]
        self.deadline.spent = state["seconds"]
        self.record.history = state["history"]
        self.record.best_error, self.record.best_epoch = state["best_error"], state["best_epoch"]
        self.record.since = self.pace.begin = state["since"]
        self.record.warmup, self.record.baseline = state["warmup"], state["baseline"]  # those of the start
        self.pace.factor, self.pace.notes = state["factor"], state["notes"]
        self.record.best_weights = best

    def on_epoch_end(self, epoch: int, logs: Logs = None) -> None:
        # If the deadline cut the epoch short, an uninterrupted run has no such epoch: resuming repeats it.
        if not self.deadline.passed:
            self.write()

    def on_train_end(self, logs: Logs = None) -> None:
        if not self.deadline.passed:
            self.finished = True
            self.write()
        elif self.path.exists():  # the weights that the model keeps may be of the cut epoch, which the file lacks
            arrays, state = self._read()
            self._write({**state, "left": digest(*trained(self.model, self.record.best_weights))}, arrays)

    def write(self) -> None:
        """Writes the file, completely or not at all."""
        arrays = {f"variable_{index}": np.asarray(v) for index, v in enumerate(_variables(self.model))}
        arrays |= {f"best_{index}": value for index, value in enumerate(self.record.best_weights)}
        state = {
            "run": self.run,
            "start": self.start,
            "left": None,
            "finished": self.finished,
            "seconds": self.deadline.seconds,
            "history": self.record.history,
            "best_error": self.record.best_error,
            "best_epoch": self.record.best_epoch,
            "best_weights": len(self.record.best_weights),
            "since": self.pace.begin,
            "warmup": self.record.warmup,
            "baseline": self.record.baseline,
            "factor": self.pace.factor,
            "notes": self.pace.notes,
        }
        self._write(state, arrays)

    def _read(self) -> tuple[dict[str, Array], dict[str, Any]]:
        """Returns the arrays and the rest of the state in the file."""
        try:
            arrays = archives.read_arrays(self.path)
            return arrays, json.loads(str(arrays.pop("state")))
        except (ValueError, KeyError) as error:
            raise AEZooError(f"The checkpoint {self.path} is damaged; delete it to start again.") from error

    def _write(self, state: dict[str, Any], arrays: dict[str, Array]) -> None:
        with files.whole(self.path) as sibling, sibling.open("wb") as file:
            np.savez(file, allow_pickle=False, state=json.dumps(state), **arrays)


def identity(model: Autoencoder, data: Iterable[Array | None], plan: Plan, schedule: Schedule) -> dict[str, Any]:
    """Returns what identifies a run: family, options, data, plan and optimizer."""
    return {
        "backend": keras.backend.backend(),
        "family": type(model).__name__,
        "variables": [(tuple(variable.shape), variable.trainable) for variable in model.variables],
        "config": model.config.to_dict(),
        "data": [None if part is None else digest(part) for part in data],
        "plan": [schedule.epochs, schedule.batch_size, schedule.learning_rate, plan.seed, schedule.patience],
        "optimizer": without_names(model.optimizer.get_config()),
    }


def trained(model: keras.Model, weights: Iterable[Array]) -> list[Array]:
    """Returns those of a model's weights that are trained, from all of them in the model's order."""
    return [value for value, weight in zip(weights, model.weights, strict=True) if weight.trainable]


def digest(*arrays: Array) -> str:
    """Returns a hash of arrays' values and shapes."""
    hashed = hashlib.blake2b()
    for array in arrays:
        hashed.update(repr(array.shape).encode())
        hashed.update(np.ascontiguousarray(array).data)
    return hashed.hexdigest()


def _variables(model: keras.Model) -> list[keras.Variable]:
    """Returns all that a step reads and changes: weights, states of noise generators, the optimizer's moments."""
    return [*model.variables, *model.optimizer.variables]
