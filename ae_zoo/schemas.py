"""What a row is: whether rows are legal, how they become numbers, and how numbers become rows again.

A schema is all that the package knows about rows. `code` converts rows of any form to float32 `(n, *input_shape)`, in the
data's own units. `layer` converts those to the input and target of the networks, `(n, *output_shape)`, on the model's scale,
in operations that compile, export and run on every backend, and that layer's `invert` converts back. A schema is plain JSON
in a model's config and on its card. To add a kind of row, subclass `Schema` and give it a `kind`.
"""

import abc
import collections
import dataclasses
import math
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, ClassVar, Literal, Self, TypeAlias, cast

import numpy as np

from ae_zoo import options
from ae_zoo.errors import AEZooError, first_line, unknown
from ae_zoo.frames import columns_of, numeric
from ae_zoo.likelihoods import LIKELIHOODS, Likelihood
from ae_zoo.options import option, register
from ae_zoo.typing import Array, Rows

if TYPE_CHECKING:
    import keras
    import pandas as pd

    from ae_zoo.autoencoder import Autoencoder
    from ae_zoo.config import Config
    from ae_zoo.endpoints import Endpoints
    from ae_zoo.layers.scaling import RowLayer

HIDDEN = 0.15  # share of a table's cells that a training hides, by default
KINDS: dict[str, "type[Schema]"] = {}
ScalingMode: TypeAlias = Literal["none", "minmax", "standard", "robust"]
Extremes: TypeAlias = tuple[float, float]


@dataclasses.dataclass(frozen=True)
class Scale:
    """A way to scale features.

    Attributes:
        fit: function of rows `(n, *features)` to (offset, scale), each `(*features)`; scaled rows are (x - offset) / scale.
        bounded: whether scaled training rows are in [0, 1].
        extremes: the two values of a scaled feature that mean "off" and "on" in salt-and-pepper noise.
    """

    fit: Callable[[Array], tuple[Array, Array]]
    bounded: bool
    extremes: Extremes


def _quartiles(x: Array) -> tuple[Array, Array]:
    low, middle, high = np.quantile(x, (0.25, 0.5, 0.75), axis=0)
    # If more than half of the rows are equal, the quartiles have no distance.
    return middle, np.where(high > low, high - low, x.std(axis=0, dtype="float64"))


def _range(x: Array) -> Array:
    return x.max(axis=0).astype("float64") - x.min(axis=0)


SCALINGS: dict[str, Scale] = {
    "none": Scale(lambda x: (np.zeros(x.shape[1:]), np.ones(x.shape[1:])), True, (0.0, 1.0)),
    "minmax": Scale(lambda x: (x.min(axis=0), _range(x)), True, (0.0, 1.0)),
    # Standardized data has no extremes: two standard deviations.
    "standard": Scale(lambda x: (x.mean(axis=0, dtype="float64"), x.std(axis=0, dtype="float64")), False, (-2.0, 2.0)),
    # Two standard deviations of normal data, in distances between quartiles.
    "robust": Scale(_quartiles, False, (-1.5, 1.5)),
}


def fit_scaling(mode: str, x: Array) -> tuple[Array, Array]:
    """Returns (offset, scale), each `(*features)` and float64, that scale rows `x` `(n, *features)` to the mode's range.

    Raises:
        AEZooError: a feature has a range beyond float32.
    """
    limit = np.finfo("float32")
    if mode != "none" and (widest := _range(x).max()) > limit.max:
        raise AEZooError(
            f"To be scaled, every feature of x must have a range within float32; received a range of {widest:g}: divide the "
            "rows by a constant first."
        )
    offset, scale = SCALINGS[mode].fit(x)
    # The mean of a constant feature is rounded, and that error must not be scaled up to a spread of 1. Nothing can be
    # divided by a spread that float32 rounds to zero, or holds with only a few bits.
    constant = scale <= np.maximum(1e-12 * np.abs(offset), limit.tiny)
    return np.asarray(offset, "float64"), np.where(constant, 1.0, scale).astype("float64")


