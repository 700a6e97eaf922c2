"""What a search draws from: choices, ranges and fixed values of a family's options, made from its config's fields.

The hidden layers are drawn as a `depth` and a `width`, of the first layer: the widths halve from layer to layer in a dense
network, the channels double in a convolutional one. The decoder mirrors them, so every draw is a symmetric network.
"""

import dataclasses
import itertools
import math
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Self

from ae_zoo.config import Config, Recipe
from ae_zoo.errors import AEZooError, unknown
from ae_zoo.families.configs import CONFIGS, config_of

TRAINING = ("learning_rate", "batch_size", "epochs")  # what is the trainer's, not the config's
LAYERS = ("depth", "width")  # what `hidden` is made of


@dataclasses.dataclass(frozen=True)
class Choice:
    """One of some values."""

    values: tuple[Any, ...]


@dataclasses.dataclass(frozen=True)
class Range:
    """From `low` to `high`, both included; by the logarithm where the ends are ten times apart or more."""

    low: float
    high: float
    whole: bool

    @property
    def log(self) -> bool:
        return self.low > 0 and self.high >= 10 * self.low


@dataclasses.dataclass(frozen=True)
class Candidate:
    """One point of a space: what is built, and how it is trained.

    Attributes:
        family: its name.
        options: of its config.
        training: of `ae_zoo.fit`.
    """

    family: str
    options: dict[str, Any]
    training: dict[str, Any]

    @classmethod
    def of(cls, family: str, values: Mapping[str, Any]) -> Self:
        """The candidate that drawn values stand for.

        Raises:
            ValueError: for layers that are named in part, or twice.
        """
        _check_layers(values, values.get("depth"))
        options = {name: value for name, value in values.items() if name not in (*TRAINING, *LAYERS)}
        if "depth" in values:
            options["hidden"] = layers(
                options.get("network", CONFIGS[family].default("network")), values["depth"], values.get("width", 0)
            )
        return cls(family, options, {name: values[name] for name in TRAINING if name in values})

    @property
    def values(self) -> dict[str, Any]:
        return {"family": self.family, **self.options, **self.training}


def layers(network: str, depth: int, width: int) -> list[int]:
    """Widths of `depth` hidden layers, the first of them `width` wide."""
    if network == "convolutional":
        return [width * 2**place for place in range(depth)]
    return [max(1, round(width / 2**place)) for place in range(depth)]


