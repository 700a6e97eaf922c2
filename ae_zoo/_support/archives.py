"""Reads files that others may have written: their claims about sizes are checked before memory is allocated.

NumPy is imported inside the functions, because every command imports this package.
"""

import math
import os
import pathlib
import stat
import zipfile
from typing import IO, TYPE_CHECKING

from ae_zoo._support.files import as_path
from ae_zoo.errors import AEZooError, NotFoundError, first_line

if TYPE_CHECKING:
    from ae_zoo.typing import Array

FREE = 256 * 2**20  # bytes that any archive may unpack to
RATIO = 200  # a larger archive may unpack to this many times its own size; at most 20 is usual


def check_regular(path: str | os.PathLike[str], folder: bool = False) -> None:
    """Raises an error if `path` is not a regular file; reading a device or a pipe may never end.

    Args:
        path: the file; symbolic links are followed.
        folder: accept a folder too.

    Raises:
        NotFoundError: there is nothing at `path`.
        AEZooError: it is a device, a pipe or a socket, or cannot be reached.
    """
    try:
        mode = pathlib.Path(path).stat().st_mode
    except FileNotFoundError:
        what = "file or folder" if folder else "file"
        raise NotFoundError(f"There is no {what} {path}.") from None
    except (OSError, ValueError) as error:  # a loop of links, no permission, a name too long or with a null byte
        raise AEZooError(f"{str(path)!r} cannot be read: {getattr(error, 'strerror', None) or error}.") from error
    if stat.S_ISDIR(mode) and not folder:
        raise AEZooError(f"{path} is a folder; a file was expected.")
    if not (stat.S_ISREG(mode) or stat.S_ISDIR(mode)):
        raise AEZooError(
            f"{path} is a device, a pipe or a socket, not a regular file; copy its content to a file first."
        )


def check_header(file: IO[bytes], size: int) -> None:
    """Reads the header of an `.npy` file; raises `ValueError` if the file is too small for the array that it announces.

    Args:
        file: the file, at its beginning; afterwards it is at the end of the header.
        size: size of the file in bytes.
    """
    from numpy.lib import format as npy

    version = npy.read_magic(file)
    if version not in ((1, 0), (2, 0)):
        raise ValueError("it holds records, whose fields have names")
    try:
        shape, _, dtype = (npy.read_array_header_1_0 if version == (1, 0) else npy.read_array_header_2_0)(file)
    except Exception as error:  # NumPy reads it with a parser of Python syntax
        raise ValueError("its header is damaged") from error
    claimed, held = math.prod(shape) * dtype.itemsize, size - file.tell()
    if dtype.hasobject:
        raise ValueError("it holds Python objects")
    if claimed > held:
        raise ValueError(f"its header claims {claimed:,} bytes of numbers, and it holds {held:,}")


def names(path: str | os.PathLike[str]) -> set[str]:
    """Returns the names of the members of a zip archive, as `.keras` and `.npz` files are.

    Raises:
        AEZooError: the file is no zip archive, or it is damaged.
    """
    try:
        with open(path, "rb") as file, zipfile.ZipFile(file) as archive:
            return set(archive.namelist())
    except Exception as error:  # zipfile raises errors of many kinds for damaged files
        raise AEZooError(
            f"{path} is not a file that a model's save has written, or it is cut short; write it again with save."
        ) from error


def read_arrays(path: str | os.PathLike[str]) -> "dict[str, Array]":
    """Returns the arrays of an `.npz` file by name; nothing in it is unpickled.

    Raises:
        NotFoundError: there is no file.
        AEZooError: the file is damaged, encrypted or of another kind, holds objects or two arrays with one name, or would
            unpack to far more than its own size.
    """
    path = as_path("path", path)
    check_regular(path)
    try:
        # Opened here, because zipfile does not close a file that it cannot read.
        with open(path, "rb") as file, zipfile.ZipFile(file) as archive:
            return _unpacked(archive, os.fstat(file.fileno()).st_size)
    except Exception as error:  # the errors of zipfile, zlib, lzma and NumPy for damaged files have no common kind
        raise AEZooError(f"{path} is damaged, or no .npz file of plain arrays: {first_line(error)}") from error


def _unpacked(archive: zipfile.ZipFile, size: int) -> "dict[str, Array]":
    import numpy as np

    entries = archive.infolist()
    total = sum(entry.file_size for entry in entries)
    if total > max(FREE, RATIO * size):
        raise ValueError(
            f"its {size:,} bytes would unpack to {total:,}; if this is intended, save the arrays with np.savez, which "
            "does not compress them"
        )
    arrays: dict[str, Array] = {}
    for entry in entries:
        name = entry.filename.removesuffix(".npy")
        if name in arrays:
            raise ValueError(f"it holds two arrays with the name {name[:60]!r}")
        with archive.open(entry) as member:
            check_header(member, entry.file_size)
        with archive.open(entry) as member:
            arrays[name] = np.lib.format.read_array(member, allow_pickle=False)
            if member.read(1):  # reading to the end also verifies the checksum
                raise ValueError(f"its array {name[:60]!r} has bytes behind its end")
    return arrays
