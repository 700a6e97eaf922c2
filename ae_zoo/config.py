"""The options of a model: one frozen dataclass a family, the only place where an option exists.

The constructor, the `.keras` file, the command line and the architecture search read the same fields. This module loads no
Keras. A family's training defaults, and the kind of its labels, follow from its config alone.
"""

import dataclasses
import functools
from collections.abc import Mapping
from typing import Any, ClassVar, Literal, Self, TypeAlias, get_args

from ae_zoo import options
from ae_zoo.errors import AEZooError, unknown
from ae_zoo.likelihoods import LEAST_VARIANCE, LIKELIHOODS
from ae_zoo.options import option
from ae_zoo.recipe import Recipe
from ae_zoo.schemas import ArraySchema, ScalingMode, Schema, schema_of

Activation: TypeAlias = Literal[
    "linear", "tanh", "sigmoid", "relu", "elu", "selu", "silu", "gelu", "leaky_relu", "softplus"
]
CorruptionKind: TypeAlias = Literal["none", "gaussian", "dropout", "masking", "salt_pepper", "swap"]
Network: TypeAlias = Literal["dense", "convolutional"]
Normalization: TypeAlias = Literal["none", "batch", "layer"]
ACTIVATIONS: tuple[str, ...] = get_args(Activation)
CORRUPTIONS: tuple[str, ...] = get_args(CorruptionKind)
NETWORKS: tuple[str, ...] = get_args(Network)
NORMALIZATIONS: tuple[str, ...] = get_args(Normalization)
# The hidden layers that a search tries: for any family, and for those that need at least one.
LAYERS = {"depth": [0, 1, 2, 3], "width": (64, 1024)}
DEEP = {**LAYERS, "depth": [1, 2, 3]}
# The open interval in which a bounded activation's values lie.
RANGES = {"tanh": (-1.0, 1.0), "sigmoid": (0.0, 1.0)}
SPARSITY = "target mean activation of each code unit (KL penalty): between -1 and 1 for tanh, 0 and 1 for sigmoid"
RENAMED = {"binarisation": "binarization"}  # options of version 0.1; its files can still be read


