"""Tables in CSV files: a first line of column names, then a line for each row."""

import contextlib
import mmap
import pathlib
import re
import reprlib
from collections.abc import Iterator

import pandas as pd

from ae_zoo.data.arrays import Add, Columns
from ae_zoo.errors import AEZooError
from ae_zoo.typing import Array

CODE = re.compile(rb'0\d(?<=[,;\n"]0\d)')  # a lookbehind, because the zeros are found faster than the separators
SAMPLE = 65_536  # characters after the first line that show the decimal mark


def pieces(path: pathlib.Path, rows: int, as_texts: bool = False) -> Iterator[pd.DataFrame]:
    """Yields the rows in a CSV file, `rows` at a time; with `as_texts` all cells are texts, and only holes are recognized.

    Fields are separated by commas. If the first line has semicolons and no comma, they are separated by semicolons, and
    decimals may have a comma.

    Raises:
        AEZooError: the first line does not hold column names, or a line has more fields than the first.
    """
    separator, decimal = _dialect(path)
    try:
        # The first two lines are read as text without a header, so that pandas refuses a second line that is longer than
        # the first. With a header, it takes the first fields of every line for an index and moves all other values.
        first = pd.read_csv(path, sep=separator, header=None, nrows=2, dtype=str, keep_default_na=False).iloc[0]
        names = [str(name) for name in first]
        _check_names(names, path)
        # low_memory=False: the types are found for a piece as a whole.
        kind = str if as_texts else None
        with pd.read_csv(path, sep=separator, decimal=decimal, chunksize=rows, low_memory=False, dtype=kind) as reader:
            for piece in reader:
                piece.columns = names
                yield piece.apply(_with_points) if as_texts and decimal == "," else piece
    except pd.errors.EmptyDataError:
        raise AEZooError(f"{path} is empty.") from None
    except UnicodeDecodeError as error:
        raise AEZooError(
            f"{path} is not text in UTF-8; save it in this encoding (pandas: encoding='utf-8')."
        ) from error
    except pd.errors.ParserError as error:
        opened = re.search(r"EOF inside string starting at row (\d+)", str(error))
        if opened:
            raise AEZooError(
                f"{path} has a quotation mark near line {int(opened[1]) + 1} that is never closed; close it, or remove it."
            ) from error
        found = re.search(r"Expected (\d+) fields in line (\d+), saw (\d+)", str(error))
        if not found:
            raise
        expected, line, received = found.groups()
        hint = " If decimals have commas, put semicolons between the fields." if separator == "," else ""
        raise AEZooError(
            f"Line {line} of {path} has {received} fields, but the first line has {expected} column names; every line must "
            f"have one field for each name.{hint}"
        ) from error


def has_codes(path: pathlib.Path) -> bool:
    """Returns whether a cell begins with a zero before another digit: a code, such as 0150, which a number would lose."""
    if not path.stat().st_size:
        return False
    with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as content:
        return CODE.search(content) is not None


@contextlib.contextmanager
def writer(path: pathlib.Path) -> Iterator[Add]:
    """Yields a function that adds columns to a CSV file."""
    with path.open("w", newline="", encoding="utf-8") as text:

        def add(columns: Array | Columns) -> None:
            pd.DataFrame(columns).to_csv(text, index=False, header=not text.tell())

        yield add


def _with_points(cells: "pd.Series[str]") -> "pd.Series[str]":
    """Returns texts of numbers with a decimal point instead of a comma; other texts stay as they are."""
    present = cells.dropna()
    return cells.str.replace(",", ".", regex=False) if present.str.fullmatch(r"[+-]?\d*,?\d+").all() else cells


def _dialect(path: pathlib.Path) -> tuple[str, str]:
    """Returns the separator and the decimal mark. A wrong decimal mark makes numbers text, which is refused later."""
    with path.open(encoding="utf-8", errors="replace") as text:
        first = next((line for line in text if line.strip()), "")
        if "\0" in first:
            raise AEZooError(f"{path} is not text in UTF-8; save it in this encoding (pandas: encoding='utf-8').")
        if "\t" in first and not any(mark in first for mark in ',;"'):
            raise AEZooError(
                f"The fields of {path} are separated by tabs; save it with commas (pandas: to_csv without sep)."
            )
        if ";" in first and "," not in first:
            return ";", "," if "," in text.read(SAMPLE) else "."
    return ",", "."


def _check_names(names: list[str], path: pathlib.Path) -> None:
    """Raises `AEZooError` if the first line of a file looks like a row, or lacks a name.

    A number is accepted as a name only if it counts the columns from 0, which is how pandas names columns without names.
    """
    first = names.index("") + 1 if names[0] == "" else 0  # pandas writes an index as a first column without a name
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
    return "_" not in text  # Python allows it in a number
