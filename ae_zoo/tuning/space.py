"""What a search draws from: for each family its dimensions and fixed options, or a list of whole combinations.

The hidden layers are drawn as a `depth` and a `width`, which is that of the first layer. The widths halve from layer to
layer in a dense network, and the channels double in a convolutional one. The decoder mirrors them, so every draw is a
symmetric network.
"""

import dataclasses
import itertools
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Self

from ae_zoo.config import Config
from ae_zoo.errors import AEZooError, short, unknown
from ae_zoo.families.configs import CONFIGS, config_of
from ae_zoo.schemas import Schema
from ae_zoo.tuning import dimensions
from ae_zoo.tuning.dimensions import LAYERS, TRAINING, Choice, Dimension, Range, Values


@dataclasses.dataclass(frozen=True)
class Candidate:
    """One point of a space: what is built, and how it is trained.

    Attributes:
        family: the name of the family.
        options: options of its config.
        training: arguments of `ae_zoo.fit`.
    """

    family: str
    options: Values
    training: Values

    @classmethod
    def of(cls, family: str, values: Mapping[str, Any]) -> Self:
        """Returns the candidate that drawn values stand for.

        Raises:
            AEZooError: the layers are named in part, or twice.
        """
        dimensions.check_layers(values, values.get("depth"))
        options = {name: value for name, value in values.items() if name not in (*TRAINING, *LAYERS)}
        if "depth" in values:
            options["hidden"] = layers(
                options.get("network", CONFIGS[family].default("network")), values["depth"], values.get("width", 0)
            )
        return cls(family, options, {name: values[name] for name in TRAINING if name in values})

    @property
    def values(self) -> Values:
        """The family, the options and the arguments of the training in one dict."""
        return {"family": self.family, **self.options, **self.training}


def layers(network: str, depth: int, width: int) -> list[int]:
    """Returns the widths, or channels, of `depth` hidden layers, of which the first has the width `width`."""
    if network == "convolutional":
        return [width * 2**place for place in range(depth)]
    return [max(1, round(width / 2**place)) for place in range(depth)]


@dataclasses.dataclass(frozen=True)
class Space:
    """What may be drawn for each family, or a list of whole combinations.

    Attributes:
        dimensions: what is drawn: from a family to a `Choice` or `Range` by name.
        fixed: the options that are not drawn: from a family to values by name.
        combinations: the combinations to try; None where there is a space to draw from.
    """

    dimensions: dict[str, dict[str, Dimension]] = dataclasses.field(default_factory=dict)
    fixed: dict[str, Values] = dataclasses.field(default_factory=dict)
    combinations: list[Candidate] | None = None

    @classmethod
    def of(
        cls,
        families: Sequence[str],
        given: Mapping[str, Any] | Sequence[Mapping[str, Any]] | None,
        schema: Schema,
        rows: int,
        grid: bool = False,
        epochs: int | None = None,
    ) -> Self:
        """Returns the space of families, narrowed by what a caller gives.

        Args:
            families: names of families.
            given: a dict from options to a value (fixed), a list of values (a choice) or a pair `(low, high)` (a range);
                or a list of dicts, each a whole combination. Options are the config's fields, `depth` and `width` in
                the place of `hidden`, `learning_rate`, `batch_size` and `epochs`.
            schema: what a row is, which limits the default codes and noises.
            rows: the number of training rows, which limits the default batch sizes.
            grid: whether to make every combination of what is given, with the other options at their defaults. By
                default the other options are drawn as the families' fields say.
            epochs: the length of each training where `given` does not name it.

        Raises:
            AEZooError: a name is unknown, a value is not legal in any family, or a grid has a range.
        """
        if not families:
            raise AEZooError(f"Name a family to search; known: {', '.join(CONFIGS)}.")
        classes = {family: config_of(family) for family in families}
        if given is not None and not isinstance(given, Mapping):
            return cls(combinations=[*_combinations(classes, given, epochs)])
        given = given or {}
        names = {name for owner in classes.values() for name in dimensions.names(owner)}
        for name in given:
            if name not in names:
                raise unknown("option", name, names)
        space = cls()
        for family, owner in classes.items():
            own = {name: value for name, value in given.items() if name in dimensions.names(owner)}
            drawn, fixed = dimensions.read(owner, own)
            if not grid:
                drawn |= dimensions.defaults(owner, drawn, fixed, schema, rows)
            if epochs is not None and "epochs" not in own:
                fixed["epochs"] = epochs
            dimensions.check_layers({**drawn, **fixed}, 1)
            space.dimensions[family], space.fixed[family] = drawn, fixed
        return cls(combinations=[*space._product()]) if grid else space

    def candidate(self, family: str, drawn: Mapping[str, Any]) -> Candidate:
        """Returns the candidate of a family for what was drawn."""
        return Candidate.of(family, {**self.fixed[family], **drawn})

    def to_dict(self) -> dict[str, Any]:
        """Returns the space as plain JSON values, which `from_dict` reads; equal spaces have equal values."""
        return dataclasses.asdict(self)

    @classmethod
    def from_dict(cls, plain: Mapping[str, Any]) -> Self:
        """Returns the space of the values that `to_dict` returned."""
        drawn = {
            family: {
                name: Choice(tuple(part["values"])) if "values" in part else Range(**part)
                for name, part in parts.items()
            }
            for family, parts in plain["dimensions"].items()
        }
        listed = plain["combinations"]
        combinations = None if listed is None else [Candidate(**candidate) for candidate in listed]
        return cls(drawn, dict(plain["fixed"]), combinations)

    def _product(self) -> Iterator[Candidate]:
        for family, drawn in self.dimensions.items():
            choices: dict[str, tuple[Any, ...]] = {}
            for name, dimension in drawn.items():
                if isinstance(dimension, Range):
                    raise AEZooError(
                        f"A grid takes lists of values, and {name} has the range {dimension.low:g} to "
                        f"{dimension.high:g}: give space={{{name!r}: [...]}}, or tuner='random'."
                    )
                choices[name] = dimension.values
            seen = []
            for values in itertools.product(*choices.values()):
                candidate = self.candidate(family, dict(zip(choices, values)))
                if candidate not in seen:  # with depth 0, every width is the same network
                    seen.append(candidate)
                    yield candidate


def _combinations(
    classes: Mapping[str, type[Config]], given: Sequence[Mapping[str, Any]], epochs: int | None
) -> Iterator[Candidate]:
    if not isinstance(given, Sequence) or isinstance(given, str):
        raise AEZooError(f"space must be a dict of options, or a list of dicts; received {short(given)}.")
    if not given:
        raise AEZooError("The space holds no combination; give at least one.")
    for combination in given:
        if not isinstance(combination, Mapping):
            raise AEZooError(
                "space must be a dict of options, or a list of dicts, each a whole combination; received a list with "
                f"{short(combination)}."
            )
        for family, owner in classes.items():
            names = dimensions.names(owner)
            for name in combination:
                if name not in names:
                    raise unknown("option", name, names)
            values = {name: dimensions.legal(owner, name, value) for name, value in combination.items()}
            yield Candidate.of(family, values if epochs is None else {"epochs": epochs, **values})
