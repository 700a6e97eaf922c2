"""What may be drawn for each option of a family: from what a caller gives, and from the fields of the family's config."""

import dataclasses
import math
from collections.abc import Mapping
from typing import Any, TypeAlias

from ae_zoo.config import Config, Recipe
from ae_zoo.errors import AEZooError, short
from ae_zoo.schemas import Schema

TRAINING = ("learning_rate", "batch_size", "epochs")  # options of the training, not of the config
LAYERS = ("depth", "width")  # what `hidden` is made of
LIMITS = {"depth": (0, 100), "width": (1, 10**7), "batch_size": (1, 10**9), "epochs": (1, 10**9)}  # least and most

Values: TypeAlias = dict[str, Any]
"""Values of options by name; every option has a type of its own."""


@dataclasses.dataclass(frozen=True)
class Choice:
    """One of some values."""

    values: tuple[Any, ...]


@dataclasses.dataclass(frozen=True)
class Range:
    """A number from `low` to `high`, both included, drawn on a logarithmic scale where `high` is at least 10 times `low`."""

    low: float
    high: float
    whole: bool

    @property
    def log(self) -> bool:
        """Whether numbers are drawn on a logarithmic scale."""
        return self.low > 0 and self.high >= 10 * self.low


Dimension: TypeAlias = Choice | Range


def names(cls: type[Config]) -> set[str]:
    """Returns the names that a space may hold for a family."""
    return cls.options().keys() - {"input_shape", "columns"} | {*TRAINING, *LAYERS}


def check_layers(given: Mapping[str, object], depth: int | None) -> None:
    """Raises `AEZooError` unless `hidden` is given, or `depth` with `width`, or none of them; depth 0 needs no width."""
    named = [name for name in LAYERS if name in given]
    if "hidden" in given and named:
        raise AEZooError("hidden names the layers, and depth and width draw them; give one or the other.")
    if named == ["width"] or (named == ["depth"] and depth != 0):
        raise AEZooError(
            f"depth and width draw the layers together, and only {named[0]} is given: give both, or hidden=[...]."
        )


def read(cls: type[Config], given: Mapping[str, Any]) -> tuple[dict[str, Dimension], Values]:
    """Returns what the caller gave for a family: what is drawn, and what is fixed.

    Raises:
        AEZooError: a value is not legal for its option, or the layers are given in part or twice.
    """
    if "hidden" in given:
        check_layers(given, 0)
    known = cls.options()
    drawn: dict[str, Dimension] = {}
    fixed: Values = {}
    for name, value in given.items():
        several = name in known and cls.is_list(name)
        if isinstance(value, list) and (not several or any(isinstance(item, (list, tuple)) for item in value)):
            if not value:
                raise AEZooError(f"{name} has no values to choose from; give some, or leave it out.")
            drawn[name] = Choice(tuple(legal(cls, name, item) for item in value))
        elif isinstance(value, tuple) and not several:
            ends = _range(cls, name, value)
            # The depth is a choice, because the width depends on it.
            drawn[name] = Choice(tuple(range(int(ends.low), int(ends.high) + 1))) if name == "depth" else ends
        else:
            fixed[name] = legal(cls, name, value)
    return drawn, fixed


def legal(cls: type[Config], name: str, value: Any) -> Any:
    """Returns `value` in the type of the option `name`, as JSON has it; raises `AEZooError` if it is not legal."""
    number = isinstance(value, (int, float)) and not isinstance(value, bool)
    if name in LIMITS:
        least, most = LIMITS[name]
        if not (number and least <= value <= most and value == int(value)):
            raise AEZooError(f"{name} must be a whole number from {least} to {most:,}; received {short(value)}.")
        return int(value)
    if name == "learning_rate":
        if not (number and 0 < value < math.inf):
            raise AEZooError(f"{name} must be a number above 0; received {short(value)}.")
        return float(value)
    if value == "none" and value not in (cls.choices(name) or ()):
        value = None
    value = cls.legal(name, value)
    return list(value) if isinstance(value, tuple) else value


def defaults(
    cls: type[Config], drawn: Mapping[str, Dimension], fixed: Mapping[str, Any], schema: Schema, rows: int
) -> dict[str, Dimension]:
    """Returns what is drawn for the options that the caller did not name, as the fields of the config say.

    Args:
        cls: the config of the family.
        drawn: what the caller wants drawn.
        fixed: what the caller has fixed.
        schema: what a row is.
        rows: the number of training rows.
    """
    given = {*drawn, *fixed}
    suited = {**schema.as_options(), **schema.suited(cls)}
    options = suited | {name: value for name, value in fixed.items() if name not in TRAINING + LAYERS}
    # The layers' search ranges are those of the family's own kind of network.
    own_kind = options.get("network", cls.default("network")) == cls.default("network")
    space: dict[str, Dimension] = {}
    for name, field in cls.options().items():
        hint = field.metadata["search"]
        if hint is None or name in given:
            continue
        if name == "hidden":
            if own_kind:
                space |= {part: _hint(values, True) for part, values in hint.items() if part not in given}
        elif isinstance(hint, tuple):
            if all(_fits(cls, {**options, name: end}) for end in hint):
                space[name] = _hint(hint, isinstance(field.default, int))
        else:
            values = [v for v in hint if _fits(cls, {**options, name: v})]
            if values:
                space[name] = _hint(values, False)
    code = space.get("code")
    if isinstance(code, Range):  # not wider than `build` makes it by default
        high = min(code.high, cls.widest_code(math.prod(schema.output_shape)))
        low = min(code.low, max(1, high // 8))
        space["code"] = Range(low, high, True) if low < high else Choice((high,))
    recipe = _recipe(cls, options, suited)
    if "learning_rate" not in given:
        space["learning_rate"] = Range(recipe.learning_rate / 8, recipe.learning_rate * 1.5, False)
    if "batch_size" not in given:
        usual = recipe.batch_for(rows)
        space["batch_size"] = Choice((usual // 2, usual, 2 * usual))
    return space


def _range(cls: type[Config], name: str, ends: tuple[Any, ...]) -> Range:
    numbers = all(isinstance(end, (int, float)) and not isinstance(end, bool) for end in ends)
    if len(ends) != 2 or not numbers or not ends[0] < ends[1]:
        raise AEZooError(
            f"A range of {name} is a pair (low, high) of numbers, the lower first; received {short(ends)}. Several values "
            "to choose from are a list."
        )
    low, high = (legal(cls, name, end) for end in ends)
    if isinstance(low, str):
        raise AEZooError(f"{name} is a word and has no range; give a list of words.")
    return Range(low, high, isinstance(low, int))


def _recipe(cls: type[Config], *options: Mapping[str, Any]) -> Recipe:
    """Returns the family's recipe for the first of some options that are legal."""
    return next((cls.make(some).recipe for some in options if _fits(cls, some)), Recipe())


def _fits(cls: type[Config], options: Mapping[str, Any]) -> bool:
    try:
        cls.make(options)
    except AEZooError:
        return False
    return True


def _hint(hint: Any, whole: bool) -> Dimension:
    if isinstance(hint, tuple):
        low, high = hint
        return Range(low, high, whole)
    return Choice(tuple(hint))
