"""An option of a dataclass: its help text, its legal values, and how it is read from text.

The constructor, the `.keras` file, the command line and the architecture search all read the same fields. This module needs
only the standard library, so the command line prints and checks every option without loading Keras.
"""

import dataclasses
import functools
import math
import numbers
import types
import typing
from collections.abc import Callable, Collection, Mapping, Set
from typing import Any

from ae_zoo.errors import AEZooError, short, unknown


def option(
    default: Any = dataclasses.MISSING,
    *,
    help: str,
    choices: Collection[str] | None = None,
    low: float | None = None,
    high: float | None = None,
    search: Any = None,
    read: Callable[[Any], Any] | None = None,
) -> Any:
    """Returns a field with its help text and its legal values.

    Args:
        default: the value if none is given; an option without a default must be given.
        help: what the option is, for the command line and the docs.
        choices: the words that the option may be; also a table of names that grows, such as `LIKELIHOODS`.
        low: the least legal number; None for no limit.
        high: the greatest legal number; None for no limit.
        search: what an architecture search tries by default: a list of values, or a range as a pair `(low, high)`; None
            keeps the option at its default. For `hidden` it is a dict with `depth` and `width`; see `ae_zoo.search`.
        read: function that makes the value from another type, such as an object from its JSON.
    """
    metadata = {"help": help, "choices": choices, "low": low, "high": high, "search": search, "read": read}
    return dataclasses.field(default=default, metadata=metadata)


def override(base: type, name: str, default: Any, *, help: str | None = None, search: Any = None) -> Any:
    """Returns the option `name` of the dataclass `base` with another default, and perhaps other help and search range."""
    metadata = dict(fields(base)[name].metadata)
    if help is not None:
        metadata["help"] = help
    if search is not None:
        metadata["search"] = search
    return dataclasses.field(default=default, metadata=metadata)


def fields(cls: type) -> dict[str, dataclasses.Field[Any]]:
    """Returns the options of a dataclass by name."""
    return {field.name: field for field in dataclasses.fields(cls)}


def check_all(owner: object) -> None:
    """Converts every option of a frozen dataclass to its own type; raises `AEZooError` for the first that is not legal."""
    for name, field in fields(type(owner)).items():
        object.__setattr__(owner, name, legal(type(owner), field, getattr(owner, name)))


def legal(owner: type, field: dataclasses.Field[Any], value: Any) -> Any:
    """Returns `value` in the field's own type; raises `AEZooError`, which says what was expected."""
    kind, optional = _kind(owner, field)
    if value is None and optional:
        return None
    if field.metadata["read"] is not None:
        return field.metadata["read"](value)
    try:
        if typing.get_origin(kind) is tuple:
            if isinstance(value, str | bytes | Mapping | Set):  # these can be iterated over, but are no lists
                raise _illegal(field, kind, optional, value)
            if typing.get_args(kind)[0] is str:
                return tuple(map(str, value))
            items = (value,) if isinstance(value, int) else tuple(value)
            return tuple(_number(field, int, item) for item in items)
        if kind in (int, float):
            return _number(field, kind, value)
    except (TypeError, OverflowError):
        raise _illegal(field, kind, optional, value) from None
    if not isinstance(value, kind):
        raise _illegal(field, kind, optional, value)
    if field.metadata["choices"] and value not in field.metadata["choices"]:
        raise unknown(field.name, value, field.metadata["choices"])
    return value


def parsed(owner: type, field: dataclasses.Field[Any], text: str) -> Any:
    """Returns a value from text, as on a command line: `"256,64"` becomes `(256, 64)`."""
    kind, optional = _kind(owner, field)
    text = text.strip()
    if optional and text.lower() == "none":
        return None
    try:
        if typing.get_origin(kind) is tuple:
            item = typing.get_args(kind)[0]
            return tuple(item(part.strip()) for part in text.strip("()[]").split(",") if part.strip())
        if kind is bool:
            return {"true": True, "false": False}[text.lower()]
        return kind(text)
    except (ValueError, KeyError, TypeError):
        raise _illegal(field, kind, optional, text) from None


def printed(value: Any) -> str:
    """Returns a value as text that `parsed` reads: `(256, 64)` becomes `"256,64"`."""
    if value is dataclasses.MISSING:
        return ""
    return (",".join(map(str, value)) or "()") if isinstance(value, tuple) else str(value).lower()


def is_list(owner: type, field: dataclasses.Field[Any]) -> bool:
    """Returns whether the values of an option are lists, as widths are."""
    return typing.get_origin(_kind(owner, field)[0]) is tuple


def _kind(owner: type, field: dataclasses.Field[Any]) -> tuple[Any, bool]:
    """Returns the type of a value, and whether None is legal too."""
    hint = _hints(owner)[field.name]
    optional = typing.get_origin(hint) in (types.UnionType, typing.Union)
    if optional:
        (hint,) = [arg for arg in typing.get_args(hint) if arg is not type(None)]
    return (str if typing.get_origin(hint) is typing.Literal else hint), optional


@functools.cache  # it takes a millisecond
def _hints(owner: type) -> dict[str, Any]:
    return typing.get_type_hints(owner)


def _number(field: dataclasses.Field[Any], kind: type, value: Any) -> int | float:
    low, high = field.metadata["low"], field.metadata["high"]
    # NumPy's numbers are `Real`, and its booleans are not.
    if not isinstance(value, numbers.Real) or isinstance(value, bool):
        raise _illegal(field, kind, False, value)
    number = typing.cast("float", value)
    try:
        finite = math.isfinite(number)
    except OverflowError:  # a whole number beyond the largest float
        finite = False
    if not finite or (kind is int and number != int(number)):
        raise _illegal(field, kind, False, value)
    if (low is not None and number < low) or (high is not None and number > high):
        raise _illegal(field, kind, False, value)
    return int(number) if kind is int else float(number)


def _illegal(field: dataclasses.Field[Any], kind: Any, optional: bool, value: Any) -> AEZooError:
    low, high = field.metadata["low"], field.metadata["high"]
    words = {
        int: "a whole number",
        float: "a number",
        str: "a word",
        bool: "true or false",
        tuple[str, ...]: "a list of words",
    }.get(kind, "whole numbers")
    if low is not None:
        words += f" of at least {low:,.12g}" if high is None else f" from {low:,.12g} to {high:,.12g}"
    return AEZooError(f"{field.name} must be {words}{' or none' if optional else ''}; received {short(value)}.")


def plain(value: object) -> object:
    """Returns a value as JSON has it: tuples, at any depth, are lists."""
    if isinstance(value, tuple | list):
        return [plain(part) for part in value]
    return {name: plain(part) for name, part in value.items()} if isinstance(value, Mapping) else value


def register(table: dict[str, type], attribute: str, cls: type) -> None:
    """Puts a class into a table by its own word, such as the `kind` of a schema; a class without one is abstract.

    Raises:
        AEZooError: another class has that word. The same class may be defined again, as a notebook's cell does.
    """
    if attribute not in vars(cls):
        return
    word = vars(cls)[attribute]
    other = table.get(word)
    if other is not None and (other.__module__, other.__qualname__) != (cls.__module__, cls.__qualname__):
        raise AEZooError(f"{other.__qualname__} has the {attribute} {word!r} already; give {cls.__qualname__} another.")
    table[word] = cls
