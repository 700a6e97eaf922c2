"""What the commands share."""

import pathlib
import zipfile
from typing import Any

import click

from ae_zoo._support.quiet import quiet_import
from ae_zoo.errors import AEZooError

PATH = click.Path(path_type=pathlib.Path)
ROWS = "Rows: .npy, .npz, .csv, .parquet or a folder of images."


rows_option = click.option(
    "--data", type=PATH, help=f"{ROWS} Default: the digits of MNIST, as images where the network wants them."
)


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


def load_detector(path: pathlib.Path) -> Any:
    """The detector in a file or an exported one's folder; None where it is of another model."""
    from ae_zoo._support import versions

    folder = versions.found(path)
    if folder.is_dir():
        if versions.card(versions.newest(folder))["threshold"] is None:
            return None
        with quiet_import():
            from ae_zoo.evaluation.detector import Detector
        return Detector.load(folder)
    if not zipfile.is_zipfile(path):
        return None
    with zipfile.ZipFile(path) as archive:
        if "detector.json" not in archive.namelist():
            return None
    with quiet_import():
        from ae_zoo.evaluation.detector import Detector
    return Detector.load(path)


def rows(path: pathlib.Path, labels: str | None) -> tuple[Any, Any, tuple[str, ...] | None]:
    """The rows in a file, their labels where asked for, and the names of the columns."""
    from ae_zoo.data import read

    table = read(path)
    if labels is None:
        return table.x, None, table.columns
    if labels in (table.columns or ()):
        place = table.columns.index(labels)
        return (
            table.rows.drop(columns=labels).to_numpy(),
            table.x[:, place],
            table.columns[:place] + table.columns[place + 1 :],
        )
    return table.x, _labels(pathlib.Path(labels)), table.columns


def _labels(path: pathlib.Path) -> Any:
    """A label a row, from an `.npy` file of one axis or a table of one column."""
    import numpy as np

    from ae_zoo.data import read
    from ae_zoo.data.arrays import open_npy

    if not path.is_file():
        raise AEZooError(f"--labels must name a column of the data or a file; {str(path)!r} is neither.")
    if path.suffix.lower() == ".npy":
        return np.array(open_npy(path))
    x = read(path).x
    if x[0].size != 1:
        raise AEZooError(f"{path} must hold one column of labels; it holds {x[0].size}.")
    return x.reshape(len(x))


def default_rows(images: bool, labels: str | None) -> tuple[Any, Any]:
    """The training digits, and their names where asked for."""
    if labels not in (None, "digit"):
        raise AEZooError(f"The labels of the default digits are --labels digit; received {labels!r}.")
    loaded = digits(flat=not images)
    return loaded.x_train, None if labels is None else loaded.y_train
