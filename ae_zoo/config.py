"""The options of a model: one frozen dataclass, the only place where an option exists.

The constructor, the `.keras` file, the command line and the architecture search all read the same fields. This module
needs the standard library alone, so the command line can print every option without loading Keras.
"""

import dataclasses
import functools
import math
import numbers
import types
import typing
from collections.abc import Mapping, Set
from typing import Any, Self

from ae_zoo.errors import AEZooError, short, unknown

ACTIVATIONS = ("linear", "tanh", "sigmoid", "relu", "elu", "selu", "silu", "gelu", "leaky_relu", "softplus")
CORRUPTIONS = ("none", "gaussian", "dropout", "masking", "salt_pepper")
LOSSES = ("mse", "bce")
SCALINGS = ("none", "minmax", "standard")
NETWORKS = ("dense", "convolutional")
SPLITS = ("elements", "rows", "features")
# What a search makes the hidden layers of: of any family, and of those that need some.
LAYERS = {"depth": [0, 1, 2, 3], "width": (64, 1024)}
DEEP = {**LAYERS, "depth": [1, 2, 3]}
# The open interval in which a bounded activation's values lie.
RANGES = {"tanh": (-1.0, 1.0), "sigmoid": (0.0, 1.0)}


def option(
    default: Any = dataclasses.MISSING,
    *,
    help: str,
    choices: tuple[str, ...] | None = None,
    low: float | None = None,
    high: float | None = None,
    search: Any = None,
) -> Any:
    """A config field with its help text and its legal values: `choices`, or the closed interval `low` to `high`.

    `search` is what an architecture search tries unless it is told otherwise: a list of values, or a range as a pair
    `(low, high)`; None leaves the default. That of `hidden` is made of `depth` and `width`; see `ae_zoo.search`.
    """
    metadata = {"help": help, "choices": choices, "low": low, "high": high, "search": search}
    return dataclasses.field(default=default, metadata=metadata)