@dataclasses.dataclass(frozen=True, kw_only=True)
class Config:
    """The options that every family has. A family's own config may add fields and change these defaults.

    Construction checks every field and raises `AEZooError` with one sentence for the first that is wrong.

    Attributes:
        family: the family's name.
        about: what the family is, in one line.
        paper: the paper to read first.
        good_for: what to use the family for, in a few words.
        real_loss: the default loss for rows that are not all in [0, 1].
    """

    family: ClassVar[str] = ""
    about: ClassVar[str] = ""
    paper: ClassVar[str] = ""
    good_for: ClassVar[str] = ""
    real_loss: ClassVar[str] = "mse"

    schema: Schema = option(help="what a row is", read=Schema.read)
    network: Network = option("dense", help="kind of the hidden layers", choices=NETWORKS)
    code: int = option(32, help="width of the code", low=1, high=10**7, search=(4, 64))
    hidden: tuple[int, ...] = option(
        (),
        help="widths (or channels) of the encoder's hidden layers; the decoder mirrors them",
        low=1,
        high=10**7,
        search=LAYERS,
    )
    dense: tuple[int, ...] = option(
        (),
        help="widths of dense layers between a convolutional network's maps and its code; the decoder mirrors them",
        low=1,
        high=10**7,
    )
    kernel: int = option(3, help="side of the filters of a convolutional network", low=1, high=1000)
    tied: bool = option(False, help="decoder and encoder share their weights, transposed (dense networks)")
    activation: Activation = option(
        "selu", help="activation of the hidden layers", choices=ACTIVATIONS, search=["selu", "silu", "relu", "tanh"]
    )
    normalization: Normalization = option(
        "none",
        help="of hidden layers, before the activation: batch (each unit over the rows) or layer (each row over the units)",
        choices=NORMALIZATIONS,
    )
    dropout: float = option(0.0, help="share of the hidden units that are dropped in training", low=0, high=0.99)
    max_norm: float | None = option(
        None, help="greatest Euclidean norm of the weights that enter a hidden unit; none: no limit", low=1e-6
    )
    code_activation: Activation = option("linear", help="activation of the code", choices=ACTIVATIONS)
    output_activation: Activation = option("sigmoid", help="activation of the reconstruction", choices=ACTIVATIONS)
    loss: str = option("mse", help="reconstruction loss, a mean over features", choices=LIKELIHOODS)
    output_variance: float | None = option(
        None, help="loss=gaussian: the variance on the model's scale; none: learned", low=LEAST_VARIANCE
    )
    huber_delta: float = option(1.0, help="loss=huber: the difference above which the loss grows linearly", low=1e-6)
    quantile_alpha: float = option(0.5, help="loss=quantile: which quantile the output is", low=0.001, high=0.999)
    sparsity: float | None = option(None, help=SPARSITY, low=-1, high=1)
    sparsity_weight: float = option(1.0, help="weight of the KL sparsity penalty, a mean over units", low=0)
    l1: float = option(0.0, help="weight of the mean absolute code", low=0)
    corruption: CorruptionKind = option("none", help="noise added to the input in training", choices=CORRUPTIONS)
    corruption_amount: float = option(
        0.3, help="standard deviation (gaussian) or share of the features (others)", low=0
    )

    def __post_init__(self) -> None:
        options.check_all(self)
        self.check()

    # What a family may change. Each is a function of the config alone.

    @property
    def recipe(self) -> Recipe:
        """How `ae_zoo.fit` trains the family by default."""
        return Recipe()

    @property
    def reconstructs(self) -> bool:
        """Whether codes at inference are like those in training; if not, reconstruction errors mean nothing."""
        return True

    @property
    def target(self) -> Literal["rows", "labels"]:
        """What `fit` takes as `y`: the rows to give back, or labels."""
        return "rows"

    @property
    def classes(self) -> int:
        """Number of labels, which are counted from 0; 0 if the model takes none."""
        return 0

    @classmethod
    def widest_code(cls, features: int) -> int:
        """Returns the widest code that the default may have, for rows with this number of features: half of it."""
        return max(1, features // 2)

    # Rules between options.

    def check(self) -> None:
        """Raises `AEZooError` if options that are legal alone do not go together. Families extend it."""
        self._check_network()
        self._check_hidden()
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
                raise AEZooError("sparsity (KL) and l1 are two penalties for the same purpose; give one of them.")
        likelihood = LIKELIHOODS[self.loss]
        outputs = likelihood.activations
        if outputs is not None and self.output_activation not in outputs:
            raise AEZooError(
                f"loss={self.loss!r} needs output_activation={' or '.join(map(repr, outputs))}; received "
                f"{self.output_activation!r}."
            )
        if likelihood.legal is not None and self.schema.scaling != "none":
            raise AEZooError(
                f"loss={self.loss!r} is of rows from {likelihood.legal[0]:g} to {likelihood.legal[1]:g} as they are, so it "
                f"needs scaling='none'; received {self.schema.scaling!r}."
            )
        if self.output_variance is not None and self.loss != "gaussian":
            raise AEZooError(f"output_variance is the variance of loss='gaussian'; the loss here is {self.loss!r}.")
        if not self.schema.bounded and self.output_activation in RANGES:
            raise AEZooError(
                f"scaling={self.schema.scaling!r} gives values without bounds, so the output must have none either: set "
                f"output_activation to linear (it is {self.output_activation!r}), or scaling to minmax."
            )
        self.schema.check_noise(self.corruption)
        if self.tied and not self.schema.symmetric:
            raise AEZooError(
                "tied=True needs rows of which the networks see as many numbers as they return; of a table they see the "
                "holes too: give tied=False."
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
                    "dense adds layers behind those of a convolutional network; a dense network has all its layers in "
                    f"hidden; received dense={list(self.dense)}."
                )
            return
        shape = self.schema.output_shape
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
        if len(shape) == 2 and min(shape) <= 4 and max(shape) >= 16:
            steps, channels = max(shape), min(shape)
            raise AEZooError(
                f"input_shape={shape} looks like a series of {steps} steps with {channels} channels, and would be filtered "
                f"as a gray image: give rows of ({steps}, 1, {channels}), or ({shape[0]}, {shape[1]}, 1) for images."
            )
        if not self.hidden:
            raise AEZooError(
                "A convolutional network needs at least one hidden layer: give hidden=[32, 64], for example."
            )
        if self.tied:
            raise AEZooError(
                "tied=True shares the kernels of dense layers; with a convolutional network give tied=False."
            )

    def _check_hidden(self) -> None:
        given = {
            "normalization": self.normalization != "none",
            "dropout": self.dropout > 0,
            "max_norm": self.max_norm is not None,
        }
        for name in (name for name, is_given in given.items() if is_given):
            if not self.hidden:
                raise AEZooError(f"{name} is of the hidden layers, and there are none: give hidden=[300], for example.")
        if self.max_norm is not None and self.tied:
            raise AEZooError(
                "max_norm limits the weights that enter a unit, but with tied=True each kernel enters the units of two "
                "layers, in rows and in columns: give tied=False, or leave max_norm out."
            )
        dense = self.hidden if self.network == "dense" else self.dense
        if self.normalization == "layer" and 1 in dense:
            raise AEZooError(
                "normalization='layer' makes a hidden layer of one unit a constant: give wider layers, or "
                f"normalization='batch'; received widths of {list(dense)}."
            )

    # The schema's, under the names of an array's options.

    @property
    def input_shape(self) -> tuple[int, ...]:
        """Shape of one coded row, without the batch axis."""
        return self.schema.input_shape

    @property
    def columns(self) -> tuple[str, ...] | None:
        """Names of the features, or None."""
        return self.schema.columns

    @property
    def scaling(self) -> ScalingMode:
        """A name in `schemas.SCALINGS`."""
        return self.schema.scaling

    # Making a config: from keywords, a file, or text.

    @classmethod
    def make(cls, given: Mapping[str, Any]) -> Self:
        """Returns the config with these options; `input_shape`, `columns` and `scaling` make the schema of an array.

        Raises:
            AEZooError: a name is unknown (the message has the nearest known one), or a value is not legal.
        """
        known = cls.options()
        for name in given:
            if name in RENAMED:
                raise AEZooError(f"The option {name!r} is now {RENAMED[name]!r}.")
            if name not in known and name != "schema":
                raise unknown("option", name, known)
        own = {name: value for name, value in given.items() if name not in options.fields(ArraySchema)}
        of_array = {name: value for name, value in given.items() if name not in own}
        if "schema" in own:
            twice = [name for name, value in of_array.items() if value is not None]
            if twice:
                raise AEZooError(f"schema and {twice[0]} both say what a row is: leave {twice[0]} out.")
        elif "input_shape" not in of_array:
            raise AEZooError(
                "A model needs the shape of its rows: give input_shape=784, or data=x to take it from the rows."
            )
        else:
            own["schema"] = ArraySchema(**of_array)
        return cls(**own)

    @classmethod
    def read(cls, plain: Mapping[str, Any]) -> Self:
        """Returns the config of what `to_dict` returned, in this version or an earlier one."""
        rest = {RENAMED.get(k, k): v for k, v in plain.items() if k not in options.fields(ArraySchema)}
        return cls.make({**rest, "schema": schema_of(plain)})

    @classmethod
    def options(cls) -> dict[str, dataclasses.Field[Any]]:
        """Returns every option by name; those of an array's schema take the place of `schema`."""
        own = options.fields(cls)
        return options.fields(ArraySchema) | {name: field for name, field in own.items() if name != "schema"}

    @classmethod
    def owner(cls, name: str) -> type:
        """Returns the dataclass that has an option: this one, or the schema's."""
        return ArraySchema if name in options.fields(ArraySchema) else cls

    @classmethod
    def default(cls, name: str) -> Any:
        """Returns an option's default."""
        return cls.options()[name].default

    @classmethod
    def is_list(cls, name: str) -> bool:
        """Returns whether the values of an option are lists, as widths are."""
        return options.is_list(cls.owner(name), cls.options()[name])

    @classmethod
    def choices(cls, name: str) -> tuple[str, ...] | None:
        """Returns the words that an option may be; None for an option of another kind."""
        found = cls.options()[name].metadata["choices"]
        return None if found is None else tuple(found)

    @classmethod
    def legal(cls, name: str, value: Any) -> Any:
        """Returns `value` in the type of the option `name`; raises `AEZooError` if it is not legal there."""
        return options.legal(cls.owner(name), cls.options()[name], value)

    @classmethod
    def parse(cls, texts: Mapping[str, str]) -> dict[str, Any]:
        """Returns options from text, as on a command line: `{"hidden": "256,64"}` becomes `{"hidden": (256, 64)}`.

        Raises:
            AEZooError: a name is unknown, or a text is no value of its option.
        """
        known, found = cls.options(), {}
        for name, text in texts.items():
            if name in RENAMED:
                raise AEZooError(f"The option {name!r} is now {RENAMED[name]!r}.")
            if name not in known:
                raise unknown("option", name, known)
            found[name] = cls.legal(name, options.parsed(cls.owner(name), known[name], text))
        return found

    def to_dict(self) -> dict[str, Any]:
        """Returns the options as plain JSON values; `Config.read` reads them."""
        plain = {name: getattr(self, name) for name in options.fields(type(self))}
        plain["schema"] = self.schema.to_dict()
        return {name: list(value) if isinstance(value, tuple) else value for name, value in plain.items()}


override = functools.partial(options.override, Config)
