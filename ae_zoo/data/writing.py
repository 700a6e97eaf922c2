"""Rows to files, as a whole or a piece at a time; a file is whole or not there."""

import contextlib
import os
import pathlib
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager
from typing import Any

import numpy as np

from ae_zoo._support import files
from ae_zoo.data import arrays, csv_files, parquet
from ae_zoo.errors import AEZooError

Columns = dict[str, np.ndarray]  # (n,) each

# A format opens a file and gives a function that adds rows to it.
FORMATS: dict[str, Callable[[pathlib.Path], AbstractContextManager[Callable[[Any], None]]]] = {
    ".npy": arrays.npy_writer,
    ".csv": csv_files.writer,
    ".parquet": parquet.writer,
}


def writable(path: str | os.PathLike) -> str:
    """Returns the suffix of `path`; raises `AEZooError` where `write` cannot write it. Ask it before long work."""
    suffix = pathlib.Path(path).suffix.lower()
    if suffix not in FORMATS:
        raise AEZooError(f"{path} must end in .npy, .csv or .parquet, which says how to write it.")
    files.writable(path)
    return suffix


@contextlib.contextmanager
def writer(path: str | os.PathLike) -> Iterator[Callable[[Columns], None]]:
    """Yields a function that adds rows, a column `(n,)` for each name; an `.npy` file holds the columns without names.

    Raises:
        ValueError: the suffix is unknown.
        ImportError: a parquet file, and pyarrow is not installed.
    """
    suffix = writable(path)
    with files.whole(path) as sibling, FORMATS[suffix](sibling) as add:
        yield add


def write(path: str | os.PathLike, rows: np.ndarray, columns: Sequence[str]) -> None:
    """Writes rows `(n, *shape)` as `.npy`, `.csv` or `.parquet`, as the name says; whole or not at all.

    Args:
        path: the file.
        rows: numbers; an `.npy` file holds them as they are, without names.
        columns: a name for each feature.

    Raises:
        ValueError: the suffix is unknown, or a table's features have not as many different names.
        ImportError: a parquet file, and pyarrow is not installed.
    """
    with writer(path) as add:
        add(rows if writable(path) == ".npy" else _table(rows, columns))


def _table(rows: np.ndarray, columns: Sequence[str]) -> Columns:
    features = rows.reshape(len(rows), -1).T
    if len(set(columns)) != len(features):
        raise AEZooError(
            f"columns must be {len(features)} different names, one for each feature; received {len(set(columns))}."
        )
    return dict(zip(columns, features))
