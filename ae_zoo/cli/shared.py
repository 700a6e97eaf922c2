"""What the commands share: reading rows and models, and the checks that need no Keras and so come first."""

import collections
import importlib.util
import math
import os
import pathlib
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

import click

from ae_zoo._support import archives, versions
from ae_zoo._support.quiet import quiet_import
from ae_zoo.errors import AEZooError, NotFoundError

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    import pandas as pd

    from ae_zoo.data import Digits
    from ae_zoo.detection.detector import Detector
    from ae_zoo.evaluation.reconstructor import Reconstructor
    from ae_zoo.tables.schema import TableSchema
    from ae_zoo.typing import Array

Kind = Literal["folder", "detector", "pca", "model"]


class _Path(click.Path):
    """A path; an empty text, such as an unset variable of a shell, is not taken for the current folder."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        if value == "":
            self.fail("a name must not be empty.", param, ctx)
        return super().convert(value, param, ctx)


class Number(click.FloatRange):
    """A number in a range; NaN, which click takes for a number in any range, is refused."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> float:
        number: float = super().convert(value, param, ctx)
        if math.isnan(number):
            self.fail(f"{value} is not in the range {self._describe_range()}.", param, ctx)
        return number


PATH = _Path(path_type=pathlib.Path)
ROWS = "Rows: .npy, .npz, .csv, .parquet or a folder of images."

rows_option = click.option(
    "--data", type=PATH, help=f"{ROWS} Default: the digits of MNIST, as images if the network needs images."
)

columns_option = click.option(
    "--columns",
    "kinds",
    metavar="NAME=KIND,...",
    help="What columns of a table are, if the guess is wrong: number, integer, boolean, category, date or ignore.",
)


class Trained(NamedTuple):
    """What a file holds: a model, and the detector that it belongs to, if there is one."""

    model: "Reconstructor"
    detector: "Detector | None"


class Labeled(NamedTuple):
    """Rows, their labels `(n,)` where asked for, and the names of the columns where they have names.

    The rows are an array `(n, *shape)`, or a frame with its schema if they are a table with texts, dates or missing cells.
    """

    x: "Array | pd.DataFrame"
    y: "Array | None"
    columns: tuple[str, ...] | None
    schema: "TableSchema | None" = None

    def take(self, rows: "Array") -> "Array | pd.DataFrame":
        """Returns some of the rows, by index."""
        return self.x[rows] if self.schema is None else self.x.iloc[rows]  # type: ignore[union-attr]


def check_rows(*paths: pathlib.Path | None) -> None:
    """Raises `AEZooError` where a file or folder of rows does not exist; None stands for an option that is not given."""
    for path in paths:
        if path is not None:
            archives.check_regular(path, folder=True)


def check_written(*written: pathlib.Path | None, read: "Iterable[pathlib.Path | None]") -> None:
    """Raises `AEZooError` where a file that is written is also one that is read; None stands for an option not given."""
    for path in written:
        if path is not None and path.exists() and any(one is not None and path.samefile(one) for one in read):
            raise AEZooError(f"{path} is read too, and would be lost; give another name.")


def choose_backend(name: str | None) -> None:
    """Sets the backend of Keras, which must not be loaded yet; None leaves what the environment says.

    Raises:
        AEZooError: the backend is not installed.
    """
    if name is None:
        return
    if importlib.util.find_spec(name) is None:
        raise AEZooError(f"--backend {name} needs {name}, which is not installed: run pip install 'ae-zoo[{name}]'.")
    os.environ["KERAS_BACKEND"] = name


def check_model(path: pathlib.Path) -> Kind:
    """Returns what is at a path: an exported model's folder, or the file of a detector, a PCA or a model.

    It loads no Keras, so a wrong path is refused at once.

    Raises:
        NotFoundError: there is no such file or folder, or the folder has no version.
        AEZooError: the file is of another kind, or damaged; the card in the folder is damaged.
    """
    place = versions.found(path)
    if place.is_dir():
        versions.card(versions.newest(place))
        return "folder"
    if not place.is_file():
        raise NotFoundError(f"There is no model file {path}.{versions.hint(path)}")
    names = archives.names(place)
    if "detector.json" in names:
        return "detector"
    return "pca" if {"options.npy", "components.npy"} <= names else "model"