class Schema(abc.ABC):
    """What a row is. Subclasses are frozen dataclasses of plain values, with a `kind` of their own.

    Attributes:
        kind: the schema's name in JSON.
        input_shape: shape of one coded row, without the batch axis.
        columns: names of the features, or None if they have no names.
        scaling: a name in `SCALINGS`.
    """

    kind: ClassVar[str]
    input_shape: tuple[int, ...]
    columns: tuple[str, ...] | None
    scaling: ScalingMode = "none"
    corrupts_coded: ClassVar[bool] = False  # whether noise is put on coded rows, and not on what the networks see
    starts_at_zero: ClassVar[bool] = False  # whether outputs begin near 0, which then means what is usual
    symmetric: ClassVar[bool] = True  # whether the networks see as many numbers of a row as they return
    draws: ClassVar[bool] = False  # whether a new row is a draw from what an output means, and not the mean
    may_miss: ClassVar[bool] = False  # whether a coded row may have missing cells, which are NaN
    usual: ClassVar[float | None] = None  # the error of always saying what is usual, where errors are measured by it

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        register(KINDS, "kind", cls)

    def __post_init__(self) -> None:
        options.check_all(self)

    @abc.abstractmethod
    def code(self, x: Rows, name: str = "x", *, learn: bool = False) -> Array:
        """Returns rows as float32 `(n, *input_shape)`, in the data's units.

        Args:
            x: rows, in any form that the schema knows.
            name: the name of the rows in messages.
            learn: whether a model will learn from the rows; then differences that float32 cannot hold are refused.

        Raises:
            AEZooError: the rows are not of this schema.
        """

    @abc.abstractmethod
    def layer(self, name: str) -> "RowLayer":
        """Returns a new layer from coded rows `(batch, *input_shape)` to what the networks see, `(batch, *output_shape)`."""

    def noise(self, kind: str, amount: float, name: str) -> "keras.layers.Layer":
        """Returns the layer that puts noise on rows in training."""
        from ae_zoo.layers.corruption import Corruption

        return Corruption(kind, amount, *self.extremes, name=name)

    def check_noise(self, kind: str) -> None:
        """Raises `AEZooError` if these rows cannot have a kind of noise."""
        if self.corrupts_coded and kind not in ("none", "masking", "swap"):
            raise AEZooError(
                f"The cells of a table can be hidden or swapped: give corruption='masking' or 'swap'; received {kind!r}."
            )

    def rows(self, coded: Array) -> Any:
        """Returns coded rows `(n, *input_shape)` in the form in which people have them: here as they are."""
        return coded

    def known(self, coded: Array) -> Array:
        """Returns which coded rows have something that counts in an error: here all."""
        return np.ones(len(coded), bool)

    def errors(self, share: Array, error: Array, x: Rows) -> Array:
        """Returns errors of numbers `(n, features)` from their shares of the errors `(n,)` of rows `x`."""
        return share * error[:, None] * share.shape[1]

    def served(self, coded: Array) -> dict[str, Array]:
        """Returns coded rows as the inputs of a served model, by name: here as they are, as `x`."""
        return {"x": coded}

    def endpoints(self, model: "Autoencoder") -> "Endpoints":
        """Returns what a model that reconstructs such rows can do besides, by name: here nothing."""
        return {}

    @property
    def output_shape(self) -> tuple[int, ...]:
        """Shape of what the networks return for one row, and here of what they see."""
        return self.input_shape

    @property
    def target_shape(self) -> tuple[int, ...]:
        """Shape of what the networks must give back for one row: here what they see."""
        return self.output_shape

    @property
    def features(self) -> int:
        """How many numbers the networks see of a row; a row's loss is a mean over them."""
        return math.prod(self.output_shape)

    @property
    def names(self) -> tuple[str, ...]:
        """The names of the numbers of a coded row, in order."""
        return self.columns or tuple(f"feature_{index}" for index in range(math.prod(self.input_shape)))

    @property
    def extremes(self) -> Extremes:
        """The two values of a feature, on the model's scale, that mean "off" and "on" in salt-and-pepper noise."""
        return SCALINGS[self.scaling].extremes

    @property
    def bounded(self) -> bool:
        """Whether training rows are in [0, 1] on the model's scale, the range of a sigmoid output."""
        return SCALINGS[self.scaling].bounded

    def likelihood(self, config: "Config") -> Likelihood:
        """Returns what an output means for these rows: here one likelihood for all features, by the option `loss`."""
        return LIKELIHOODS[config.loss].of(config)

    def comparable(self, x: Array) -> "Schema":
        """Returns the schema on whose scale the errors of models that scale rows `x` differently compare: here this one."""
        return self

    def as_options(self) -> dict[str, Any]:
        """Returns the schema as options of a config."""
        return {"schema": self}

    def suited(self, config: "type[Config]") -> dict[str, Any]:
        """Returns the defaults of a family that are others for these rows, such as a code that is not too wide for them."""
        found: dict[str, Any] = {"code": min(config.default("code"), config.widest_code(math.prod(self.output_shape)))}
        if not self.bounded:
            found |= {"loss": config.real_loss, "output_activation": "linear"}
        if not self.symmetric and config.default("tied"):
            found["tied"] = False
        if self.may_miss and config.default("corruption") == "none":
            # Asked for cells that it does not see, a network learns to fill holes.
            found |= {"corruption": "masking", "corruption_amount": HIDDEN}
        return found

    def check_range(  # noqa: B027 - nothing for most
        self, x: Array, low: float, high: float, why: str, name: str = "x"
    ) -> None:
        """Raises `AEZooError` if coded rows are outside a closed interval on the model's scale; `why` has the remedy too.

        Here it checks nothing, because scaled rows may go a little beyond the range of the training rows.
        """

    def row(self, x: "Rows | pd.Series[Any]", name: str = "x") -> Array:
        """Returns one row as `(1, *input_shape)`, coded: from an array `(*input_shape)`, or a pandas Series by its names."""
        to_frame = getattr(x, "to_frame", None)
        if to_frame is not None:
            return self.code(to_frame().T, name)
        return self.code(x[None] if isinstance(x, np.ndarray) else cast("Rows", [x]), name)

    def to_dict(self) -> dict[str, Any]:
        """Returns the schema as plain JSON values; `read` reads them."""
        values = {name: getattr(self, name) for name in options.fields(type(self))}
        return {"kind": self.kind, **{name: options.plain(value) for name, value in values.items()}}

    @staticmethod
    def read(plain: "Schema | Mapping[str, Any]") -> "Schema":
        """Returns the schema of plain values, or the schema itself.

        Raises:
            AEZooError: the kind is unknown, or a value is not legal.
        """
        import ae_zoo.tables.schema  # noqa: F401 - so that its kind is known

        if isinstance(plain, Schema):
            return plain
        if not isinstance(plain, Mapping):
            raise AEZooError(f"schema must be a Schema, or what its to_dict returns; received {plain!r}.")
        rest = dict(plain)
        kind = rest.pop("kind", None)
        if not isinstance(kind, str) or kind not in KINDS:
            raise unknown("kind of schema", kind, KINDS)
        for name in rest:
            if name not in options.fields(KINDS[kind]):
                raise unknown("option of a schema", name, options.fields(KINDS[kind]))
        try:
            return KINDS[kind](**rest)
        except TypeError as error:  # a value without a default is missing
            raise AEZooError(f"The schema of kind {kind!r} is incomplete: {first_line(error)}.") from error


