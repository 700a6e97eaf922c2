"""Reading rows from files, as a whole or in pieces."""

import dataclasses
import os
import pathlib
from collections.abc import Callable, Iterator
from typing import TypeAlias

import numpy as np
import pandas as pd

from ae_zoo._support import archives, files
from ae_zoo.data import arrays, csv_files, images, parquet
from ae_zoo.errors import AEZooError, first_line
from ae_zoo.frames import columns_of, has_other_cells, numeric
from ae_zoo.typing import Array

PIECE = 65_536  # rows
WHOLE = 2**31 - 1  # rows, more than a file has
TABLES = (".csv", ".parquet")

Pieces: TypeAlias = Iterator[Array] | Iterator[pd.DataFrame]

# A format yields the rows in a file, a number of them at a time: arrays, or frames where the columns have names.
FORMATS: dict[str, Callable[[pathlib.Path, int], Pieces]] = {
    ".npy": arrays.npy_pieces,
    ".npz": arrays.npz_pieces,
    ".csv": csv_files.pieces,
    ".parquet": parquet.pieces,
}


@dataclasses.dataclass(frozen=True)
class Table:
    """Rows with their origin.

    Attributes:
        x: rows `(n, features)`, or images `(n, height, width)` or `(n, height, width, 3)` in [0, 1]; float32.
        columns: the names of the features, or None if the file has none.
        source: the file and its size, in words.
    """

    x: Array
    columns: tuple[str, ...] | None
    source: str

    @property
    def rows(self) -> Array | pd.DataFrame:
        """`x`, as a frame where its columns have names."""
        return _named(self.x, self.columns)


def read(path: str | os.PathLike[str]) -> Table:
    """Returns the rows in an `.npy`, `.npz`, `.csv` or `.parquet` file, or in a folder of images of one size.

    An `.npz` file must hold a single array, or one named `x`. Every column of a table must be numeric. Gray images of 16
    bits are read at their full depth, and images are rotated as their EXIF orientation says.

    Raises:
        NotFoundError: there is nothing at `path`.
        AEZooError: it is empty, damaged, of an unknown kind, not a regular file, or holds text, missing values, infinities,
            or differences that float32 cannot hold.
        MissingExtraError: it is a Parquet file, and pyarrow is not installed.
    """
    return _joined(files.as_path("path", path), numbers_only=False)


def read_rows(path: str | os.PathLike[str]) -> Table | pd.DataFrame:
    """Returns the rows of a file of numbers as `read` does, and those of a table with other cells as `read_frame` does.

    A table has other cells if it has texts, dates or missing cells, or numbers with a zero in front, which are codes.

    Raises:
        NotFoundError, AEZooError, MissingExtraError: as `read` raises them.
    """
    path = files.as_path("path", path)
    if path.suffix.lower() in TABLES and not path.is_dir():
        try:
            table = _joined(path, numbers_only=True)
        except _OtherCells:
            table = None
        if table is None or (path.suffix.lower() == ".csv" and csv_files.has_codes(path)):
            frame = read_frame(path)
            assert frame is not None
            return frame
        return table
    return read(path)


class _OtherCells(Exception):
    """A table has cells that are no numbers."""


def _joined(path: pathlib.Path, *, numbers_only: bool) -> Table:
    """Returns all rows of a file; raises `_OtherCells` if only numbers are wanted, and a table has other cells."""
    parts: list[Array] = []
    columns: tuple[str, ...] | None = None
    for x, names in _checked(path, PIECE, learn=True, numbers_only=numbers_only):
        parts.append(x)
        columns = names
    x = np.concatenate(parts)
    shape = " x ".join(map(str, x.shape[1:]))
    return Table(x, columns, f"{path.name}: {len(x):,} rows of {shape} features")


def read_frame(path: str | os.PathLike[str]) -> pd.DataFrame | None:
    """Returns the table in a `.csv` or `.parquet` file as it is, with missing cells; None for other files.

    All cells of a CSV file are texts, because 0150 and 150 may be different codes.

    Raises:
        NotFoundError: there is nothing at `path`.
        AEZooError: it is empty, damaged, or has no rows.
        MissingExtraError: it is a Parquet file, and pyarrow is not installed.
    """
    path = files.as_path("path", path)
    if path.suffix.lower() not in TABLES or path.is_dir():
        return None
    found = [pd.DataFrame(piece) for piece in _raw(path, WHOLE, as_texts=True) if len(piece)]
    if not found:
        raise AEZooError(f"{path} has no rows.")
    return pd.concat(found, ignore_index=True)


def pieces(
    path: str | os.PathLike[str], rows: int = PIECE, *, as_they_are: bool = False
) -> Iterator[Array | pd.DataFrame]:
    """Yields the rows that `read` returns in pieces: arrays `(n, *shape)`, or frames of a table's columns.

    Only an `.npz` file is read into memory as a whole.

    Args:
        path: the file or folder.
        rows: the number of rows in a piece; the last piece may have fewer.
        as_they_are: whether to yield a table's pieces unchecked, as `read_frame` does.

    Raises:
        NotFoundError: there is nothing at `path`.
        AEZooError: as `read` raises it; an error in a row is raised when that row is read, with its number in the file.
        MissingExtraError: it is a Parquet file, and pyarrow is not installed.
    """
    if as_they_are:
        yield from (piece for piece in _raw(files.as_path("path", path), rows, as_texts=True) if len(piece))
        return
    for x, names in _checked(files.as_path("path", path), rows, learn=False):
        yield _named(x, names)


def _checked(
    path: pathlib.Path, rows: int, learn: bool, numbers_only: bool = False
) -> Iterator[tuple[Array, tuple[str, ...] | None]]:
    start = 0
    for piece in _raw(path, rows):
        if not len(piece):
            continue
        if numbers_only and isinstance(piece, pd.DataFrame) and has_other_cells(piece):
            raise _OtherCells
        yield numeric(piece, str(path), start, learn=learn), columns_of(piece)
        start += len(piece)
    if not start:
        raise AEZooError(f"{path} has no rows.")


def _raw(path: pathlib.Path, rows: int, as_texts: bool = False) -> Iterator[Array | pd.DataFrame]:
    archives.check_regular(path, folder=True)
    read = _format(path)
    try:
        yield from (
            csv_files.pieces(path, rows, as_texts=True)
            if as_texts and path.suffix.lower() == ".csv"
            else read(path, rows)
        )
    except AEZooError:
        raise
    except Exception as error:  # other libraries raise errors of many kinds for damaged files
        raise AEZooError(f"{path} cannot be read: {first_line(error)}") from error


def _format(path: pathlib.Path) -> Callable[[pathlib.Path, int], Pieces]:
    if path.is_dir():
        return images.pieces
    known = FORMATS.get(path.suffix.lower())
    if known is None:
        raise AEZooError(f"{path} is of an unknown kind; known: {', '.join(FORMATS)} and a folder of images.")
    if path.stat().st_size == 0:
        raise AEZooError(f"{path} is empty.")
    return known


def _named(x: Array, columns: tuple[str, ...] | None) -> Array | pd.DataFrame:
    return x if columns is None else pd.DataFrame(x, columns=list(columns))
