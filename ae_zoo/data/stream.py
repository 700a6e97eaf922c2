"""Files of any number of rows, read and written a piece at a time."""

import contextlib
import os
import pathlib
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pandas as pd

from ae_zoo._support import files
from ae_zoo.data import tables
from ae_zoo.errors import AEZooError, first_line
from ae_zoo.frames import numeric

PIECE = 65_536  # rows


def pieces(path: str | os.PathLike, rows: int = PIECE) -> Iterator[np.ndarray | pd.DataFrame]:
    """The rows in a file as `data.read` gives them, some at a time: arrays `(n, *shape)`, or frames of a table's columns.

    `.parquet`, `.csv` and `.npy` are never in memory as a whole; other kinds are.

    Raises:
        FileNotFoundError, ValueError, ImportError: as `data.read`; what is wrong with a row is said when it is reached, with
            its number in the file.
    """
    path = pathlib.Path(path)
    kind = path.suffix.lower()
    if kind not in (".parquet", ".csv", ".npy") or not path.is_file() or not path.stat().st_size:
        whole = tables.read(path).rows  # or its message
        yield from (whole[start : start + rows] for start in range(0, len(whole), rows))
        return
    start = 0
    for piece in _KINDS[kind](path, rows):
        if not len(piece):
            continue
        if isinstance(piece, pd.DataFrame):
            tables.check_columns(piece, path)
            numbers = numeric(piece.to_numpy("float64", na_value=np.nan), str(path), start)
            yield pd.DataFrame(numbers, columns=[str(column) for column in piece.columns])
        else:
            yield numeric(piece, str(path), start)
        start += len(piece)
    if not start:
        raise AEZooError(f"{path} has no rows.")


@contextlib.contextmanager
def writer(path: str | os.PathLike) -> Iterator[Callable[[dict[str, np.ndarray]], None]]:
    """Yields a function that adds rows, a column `(n,)` for each name; the file is there when all are, or not at all.

    Raises:
        ValueError: for another suffix.
        ImportError: a parquet file, and pyarrow is not installed.
    """
    kind = tables.writable(path)
    with files.whole(path) as sibling, contextlib.ExitStack() as opened:
        if kind == ".parquet":
            tables.needs_pyarrow()
            import pyarrow
            import pyarrow.parquet

            parquet: list[Any] = []

            def add(columns: dict[str, np.ndarray]) -> None:
                table = pyarrow.table(columns)
                if not parquet:
                    parquet.append(opened.enter_context(pyarrow.parquet.ParquetWriter(sibling, table.schema)))
                parquet[0].write_table(table)

        elif kind == ".csv":
            text = opened.enter_context(sibling.open("w", newline=""))

            def add(columns: dict[str, np.ndarray]) -> None:
                pd.DataFrame(columns).to_csv(text, index=False, header=not text.tell())

        else:
            add = opened.enter_context(_npy_writer(sibling))

        yield add


@contextlib.contextmanager
def _npy_writer(path: pathlib.Path) -> Iterator[Callable[[dict[str, np.ndarray]], None]]:
    with path.open("wb") as file:
        shape = [0, 0]

        def header() -> None:  # NumPy leaves room in it for a number of rows that grows
            file.seek(0)
            about = {"descr": "<f4", "fortran_order": False, "shape": tuple(shape)}
            np.lib.format.write_array_header_1_0(file, about)

        def add(columns: dict[str, np.ndarray]) -> None:
            rows = np.column_stack(list(columns.values())).astype("<f4")
            if not shape[0]:
                shape[1] = rows.shape[1]
                header()
            file.write(rows.tobytes())
            shape[0] += len(rows)

        yield add
        header()


def _parquet(path: pathlib.Path, rows: int) -> Iterator[pd.DataFrame]:
    tables.needs_pyarrow()
    import pyarrow
    import pyarrow.parquet

    try:
        # Buffers that are filled ahead would be kept to the end.
        with pyarrow.parquet.ParquetFile(path, pre_buffer=False) as file:
            for piece in file.iter_batches(rows):
                yield piece.to_pandas()
    except (pyarrow.ArrowException, OSError) as error:
        raise AEZooError(f"{path} cannot be read: {first_line(error)}") from error


def _csv(path: pathlib.Path, rows: int) -> Iterator[pd.DataFrame]:
    try:
        with pd.read_csv(path, chunksize=rows) as reader:
            yield from reader
    except pd.errors.EmptyDataError:
        raise AEZooError(f"{path} is empty.") from None
    except (pd.errors.ParserError, UnicodeDecodeError) as error:
        raise AEZooError(f"{path} cannot be read: {first_line(error)}") from error


def _npy(path: pathlib.Path, rows: int) -> Iterator[np.ndarray]:
    try:
        array = np.load(path, mmap_mode="r", allow_pickle=False)
    except (ValueError, EOFError) as error:
        raise AEZooError(f"{path} cannot be read as an .npy file of numbers.") from error
    if array.ndim < 2:
        raise AEZooError(f"{path} must hold rows of features; received an array of shape {array.shape}.")
    yield from (array[start : start + rows] for start in range(0, len(array), rows))


_KINDS: dict[str, Callable[..., Iterator[Any]]] = {".parquet": _parquet, ".csv": _csv, ".npy": _npy}
