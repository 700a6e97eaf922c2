"""One's own rows, from and to the files that people keep them in."""

import contextlib
import dataclasses
import os
import pathlib

import numpy as np
import pandas as pd

from ae_zoo._support import files
from ae_zoo.errors import AEZooError, MissingExtraError, NotFoundError, first_line
from ae_zoo.frames import numeric

IMAGES = (".png", ".jpg", ".jpeg", ".bmp", ".gif", ".tif", ".tiff")


@dataclasses.dataclass(frozen=True)
class Table:
    """Rows with their origin.

    Attributes:
        x: `(n, features)`, or `(n, height, width)` and `(n, height, width, 3)` for images; float32. Images are in [0, 1].
        columns: names of the features, where the file has them.
        source: the file and its size, in words.
    """

    x: np.ndarray
    columns: tuple[str, ...] | None
    source: str

    @property
    def rows(self) -> np.ndarray | pd.DataFrame:
        """`x`, with the names of its columns where it has them."""
        return self.x if self.columns is None else pd.DataFrame(self.x, columns=list(self.columns))


def read(path: str | os.PathLike) -> Table:
    """Numeric rows from `.npy`, `.npz`, `.csv`, `.parquet`, or a folder of images of one size.

    An `.npz` must hold one array, or one named `x`. Every column of a table must be numeric.

    Raises:
        FileNotFoundError: there is nothing at `path`.
        ValueError: it is empty, unreadable, of an unknown kind, or holds text, missing values or infinities.
        ImportError: a parquet file, and pyarrow is not installed.
    """
    path = pathlib.Path(path)
    if not path.exists():
        raise NotFoundError(f"There is no file or folder {path}.")
    columns = None
    if path.is_dir():
        x = _images(path)
    else:
        if path.suffix.lower() not in _READERS:
            raise AEZooError(f"{path} is of an unknown kind; known: {', '.join(_READERS)} and a folder of images.")
        if path.stat().st_size == 0:
            raise AEZooError(f"{path} is empty.")
        try:
            x = _READERS[path.suffix.lower()](path)
        except (pd.errors.ParserError, UnicodeDecodeError, OSError, EOFError) as error:
            raise AEZooError(f"{path} cannot be read: {first_line(error)}") from error
        except pd.errors.EmptyDataError:
            raise AEZooError(f"{path} is empty.") from None
    if isinstance(x, pd.DataFrame):
        columns = tuple(map(str, x.columns))
        x = _numbers(x, path)
    if x.ndim < 2:
        raise AEZooError(f"{path} must hold rows of features; received an array of shape {x.shape}.")
    x = numeric(x, str(path))
    shape = " x ".join(map(str, x.shape[1:]))
    return Table(x, columns, f"{path.name}: {len(x):,} rows of {shape} features")


def write(path: str | os.PathLike, rows: np.ndarray, columns: list[str] | tuple[str, ...]) -> None:
    """Writes rows `(n, features)` as `.npy`, `.csv` or `.parquet`, as the name says; whole or not at all.

    Args:
        path: the file.
        rows: numbers; an `.npy` file holds them as they are, without names.
        columns: a name for each feature.

    Raises:
        ValueError: for another suffix.
        ImportError: a parquet file, and pyarrow is not installed.
    """
    suffix = writable(path)
    with files.whole(path) as sibling:
        if suffix == ".npy":
            np.save(sibling, rows, allow_pickle=False)
            return
        frame = pd.DataFrame(rows.reshape(len(rows), -1), columns=list(columns))
        if suffix == ".csv":
            frame.to_csv(sibling, index=False)
        else:
            needs_pyarrow()
            frame.to_parquet(sibling, index=False)


def writable(path: str | os.PathLike) -> str:
    """The suffix of `path`, if `write` knows it; `ValueError` if not. For asking before the work is done."""
    suffix = pathlib.Path(path).suffix.lower()
    if suffix not in (".npy", ".csv", ".parquet"):
        raise AEZooError(f"{path} must end in .npy, .csv or .parquet, which says how to write it.")
    return suffix


def _npy(path: pathlib.Path) -> np.ndarray:
    try:
        with path.open("rb") as file:
            return np.load(file, allow_pickle=False)
    except ValueError as error:
        raise AEZooError(f"{path} cannot be read as an .npy file of numbers.") from error


