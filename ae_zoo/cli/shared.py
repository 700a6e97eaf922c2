"""What the commands share."""

import contextlib
import os
import pathlib
import sys
from collections.abc import Iterator
from typing import Any

import click

PATH = click.Path(path_type=pathlib.Path)
ROWS = "Rows: .npy, .npz, .csv, .parquet or a folder of images."


def digits(**how: Any) -> Any:
    """The default data, and a line that says which digits these are."""
    from ae_zoo.data import load_mnist

    loaded = load_mnist(**how)
    click.echo(f"Data: {loaded}")
    return loaded


def load_model(path: pathlib.Path) -> Any:
    """The model in a file."""
    with quiet_import():
        from ae_zoo.factory import load
    return load(path)


@contextlib.contextmanager
def quiet_import() -> Iterator[None]:
    """Keeps what TensorFlow's C++ code writes as it starts, whatever the log level, off the error stream."""
    sys.stderr.flush()
    kept = os.dup(2)
    with open(os.devnull, "w") as nowhere:
        os.dup2(nowhere.fileno(), 2)
    try:
        yield
        sys.modules["keras"].ops.zeros(())  # the search for a GPU is put off to the first operation
    finally:
        os.dup2(kept, 2)
        os.close(kept)
