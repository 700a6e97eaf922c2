"""What an examination of a model looks at, and what it says."""

import dataclasses
from typing import Literal, TypeAlias

from ae_zoo.autoencoder import Autoencoder
from ae_zoo.typing import Array

Verdict: TypeAlias = Literal["ok", "look", "bad"]


@dataclasses.dataclass(frozen=True)
class Finding:
    """What one check has found.

    Attributes:
        check: the name of the check.
        value: the figure that it found.
        verdict: `"ok"`, `"look"`: worth a look, or `"bad"`.
        advice: what the figure means, in a sentence, and what to do about it.
    """

    check: str
    value: float
    verdict: Verdict
    advice: str


@dataclasses.dataclass(frozen=True)
class Subject:
    """A model that is examined, and its rows.

    Attributes:
        network: the model; of a PCA the autoencoder that is the same map.
        x: rows that it was not trained on, coded, `(n, *input_shape)`.
        x_train: training rows, coded, `(m, *input_shape)`, or None.
        codes: of `x`, `(n, units)`.
        seed: of what is drawn.
    """

    network: Autoencoder
    x: Array
    x_train: Array | None
    codes: Array
    seed: int

    @property
    def usual(self) -> Array:
        """The rows that say what is usual: the training rows, or `x` if there are none."""
        return self.x if self.x_train is None else self.x_train


def graded(value: float, ok: float, look: float) -> Verdict:
    """Returns `"ok"` for a value up to `ok`, `"look"` up to `look`, and `"bad"` above."""
    return "ok" if value <= ok else "look" if value <= look else "bad"


def counted(number: int, word: str) -> str:
    """Returns a number with its word, which is `is` or `are` after it: `1 unit is`, `3 units are`."""
    return f"{number:,} {word} is" if number == 1 else f"{number:,} {word}s are"


def listed(places: Array, most: int = 6) -> str:
    """Returns the first of some numbers as text."""
    more = f" and {len(places) - most:,} more" if len(places) > most else ""
    return ", ".join(str(int(place)) for place in places[:most]) + more
