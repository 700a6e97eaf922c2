"""What a model can do, as a list: each verb once, in Python and as a function of tensors.

A model's `endpoints()` is what signatures, their checks, the card, the client, the examples, the page and the docs are made
from. A family adds a verb by adding an entry.
"""

import dataclasses
from collections.abc import Callable
from typing import Any, Literal

import numpy as np

Arrays = dict[str, np.ndarray]
Tensors = dict[str, Any]  # of whatever backend Keras runs on


@dataclasses.dataclass(frozen=True, kw_only=True)
class Endpoint:
    """A verb with one input.

    Attributes:
        input: the input's name, which says what it is: rows, codes or seeds.
        shape: of one row of the input.
        verb: in Python: `(n, *shape)` to outputs by name, each `(n, ...)`. It is what an export is checked against.
        function: the same of tensors, `(batch, *shape)`, in operations that can be exported.
        about: what it gives, in a few words.
        legal: the closed interval in which inputs must lie to have an answer, or None.
    """

    input: Literal["x", "code", "seed"]
    shape: tuple[int, ...]
    verb: Callable[[np.ndarray], Arrays]
    function: Callable[[Any], Tensors]
    about: str
    legal: tuple[float, float] | None = None

    @property
    def dtype(self) -> str:
        """Of the input."""
        return "int64" if self.input == "seed" else "float32"


Endpoints = dict[str, Endpoint]  # the first is what a server takes where a request names none


def shares(error: np.ndarray) -> np.ndarray:
    """Each feature's share of its row's error: `(n, *features)` to the same; they add up to 1, or to 0 for a perfect row."""
    axes = tuple(range(1, error.ndim))
    largest = error.max(axis=axes, keepdims=True, initial=0)
    part = np.divide(error, largest, out=np.zeros_like(error), where=largest > 0)  # whose sum cannot overflow
    total = part.sum(axis=axes, keepdims=True)
    return np.divide(part, total, out=np.zeros_like(error), where=total > 0)


def shares_of_tensor(error: Any) -> Any:
    """`shares` of a tensor `(batch, *features)`."""
    import keras

    ops = keras.ops
    axes = tuple(range(1, len(error.shape)))
    largest = ops.max(error, axis=axes, keepdims=True)
    part = error / ops.where(largest > 0, largest, ops.ones_like(largest))
    total = ops.sum(part, axis=axes, keepdims=True)
    return part / ops.where(total > 0, total, ops.ones_like(total))


class RequestSeed:
    """Stands for a `keras.random.SeedGenerator` whose state is in a request: each call is the next of the seed's draws."""

    def __init__(self, seed: Any) -> None:
        self.seed, self.draws = seed, 0

    def next(self) -> Any:
        """A pair whose lower halves, which are what the generator takes, differ for all seeds of 64 bits."""
        import keras

        self.draws += 1
        return keras.ops.stack([self.seed, self.draws + 1_000_003 * (self.seed // 2**32)])
