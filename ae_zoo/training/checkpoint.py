"""A run's whole state in one file, written at the end of each epoch: a killed run goes on as if it had not been."""

import hashlib
import json
import os
import pathlib
from collections.abc import Iterable
from typing import Any

import keras
import numpy as np

from ae_zoo._support import archives, files
from ae_zoo.autoencoder import Autoencoder
from ae_zoo.errors import AEZooError
from ae_zoo.training.callbacks import Deadline, Record
from ae_zoo.training.schedule import Plan, Schedule


class Checkpoint(keras.callbacks.Callback):
    """Writes and reads the state of a run: variables, optimizer, noise generators, record and time spent.

    The file is an `.npz` without pickled objects.

    Args:
        path: of the file.
        run: what makes this run itself (configuration, data, seed ...); a file of another run is refused.
        record, deadline: the callbacks whose state is the run's.
    """

    def __init__(self, path: str | os.PathLike, run: dict[str, Any], record: Record, deadline: Deadline) -> None:
        super().__init__()
        self.path = pathlib.Path(path)
        files.writable(path)  # what cannot be written is better known before the training
        self.run = hashlib.sha256(json.dumps(run, sort_keys=True, default=str).encode()).hexdigest()
        self.record, self.deadline = record, deadline
        self.finished = False

    def restore(self, model: keras.Model) -> None:
        """Puts the state in the file, if there is one, into the model, its optimizer, the record and the deadline.

        Raises:
            ValueError: the file is damaged or belongs to another run.
        """
        if not self.path.exists():
            return
        try:
            arrays = archives.read_arrays(self.path)
            state = json.loads(str(arrays["state"]))
        except (ValueError, KeyError) as error:
            raise AEZooError(f"The checkpoint {self.path} is damaged; delete it to start afresh.") from error
        if state["run"] != self.run:
            raise AEZooError(
                f"The checkpoint {self.path} belongs to a run with other options, data or seed; name another file, or "
                "delete it to start afresh."
            )
        for index, variable in enumerate(_variables(model)):
            variable.assign(arrays[f"variable_{index}"])
        self.finished = state["finished"]
        self.deadline.spent = state["seconds"]
        self.record.history = state["history"]
        self.record.best_error, self.record.best_epoch = state["best_error"], state["best_epoch"]
        self.record.best_weights = [arrays[f"best_{index}"] for index in range(state["best_weights"])]

    def on_epoch_end(self, epoch: int, logs: dict | None = None) -> None:
        # An epoch that the deadline cut short is not one of an uninterrupted run: resuming repeats it.
        if not self.deadline.passed:
            self.write()

    def on_train_end(self, logs: dict | None = None) -> None:
        if not self.deadline.passed:
            self.finished = True
            self.write()

    def write(self) -> None:
        """Writes the file, whole or not at all."""
        arrays = {f"variable_{index}": np.asarray(v) for index, v in enumerate(_variables(self.model))}
        arrays |= {f"best_{index}": value for index, value in enumerate(self.record.best_weights)}
        state = {
            "run": self.run,
            "finished": self.finished,
            "seconds": self.deadline.seconds,
            "history": self.record.history,
            "best_error": self.record.best_error,
            "best_epoch": self.record.best_epoch,
            "best_weights": len(self.record.best_weights),
        }
        with files.whole(self.path) as sibling, sibling.open("wb") as file:
            np.savez(file, state=json.dumps(state), **arrays)


def identity(model: Autoencoder, data: Iterable[np.ndarray | None], plan: Plan, schedule: Schedule) -> dict[str, Any]:
    """What makes a run itself: family, options, data, plan and optimizer."""
    return {
        "family": type(model).__name__,
        "config": model.config.to_dict(),
        "data": [None if part is None else digest(part) for part in data],
        "plan": [schedule.epochs, schedule.batch_size, plan.seed, schedule.patience],
        "optimizer": _without_names(model.optimizer.get_config()),
    }


def _without_names(value: Any) -> Any:
    """An optimizer's config without its name and those of optimizers within, which Keras counts up in a process."""
    if isinstance(value, dict):
        return {key: _without_names(part) for key, part in value.items() if key != "name"}
    return value


def digest(x: np.ndarray) -> str:
    """A hash of an array's values and shape."""
    hashed = hashlib.blake2b(repr(x.shape).encode())
    hashed.update(np.ascontiguousarray(x).data)
    return hashed.hexdigest()


def _variables(model: keras.Model) -> list[Any]:
    """Everything that a step reads and changes: weights, the states of noise generators, the optimizer's moments."""
    return [*model.variables, *model.optimizer.variables]
