"""The fields of a version's card and the check of their types, so that code may rely on the types afterwards."""

import collections
import sys
import types
import typing
from typing import NotRequired, TypedDict

from ae_zoo.errors import short

MOST = 2**63 - 1  # largest whole number, because other languages read cards too


class Rows(TypedDict):
    """Number, shape and hash of the rows that a model was trained or tested on."""

    rows: int
    shape: list[int]
    sha256: str


class Data(TypedDict):
    """The data of a model."""

    source: str | None
    training: Rows | None
    test: Rows | None


class ServedSignature(TypedDict):
    """The meaning of a served function, and dtype and shape of each input and output, as text."""

    about: str
    inputs: dict[str, str]
    outputs: dict[str, str]


class Card(TypedDict):
    """A card. Whole numbers are not negative, numbers are finite, and `config` belongs to the family in `model`."""

    family: str
    model: str
    config: dict[str, object]
    threshold: float | None
    data: Data
    metrics: dict[str, float]
    signatures: dict[str, ServedSignature]
    variables: list[str]
    parameters: int
    bytes: int
    files: dict[str, str]
    versions: dict[str, str]
    made: str
    sha256: str
    examples: NotRequired[str]  # where the example rows come from; since version 0.2
    tolerance: NotRequired[float]  # how far another runtime's answers may differ; since version 0.2


def raw_columns(card: Card) -> dict[str, str]:
    """Returns the raw columns that a table's signatures take, with their dtypes and shapes; nothing for other rows."""
    schema = card["config"].get("schema")
    is_table = isinstance(schema, dict) and schema.get("kind") == "table"
    encode = card["signatures"].get("encode")
    return encode["inputs"] if is_table and encode is not None else {}


def told(side: dict[str, str], columns: dict[str, str]) -> str:
    """Returns the inputs or outputs of a signature as a text, in which a table's raw columns are not listed again."""
    before = {name: [name.removesuffix(column) for column in columns if name.endswith(column)] for name in side}
    counts = collections.Counter(prefix for prefixes in before.values() for prefix in prefixes)
    said = []
    for name, kind in side.items():
        prefix = max(before[name], key=counts.__getitem__, default="")
        if counts[prefix] < 2:
            said.append(f"{name} {kind}")
            continue
        which = f"{'the ' if counts[prefix] == len(columns) else ''}{counts[prefix]} columns"
        said.append(f"{prefix}... for {which}" if prefix else which)
    return ", ".join(dict.fromkeys(said))


WORDS = {
    str: "text",
    int: "a whole number",
    float: "a finite number",
    list: "a list",
    dict: "an object",
    types.NoneType: "null",
}


def misfit(value: object, kind: typing.Any = Card, name: str = "") -> str | None:
    """Returns, as the end of a sentence, which part of a JSON value has the wrong type; None if all types are right.

    Args:
        value: the JSON value.
        kind: expected type: `str`, `int`, `float`, `None`, `object`, a union, `list[...]`, `dict[str, ...]`, or a `TypedDict`
            of these.
        name: name of the value, for the sentence.
    """
    if typing.is_typeddict(kind) and isinstance(value, dict):
        fields = typing.get_type_hints(kind)
        lacking = [f"{name}{field}" for field in kind.__required_keys__ if field not in value]
        if lacking:
            return f"it lacks {', '.join(sorted(lacking))}"
        parts = [(value[field], one, f"{name}{field}") for field, one in fields.items() if field in value]
    elif isinstance(value, dict) and typing.get_origin(kind) is dict:
        parts = [(part, typing.get_args(kind)[1], f"{name}{key:.40}") for key, part in value.items()]
    elif isinstance(value, list) and typing.get_origin(kind) is list:
        parts = [(part, typing.get_args(kind)[0], f"{name}{place}") for place, part in enumerate(value)]
    else:
        return None
    return next(filter(None, (_part(*part) for part in parts)), None)


def _part(value: object, kind: typing.Any, name: str) -> str | None:
    if kind is object:
        return None
    kinds = typing.get_args(kind) if isinstance(kind, types.UnionType) else (kind,)
    for one in kinds:
        if _is(value, one):
            return misfit(value, one, f"{name}.")
    expected = " or ".join(WORDS[_plain(one)] for one in kinds)
    return f"{name} must be {expected}; received {short(value)}"


def _is(value: object, kind: typing.Any) -> bool:
    if isinstance(value, bool):
        return False
    if kind is float:
        return isinstance(value, int | float) and abs(value) <= sys.float_info.max  # False for NaN
    if kind is int:
        return isinstance(value, int) and 0 <= value <= MOST
    return isinstance(value, _plain(kind))


def _plain(kind: typing.Any) -> type:
    return dict if typing.is_typeddict(kind) else typing.get_origin(kind) or kind
