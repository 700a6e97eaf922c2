"""Tables in Parquet files, which pyarrow reads and writes; it is an extra."""

import contextlib
import pathlib
from collections.abc import Callable, Iterator
from types import ModuleType

import numpy as np
import pandas as pd

from ae_zoo.errors import MissingExtraError


def pieces(path: pathlib.Path, rows: int) -> Iterator[pd.DataFrame]:
    """The rows in a Parquet file, `rows` at a time."""
    # Buffers that are filled ahead would be kept to the end.
    with _parquet().ParquetFile(path, pre_buffer=False) as file:
        for piece in file.iter_batches(rows):
            yield piece.to_pandas()


@contextlib.contextmanager
def writer(path: pathlib.Path) -> Iterator[Callable[[dict[str, np.ndarray]], None]]:
    """Yields a function that adds rows to a Parquet file, a column `(n,)` for each name."""
    parquet = _parquet()
    import pyarrow

    with contextlib.ExitStack() as stack:
        opened = []  # not before the first rows, which have the types

        def add(columns: dict[str, np.ndarray]) -> None:
            table = pyarrow.table(columns)
            if not opened:
                opened.append(stack.enter_context(parquet.ParquetWriter(path, table.schema)))
            opened[0].write_table(table)

        yield add


def _parquet() -> ModuleType:
    try:
        import pyarrow.parquet
    except ImportError:
        raise MissingExtraError("Parquet files need pyarrow: run pip install 'ae-zoo[parquet]'.") from None
    return pyarrow.parquet
