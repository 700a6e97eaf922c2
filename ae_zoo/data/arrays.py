"""Rows in `.npy` files, which are read and written in pieces, and in `.npz` files."""

import contextlib
import pathlib
from collections.abc import Callable, Iterator
from typing import TypeAlias

import numpy as np

from ae_zoo._support import archives
from ae_zoo.errors import AEZooError, first_line
from ae_zoo.typing import Array

Columns: TypeAlias = dict[str, Array]
"""Columns `(n,)` by name."""

Add: TypeAlias = Callable[[Array | Columns], None]
"""A function that adds rows `(n, *shape)`, or columns, to a file."""


def open_npy(path: pathlib.Path) -> Array:
    """Returns the array in an `.npy` file, of any shape; its numbers are read from the disk when they are used.

    Raises:
        NotFoundError: there is no file.
        AEZooError: the file is damaged, or holds objects.
    """
    archives.check_regular(path)
    try:
        with path.open("rb") as file:
            archives.check_header(file, path.stat().st_size)
        array: Array = np.load(path, mmap_mode="r", allow_pickle=False)
        return array
    except Exception as error:  # NumPy raises errors of many kinds for damaged headers
        raise AEZooError(f"{path} cannot be read as an .npy file of numbers: {first_line(error)}") from error


def npy_pieces(path: pathlib.Path, rows: int) -> Iterator[Array]:
    """Yields the rows in an `.npy` file, `rows` at a time; raises `AEZooError` if it holds no rows."""
    yield from _cut(open_npy(path), path, rows)


def npz_pieces(path: pathlib.Path, rows: int) -> Iterator[Array]:
    """Yields the rows in an `.npz` file, `rows` at a time; the file is read as a whole.

    Raises:
        AEZooError: the file is damaged, or holds neither a single array nor one named `x`.
    """
    arrays = archives.read_arrays(path)
    if "x" not in arrays and len(arrays) != 1:
        raise AEZooError(f"{path} must hold one array, or one named x; it holds {_listed(list(arrays))}.")
    yield from _cut(arrays["x"] if "x" in arrays else next(iter(arrays.values())), path, rows)


def _cut(array: Array, path: pathlib.Path, rows: int) -> Iterator[Array]:
    if array.ndim < 2:
        raise AEZooError(f"{path} must hold rows of features; received an array of shape {array.shape}.")
    if 0 in array.shape[1:]:
        raise AEZooError(f"{path} must hold rows of at least one feature; received an array of shape {array.shape}.")
    yield from (array[start : start + rows] for start in range(0, len(array), rows))


def _listed(names: list[str]) -> str:
    return ", ".join(names[:5]) + (f" and {len(names) - 5} more" if len(names) > 5 else "") if names else "none"


@contextlib.contextmanager
def npy_writer(path: pathlib.Path) -> Iterator[Add]:
    """Yields a function that adds rows to an `.npy` file; the first rows set the shape and the type of all."""
    with path.open("wb") as file:
        dtype, n = np.dtype("<f4"), 0
        shape: tuple[int, ...] = (0,)

        def header() -> None:  # in which NumPy leaves room for a growing number of rows
            file.seek(0)
            about = {"descr": np.lib.format.dtype_to_descr(dtype), "fortran_order": False, "shape": (n, *shape)}
            np.lib.format.write_array_header_1_0(file, about)

        def add(piece: Array | Columns) -> None:
            nonlocal dtype, n, shape
            rows = piece if isinstance(piece, np.ndarray) else np.column_stack(list(piece.values()))
            if not n:
                dtype, shape = rows.dtype, rows.shape[1:]
                header()
            file.write(np.ascontiguousarray(rows, dtype).tobytes())
            n += len(rows)

        yield add
        header()
