"""Writing rows to files, as a whole or in pieces. A file is whole or not there."""

import contextlib
import os
import pathlib
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager

from ae_zoo._support import files
from ae_zoo.data import arrays, csv_files, parquet
from ae_zoo.data.arrays import Add, Columns
from ae_zoo.errors import AEZooError, UnwritableError
from ae_zoo.typing import Array

# A format opens a file and yields a function that adds rows to it.
FORMATS: dict[str, Callable[[pathlib.Path], AbstractContextManager[Add]]] = {
    ".npy": arrays.npy_writer,
    ".csv": csv_files.writer,
    ".parquet": parquet.writer,
}


def writable(path: str | os.PathLike[str]) -> str:
    """Returns the suffix of `path`; raises `AEZooError` if `write` cannot write it. Call it before long work."""
    suffix = files.as_path("path", path, UnwritableError).suffix.lower()
    if suffix not in FORMATS:
        raise AEZooError(f"{path} must end in .npy, .csv or .parquet, which says how to write it.")
    files.writable(path)
    return suffix


@contextlib.contextmanager
def writer(path: str | os.PathLike[str]) -> Iterator[Add]:
    """Yields a function that adds columns `(n,)` by name; an `.npy` file holds them without names.

    Raises:
        AEZooError: the suffix is unknown, or the file cannot be written.
        MissingExtraError: it is a Parquet file, and pyarrow is not installed.
    """
    suffix = writable(path)
    with files.whole(path) as sibling, FORMATS[suffix](sibling) as add:
        yield add


def write(path: str | os.PathLike[str], rows: Array, columns: Sequence[str]) -> None:
    """Writes rows into an `.npy`, `.csv` or `.parquet` file, whole or not at all.

    Args:
        path: the file; its suffix is the format.
        rows: rows `(n, *shape)`; an `.npy` file holds them without names.
        columns: a name for each feature of a row, all different.

    Raises:
        AEZooError: the suffix is unknown, the file cannot be written, or the names are not one for each feature.
        MissingExtraError: it is a Parquet file, and pyarrow is not installed.
    """
    with writer(path) as add:
        add(rows if writable(path) == ".npy" else _table(rows, columns))


def _table(rows: Array, columns: Sequence[str]) -> Columns:
    features = rows.reshape(len(rows), -1).T
    if len(set(columns)) != len(features):
        raise AEZooError(
            f"columns must be {len(features)} different names, one for each feature; received {len(set(columns))}."
        )
    return dict(zip(columns, features))
