"""Files that are whole or not there: written beside their place, then renamed into it."""

import contextlib
import os
import pathlib
import tempfile
import zipfile
from collections.abc import Iterator
from typing import Any

from ae_zoo.errors import AEZooError


@contextlib.contextmanager
def whole(path: str | os.PathLike) -> Iterator[pathlib.Path]:
    """Yields a sibling of `path` to write; it becomes `path` if the block ends well, and is removed if it does not.

    The sibling keeps the suffix, because many writers choose their format by it. Missing folders are made.
    """
    path = pathlib.Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=path.parent, prefix=f".{path.name}.") as folder:
        sibling = pathlib.Path(folder) / path.name
        yield sibling
        sibling.replace(path)


def read_arrays(path: str | os.PathLike) -> dict[str, Any]:
    """The arrays of an `.npz` file by name; nothing in it is unpickled.

    Raises:
        ValueError: the file is damaged, of another kind, or holds objects.
    """
    import numpy as np

    # Opened here, because NumPy leaves a file that it fails to read open.
    with open(path, "rb") as file:
        try:
            with np.load(file, allow_pickle=False) as arrays:
                return dict(arrays)
        except (ValueError, KeyError, EOFError, OSError, AttributeError, TypeError, zipfile.BadZipFile) as error:
            raise AEZooError(f"{path} is damaged, or no .npz file of plain arrays.") from error
