"""What a row is: whether rows are legal, how they become numbers, and how numbers become rows again.

A schema is all that the package knows of a row. `code` takes rows in any form to float32 `(n, *input_shape)`, in the data's
own units; `layer` takes those to what the networks see and give back, `(n, *output_shape)`, on the model's scale, in
operations that compile, export and run on every backend; and that layer's `invert` takes them back. A schema is plain JSON in
a model's config and on its card. To add a kind of row, subclass `Schema` and give it a `kind`.
"""

import abc
import dataclasses
import math
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, ClassVar, Self

import numpy as np

from ae_zoo import options
from ae_zoo.errors import AEZooError, unknown
from ae_zoo.frames import columns_of, numeric
from ae_zoo.likelihoods import LIKELIHOODS, Likelihood
from ae_zoo.options import option

if TYPE_CHECKING:
    from ae_zoo.config import Config
    from ae_zoo.layers.scaling import RowLayer

KINDS: dict[str, "type[Schema]"] = {}
Extremes = tuple[float, float]


@dataclasses.dataclass(frozen=True)
class Scale:
    """A way to scale features.

    Attributes:
        fit: rows `(n, *features)` to (offset, scale), each `(*features)`; scaled rows are (x - offset) / scale.
        bounded: whether scaled training rows lie in [0, 1].
        extremes: the two values of a scaled feature that stand for "off" and "on" in salt-and-pepper noise.
    """

    fit: Callable[[np.ndarray], tuple[Any, Any]]
    bounded: bool
    extremes: Extremes


def _quartiles(x: np.ndarray) -> tuple[Any, Any]:
    low, middle, high = np.quantile(x, (0.25, 0.5, 0.75), axis=0)
    # Where more than half of the rows are equal, the quartiles have no distance to measure by.
    return middle, np.where(high > low, high - low, x.std(axis=0, dtype="float64"))


SCALINGS: dict[str, Scale] = {
    "none": Scale(lambda x: (np.zeros(x.shape[1:]), np.ones(x.shape[1:])), True, (0.0, 1.0)),
    "minmax": Scale(lambda x: (x.min(axis=0), np.ptp(x, axis=0)), True, (0.0, 1.0)),
    # Standardized data has no extremes: two standard deviations.
    "standard": Scale(lambda x: (x.mean(axis=0, dtype="float64"), x.std(axis=0, dtype="float64")), False, (-2.0, 2.0)),
    "robust": Scale(
        _quartiles, False, (-1.5, 1.5)
    ),  # two standard deviations of normal data, in distances of quartiles
}