@dataclasses.dataclass(frozen=True)
class Space:
    """What may be drawn for each family, or a list of whole combinations.

    Attributes:
        dimensions: by family, what is drawn: a `Choice` or `Range` by name.
        fixed: by family, the options that are not drawn.
        combinations: the combinations to be tried; None where there is a space to draw from.
    """

    dimensions: dict[str, dict[str, Choice | Range]] = dataclasses.field(default_factory=dict)
    fixed: dict[str, dict[str, Any]] = dataclasses.field(default_factory=dict)
    combinations: list[Candidate] | None = None

    @classmethod
    def of(
        cls,
        families: Sequence[str],
        given: Mapping[str, Any] | Sequence[Mapping[str, Any]] | None,
        shape: tuple[int, ...],
        rows: int,
        grid: bool = False,
        epochs: int | None = None,
    ) -> Self:
        """The space of families, narrowed by what a caller says.

        Args:
            families: their names.
            given: a dict from options to a value (fixed), a list of values (a choice) or a pair `(low, high)` (a range);
                or a list of dicts, which are whole combinations. Names are the config's fields, `depth` and `width` for
                `hidden`, `learning_rate`, `batch_size` and `epochs`.
            shape, rows: of a training row, and how many there are; the default codes and batch sizes suit them.
            grid: every combination of what is given, the other options at their defaults; otherwise those are drawn as
                the families' fields say.
            epochs: of each training, where `given` does not name them.

        Raises:
            ValueError: for an unknown name, a value that no family can have, or a grid with a range.
        """
        if not families:
            raise AEZooError(f"Name a family to search; known: {', '.join(CONFIGS)}.")
        classes = {family: config_of(family) for family in families}
        if given is not None and not isinstance(given, Mapping):
            return cls(combinations=[*_combinations(classes, given, epochs)])
        given = given or {}
        names = {name for owner in classes.values() for name in _names(owner)}
        for name in given:
            if name not in names:
                raise unknown("option", name, names)
        space = cls()
        for family, owner in classes.items():
            read = _read(owner, {name: value for name, value in given.items() if name in _names(owner)})
            if not grid:
                read |= _defaults(owner, read, shape, rows)
            space.dimensions[family] = {k: v for k, v in read.items() if isinstance(v, (Choice, Range))}
            space.fixed[family] = {k: v for k, v in read.items() if k not in space.dimensions[family]}
            if epochs is not None and "epochs" not in read:
                space.fixed[family]["epochs"] = epochs
            _check_layers(read, 1)
        return cls(combinations=[*space._product()]) if grid else space

    def candidate(self, family: str, drawn: Mapping[str, Any]) -> Candidate:
        """The candidate of a family for what was drawn."""
        return Candidate.of(family, {**self.fixed[family], **drawn})

    def to_dict(self) -> dict[str, Any]:
        """As plain JSON values, which `from_dict` takes back; two spaces are the same where these are equal."""
        return dataclasses.asdict(self)

    @classmethod
    def from_dict(cls, plain: Mapping[str, Any]) -> Self:
        """The space that `to_dict` gave."""
        dimensions = {
            family: {
                name: Choice(tuple(part["values"])) if "values" in part else Range(**part)
                for name, part in parts.items()
            }
            for family, parts in plain["dimensions"].items()
        }
        listed = plain["combinations"]
        combinations = None if listed is None else [Candidate(**candidate) for candidate in listed]
        return cls(dimensions, dict(plain["fixed"]), combinations)

    def _product(self) -> Iterator[Candidate]:
        for family, dimensions in self.dimensions.items():
            for name, dimension in dimensions.items():
                if isinstance(dimension, Range):
                    raise AEZooError(
                        f"A grid takes lists of values, and {name} has the range {dimension.low:g} to "
                        f"{dimension.high:g}: give space={{{name!r}: [...]}}, or tuner='random'."
                    )
            seen = []
            for values in itertools.product(*(dimension.values for dimension in dimensions.values())):
                candidate = self.candidate(family, dict(zip(dimensions, values)))
                if candidate not in seen:  # without layers all widths are one
                    seen.append(candidate)
                    yield candidate


def _combinations(classes: Mapping[str, type[Config]], given: Sequence[Any], epochs: int | None) -> Iterator[Candidate]:
    if not given:
        raise AEZooError("The space holds no combination; give at least one.")
    for combination in given:
        if not isinstance(combination, Mapping):
            raise AEZooError(
                "space must be a dict of options, or a list of dicts, each a whole combination; received a list with "
                f"{combination!r}."
            )
        for family, owner in classes.items():
            for name in combination:
                if name not in _names(owner):
                    raise unknown("option", name, _names(owner))
            values = {name: _legal(owner, name, value) for name, value in combination.items()}
            yield Candidate.of(family, values if epochs is None else {"epochs": epochs, **values})


def _names(cls: type[Config]) -> set[str]:
    """What a space may name for a family."""
    return cls.options().keys() - {"input_shape", "columns"} | {*TRAINING, *LAYERS}


def _check_layers(given: Mapping[str, Any], depth: Any) -> None:
    """Raises `ValueError` unless `hidden`, or `depth` with `width`, or nothing of that is given."""
    named = [name for name in LAYERS if name in given]
    if "hidden" in given and named:
        raise AEZooError("hidden names the layers, and depth and width draw them; give one or the other.")
    if named == ["width"] or (named == ["depth"] and depth != 0):
        raise AEZooError(
            f"depth and width draw the layers together, and only {named[0]} is given: give both, or hidden=[...]."
        )


def _read(cls: type[Config], given: Mapping[str, Any]) -> dict[str, Any]:
    """What the caller gave, as choices, ranges and fixed values."""
    if "hidden" in given:
        _check_layers(given, 0)
    known = cls.options()
    space: dict[str, Any] = {}
    for name, value in given.items():
        several = name in known and cls.is_list(name)
        if isinstance(value, list) and (not several or any(isinstance(item, (list, tuple)) for item in value)):
            if not value:
                raise AEZooError(f"{name} has no values to choose from; give some, or leave it out.")
            space[name] = Choice(tuple(_legal(cls, name, item) for item in value))
        elif isinstance(value, tuple) and not several:
            space[name] = _range(cls, name, value)
            if name == "depth":  # a choice, as the width depends on it
                space[name] = Choice(tuple(range(int(value[0]), int(value[1]) + 1)))
        else:
            space[name] = _legal(cls, name, value)
    return space


