"""Keeps TensorFlow's messages that help no user off the error stream."""

import contextlib
import logging
import os
import sys
from collections.abc import Iterator


@contextlib.contextmanager
def quiet_import() -> Iterator[None]:
    """Hides what TensorFlow's C++ code writes to the error stream while Keras is imported."""
    with quiet_start():
        yield
        sys.modules["keras"].ops.zeros(())  # TensorFlow searches for a GPU only at its first operation


@contextlib.contextmanager
def quiet_start() -> Iterator[None]:
    """Hides what C++ code writes to the error stream in the block, at any log level."""
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
    """Hides messages of TensorFlow's logger that contain the text `harmless`."""
    logger = logging.getLogger("tensorflow")

    def other(record: logging.LogRecord) -> bool:
        return harmless not in record.getMessage()

    logger.addFilter(other)
    try:
        yield
    finally:
        logger.removeFilter(other)
