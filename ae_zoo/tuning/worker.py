"""A process of a search, which runs trials: the only process, or one of several workers under a chief."""

import contextlib
import dataclasses
import pathlib
import shutil
import sys
import threading
import warnings
from collections.abc import Callable, Iterator

import keras
from sklearn.exceptions import ConvergenceWarning

from ae_zoo.schemas import Schema
from ae_zoo.tuning import kept, tuner
from ae_zoo.tuning.dimensions import Values
from ae_zoo.tuning.rows import Rows
from ae_zoo.tuning.settings import Clock, Settings
from ae_zoo.tuning.space import Candidate
from ae_zoo.tuning.trials import Result
from ae_zoo.typing import Logs

DONE, OUT_OF_TIME = 0, 3  # exit codes
DEATHS = 3  # of processes on the same trial, after which the trial is given up
BEAT = 2.0  # seconds between signs of life


def loop(folder: pathlib.Path, settings: Settings, run: Callable[[Candidate, int], Result], clock: Clock) -> bool:
    """Runs what the oracle asks for; returns True if it had no more trials before the time was up."""
    asked = tuner.oracle(
        settings.tuner, settings.drawn, settings.measure.direction, settings.seed, settings.trials, settings.epochs
    )

    def out_of_time() -> bool:
        return clock.left is not None and clock.left <= 0

    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)  # of the Bayesian oracle's few points
        return tuner.Tuner(asked, settings.drawn, run, out_of_time, folder / "oracle").finished()


def clear(folder: pathlib.Path) -> None:
    """Removes the files of an earlier run that no other run resumes from."""
    for name in ("oracle", "running"):
        shutil.rmtree(folder / name, ignore_errors=True)


@dataclasses.dataclass
class Life:
    """A sign of life of a running trial.

    Attributes:
        owner: the name of the worker.
        candidate: what is being trained, as plain values.
        deaths: the number of processes that died while they ran this trial.
        epoch: the number of epochs that are done.
        epochs: the number of epochs of the training.
        beat: a number that grows while the worker lives.
    """

    owner: str
    candidate: Values
    deaths: int = 0
    epoch: int = 0
    epochs: int = 0
    beat: int = 0


class Note(keras.callbacks.Callback):
    """Keeps the sign of life of a running trial in a file, where a death of the process leaves it.

    Args:
        folder: the folder of the search.
        key: the key of the trial's result.
        candidate: what is being trained.
        owner: the name of the worker.
    """

    def __init__(self, folder: pathlib.Path, key: str, candidate: Candidate, owner: str) -> None:
        super().__init__()
        self.path = folder / "running" / f"{key}.json"
        left = kept.read(self.path, Life, "delete it")
        self.life = Life(owner, dataclasses.asdict(candidate), deaths=0 if left is None else left.deaths + 1)

    @contextlib.contextmanager
    def alive(self) -> Iterator[None]:
        """Writes the note again and again while the block runs, and removes it at the end."""
        stop = threading.Event()

        def beat() -> None:
            while not stop.wait(BEAT):
                self.life.beat += 1
                self._write()

        self._write()
        heart = threading.Thread(target=beat, daemon=True)
        heart.start()
        try:
            yield
        finally:  # does not run where the process is killed: then the note stays, and counts as a death
            stop.set()
            heart.join()
            self.path.unlink(missing_ok=True)

    def on_train_begin(self, logs: Logs = None) -> None:
        self.life.epochs = self.params["epochs"]

    def on_epoch_end(self, epoch: int, logs: Logs = None) -> None:
        self.life.epoch = epoch + 1

    def _write(self) -> None:
        kept.write(self.path, self.life)


def main(folder: pathlib.Path, name: str, host: str, port: int) -> int:
    """Runs a chief or a worker of a search; returns the exit code.

    Args:
        folder: the folder of the search.
        name: `"chief"`, or the name of a worker.
        host: the host of the chief.
        port: the port of the chief.
    """
    tuner.serve(host, port, name)
    settings = Settings.read(folder)
    clock = Clock(folder, settings.minutes, settings.drawing)
    if name == "chief":
        loop(folder, settings, _nothing, clock)
        return DONE
    trials = settings.trials_in(folder, Rows.load(folder / "data", Schema.read(settings.schema)))

    def run(candidate: Candidate, number: int) -> Result:
        key = trials.key(candidate, settings.seed)
        found = trials.find(key)
        if found is not None and found.final:
            return found
        note = Note(folder, key, candidate, name)
        if note.life.deaths >= DEATHS:
            note.path.unlink(missing_ok=True)
            return trials.give_up(candidate, number, f"its process died {DEATHS} times; the memory may not suffice")
        with note.alive():
            return trials.run(candidate, number, left=clock.left, callbacks=(note,))

    return DONE if loop(folder, settings, run, clock) else OUT_OF_TIME


def _nothing(candidate: Candidate, number: int) -> Result:
    raise NotImplementedError("a chief runs no trials")


if __name__ == "__main__":
    sys.exit(main(pathlib.Path(sys.argv[1]), sys.argv[2], sys.argv[3], int(sys.argv[4])))
