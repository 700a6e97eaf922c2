"""What a search keeps in its folder: dataclasses of plain values, one in a file, written whole and checked when read."""

import dataclasses
import json
import pathlib
import types
import typing
from typing import Any, ClassVar, NoReturn, Protocol, TypeVar

from ae_zoo._support import files
from ae_zoo.errors import AEZooError


class Plain(Protocol):
    """A dataclass whose fields are values of JSON."""

    __dataclass_fields__: ClassVar[dict[str, dataclasses.Field[Any]]]


T = TypeVar("T", bound=Plain)


def write(path: pathlib.Path, kept: Plain) -> None:
    """Writes a dataclass as JSON."""
    with files.whole(path) as sibling:
        sibling.write_text(json.dumps(dataclasses.asdict(kept), indent=1) + "\n")


def read(path: pathlib.Path, kind: type[T], remedy: str) -> T | None:
    """Returns the dataclass in a file, or None where there is no file.

    Args:
        path: the file.
        kind: the dataclass.
        remedy: what to do about a damaged file, as the end of a sentence.

    Raises:
        AEZooError: the file holds no JSON, lacks a field, or has a field of another type.
    """
    try:
        plain = json.loads(path.read_bytes(), parse_constant=_refuse)
        found = kind(**plain)
    except FileNotFoundError:
        return None
    except (ValueError, TypeError, RecursionError):
        raise damaged(path, remedy) from None
    for name, hint in typing.get_type_hints(kind).items():
        if not _is(plain.get(name, getattr(found, name)), hint):
            raise damaged(path, remedy)
    return found


def damaged(path: pathlib.Path, remedy: str) -> AEZooError:
    """Returns the error for a file that does not hold what a search writes there."""
    return AEZooError(f"{path} is damaged: {remedy}.")


def _is(value: object, hint: Any) -> bool:
    if isinstance(hint, types.UnionType):
        return any(_is(value, one) for one in typing.get_args(hint))
    if isinstance(value, bool) and hint is not bool:
        return False
    return isinstance(value, (int, float) if hint is float else typing.get_origin(hint) or hint)


def _refuse(constant: str) -> NoReturn:
    raise ValueError(constant)  # NaN and the infinities, which are no JSON
