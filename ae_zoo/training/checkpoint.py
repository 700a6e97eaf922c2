"""A run's whole state in one file, written at the end of each epoch: a killed run goes on as if it had not been."""

import hashlib
import json
import pathlib
from typing import Any

import keras
import numpy as np

from ae_zoo import files
from ae_zoo.training.callbacks import Deadline, KeepBest


class Checkpoint(keras.callbacks.Callback):
    """Writes and reads the state of a run: variables, optimizer, noise generators, best weights, history, time spent.

    The file is an `.npz` without pickled objects.

    Args:
        path: of the file.
        run: what makes this run itself (configuration, data, seed ...); a file of another run is refused.
    """

    def __init__(self, path: Any, run: dict[str, Any]) -> None:
        super().__init__()
        self.path = pathlib.Path(path)
        self.run = hashlib.sha256(json.dumps(run, sort_keys=True).encode()).hexdigest()
        self.history: dict[str, list[float]] = {}
        self.next_epoch = 0
        self.seconds = 0.0
        self.finished: str | None = None

    def follow(self, best: KeepBest, deadline: Deadline) -> None:
        """Names the callbacks whose state belongs to the run's."""
        self.best, self.deadline = best, deadline

    def restore(self, model: keras.Model, best: KeepBest) -> None:
        """Puts the state in the file, if there is one, into the model, its optimizer and `best`.

        Raises:
            ValueError: the file is damaged or belongs to another run.
        """
        if not self.path.exists():
            return
        try:
            arrays = files.read_arrays(self.path)
            state = json.loads(str(arrays.pop("state")))
        except (ValueError, KeyError) as error:
            raise ValueError(f"The checkpoint {self.path} is damaged; delete it to start afresh.") from error
        if state["run"] != self.run:
            raise ValueError(
                f"The checkpoint {self.path} belongs to a run with other options, data or seed; name another file, or "
                "delete it to start afresh."
            )
        for index, variable in enumerate(_variables(model)):
            variable.assign(arrays[f"variable_{index}"])
        self.history, self.next_epoch = state["history"], state["next_epoch"]
        self.seconds, self.finished = state["seconds"], state["finished"]
        best.error, best.epoch = state["best_error"], state["best_epoch"]
        best.weights = [arrays[f"best_{index}"] for index in range(state["best_weights"])]

    def on_epoch_end(self, epoch: int, logs: dict | None = None) -> None:
        for name, value in (logs or {}).items():
            self.history.setdefault(name, []).append(float(value))
        self.next_epoch = epoch + 1
        # An epoch that the deadline cut short is not one of an uninterrupted run: resuming repeats it.
        if not self.deadline.passed:
            self.write()

    def write(self, finished: str | None = None) -> None:
        """Writes the file, whole or not at all."""
        arrays = {f"variable_{index}": np.asarray(v) for index, v in enumerate(_variables(self.model))}
        arrays |= {f"best_{index}": value for index, value in enumerate(self.best.weights)}
        state = {
            "run": self.run,
            "history": self.history,
            "next_epoch": self.next_epoch,
            "seconds": self.deadline.seconds,
            "finished": finished,
            "best_error": self.best.error,
            "best_epoch": self.best.epoch,
            "best_weights": len(self.best.weights),
        }
        with files.whole(self.path) as sibling, sibling.open("wb") as file:
            np.savez(file, state=json.dumps(state), **arrays)


def digest(x: np.ndarray) -> str:
    """A hash of an array's values and shape."""
    hashed = hashlib.blake2b(repr(x.shape).encode())
    hashed.update(np.ascontiguousarray(x).data)
    return hashed.hexdigest()


def _variables(model: keras.Model) -> list[Any]:
    """Everything that a step reads and changes: weights, the states of noise generators, the optimizer's moments."""
    return [*model.variables, *model.optimizer.variables]
