"""What identifies a search: its settings, in a file that every process of it reads, and the time that it has spent."""

import dataclasses
import fcntl
import json
import pathlib
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Self

from ae_zoo._support import checks
from ae_zoo.errors import AEZooError, NotFoundError, unknown
from ae_zoo.tuning import kept
from ae_zoo.tuning.objectives import Objective, objective
from ae_zoo.tuning.rows import Rows
from ae_zoo.tuning.space import Space
from ae_zoo.tuning.trials import Trials

TUNERS = ("random", "grid", "bayesian", "hyperband")
MOST_WORKERS = 1024
# Settings that may change from one call to the next on the same folder: how far a search goes, not what it is.
BUDGET = ("trials", "minutes", "workers", "seeds", "finalists")


@dataclasses.dataclass(frozen=True, kw_only=True)
class Settings:
    """The arguments of `ae_zoo.search` as plain JSON values; `data` holds a digest of each array."""

    families: list[str]
    space: dict[str, Any]
    data: dict[str, str]
    schema: dict[str, Any]
    objective: str
    corruption: list[str | float]
    tuner: str
    seed: int
    epochs: int | None
    trial_minutes: float | None
    trials: int | None = None
    minutes: float | None = None
    workers: int = 1
    seeds: int = 1
    finalists: int = 3

    def check(self) -> None:
        """Raises `AEZooError` for a value that is not legal."""
        if not isinstance(self.tuner, str) or self.tuner not in TUNERS:
            raise unknown("tuner", self.tuner, TUNERS)
        counts = {"trials": self.trials, "epochs": self.epochs, "workers": self.workers, "seeds": self.seeds}
        for name, value in {**counts, "finalists": self.finalists, "seed": self.seed}.items():
            if value is not None:
                checks.count(name, value)
        checks.seed(self.seed + self.seeds - 1)
        if self.workers > MOST_WORKERS:
            raise AEZooError(f"workers must be at most {MOST_WORKERS:,}; received {self.workers:,}.")
        for name, minutes in (("minutes", self.minutes), ("trial_minutes", self.trial_minutes)):
            if minutes is not None and not checks.finite(name, minutes) > 0:
                raise AEZooError(f"{name} must be above 0; received {minutes!r}.")
        if self.tuner == "hyperband" and self.trials is not None:
            raise AEZooError("Hyperband sets its own number of trials by the epochs of the longest; leave trials out.")

    def trials_in(self, folder: pathlib.Path, rows: Rows) -> Trials:
        """Returns the trials of this search in a folder."""
        return Trials(
            folder, rows, self.measure, seed=self.seed, minutes=self.trial_minutes, kept=max(10, self.finalists)
        )

    @property
    def drawing(self) -> float:
        """The share of the minutes for drawing trials; the rest is for training the finalists again."""
        return 0.75 if self.seeds > 1 else 1.0

    @property
    def measure(self) -> Objective:
        """The objective."""
        return objective(self.objective, self.corruption)

    @property
    def drawn(self) -> Space:
        """The space that is drawn from."""
        return Space.from_dict(self.space)

    def claim(self, folder: pathlib.Path) -> None:
        """Writes the settings into a folder.

        Raises:
            AEZooError: the folder holds other files, or another search: of other data, families, space, objective or seed.
        """
        path = folder / "search.json"
        if path.exists():
            mine, theirs = _plain(self), _plain(self.read(folder))
            differing = [name for name in mine if name not in BUDGET and mine[name] != theirs[name]]
            if differing:
                raise AEZooError(
                    f"The folder {folder} belongs to another search: its {', '.join(differing)} differ. Name another "
                    "folder, or delete that one."
                )
        elif folder.exists() and any(not found.name.startswith(".") for found in folder.iterdir()):
            raise AEZooError(f"The folder {folder} holds other files; name a new folder, or the folder of a search.")
        kept.write(path, self)

    @classmethod
    def read(cls, folder: pathlib.Path) -> Self:
        """Returns the settings in a search's folder.

        Raises:
            AEZooError: there are none, or their file is damaged.
        """
        path, remedy = folder / "search.json", "delete the folder, and start the search again"
        found = kept.read(path, cls, remedy)
        if found is None:
            raise NotFoundError(f"There is no search in the folder {folder}.")
        try:
            found.check()
            _ = found.drawn, found.measure
        except AEZooError as error:
            raise AEZooError(f"{path} holds settings that are not legal: {error}") from None
        except (ValueError, TypeError, KeyError, AttributeError):
            raise kept.damaged(path, remedy) from None
        return found


@dataclasses.dataclass(frozen=True)
class Spent:
    """What the clock of a search keeps.

    Attributes:
        seconds: the time that the search has taken, over all of its runs.
        finished: whether its last run has ended.
    """

    seconds: float = 0.0
    finished: bool = False


class Clock:
    """The wall-clock budget of a search, over all of its runs.

    Args:
        folder: the folder of the search, where the time spent is kept.
        minutes: the budget; None for no limit.
        share: the share of the budget for drawing trials.

    Raises:
        AEZooError: the file of the time spent is damaged.
    """

    def __init__(self, folder: pathlib.Path, minutes: float | None, share: float = 1.0) -> None:
        self.path, self.minutes, self.share = folder / "clock.json", minutes, share
        self.begin = time.perf_counter()
        spent = kept.read(self.path, Spent, "delete it, and the same search counts its minutes from 0") or Spent()
        self.before, self.finished = spent.seconds, spent.finished

    @property
    def seconds(self) -> float:
        """The time spent, over all runs."""
        return self.before + time.perf_counter() - self.begin

    @property
    def left(self) -> float | None:
        """The minutes that are left, of those for drawing; None for no limit."""
        return None if self.minutes is None else self.share * self.minutes - self.seconds / 60

    def tick(self, finished: bool = False) -> None:
        """Writes the time spent into the file."""
        kept.write(self.path, Spent(self.seconds, finished))

    def finish(self) -> None:
        """Writes the time spent, and tells other machines that the run has ended."""
        self.tick(finished=True)


@contextmanager
def lock(folder: pathlib.Path) -> Iterator[None]:
    """Locks a folder for this process; the system frees it when the process dies.

    Raises:
        AEZooError: another process has locked it.
    """
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / ".lock").open("a") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            raise AEZooError(
                f"Another process is searching in the folder {folder}; wait for it, or name another."
            ) from None
        yield


def _plain(settings: Settings) -> dict[str, Any]:
    plain: dict[str, Any] = json.loads(json.dumps(dataclasses.asdict(settings)))
    return plain
