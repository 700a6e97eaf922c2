"""Keeps off the error stream what TensorFlow says there that is of no concern to who reads it."""

import contextlib
import logging
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


@contextlib.contextmanager
def quiet_log(harmless: str) -> Iterator[None]:
    """Keeps messages of TensorFlow's logger that hold a text to itself."""
    logger = logging.getLogger("tensorflow")

    def other(record: logging.LogRecord) -> bool:
        return harmless not in record.getMessage()

    logger.addFilter(other)
    try:
        yield
    finally:
        logger.removeFilter(other)