def _range(cls: type[Config], name: str, ends: tuple[Any, ...]) -> Range:
    numbers = all(isinstance(end, (int, float)) and not isinstance(end, bool) for end in ends)
    if len(ends) != 2 or not numbers or not ends[0] < ends[1]:
        raise AEZooError(
            f"A range of {name} is a pair (low, high) of numbers, the lower first; received {ends!r}. Several values to "
            "choose from are a list."
        )
    low, high = (_legal(cls, name, end) for end in ends)
    if isinstance(low, str):
        raise AEZooError(f"{name} is a word and has no range; give a list of words.")
    return Range(low, high, isinstance(low, int))


def _legal(cls: type[Config], name: str, value: Any) -> Any:
    """`value` in the option's own type, as JSON has it; raises `ValueError` where it cannot be one."""
    if name in (*LAYERS, *TRAINING):
        whole, least = name != "learning_rate", 0 if name == "depth" else 1
        number = isinstance(value, (int, float)) and not isinstance(value, bool)
        if whole and not (number and value == int(value) and value >= least):
            raise AEZooError(f"{name} must be a whole number of at least {least}; received {value!r}.")
        if not whole and not (number and 0 < value < math.inf):
            raise AEZooError(f"{name} must be a number above 0; received {value!r}.")
        return int(value) if whole else float(value)
    if value == "none" and value not in (cls.choices(name) or ()):
        value = None
    value = cls.legal(name, value)
    return list(value) if isinstance(value, tuple) else value


def _defaults(
    cls: type[Config], given: Mapping[str, Any], shape: tuple[int, ...], rows: int
) -> dict[str, Choice | Range]:
    """What the family's fields say is to be tried, for the options that the caller did not name."""
    fixed = {
        name: v for name, v in given.items() if not isinstance(v, (Choice, Range)) and name not in TRAINING + LAYERS
    }
    own_kind = fixed.get("network", cls.default("network")) == cls.default("network")  # which the hints are for
    space: dict[str, Choice | Range] = {}
    for name, field in cls.options().items():
        hint = field.metadata["search"]
        if hint is None or name in given:
            continue
        if name == "hidden":
            if own_kind:
                space |= {part: _hint(values, True) for part, values in hint.items() if part not in given}
        elif isinstance(hint, tuple):
            if all(_fits(cls, {**fixed, "input_shape": shape, name: end}) for end in hint):
                space[name] = _hint(hint, isinstance(field.default, int))
        else:
            values = [v for v in hint if _fits(cls, {**fixed, "input_shape": shape, name: v})]
            if values:
                space[name] = _hint(values, False)
    code = space.get("code")
    if isinstance(code, Range):  # narrower than a row, as `build` has it
        high = min(code.high, cls.widest_code(math.prod(shape)))
        low = min(code.low, max(1, high // 8))
        space["code"] = Range(low, high, True) if low < high else Choice((high,))
    recipe = _recipe(cls, fixed, shape)
    if "learning_rate" not in given:
        space["learning_rate"] = Range(recipe.learning_rate / 8, recipe.learning_rate * 1.5, False)
    if "batch_size" not in given:
        usual = max(8, min(recipe.batch_size, rows // 32))
        space["batch_size"] = Choice((usual // 2, usual, 2 * usual))
    return space


def _recipe(cls: type[Config], fixed: Mapping[str, Any], shape: tuple[int, ...]) -> Recipe:
    """The family's recipe for the options that are fixed, or for none of them where they are no config alone."""
    for options in (fixed, {}):
        if _fits(cls, {**options, "input_shape": shape}):
            return cls.make({**options, "input_shape": shape}).recipe
    return Recipe()


def _fits(cls: type[Config], options: Mapping[str, Any]) -> bool:
    try:
        cls.make(options)
    except ValueError:
        return False
    return True


def _hint(hint: Any, whole: bool) -> Choice | Range:
    return Range(*hint, whole) if isinstance(hint, tuple) else Choice(tuple(hint))
