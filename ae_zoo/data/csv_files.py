"""Tables in CSV files: a first line of column names, then a line for each row."""

import contextlib
import pathlib
import re
import reprlib
from collections.abc import Callable, Iterator

import numpy as np
import pandas as pd

from ae_zoo.errors import AEZooError

SAMPLE = 65_536  # characters after the first line that show the decimal mark


def pieces(path: pathlib.Path, rows: int) -> Iterator[pd.DataFrame]:
    """The rows in a CSV file, `rows` at a time.

    Fields are separated by commas; or by semicolons, where the first line has these and no comma, and then decimals may
    have a comma.

    Raises:
        ValueError: the first line does not hold column names, or a line has more fields than the first.
    """
    separator, decimal = _dialect(path)
    try:
        # Reads the first two lines as text. pandas refuses a second line that is longer than the first, unless the first
        # is declared a header: then it takes the first fields of every line for an index and moves all other values.
        first = pd.read_csv(path, sep=separator, header=None, nrows=2, dtype=str, keep_default_na=False).iloc[0]
        names = [str(name) for name in first]
        _check_names(names, path)
        # Types are found for a piece as a whole, not for parts of it.
        with pd.read_csv(path, sep=separator, decimal=decimal, chunksize=rows, low_memory=False) as reader:
            for piece in reader:
                piece.columns = names
                yield piece
    except pd.errors.EmptyDataError:
        raise AEZooError(f"{path} is empty.") from None
    except pd.errors.ParserError as error:
        found = re.search(r"Expected (\d+) fields in line (\d+), saw (\d+)", str(error))
        if not found:
            raise
        expected, line, received = found.groups()
        hint = " If decimals have commas, put semicolons between the fields." if separator == "," else ""
        raise AEZooError(
            f"Line {line} of {path} has {received} fields, but the first line has {expected} column names; every line must "
            f"have one field for each name.{hint}"
        ) from error


@contextlib.contextmanager
def writer(path: pathlib.Path) -> Iterator[Callable[[dict[str, np.ndarray]], None]]:
    """Yields a function that adds rows to a CSV file, a column `(n,)` for each name."""
    with path.open("w", newline="", encoding="utf-8") as text:

        def add(columns: dict[str, np.ndarray]) -> None:
            pd.DataFrame(columns).to_csv(text, index=False, header=not text.tell())

        yield add


def _dialect(path: pathlib.Path) -> tuple[str, str]:
    """The separator and the decimal mark. A wrong decimal mark makes numbers text, which is refused later."""
    with path.open(encoding="utf-8", errors="replace") as text:
        first = next((line for line in text if line.strip()), "")
        if ";" in first and "," not in first:
            return ";", "," if "," in text.read(SAMPLE) else "."
    return ",", "."


def _check_names(names: list[str], path: pathlib.Path) -> None:
    """Raises `ValueError` where the first line of a file looks like a row, or lacks a name.

    A number is a name only where it counts the columns from 0, as pandas names columns that have no names.
    """
    first = names.index("") + 1 if names[0] == "" else 0  # an index is written without a name, before all columns
    for place, name in enumerate(names):
        if _is_number(name) and name != str(place - first):
            raise AEZooError(
                f"{path} must begin with a line of column names; its first line holds the number {reprlib.repr(name)}. If it "
                "is a name, put a letter before it."
            )
    if names[0] == "":
        raise AEZooError(
            f"The first column of {path} has no name: if it is an index, leave it out (pandas: index=False); if it is a "
            "feature, name it."
        )
    if "" in names:
        raise AEZooError(
            f"Column {names.index('') + 1} of {path} has no name in the first line; name it, or remove it."
        )


def _is_number(text: str) -> bool:
    try:
        float(text.replace(",", "."))
    except ValueError:
        return False
    return "_" not in text  # which Python allows in a number