def _npz(path: pathlib.Path) -> np.ndarray:
    arrays = files.read_arrays(path)
    if "x" not in arrays and len(arrays) != 1:
        raise AEZooError(f"{path} must hold one array, or one named x; it holds {', '.join(arrays)}.")
    return arrays["x"] if "x" in arrays else next(iter(arrays.values()))


def _parquet(path: pathlib.Path) -> pd.DataFrame:
    needs_pyarrow()
    import pyarrow

    try:
        return pd.read_parquet(path)
    except pyarrow.ArrowException as error:
        raise AEZooError(f"{path} cannot be read: {first_line(error)}") from error


def needs_pyarrow() -> None:
    """Raises `ImportError` with the remedy where pyarrow is not installed."""
    try:
        import pyarrow  # noqa: F401 - only asked whether it is there
    except ImportError:
        raise MissingExtraError("Parquet files need pyarrow: run pip install 'ae-zoo[parquet]'.") from None


def check_columns(frame: pd.DataFrame, path: pathlib.Path) -> None:
    """Raises `ValueError` where a table lacks column names or has columns that are not numeric."""
    names = [str(name) for name in frame.columns]
    if not names:
        raise AEZooError(f"{path} has no columns.")
    counted = names == [str(place) for place in range(len(names))]  # names as pandas gives them
    if path.suffix.lower() == ".csv" and all(map(_is_number, names)) and not counted:
        raise AEZooError(f"{path} must begin with a line of column names; its first line holds numbers.")
    if names[0] == "Unnamed: 0":
        raise AEZooError(
            f"The first column of {path} has no name: if it is an index, leave it out (pandas: index=False); if it is a "
            "feature, name it."
        )
    for name, column in frame.items():
        if not (pd.api.types.is_numeric_dtype(column) and not pd.api.types.is_complex_dtype(column)):
            value = column.dropna().iloc[0] if column.notna().any() else None
            raise AEZooError(
                f"{path} has the column {name!r} that is not numeric (it holds {value!r}, say); drop it, or turn it "
                "into numbers."
            )


def _numbers(frame: pd.DataFrame, path: pathlib.Path) -> np.ndarray:
    if frame.empty and not all(_is_number(name) for name in frame.columns):
        raise AEZooError(f"{path} has no rows.")
    check_columns(frame, path)
    missing = frame.isna().sum()
    if missing.any():
        name = missing.idxmax()
        raise AEZooError(
            f"{path} has missing values in {int((missing > 0).sum())} of {len(missing)} columns, most in {name!r} "
            f"({missing[name]} of {len(frame)} rows); drop or fill them first."
        )
    return frame.to_numpy("float64", na_value=np.nan)


def _is_number(text: str) -> bool:
    """Whether it is a number, or one that pandas has told from an equal one before it: 0.0 and 0.0.1."""
    stem, _, again = text.rpartition(".")
    for candidate in (text, stem if again.isdecimal() else ""):
        with contextlib.suppress(ValueError):
            float(candidate)
            return True
    return False


def _images(folder: pathlib.Path) -> np.ndarray:
    from PIL import Image, UnidentifiedImageError

    paths = sorted(path for path in folder.iterdir() if path.suffix.lower() in IMAGES)
    if not paths:
        raise AEZooError(f"{folder} holds no images ({', '.join(IMAGES)}).")
    images: list[np.ndarray] = []
    for path in paths:
        try:
            with Image.open(path) as image:
                grey = image.mode in ("1", "L", "I;16", "I", "F")
                pixels = np.asarray(image.convert("L" if grey else "RGB"), "float32") / 255
        except (UnidentifiedImageError, OSError) as error:
            raise AEZooError(f"{path} cannot be read as an image: {first_line(error)}") from error
        if images and pixels.shape != images[0].shape:
            raise AEZooError(
                f"{path} is {_size(pixels)}, the images before it {_size(images[0])}; all of a folder must be of one "
                "size and all grey or all coloured."
            )
        images.append(pixels)
    return np.stack(images)


def _size(pixels: np.ndarray) -> str:
    return f"{pixels.shape[1]} x {pixels.shape[0]} {'grey' if pixels.ndim == 2 else 'coloured'}"


_READERS = {".npy": _npy, ".npz": _npz, ".csv": pd.read_csv, ".parquet": _parquet}
