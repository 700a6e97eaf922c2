"""Rows from the files that people keep them in, as a whole or a piece at a time."""

import dataclasses
import os
import pathlib
from collections.abc import Callable, Iterator

import numpy as np
import pandas as pd

from ae_zoo._support import archives
from ae_zoo.data import arrays, csv_files, images, parquet
from ae_zoo.errors import AEZooError, first_line
from ae_zoo.frames import columns_of, numeric

PIECE = 65_536  # rows

Pieces = Iterator[np.ndarray] | Iterator[pd.DataFrame]

# A format gives the rows in a file, so many at a time: arrays, or frames where the columns have names.
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
        x: `(n, features)`, or `(n, height, width)` and `(n, height, width, 3)` for images; float32. Images are in [0, 1].
        columns: names of the features, where the file has them.
        source: the file and its size, in words.
    """

    x: np.ndarray
    columns: tuple[str, ...] | None
    source: str

    @property
    def rows(self) -> np.ndarray | pd.DataFrame:
        """`x`, with the names of its columns where it has them."""
        return _named(self.x, self.columns)


def read(path: str | os.PathLike) -> Table:
    """Numeric rows from `.npy`, `.npz`, `.csv`, `.parquet`, or a folder of images of one size.

    An `.npz` must hold one array, or one named `x`. Every column of a table must be numeric. Gray images of 16 bits are
    read at their full depth, and images are turned as their EXIF orientation says.

    Raises:
        FileNotFoundError: there is nothing at `path`.
        ValueError: it is empty, damaged, of an unknown kind, not a regular file, or holds text, missing values,
            infinities, or differences that float32 cannot hold.
        ImportError: a parquet file, and pyarrow is not installed.
    """
    path = pathlib.Path(path)
    parts, columns = [], None
    for x, names in _checked(path, PIECE, learn=True):
        parts.append(x)
        columns = names
    x = np.concatenate(parts)
    shape = " x ".join(map(str, x.shape[1:]))
    return Table(x, columns, f"{path.name}: {len(x):,} rows of {shape} features")


def pieces(path: str | os.PathLike, rows: int = PIECE) -> Iterator[np.ndarray | pd.DataFrame]:
    """The rows that `read` returns, some at a time: arrays `(n, *shape)`, or frames of a table's columns.

    All kinds but `.npz` are never in memory as a whole.

    Args:
        path: the file or folder.
        rows: rows in a piece; the last may have fewer.

    Raises:
        FileNotFoundError, ValueError, ImportError: as `read`. An error in a row is raised when the row is reached, with its
            number in the file.
    """
    for x, names in _checked(pathlib.Path(path), rows, learn=False):
        yield _named(x, names)


def _checked(path: pathlib.Path, rows: int, learn: bool) -> Iterator[tuple[np.ndarray, tuple[str, ...] | None]]:
    start = 0
    for piece in _raw(path, rows):
        if not len(piece):
            continue
        yield numeric(piece, str(path), start, learn=learn), columns_of(piece)
        start += len(piece)
    if not start:
        raise AEZooError(f"{path} has no rows.")


def _raw(path: pathlib.Path, rows: int) -> Iterator[np.ndarray | pd.DataFrame]:
    archives.check_regular(path, folder=True)
    try:
        yield from _format(path)(path, rows)
    except AEZooError:
        raise
    except Exception as error:  # the libraries that read damaged files raise errors of many kinds
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


def _named(x: np.ndarray, columns: tuple[str, ...] | None) -> np.ndarray | pd.DataFrame:
    return x if columns is None else pd.DataFrame(x, columns=list(columns))