@dataclasses.dataclass(frozen=True, kw_only=True)
class ArraySchema(Schema):
    """Rows that are arrays of numbers, or frames whose columns are all numbers."""

    kind: ClassVar[str] = "array"

    input_shape: tuple[int, ...] = option(help="shape of one row, without the batch axis", low=1)
    columns: tuple[str, ...] | None = option(
        None, help="names of the features; the columns of tables are put into this order"
    )
    scaling: ScalingMode = option("none", help="scaling of each feature, fitted to the training rows", choices=SCALINGS)

    def __post_init__(self) -> None:
        super().__post_init__()
        if not self.input_shape:
            raise AEZooError("input_shape must have at least one number, the width of a row; received ().")
        if math.prod(self.input_shape) > 2**31:
            raise AEZooError(f"input_shape must have at most 2^31 numbers; received {math.prod(self.input_shape):,}.")
        twice = [name for name, count in collections.Counter(self.columns or ()).items() if count > 1]
        if twice:
            raise AEZooError(f"columns must have names of their own; {twice[0]!r} is there more than once.")
        if self.columns is not None and (len(self.columns),) != self.input_shape:
            raise AEZooError(
                f"columns must name each of the {self.input_shape} features; received {len(self.columns)} names."
            )

    @classmethod
    def of(cls, x: Rows, scaling: ScalingMode = "none", name: str = "x") -> tuple[Self, Array]:
        """Returns the schema of rows `(n, *shape)`, and the rows, coded."""
        coded = numeric(x, name, learn=True)
        if coded.ndim < 2:
            raise AEZooError(f"{name} must hold rows of features; received an array of shape {coded.shape}.")
        return cls(input_shape=coded.shape[1:], columns=columns_of(x), scaling=scaling), coded

    def code(self, x: Rows, name: str = "x", *, learn: bool = False) -> Array:
        coded = numeric(x, name, columns=self.columns, learn=learn)
        if coded.shape[1:] != self.input_shape:
            raise AEZooError(_other_shape(coded.shape, self.input_shape, name))
        return coded

    def check_range(self, x: Array, low: float, high: float, why: str, name: str = "x") -> None:
        least, most = float(x.min()), float(x.max())
        if self.scaling == "none" and (least < low or most > high):
            raise AEZooError(
                f"{name} must be in [{low:g}, {high:g}]: {why}; received values from {least:g} to {most:g}."
            )

    def layer(self, name: str) -> "RowLayer":
        from ae_zoo.layers.scaling import Scaling

        return Scaling(self.scaling, name=name)

    def comparable(self, x: Array) -> "Schema":
        """Returns the schema with the rows' own scale if they are in [0, 1], and standardized otherwise."""
        return dataclasses.replace(self, scaling="none" if x.min() >= 0 and x.max() <= 1 else "standard")

    def as_options(self) -> dict[str, Any]:
        return {name: getattr(self, name) for name in options.fields(ArraySchema)}


def schema_of(config: Mapping[str, Any]) -> Schema:
    """Returns the schema in a model's config, of a file or a card; before version 0.2 it was several separate options."""
    if "schema" in config:
        return Schema.read(config["schema"])
    if "input_shape" not in config:
        raise AEZooError("A config must say what a row is: it has neither schema nor input_shape.")
    return ArraySchema(**{name: config[name] for name in options.fields(ArraySchema) if name in config})


def as_codes(code: Rows, shape: Sequence[int], name: str = "code") -> Array:
    """Returns codes as float32 `(n, *shape)`.

    Raises:
        AEZooError: the codes are not numbers, empty, of another shape, or hold NaN or infinity.
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