def load_trained(path: pathlib.Path) -> Trained:
    """Returns the model or the detector at a path; see `check_model` for what may be there."""
    kind = check_model(path)
    with quiet_import():
        from ae_zoo.detection.detector import Detector
        from ae_zoo.evaluation.pca import PCA
        from ae_zoo.factory import load
    if kind == "pca":
        return Trained(PCA.load(path), None)
    if kind == "model":
        return Trained(load(path), None)
    detector = Detector.load(path)
    return Trained(detector.model, None if detector.threshold is None and kind == "folder" else detector)


class Given(NamedTuple):
    """Rows of a file, an array or a frame, and where they come from, in words."""

    rows: "Array | pd.DataFrame"
    source: str


def read_rows(path: pathlib.Path) -> Given:
    """Returns the rows in a file; of a table with texts, dates or missing cells as they are."""
    from ae_zoo import data

    found = data.read_rows(path)
    if isinstance(found, data.Table):
        return Given(found.rows, found.source)
    return Given(found, f"{path.name}: {len(found):,} rows of {found.shape[1]} columns")


def kinds_of(text: str | None) -> dict[str, str]:
    """Returns the kinds of columns in `zip=category,id=ignore`."""
    parts = [part for part in (text or "").split(",") if part.strip()]
    pairs = [pair(part.strip(), "--columns NAME=KIND", "zip=category") for part in parts]
    twice = [name for name, count in collections.Counter(name for name, _ in pairs).items() if count > 1]
    if twice:
        raise AEZooError(f"--columns names {twice[0]!r} more than once.")
    return dict(pairs)


def read_labeled(
    path: pathlib.Path, labels: str | None, kinds: "Mapping[str, str] | None" = None, scaling: str | None = None
) -> Labeled:
    """Returns the rows in a file, with labels where asked for.

    Args:
        path: file or folder of the rows.
        labels: name of the column that holds the labels, which is then no feature; or the path of a file of labels.
        kinds: of columns, by name; with them the rows are a table, whatever its columns are.
        scaling: of a table's numbers.
    """
    from ae_zoo import data
    from ae_zoo.tables import cells
    from ae_zoo.tables.schema import TableSchema
    from ae_zoo.tables.statistics import Rules

    table = data.read_frame(path) if kinds else data.read_rows(path)
    if table is None:
        raise AEZooError(f"--columns is for tables, .csv or .parquet; {path} is none.")
    if not isinstance(table, data.Table):
        y, rules = None, Rules(scaling=scaling or Rules.scaling)
        if labels is not None:
            y = cells.floats(table.pop(labels), labels) if labels in table else _labels(pathlib.Path(labels))
        return Labeled(table, y, None, TableSchema.of(table, kinds, rules, name=str(path))[0])
    columns = table.columns
    if labels is None:
        return Labeled(table.x, None, columns)
    if columns is not None and labels in columns:
        place = columns.index(labels)
        features = [index for index in range(len(columns)) if index != place]
        return Labeled(table.x[:, features], table.x[:, place], tuple(columns[index] for index in features))
    return Labeled(table.x, _labels(pathlib.Path(labels)), columns)


def _labels(path: pathlib.Path) -> "Array":
    """Returns one label for each row, from an `.npy` file with one axis or a table with one column."""
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


def default_labeled(images: bool, labels: str | None) -> Labeled:
    """Returns the training digits, with the digits' names as labels where asked for.

    Args:
        images: whether each row is an image `(28, 28)` rather than `(784,)`.
        labels: `"digit"` or None.
    """
    check_default_labels(labels)
    loaded = digits(flat=not images)
    return Labeled(loaded.x_train, None if labels is None else loaded.y_train, None)


def check_default_labels(labels: str | None) -> None:
    """Raises `AEZooError` where the default digits do not have such labels."""
    if labels not in (None, "digit"):
        raise AEZooError(f"The labels of the default digits are --labels digit; received {labels!r}.")


def digits(flat: bool = True) -> "Digits":
    """Returns the default data, and prints which digits these are."""
    from ae_zoo import data

    loaded = data.load_mnist(flat=flat)
    click.echo(f"Data: {loaded}")
    return loaded


def pair(setting: str, usage: str, example: str) -> tuple[str, str]:
    """Returns name and value of a setting such as `code=32`.

    Args:
        setting: what was given.
        usage: the option and its form, for the error: `"--set NAME=VALUE"`.
        example: a legal setting, for the error.
    """
    name, equals, value = setting.partition("=")
    if not equals:
        raise AEZooError(f"Give {usage}, such as {example}; received {setting!r}.")
    return name.strip(), value.strip()
