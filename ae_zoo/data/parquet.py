"""Tables in Parquet files, which the optional pyarrow reads and writes."""

import contextlib
import pathlib
from collections.abc import Iterator
from types import ModuleType

import pandas as pd

from ae_zoo.data.arrays import Add, Columns
from ae_zoo.errors import MissingExtraError
from ae_zoo.typing import Array


def pieces(path: pathlib.Path, rows: int) -> Iterator[pd.DataFrame]:
    """Yields the rows in a Parquet file, `rows` at a time; raises `MissingExtraError` if pyarrow is not installed."""
    # With pre_buffer, buffers are filled ahead and kept until the end.
    with _parquet().ParquetFile(path, pre_buffer=False) as file:
        for piece in file.iter_batches(rows):
            yield piece.to_pandas()


@contextlib.contextmanager
def writer(path: pathlib.Path) -> Iterator[Add]:
    """Yields a function that adds columns to a Parquet file; raises `MissingExtraError` if pyarrow is not installed."""
    parquet = _parquet()
    import pyarrow

    with contextlib.ExitStack() as stack:
        opened = None  # until the first rows, which have the types

        def add(columns: Array | Columns) -> None:
            nonlocal opened
            table = pyarrow.table(columns)
            if opened is None:
                opened = stack.enter_context(parquet.ParquetWriter(path, table.schema))
            opened.write_table(table)

        yield add


def _parquet() -> ModuleType:
    try:
        import pyarrow.parquet
    except ImportError:
        raise MissingExtraError("Parquet files need pyarrow: run pip install 'ae-zoo[parquet]'.") from None
    module: ModuleType = pyarrow.parquet
    return module
