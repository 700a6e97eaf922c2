"""What a search shows while it runs: a line for each trial, on the terminal and in `search.log`, and a line of progress."""

import pathlib
import sys
import time
from typing import Self

from ae_zoo.tuning.dimensions import Values
from ae_zoo.tuning.settings import Clock, Settings
from ae_zoo.tuning.space import Candidate
from ae_zoo.tuning.trials import Result


class View:
    """Shows the progress of a search.

    Args:
        folder: the folder of the search; lines are added to its `search.log`.
        settings: the settings of the search.
        clock: the time that is left.
        verbose: whether lines are shown on the terminal too.
    """

    def __init__(self, folder: pathlib.Path, settings: Settings, clock: Clock, verbose: bool) -> None:
        self.settings, self.clock, self.verbose = settings, clock, verbose
        self.live = verbose and sys.stdout.isatty()
        self.best: float | None = None
        self.seen: set[str] = set()
        listed = settings.drawn.combinations
        self.total = settings.trials if listed is None else min(len(listed), settings.trials or len(listed))
        self._log = (folder / "search.log").open("a")

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        self._clear()
        self._log.close()

    def say(self, line: str) -> None:
        """Shows a line on the terminal, and adds it to the log."""
        self._clear()
        if self.verbose:
            print(line, flush=True)
        self._log.write(f"{time.strftime('%Y-%m-%d %H:%M:%S')}  {line}\n")
        self._log.flush()

    def done(self, result: Result) -> None:
        """Shows a result, once."""
        if result.key in self.seen:
            return
        self.seen.add(result.key)
        if result.score is None:
            self.say(f"  {self._count()}  {result.status}: {result.reason}")
            return
        better = min if self.settings.measure.direction == "min" else max
        self.best = result.score if self.best is None else better(self.best, result.score)
        mark = "*" if self.best == result.score else " "
        values = Candidate(result.family, result.options, result.training).values
        self.say(
            f"{mark} {self._count()}  {self.settings.objective} {result.score:.5f}  best {self.best:.5f}  "
            f"{result.seconds:5.1f} s{self._left()}  {describe(values)}"
        )

    def running(self, candidate: Candidate, epoch: int, epochs: int, others: int = 0) -> None:
        """Shows what is being trained, on a line that is rewritten."""
        if self.live:
            more = f" and {others} more" if others else ""
            best = "" if self.best is None else f"  best {self.best:.5f}"
            line = f"  {self._count()}  epoch {epoch}/{epochs}{more}{best}{self._left()}  {describe(candidate.values)}"
            print(f"\r{line[:118]}\x1b[K", end="", flush=True)

    def _count(self) -> str:
        return f"trial {len(self.seen)}" + (f"/{self.total}" if self.total and len(self.seen) <= self.total else "")

    def _left(self) -> str:
        left = self.clock.left
        if left is None:
            return ""
        return f"  {max(left, 0):.1f} min left"

    def _clear(self) -> None:
        if self.live:
            print("\r\x1b[K", end="", flush=True)


def describe(values: Values) -> str:
    """Returns the values of a candidate as one line."""
    parts = []
    for name, value in values.items():
        if name == "family":
            parts.append(str(value))
        elif isinstance(value, list):
            parts.append(f"{name}={'-'.join(map(str, value)) or 'none'}")
        else:
            parts.append(f"{name}={value:.4g}" if isinstance(value, float) else f"{name}={value}")
    return " ".join(parts)