def fit_scaling(mode: str, x: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """(offset, scale), each `(*features)` and float64, that take rows `x` `(n, *features)` to the mode's range."""
    offset, scale = SCALINGS[mode].fit(x)
    # The mean of a constant feature is rounded, which must not be blown up to a spread of 1. A spread that float32 rounds
    # to zero, or holds with a few bits, cannot be divided by.
    constant = scale <= np.maximum(1e-12 * np.abs(offset), np.finfo("float32").tiny)
    return np.asarray(offset, "float64"), np.where(constant, 1.0, scale).astype("float64")


class Schema(abc.ABC):
    """What a row is. Subclasses are frozen dataclasses of plain values, with a `kind` of their own.

    Attributes:
        kind: its name in JSON.
        input_shape: of one coded row, without the batch axis.
        columns: names of the features, or None where they have none.
        scaling: a name in `SCALINGS`.
    """

    kind: ClassVar[str]
    input_shape: tuple[int, ...]
    columns: tuple[str, ...] | None
    scaling: str = "none"

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        KINDS[cls.kind] = cls

    def __post_init__(self) -> None:
        options.check_all(self)

    @abc.abstractmethod
    def code(self, x: Any, name: str = "x", *, learn: bool = False) -> np.ndarray:
        """Rows as float32 `(n, *input_shape)`, in the data's units.

        Args:
            x: rows, in any form that the schema knows.
            name: what the messages call them.
            learn: whether they are to be learned from: then differences that float32 cannot hold are refused.

        Raises:
            AEZooError: the rows are not of this schema.
        """

    @abc.abstractmethod
    def layer(self, name: str) -> "RowLayer":
        """A new layer from coded rows `(batch, *input_shape)` to what the networks see `(batch, *output_shape)`."""

    @property
    def output_shape(self) -> tuple[int, ...]:
        """Of what the networks see and give back for one row."""
        return self.input_shape

    @property
    def features(self) -> int:
        """How many numbers the networks see of a row: what a row's loss is a mean over."""
        return math.prod(self.output_shape)

    @property
    def names(self) -> tuple[str, ...]:
        """A name for each number of a coded row, in order."""
        return self.columns or tuple(f"feature_{index}" for index in range(math.prod(self.input_shape)))

    @property
    def extremes(self) -> Extremes:
        """The two values of a feature on the model's scale that stand for "off" and "on" in salt-and-pepper noise."""
        return SCALINGS[self.scaling].extremes

    @property
    def bounded(self) -> bool:
        """Whether training rows lie in [0, 1] on the model's scale, which a sigmoid output can reach."""
        return SCALINGS[self.scaling].bounded

    def likelihood(self, config: "Config") -> Likelihood:
        """What an output means for these rows; here one likelihood for all features, which the option `loss` names."""
        return LIKELIHOODS[config.loss].of(config)

    def check_unit(self, x: np.ndarray, why: str, name: str = "x") -> None:  # noqa: B027 - nothing for most
        """Raises `AEZooError` where coded rows lie outside [0, 1] on the model's scale; `why` says what needs that.

        Here nothing: rows that are scaled may go beyond the training rows a little.
        """

    def row(self, x: Any, name: str = "x") -> np.ndarray:
        """One row, coded, with a batch axis of length 1: an array `(*input_shape)`, or a pandas Series by its names."""
        if hasattr(x, "to_frame"):
            return self.code(x.to_frame().T, name)
        return self.code(np.asarray(x)[None], name)

    def to_dict(self) -> dict[str, Any]:
        """The schema as plain JSON values; `read` takes them back."""
        plain = {name: getattr(self, name) for name in options.fields(type(self))}
        return {"kind": self.kind, **{k: list(v) if isinstance(v, tuple) else v for k, v in plain.items()}}

    @staticmethod
    def read(plain: "Schema | Mapping[str, Any]") -> "Schema":
        """The schema of plain values, or the schema itself.

        Raises:
            AEZooError: the kind is unknown, or a value is not legal.
        """
        if isinstance(plain, Schema):
            return plain
        if not isinstance(plain, Mapping):
            raise AEZooError(f"schema must be a Schema, or the object that its to_dict gives; received {plain!r}.")
        rest = dict(plain)
        kind = rest.pop("kind", None)
        if kind not in KINDS:
            raise unknown("kind of schema", kind, KINDS)
        for name in rest:
            if name not in options.fields(KINDS[kind]):
                raise unknown("option of a schema", name, options.fields(KINDS[kind]))
        return KINDS[kind](**rest)


@dataclasses.dataclass(frozen=True, kw_only=True)
class ArraySchema(Schema):
    """Rows that are arrays of numbers, or frames whose columns are all numbers."""

    kind: ClassVar[str] = "array"

    input_shape: tuple[int, ...] = option(help="shape of one row, without the batch axis", low=1)
    columns: tuple[str, ...] | None = option(None, help="names of the features; rows that have names are put in order")
    scaling: str = option("none", help="scaling of each feature, fitted to the training rows", choices=SCALINGS)

    def __post_init__(self) -> None:
        super().__post_init__()
        if not self.input_shape:
            raise AEZooError("input_shape must have at least one number, the width of a row; received ().")
        if math.prod(self.input_shape) > 2**31:
            raise AEZooError(
                f"A row of {math.prod(self.input_shape):,} numbers is more than can be computed with here."
            )
        if self.columns is not None and (len(self.columns),) != self.input_shape:
            raise AEZooError(
                f"columns must name each of the {self.input_shape} features; received {len(self.columns)} names."
            )

    @classmethod
    def of(cls, x: Any, scaling: str = "none", name: str = "x") -> tuple[Self, np.ndarray]:
        """The schema of rows `(n, *shape)`, and the rows, coded."""
        coded = numeric(x, name, learn=True)
        if coded.ndim < 2:
            raise AEZooError(f"{name} must hold rows of features; received an array of shape {coded.shape}.")
        return cls(input_shape=coded.shape[1:], columns=columns_of(x), scaling=scaling), coded

    def code(self, x: Any, name: str = "x", *, learn: bool = False) -> np.ndarray:
        coded = numeric(x, name, columns=self.columns, learn=learn)
        if coded.shape[1:] != self.input_shape:
            raise AEZooError(_other_shape(coded.shape, self.input_shape, name))
        return coded

    def check_unit(self, x: np.ndarray, why: str, name: str = "x") -> None:
        low, high = float(x.min()), float(x.max())
        if self.scaling == "none" and (low < 0 or high > 1):
            raise AEZooError(
                f"{name} must lie in [0, 1], because {why}; received values from {low:g} to {high:g}. "
                "Divide by the largest value, or build the model with scaling='minmax' or with data=x."
            )

    def layer(self, name: str) -> "RowLayer":
        from ae_zoo.layers.scaling import Scaling

        return Scaling(self.scaling, name=name)


def schema_of(config: Mapping[str, Any]) -> Schema:
    """The schema in a model's config, as a file or a card holds it; before version 0.2 it was a few options of its own."""
    if "schema" in config:
        return Schema.read(config["schema"])
    if "input_shape" not in config:
        raise AEZooError("A config must say what a row is: it has neither schema nor input_shape.")
    return ArraySchema(**{name: config[name] for name in options.fields(ArraySchema) if name in config})


def as_codes(code: Any, shape: Sequence[int], name: str = "code") -> np.ndarray:
    """Codes as float32 `(n, *shape)`.

    Raises:
        AEZooError: they are not numeric, empty, of another shape, or hold NaN or infinity.
    """
    coded = numeric(code, name)
    if coded.shape[1:] != tuple(shape):
        raise AEZooError(_other_shape(coded.shape, tuple(shape), name))
    return coded


def _other_shape(shape: tuple[int, ...], wanted: tuple[int, ...], name: str) -> str:
    expected = " x ".join(map(str, wanted))
    received = " x ".join(map(str, shape[1:])) or "a single number"
    hint = ""
    if shape == wanted:
        hint = f" For one row, give {name}[None]."
    elif math.prod(shape[1:]) == math.prod(wanted) and min(len(wanted), len(shape) - 1) == 1:
        hint = f" Give {name}.reshape(-1, {', '.join(map(str, wanted))})."
    return f"{name} must have rows of {expected} features; received rows of {received}.{hint}"
