"""Whether rows were among the training rows, told by their hashes."""

import hashlib
import warnings

import numpy as np

from ae_zoo.errors import AEZooWarning
from ae_zoo.typing import Array

NONE = np.zeros(0, "uint64")
MANY = 0.05  # share of held-out rows among the training rows, beyond what repeats among those anyway


def hashes(x: Array) -> Array:
    """Returns a hash of each row, sorted, repeated rows once, uint64 `(m,)`."""
    return np.unique(_each(x))


def warn(known: Array, x: Array, name: str) -> None:
    """Warns if many of the rows are among the training rows, so that their scores are too low."""
    if not len(known):
        return
    each = _each(x)
    share = float(np.isin(each, known).mean())
    repeated = 1 - len(np.unique(each)) / len(each)
    if share > MANY + 2 * repeated:
        warnings.warn(
            f"{share:.0%} of the rows of {name} are also among the rows that the detector has learned from, whose scores "
            "are too low: the threshold would flag too many ordinary rows. Give other rows, or folds=5.",
            AEZooWarning,
            stacklevel=3,
        )


def _each(x: Array) -> Array:
    plain = np.ascontiguousarray(x, "<f4").reshape(len(x), -1)
    digests = b"".join(hashlib.blake2b(row.tobytes(), digest_size=8).digest() for row in plain)
    return np.frombuffer(digests, "<u8").astype("uint64")