@dataclasses.dataclass(frozen=True, kw_only=True)
class Config:
    """The options that every family shares. A family's own config may add fields and give these other defaults.

    Construction validates every field and raises `ValueError` with one sentence for the first that is wrong.
    """

    input_shape: tuple[int, ...] = option(help="shape of one row, without the batch axis", low=1)
    columns: tuple[str, ...] | None = option(None, help="names of the features; rows that have names are put in order")
    network: str = option("dense", help="kind of the hidden layers", choices=NETWORKS)
    code: int = option(32, help="width of the code", low=1, search=(4, 64))
    hidden: tuple[int, ...] = option(
        (),
        help="widths (or channels) of the encoder's hidden layers; the decoder mirrors them",
        low=1,
        search=LAYERS,
    )
    dense: tuple[int, ...] = option(
        (), help="widths of dense layers between a convolutional network's maps and its code; mirrored", low=1
    )
    kernel: int = option(3, help="side of the filters of a convolutional network", low=1)
    tied: bool = option(False, help="the decoder's kernels are the encoder's, transposed (dense networks)")
    activation: str = option(
        "selu", help="activation of the hidden layers", choices=ACTIVATIONS, search=["selu", "silu", "relu", "tanh"]
    )
    code_activation: str = option("linear", help="activation of the code", choices=ACTIVATIONS)
    output_activation: str = option("sigmoid", help="activation of the reconstruction", choices=ACTIVATIONS)
    loss: str = option("mse", help="reconstruction loss, a mean over features", choices=LOSSES)
    scaling: str = option("none", help="per-feature scaling, fitted on the training rows", choices=SCALINGS)
    sparsity: float | None = option(None, help="target mean activation of each code unit (KL penalty)", low=-1, high=1)
    sparsity_weight: float = option(1.0, help="weight of the KL sparsity penalty, a mean over units", low=0)
    l1: float = option(0.0, help="weight of the mean absolute code", low=0)
    corruption: str = option("none", help="noise put on the input while training", choices=CORRUPTIONS)
    corruption_amount: float = option(
        0.3, help="standard deviation (gaussian) or share of the features (others)", low=0
    )

    def __post_init__(self) -> None:
        for field in dataclasses.fields(self):
            object.__setattr__(self, field.name, _checked(field, _hint(type(self), field), getattr(self, field.name)))
        self.check()

    def check(self) -> None:
        """Raises `ValueError` where options that are legal alone do not go together. Families extend it."""
        if self.columns is not None and (len(self.columns),) != self.input_shape:
            raise AEZooError(
                f"columns must name each of the {self.input_shape} features; received {len(self.columns)} names."
            )
        self._check_network()
        if self.sparsity is not None:
            if self.code_activation not in RANGES:
                raise AEZooError(
                    f"sparsity={self.sparsity} is the target of a KL divergence, which needs a code with a bounded "
                    f"range: set code_activation to tanh or sigmoid (it is {self.code_activation!r}), or use l1."
                )
            low, high = RANGES[self.code_activation]
            if not low < self.sparsity < high:
                raise AEZooError(
                    f"sparsity must lie between {low:g} and {high:g}, the range of a {self.code_activation} code; "
                    f"received {self.sparsity:g}."
                )
            if self.l1:
                raise AEZooError("sparsity (KL) and l1 are two penalties for one purpose; give one of them.")
        if self.loss == "bce" and (self.output_activation != "sigmoid" or self.scaling != "none"):
            raise AEZooError(
                "loss='bce' compares probabilities, so it needs output_activation='sigmoid', and scaling='none' for rows "
                f"in [0, 1]; received {self.output_activation!r} and {self.scaling!r}."
            )
        if self.scaling == "standard" and self.output_activation in RANGES:
            raise AEZooError(
                "scaling='standard' gives values without bounds, which the output must be able to reach: set "
                f"output_activation to linear (it is {self.output_activation!r}), or scaling to minmax."
            )
        if self.corruption not in ("none", "gaussian") and not self.corruption_amount < 1:
            raise AEZooError(
                f"corruption_amount must be below 1, the share of the features that {self.corruption!r} corrupts; "
                f"received {self.corruption_amount:g}."
            )

    def _check_network(self) -> None:
        if self.network == "dense":
            if self.dense:
                raise AEZooError(
                    "dense adds layers behind those of a convolutional network; a dense one has them all in hidden; "
                    f"received dense={list(self.dense)}."
                )
            return
        shape = self.input_shape
        if len(shape) not in (2, 3):
            raise AEZooError(
                "A convolutional network takes images of (height, width) or (height, width, channels); received rows of "
                f"shape {shape}: reshape them first, as load_mnist(flat=False) does."
            )
        if len(shape) == 3 and shape[0] in (1, 3, 4) and min(shape[1:]) > 8:
            raise AEZooError(
                f"input_shape={shape} looks like channels first; channels come last here: give "
                f"{(*shape[1:], shape[0])}, and move the axis of the rows with np.moveaxis(x, 1, -1). A series is "
                "(steps, 1, channels)."
            )
        if not self.hidden:
            raise AEZooError("A convolutional network needs at least one hidden layer: give hidden=[32, 64], say.")
        if self.tied:
            raise AEZooError(
                "tied=True shares the kernels of dense layers; with a convolutional network give tied=False."
            )

    @classmethod
    def make(cls, options: Mapping[str, Any]) -> Self:
        """The config with these options; an unknown name is refused with the nearest known one."""
        known = [field.name for field in dataclasses.fields(cls)]
        for name in options:
            if name not in known:
                raise unknown("option", name, known)
        if "input_shape" not in options:
            raise AEZooError("A model needs the shape of its rows: give input_shape=784, or data=x to read it off.")
        return cls(**options)

    @classmethod
    def is_list(cls, name: str) -> bool:
        """Whether the values of an option are lists, as widths are."""
        return typing.get_origin(_kind(typing.get_type_hints(cls)[name])[0]) is tuple

    @classmethod
    def choices(cls, name: str) -> tuple[str, ...] | None:
        """The words that an option may be; None for an option of another kind."""
        return next(field for field in dataclasses.fields(cls) if field.name == name).metadata["choices"]

    @classmethod
    def legal(cls, name: str, value: Any) -> Any:
        """`value` in the type of the option `name`; raises `ValueError` where it can be no value of it."""
        field = next(field for field in dataclasses.fields(cls) if field.name == name)
        return _checked(field, _hint(cls, field), value)

    @classmethod
    def parse(cls, texts: Mapping[str, str]) -> dict[str, Any]:
        """Options from text, as a command line gives them: `{"hidden": "256,64"}` is `{"hidden": (256, 64)}`.

        Raises `ValueError` for an unknown name or a text that is no value of that option.
        """
        fields = {field.name: field for field in dataclasses.fields(cls)}
        options = {}
        for name, text in texts.items():
            if name not in fields:
                raise unknown("option", name, fields)
            options[name] = _parsed(fields[name], _hint(cls, fields[name]), text)
        return options

    def to_dict(self) -> dict[str, Any]:
        """The options as plain JSON values; `Config.make` takes them back."""
        return {
            name: list(value) if isinstance(value, tuple) else value for name, value in dataclasses.asdict(self).items()
        }


