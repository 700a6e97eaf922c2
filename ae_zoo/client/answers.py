"""Checks every answer of a server against the server's metadata.

The metadata name the type and the shape of every output. An answer with other outputs, another type, another shape or another
number of rows is refused. NaN and infinity are refused too, because exported models never return them.
"""

import itertools
import json
import math
import re
import reprlib
from collections.abc import Callable, Mapping
from typing import NamedTuple, TypeVar

import numpy as np

Arrays = dict[str, np.ndarray]
Shape = tuple[int | None, ...]
Raw = TypeVar("Raw")

DTYPES = {
    "DT_FLOAT": "float32",
    "DT_DOUBLE": "float64",
    "DT_BOOL": "bool",
    "DT_INT32": "int32",
    "DT_INT64": "int64",
    "DT_STRING": "object",
}
JSON_TYPES: dict[str, set[type]] = {  # by NumPy's kind; in JSON true is not a number
    "f": {int, float},
    "i": {int},
    "b": {bool},
    "O": {str},
}
LARGEST_TEXT = 4096  # bytes of JSON
LARGEST_ROW = 2**31 - 1  # values in one row; no server can send more
LARGEST_ANSWER = 2**31 - 1  # bytes


class Unlike(Exception):
    """An answer differs from the metadata. The text says what was received."""


class Tensor(NamedTuple):
    """Type and shape of one input or output, from the metadata."""

    dtype: str  # TensorFlow's name, such as "DT_FLOAT"
    shape: Shape  # None: an axis of any length, such as the rows

    def __str__(self) -> str:
        shape = ", ".join("n" if size is None else str(size) for size in self.shape)
        return f"{DTYPES.get(self.dtype, self.dtype)} of shape ({shape}{',' if len(self.shape) == 1 else ''})"

    @property
    def by_rows(self) -> bool:
        """Whether the first axis has one entry for each row of the request."""
        return self.shape[:1] == (None,)

    def of(self, rows: int | None) -> "Tensor":
        """Returns the same tensor for a request with `rows` rows."""
        return Tensor(self.dtype, (rows, *self.shape[1:])) if self.by_rows else self


class Signature(NamedTuple):
    """The inputs and outputs of one signature."""

    inputs: dict[str, Tensor]
    outputs: dict[str, Tensor]


def signatures(found: object) -> dict[str, Signature]:
    """Returns the signatures in a `signature_def` of JSON.

    Raises:
        Unlike: it is damaged, or announces something impossible.
    """
    table = {
        name: Signature(*(_tensors(entry, name, side) for side in ("inputs", "outputs")))
        for name, entry in _mapping(found, "metadata").items()
        if not name.startswith("__")  # TensorFlow's own
    }
    if not table:
        raise Unlike("its metadata name no signature")
    return table


def _tensors(entry: object, signature: str, side: str) -> dict[str, Tensor]:
    found = _mapping(entry, f"signature {reprlib.repr(signature)}").get(side, {})
    what = f"{side} of signature {reprlib.repr(signature)}"
    tensors = {name: _tensor(value, what) for name, value in _mapping(found, what).items()}
    if side == "outputs" and not tensors:
        raise Unlike(f"its metadata name no {what}")
    return tensors


def _tensor(entry: object, what: str) -> Tensor:
    tensor = _mapping(entry, what)
    dtype, shape = tensor.get("dtype"), _mapping(tensor.get("tensor_shape"), f"shape in the {what}")
    dims = shape.get("dim", [])
    if not isinstance(dtype, str) or not isinstance(dims, list) or len(dims) > 32 or shape.get("unknown_rank"):
        raise Unlike(f"its metadata hold no type and shape for the {what}")
    sizes = tuple(_size(_mapping(dim, f"shape in the {what}").get("size", 0), what) for dim in dims)
    if math.prod(size for size in sizes if size is not None) > LARGEST_ROW:
        raise Unlike(f"its metadata announce {what} of shape {reprlib.repr(sizes)}, which no answer can have")
    return Tensor(dtype, sizes)


def _size(value: object, what: str) -> int | None:
    """Returns the length of an axis; in the JSON of protocol buffers, 64-bit whole numbers are texts."""
    text = value if isinstance(value, str) else json.dumps(value)
    if not re.fullmatch("-1|[0-9]{1,10}", text):
        raise Unlike(f"its metadata announce {what} with an axis of {reprlib.repr(value)}")
    return None if text == "-1" else int(text)


def _mapping(value: object, what: str) -> dict[str, object]:
    if not isinstance(value, dict):
        raise Unlike(f"its {what} must be a mapping, and is {reprlib.repr(value)}")
    return value


def checked(
    announced: Mapping[str, Tensor], found: Mapping[str, Raw], read: Callable[[Raw, Tensor], np.ndarray]
) -> Arrays:
    """Returns the answer as arrays.

    Args:
        announced: outputs of the signature, with the number of rows of the request.
        found: outputs in the transport's own form.
        read: the transport's reader of one output; it raises `Unlike` for another type or shape.

    Raises:
        Unlike: the answer differs from the metadata.
    """
    if announced.keys() != found.keys():
        names = reprlib.repr(sorted(found))
        raise Unlike(f"it must have the outputs {', '.join(sorted(announced))}; received {names}")
    arrays = {}
    for name, tensor in announced.items():
        try:
            array = arrays[name] = read(found[name], tensor)
            if array.dtype.kind == "f" and not np.isfinite(array).all():
                strange = array[~np.isfinite(array)]
                raise Unlike(f"{strange[0]} in {strange.size} of its {array.size} values")
        except Unlike as error:
            raise Unlike(f"output {name!r} must be {tensor}; received {error}") from None
    return arrays


def from_json(value: object, expected: Tensor) -> np.ndarray:
    """Returns an array from nested lists. `np.asarray` would read `true` as 1, and "2" as 2."""
    level, shape = [value], []
    for axis, size in enumerate(expected.shape):
        lists = [item for item in level if isinstance(item, list)]
        if len(lists) < len(level):
            strange = next(item for item in level if not isinstance(item, list))
            raise Unlike(f"{reprlib.repr(strange)} on axis {axis}, where a list should be")
        if size is None:
            size = len(lists[0]) if lists else 0
        wrong = next((len(item) for item in lists if len(item) != size), size)
        if wrong != size:
            raise Unlike(f"{wrong} in place of {size} on axis {axis}")
        shape.append(size)
        level = list(itertools.chain.from_iterable(lists))
    dtype = np.dtype(DTYPES[expected.dtype])
    if not set(map(type, level)) <= JSON_TYPES[dtype.kind]:
        strange = next(item for item in level if type(item) not in JSON_TYPES[dtype.kind])
        raise Unlike(f"the value {json.dumps(strange)[:80]}")
    try:
        with np.errstate(over="ignore"):  # a value beyond float32 becomes infinite, which is refused
            return np.array(level, dtype).reshape(shape)
    except OverflowError:
        raise Unlike("a whole number that the type cannot hold") from None


def largest_json(announced: Mapping[str, Tensor]) -> int:
    """Returns how many bytes of JSON the outputs may take: 64 for each number and each list, more for texts, and 1 MiB."""
    lists, texts = 0, 0
    for tensor in announced.values():
        sizes = [size for size in tensor.shape if size is not None]
        if len(sizes) < len(tensor.shape):
            return LARGEST_ANSWER
        lists += sum(math.prod(sizes[:axis]) for axis in range(len(sizes) + 1))
        texts += math.prod(sizes) if tensor.dtype == "DT_STRING" else 0
    return min(2**20 + 64 * lists + LARGEST_TEXT * texts, LARGEST_ANSWER)
