"""What makes a search itself, in one file of its folder, from which every process of it sets itself up."""

import dataclasses
import fcntl
import json
import pathlib
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Self

from ae_zoo._support import files
from ae_zoo.errors import AEZooError, unknown
from ae_zoo.tuning.objectives import Objective, objective
from ae_zoo.tuning.rows import Rows
from ae_zoo.tuning.space import Space
from ae_zoo.tuning.trials import Trials

TUNERS = ("random", "grid", "bayesian", "hyperband")
# What may change from one call to the next on the same folder: how far a search goes, not what it is.
BUDGET = ("trials", "minutes", "workers", "seeds", "finalists")


@dataclasses.dataclass(frozen=True, kw_only=True)
class Settings:
    """The arguments of `ae_zoo.search` in plain values."""

    families: list[str]
    space: dict[str, Any]
    data: dict[str, str]  # digests
    schema: dict[str, Any]
    objective: str
    corruption: list[Any]
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
        """Raises `ValueError` for a value that is not legal."""
        if self.tuner not in TUNERS:
            raise unknown("tuner", self.tuner, TUNERS)
        for name in ("trials", "epochs", "workers", "seeds", "finalists", "seed"):
            value = getattr(self, name)
            if value is not None and (isinstance(value, bool) or not isinstance(value, int) or value < 1):
                raise AEZooError(f"{name} must be a whole number of at least 1; received {value!r}.")
        for name in ("minutes", "trial_minutes"):
            value = getattr(self, name)
            if value is not None and not value > 0:
                raise AEZooError(f"{name} must be above 0; received {value!r}.")
        if self.tuner == "hyperband" and self.trials is not None:
            raise AEZooError("Hyperband sets its own number of trials by the epochs of the longest; leave trials out.")

    def trials_in(self, folder: pathlib.Path, rows: Rows) -> Trials:
        return Trials(
            folder, rows, self.measure, seed=self.seed, minutes=self.trial_minutes, kept=max(10, self.finalists)
        )

    @property
    def drawing(self) -> float:
        """Share of the minutes for drawing trials; finalists may be trained again after."""
        return 0.75 if self.seeds > 1 else 1.0

    @property
    def measure(self) -> Objective:
        return objective(self.objective, tuple(self.corruption))

    @property
    def drawn(self) -> Space:
        return Space.from_dict(self.space)

    def claim(self, folder: pathlib.Path) -> None:
        """Writes the settings into a folder; a folder of another search is refused.

        Raises:
            ValueError: the folder belongs to a search of other data, families, space, objective or seed.
        """
        path = folder / "search.json"
        if path.exists():
            other = self.read(folder)
            mine, theirs = ({k: v for k, v in _plain(s).items() if k not in BUDGET} for s in (self, other))
            differing = [name for name in mine if mine[name] != theirs[name]]
            if differing:
                raise AEZooError(
                    f"The folder {folder} belongs to another search: its {', '.join(differing)} differ. Name another "
                    "folder, or delete that one."
                )
        elif folder.exists() and any(not found.name.startswith(".") for found in folder.iterdir()):
            raise AEZooError(f"The folder {folder} holds other files; name one that is new, or a search's own.")
        with files.whole(path) as sibling:
            sibling.write_text(json.dumps(_plain(self), indent=1) + "\n")

    @classmethod
    def read(cls, folder: pathlib.Path) -> Self:
        """The settings in a search's folder.

        Raises:
            ValueError: there are none, or the file is damaged.
        """
        try:
            return cls(**json.loads((folder / "search.json").read_text()))
        except FileNotFoundError:
            raise AEZooError(f"There is no search in the folder {folder}.") from None
        except (ValueError, TypeError) as error:
            raise AEZooError(f"{folder / 'search.json'} is damaged; delete the folder to start afresh.") from error


class Clock:
    """The wall-clock budget of a search, over all of its runs.

    Args:
        folder: of the search; the time spent is kept there.
        minutes: the budget; None for no limit.
        share: of the budget that drawing trials may take.
    """

    def __init__(self, folder: pathlib.Path, minutes: float | None, share: float = 1.0) -> None:
        self.path, self.minutes, self.share = folder / "clock.json", minutes, share
        self.begin = time.perf_counter()
        try:
            kept = json.loads(self.path.read_text())
            self.before, self.finished = float(kept["seconds"]), bool(kept["finished"])
        except (OSError, ValueError, KeyError):
            self.before, self.finished = 0.0, False

    @property
    def seconds(self) -> float:
        return self.before + time.perf_counter() - self.begin

    @property
    def left(self) -> float | None:
        """Minutes for drawing; None for no limit."""
        return None if self.minutes is None else self.share * self.minutes - self.seconds / 60

    def tick(self, finished: bool = False) -> None:
        """Keeps the time spent."""
        with files.whole(self.path) as sibling:
            sibling.write_text(json.dumps({"seconds": self.seconds, "finished": finished}) + "\n")

    def finish(self) -> None:
        """Keeps the time spent, and tells other machines that nothing is left to do."""
        self.tick(finished=True)


@contextmanager
def lock(folder: pathlib.Path) -> Iterator[None]:
    """Holds a folder for this process alone; the system lets it go when the process dies.

    Raises:
        ValueError: another process holds it.
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
    return json.loads(json.dumps(dataclasses.asdict(settings)))