@functools.cache  # resolving them takes a millisecond
def _hint(cls: type[Config], field: dataclasses.Field) -> Any:
    return typing.get_type_hints(cls)[field.name]


def _kind(hint: Any) -> tuple[Any, bool]:
    """(the type of a value, whether None is legal too)."""
    if isinstance(hint, types.UnionType):
        (kind,) = [arg for arg in typing.get_args(hint) if arg is not type(None)]
        return kind, True
    return hint, False


def _checked(field: dataclasses.Field, hint: Any, value: Any) -> Any:
    """`value` in the field's own type, or a `ValueError` that says what was expected."""
    kind, optional = _kind(hint)
    if value is None and optional:
        return None
    try:
        if typing.get_origin(kind) is tuple:
            if isinstance(value, (bytes, Mapping, Set)):  # which can be iterated over, and are no list
                raise _illegal(field, hint, value)
            if typing.get_args(kind)[0] is str:
                return tuple(map(str, value))
            items = (value,) if isinstance(value, int) else tuple(value)
            return tuple(_number(field, int, item) for item in items)
        if kind in (int, float):
            return _number(field, kind, value)
    except TypeError:
        raise _illegal(field, hint, value) from None
    if not isinstance(value, kind):
        raise _illegal(field, hint, value)
    if field.metadata["choices"] and value not in field.metadata["choices"]:
        raise unknown(f"{field.name}", value, field.metadata["choices"])
    return value


def _number(field: dataclasses.Field, kind: type, value: Any) -> int | float:
    low, high = field.metadata["low"], field.metadata["high"]
    # NumPy's numbers are `Real`, and its booleans are not.
    if not isinstance(value, numbers.Real) or isinstance(value, bool):
        raise _illegal(field, kind, value)
    try:
        finite = math.isfinite(value)
    except OverflowError:  # a whole number beyond the largest float
        finite = False
    if not finite or (kind is int and value != int(value)):
        raise _illegal(field, kind, value)
    if (low is not None and value < low) or (high is not None and value > high):
        raise _illegal(field, kind, value)
    return kind(value)


def _illegal(field: dataclasses.Field, hint: Any, value: Any) -> AEZooError:
    kind, optional = _kind(hint)
    low, high = field.metadata["low"], field.metadata["high"]
    words = {int: "a whole number", float: "a number", str: "a word", bool: "true or false"}
    words = words.get(kind, "whole numbers")
    if low is not None:
        words += f" of at least {low:g}" if high is None else f" from {low:g} to {high:g}"
    return AEZooError(f"{field.name} must be {words}{' or none' if optional else ''}; received {short(value)}.")


def _parsed(field: dataclasses.Field, hint: Any, text: str) -> Any:
    kind, optional = _kind(hint)
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
    except (ValueError, KeyError):
        raise _illegal(field, hint, text) from None
