"""Files that are whole or not there: written beside their place, then renamed into it."""

import contextlib
import os
import pathlib
import tempfile
from collections.abc import Iterator

from ae_zoo._support.archives import read_arrays as read_arrays


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
