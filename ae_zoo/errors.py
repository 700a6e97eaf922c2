"""Errors and warnings of this library: one sentence that says what is wrong, what was expected, and what to do.

Every error that a caller can mend is an `AEZooError`, which is a `ValueError`. Some are an error of Python's own kind too,
so that `except FileNotFoundError` works as it does elsewhere. The command line prints the sentence and exits with 2. Any
other exception is a bug of this library.
"""

import difflib
from collections.abc import Iterable


class AEZooError(ValueError):
    """What was given cannot be used."""


class NotFoundError(AEZooError, FileNotFoundError):
    """There is nothing at a path."""


class AlreadyThereError(AEZooError, FileExistsError):
    """What would be written is there already."""


class UnwritableError(AEZooError, OSError):
    """A file cannot be written: its name, its folder or the disk does not allow it."""


class MissingExtraError(AEZooError, ImportError):
    """An optional library is not installed."""


class UnreachableError(AEZooError, ConnectionError):
    """A server cannot be reached."""


class LateError(AEZooError, TimeoutError):
    """A server did not answer in time."""


class DivergedError(AEZooError, FloatingPointError):
    """A training ended in NaN or infinity."""


class SearchError(AEZooError, RuntimeError):
    """A search cannot go on."""


class AEZooWarning(UserWarning):
    """What this library warns of. To silence it: `warnings.simplefilter("ignore", ae_zoo.AEZooWarning)`."""


def unknown(what: str, name: object, known: Iterable[str]) -> AEZooError:
    """The error for a name that is not in `known`, with the nearest one that is."""
    known = sorted(known)
    near = difflib.get_close_matches(str(name), known, n=1, cutoff=0.5)
    hint = f"did you mean {near[0]!r}?" if near else f"known: {', '.join(known)}."
    return AEZooError(f"There is no {what} {short(name)}; {hint}")


def first_line(error: Exception) -> str:
    """What another library's exception says, short enough to stand in one of our sentences."""
    return (str(error) or type(error).__name__).strip().splitlines()[0][:300]


def short(value: object) -> str:
    """A value as it stands in a sentence: on one line, and not longer than 80 characters."""
    text = " ".join(repr(value).split())
    return text if len(text) <= 80 else f"{text[:77]}..."
