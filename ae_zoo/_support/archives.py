"""Files whose contents were written by others: what they claim is checked before memory is taken for it.

NumPy is imported inside the functions, because every command imports this package.
"""

import math
import os
import pathlib
import stat
import zipfile
from typing import IO, Any

from ae_zoo.errors import AEZooError, NotFoundError, first_line

FREE = 256 * 2**20  # bytes that an archive may unpack to, however small it is
RATIO = 200  # times its own size that a larger one may unpack to; no more than 20 is usual


def check_regular(path: str | os.PathLike, folder: bool = False) -> None:
    """Raises an error where `path` leads to no regular file; reading a device or a pipe may never end.

    Args:
        path: the file; symbolic links are followed.
        folder: whether a folder is accepted too.

    Raises:
        FileNotFoundError: there is nothing at `path`.
        ValueError: it is a device, a pipe or a socket, or cannot be reached.
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
            f"{path} is not a regular file but a device, a pipe or a socket; copy its content to a file first."
        )


def check_header(file: IO[bytes], size: int) -> None:
    """Reads the header of an `.npy` file and raises `ValueError` where the file cannot hold the array that it claims.

    Args:
        file: at its beginning; left behind the header.
        size: bytes in the file.
    """
    from numpy.lib import format as npy

    version = npy.read_magic(file)
    if version not in ((1, 0), (2, 0)):
        raise ValueError("it holds records, whose fields have names")
    try:
        shape, _, dtype = (npy.read_array_header_1_0 if version == (1, 0) else npy.read_array_header_2_0)(file)
    except Exception as error:  # it is read by a parser of Python's syntax
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


def read_arrays(path: str | os.PathLike) -> dict[str, Any]:
    """The arrays of an `.npz` file by name; nothing in it is unpickled.

    Raises:
        FileNotFoundError: there is no file.
        ValueError: the file is damaged, encrypted, of another kind, holds objects or two arrays of one name, or would
            unpack to far more than its own size.
    """
    check_regular(path)
    try:
        # Opened here, because zipfile leaves a file that it fails to read open.
        with open(path, "rb") as file, zipfile.ZipFile(file) as archive:
            return _unpacked(archive, os.fstat(file.fileno()).st_size)
    except Exception as error:  # what zipfile, zlib, lzma and NumPy raise for damaged files has no common kind
        raise AEZooError(f"{path} is damaged, or no .npz file of plain arrays: {first_line(error)}") from error


def _unpacked(archive: zipfile.ZipFile, size: int) -> dict[str, Any]:
    import numpy as np

    entries = archive.infolist()
    total = sum(entry.file_size for entry in entries)
    if total > max(FREE, RATIO * size):
        raise ValueError(
            f"its {size:,} bytes would unpack to {total:,}; if that is meant, save the arrays with np.savez, which does "
            "not pack them"
        )
    arrays: dict[str, Any] = {}
    for entry in entries:
        name = entry.filename.removesuffix(".npy")
        if name in arrays:
            raise ValueError(f"it holds two arrays with the name {name[:60]!r}")
        with archive.open(entry) as member:
            check_header(member, entry.file_size)
        with archive.open(entry) as member:
            arrays[name] = np.lib.format.read_array(member, allow_pickle=False)
            if member.read(1):  # which checks the checksum too
                raise ValueError(f"its array {name[:60]!r} has bytes behind its end")
    return arrays
