"""What a model can do, as a list: each verb once, in Python and as a function of tensors.

Signatures, their checks, the card, the client, the examples, the page and the docs are made from a model's `endpoints()`.
A family adds a verb by adding an entry.
"""

import dataclasses
from collections.abc import Callable
from typing import Literal

import numpy as np

from ae_zoo.typing import Array, Tensor

Arrays = dict[str, Array]
Tensors = dict[str, Tensor]


@dataclasses.dataclass(frozen=True, kw_only=True)
class Endpoint:
    """A verb with one input.

    Attributes:
        input: the input's name, which says what it is: `"x"` for rows, `"code"` for codes, `"seed"` for seeds.
        shape: shape of one row of the input.
        verb: the verb in Python: `(n, *shape)` to outputs by name, each `(n, ...)`. An export is checked against it.
        function: the same with tensors, `(batch, *shape)`, in operations that can be exported.
        about: what it returns, in a few words.
        may_miss: whether a row may have missing cells, which are NaN, but not all of them.
        keeps: whether the answer is the row itself with its missing cells filled.
        one_pass: whether a row passes the network once; a file of one function for all verbs has those alone.
    """

    input: Literal["x", "code", "seed"]
    shape: tuple[int, ...]
    verb: Callable[[np.ndarray], Arrays]
    function: Callable[[Tensor], Tensors]
    about: str
    may_miss: bool = False
    keeps: bool = False
    one_pass: bool = True

    @property
    def dtype(self) -> str:
        """The input's type."""
        return "int64" if self.input == "seed" else "float32"


Endpoints = dict[str, Endpoint]  # a server takes the first where a request names none


def shares(error: Array) -> Array:
    """Returns each feature's share of its row's error, both `(n, *features)`; a row's add up to 1, or 0 for no error."""
    axes = tuple(range(1, error.ndim))
    largest = error.max(axis=axes, keepdims=True, initial=0)
    part = np.divide(error, largest, out=np.zeros_like(error), where=largest > 0)  # whose sum cannot overflow
    total = part.sum(axis=axes, keepdims=True)
    return np.divide(part, total, out=np.zeros_like(error), where=total > 0)


def shares_of_tensor(error: Tensor) -> Tensor:
    """Returns `shares` of a tensor `(batch, *features)`."""
    import keras

    ops = keras.ops
    axes = tuple(range(1, len(error.shape)))
    largest = ops.max(error, axis=axes, keepdims=True)
    part = error / ops.where(largest > 0, largest, ops.ones_like(largest))
    total = ops.sum(part, axis=axes, keepdims=True)
    return part / ops.where(total > 0, total, ops.ones_like(total))
