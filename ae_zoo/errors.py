"""Errors and warnings of this library: one sentence that says what is wrong, what was expected, and what to do.

Every error that a caller can correct is an `AEZooError`, which is a `ValueError`. Some are also of a type of Python's own, so
`except FileNotFoundError` works as usual. The command line prints the sentence and exits with 2. Any other exception is a
bug of this library.
"""

import difflib
from collections.abc import Iterable, Mapping
from typing import TypeVar

T = TypeVar("T")


class AEZooError(ValueError):
    """An argument, a file or a server cannot be used."""


class NotFoundError(AEZooError, FileNotFoundError):
    """A file or folder does not exist."""


class AlreadyThereError(AEZooError, FileExistsError):
    """A file or folder that would be written already exists."""


class UnwritableError(AEZooError, OSError):
    """A file cannot be written, because of its name, its folder or the disk."""


class MissingExtraError(AEZooError, ImportError):
    """An optional library is not installed."""


class UnreachableError(AEZooError, ConnectionError):
    """A server cannot be reached."""


class LateError(AEZooError, TimeoutError):
    """A server did not answer in time."""


class DivergedError(AEZooError, FloatingPointError):
    """A training led to NaN or infinity."""


class SearchError(AEZooError, RuntimeError):
    """A search cannot go on."""


class AEZooWarning(UserWarning):
    """A warning of this library. To silence it: `warnings.simplefilter("ignore", ae_zoo.AEZooWarning)`."""


def unknown(what: str, name: object, known: Iterable[str]) -> AEZooError:
    """Returns the error for a name that is not in `known`, with the nearest known name."""
    known = sorted(known)
    near = difflib.get_close_matches(name, known, n=1, cutoff=0.5) if isinstance(name, str) else []
    hint = f"did you mean {near[0]!r}?" if near else f"known: {', '.join(known)}."
    return AEZooError(f"There is no {what} {short(name)}; {hint}")


def entry(what: str, name: object, table: Mapping[str, T]) -> T:
    """Returns the entry `name` of a table; raises the error of `unknown` for another name, and for what is no text."""
    if not isinstance(name, str) or name not in table:
        raise unknown(what, name, table)
    return table[name]


def first_line(error: Exception) -> str:
    """Returns the first line of another library's exception, at most 300 characters, for use in a sentence.

    A line that ends in a colon or a comma goes on with the next one.
    """
    lines = [line.strip() for line in str(error).splitlines() if line.strip()] or [type(error).__name__]
    return " ".join(lines[: 2 if lines[0].endswith((":", ",")) else 1])[:300]


def short(value: object) -> str:
    """Returns a value as text for a sentence: on one line, and not longer than 80 characters."""
    try:
        text = " ".join(repr(value).split())
    except ValueError:  # Python writes no int of more than 4,300 digits
        text = f"a value of type {type(value).__name__}"
    return text if len(text) <= 80 else f"{text[:77]}..."
