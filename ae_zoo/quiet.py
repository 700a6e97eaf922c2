"""Keeps what TensorFlow's C++ code says as it starts off the error stream; nothing that concerns the reader is among it."""

import contextlib
import os
import sys
from collections.abc import Iterator


@contextlib.contextmanager
def quiet_import() -> Iterator[None]:
    """Keeps what TensorFlow's C++ code writes as Keras is imported off the error stream."""
    with quiet_start():
        yield
        sys.modules["keras"].ops.zeros(())  # the search for a GPU is put off to the first operation


@contextlib.contextmanager
def quiet_start() -> Iterator[None]:
    """Keeps what C++ code writes as it starts, whatever the log level, off the error stream."""
    sys.stderr.flush()
    kept = os.dup(2)
    with open(os.devnull, "w") as nowhere:
        os.dup2(nowhere.fileno(), 2)
    try:
        yield
    finally:
        os.dup2(kept, 2)
        os.close(kept)
