"""The one base class: a functional graph inside a named class, with the verbs that every family has."""

import functools
import os
import pathlib
import warnings
from collections.abc import Callable
from typing import Any, ClassVar, Literal, Self

import keras
import numpy as np

from ae_zoo import networks, schemas
from ae_zoo._support import checks, files
from ae_zoo.config import Config
from ae_zoo.endpoints import Endpoint, Endpoints, shares, shares_of_tensor
from ae_zoo.errors import AEZooError, AEZooWarning, AlreadyThereError, unknown
from ae_zoo.layers.corruption import corrupt
from ae_zoo.networks import output
from ae_zoo.networks.inference import Views, in_batches

Unit = Literal["squared", "loss"]


class Autoencoder(keras.Model):
    """An encoder and a decoder that are trained together to give back their input.

    A family is a subclass with a `Config` of its own and, where it needs them, its own `make_encoder` and
    `make_decoder`. It is built from its options, `Sparse(input_shape=784, code=100)`, or by `ae_zoo.build`, which also
    compiles it.

    `model(x)` and `model.predict(x)` give reconstructions on the model's scale, where the loss lives; the verbs below
    take and give the data's own units.

    Attributes:
        config: the options, frozen.
        schema: what a row is.
        likelihood: what an output means.
        encoder: rows `(batch, *input_shape)` in the data's units to codes `(batch, code)`.
        decoder: codes `(batch, code)` to reconstructions `(batch, *output_shape)` on the model's scale.
        scaling: the encoder's first layer, from rows to the model's scale.

    Raises:
        AEZooError: for an option that is unknown or not legal.
    """

    Config: ClassVar[type[Config]] = Config
    suffix: ClassVar[str] = ".keras"
    threshold: ClassVar[None] = None  # a detector has one
    PARTS: ClassVar[tuple[str, ...]] = ("reconstruction",)  # of the loss, in the order that `loss_parts` gives them

    def __init__(self, *, name: str | None = None, **options: Any) -> None:
        config = self.Config.make(options)
        encoder = self.make_encoder(config)
        decoder = self.make_decoder(config, encoder)
        x = keras.Input(config.input_shape, name="x")
        super().__init__(x, decoder(encoder(x)), name=name)
        self.config = config
        self.encoder = encoder
        self.decoder = decoder
        self.scaling = encoder.get_layer("scaling")
        self.likelihood = config.schema.likelihood(config)
        self.likelihood.build(self)
        self._views = Views()
        self._part_metrics = [keras.metrics.Mean(part) for part in self.PARTS]
        # Shown where the code is regularized; the loss adds whatever penalties there are.
        self._penalty_metric = keras.metrics.Mean("penalty") if networks.code_regularizer(config) else None

    # What a family may replace.

    @classmethod
    def make_encoder(cls, config: Config) -> keras.Model:
        """The network from rows to codes; its first layer is the schema's, and named `scaling`."""
        return networks.encoder(config)

    @classmethod
    def make_decoder(cls, config: Config, encoder: keras.Model) -> keras.Model:
        """The network from codes, of the shape that `encoder` gives, to reconstructions on the model's scale."""
        return networks.decoder(config, encoder)

    def loss_parts(self, x: Any, y: Any, y_pred: Any, training: bool) -> dict[str, Any]:
        """What the loss is the sum of: a value a row `(batch,)` for each name in `PARTS`.

        A family that needs more than `y_pred` runs its networks itself. That costs nothing: where `y_pred` is not used,
        the compiler leaves the pass that made it out.

        Args:
            x: rows `(batch, *input_shape)` in the data's units.
            y: what `fit` was given beside them, or None; here the rows that are wanted back.
            y_pred: reconstructions `(batch, *output_shape)` on the model's scale.
            training: whether this is a training step.
        """
        return {"reconstruction": self.row_loss(self.target(x, y), y_pred)}

    def row_loss(self, target: Any, y_pred: Any) -> Any:
        """Reconstruction loss of each row `(batch,)`, a mean over features; both arguments are on the model's scale."""
        # A mean over a thousand features is too much for half precision.
        return self.likelihood.row_loss(target, keras.ops.cast(y_pred, "float32"))

    def diagnose(self, history: dict[str, list[float]]) -> list[str]:
        """What has gone wrong in a run whose metrics by epoch are given: a sentence each; `ae_zoo.fit` warns of them."""
        return []

    @property
    def warmup_left(self) -> int:
        """Training rows over which the loss itself will still change."""
        return self.config.recipe.warmup_rows

    @property
    def networks(self) -> tuple[keras.Model, ...]:
        """The networks that the model is made of; their layers' names are unique among them."""
        return self.encoder, self.decoder

    @property
    def lasting_weights(self) -> dict[str, keras.Variable]:
        """The weights that an export keeps, by name: those that the model's verbs need, and not only its training."""
        return {weight.path.removeprefix(f"{self.name}/"): weight for weight in self.weights}

    def endpoints(self) -> Endpoints:
        """What the model can do, by name. The first is what a server takes where a request names none."""
        shape, code = self.config.input_shape, tuple(self.decoder.input_shape[1:])
        found: Endpoints = {}
        if self.config.reconstructs:
            found["reconstruct"] = Endpoint(
                input="x",
                shape=shape,
                verb=lambda x: {"reconstruction": self.reconstruct(x)},
                function=lambda x: {"reconstruction": self.rows_of(self.encoder(x, training=False))},
                about="the row as the model gives it back, in the data's units",
            )
        found["encode"] = Endpoint(
            input="x",
            shape=shape,
            verb=lambda x: {"code": self.encode(x)},
            function=lambda x: {"code": _float32(self.encoder(x, training=False))},
            about="the row's code",
        )
        found["decode"] = Endpoint(
            input="code",
            shape=code,
            verb=lambda code: {"reconstruction": self.decode(code)},
            function=lambda code: {"reconstruction": self.rows_of(code)},
            about="a code's row, in the data's units",
        )
        if self.config.reconstructs:
            found["score"] = Endpoint(
                input="x",
                shape=shape,
                verb=self._score,
                function=self._score_of_tensor,
                about="mean squared error on the model's scale, and each feature's share of it",
            )
        return found

    # Training: the loss, and nothing else. The steps are Keras's own.

    def compute_loss(
        self,
        x: Any = None,
        y: Any = None,
        y_pred: Any = None,
        sample_weight: Any = None,
        training: bool = True,
    ) -> Any:
        """Mean over the batch of the parts of the loss, plus the penalties that layers add.

        The target is the clean row itself, or `y` where one is given (corrupted rows of one's own in `x`, say). `x` and
        `y` are `(batch, *input_shape)` in the data's units, `y_pred` is `(batch, *output_shape)` on the model's scale.
        Keras passes weights on only beside a target: `model.fit(x, x, sample_weight=w)`.
        """
        if self.scaling.weights and not self.scaling.adapted:
            raise AEZooError(
                f"The model has scaling={self.config.scaling!r}, which must see the training rows before the first "
                "step: call model.adapt(x_train), or train with ae_zoo.fit."
            )
        ops = keras.ops
        parts = self.loss_parts(x, y, y_pred, training)
        if sample_weight is not None:
            weight = ops.cast(ops.reshape(sample_weight, (-1,)), "float32")
            parts = {name: part * weight for name, part in parts.items()}
        for metric in self._part_metrics:
            metric.update_state(parts[metric.name])
        loss = sum(ops.mean(part) for part in parts.values())
        penalties = self.losses  # of the last pass through the layers, whoever made it
        if penalties:
            penalty = sum(ops.cast(value, "float32") for value in penalties)
            loss = loss + penalty
            if self._penalty_metric is not None:
                self._penalty_metric.update_state(penalty, sample_weight=ops.shape(x)[0])
        return loss

    def target(self, x: Any, y: Any) -> Any:
        """The rows that are wanted back, on the model's scale: `y`, or `x` itself where `y` is labels or nothing."""
        target = x if y is None or self.config.target == "labels" else y
        if tuple(target.shape[1:]) != self.config.input_shape:
            raise AEZooError(
                f"The target must have the shape of a row, {self.config.input_shape}; received {target.shape[1:]}. "
                "An autoencoder needs no labels: call fit(x)."
            )
        return self.scaling(target)

    def compute_metrics(self, x: Any, y: Any, y_pred: Any, sample_weight: Any = None) -> dict[str, Any]:
        """Keras's, with the clean row on the model's scale as the target of metrics that were compiled in."""
        return super().compute_metrics(x, self.target(x, y), y_pred, sample_weight)

    def adapt(self, x: Any) -> None:
        """Fits what follows from the training rows `(n, *input_shape)` without any training. `ae_zoo.fit` calls it.

        The scaling is fitted, and an untrained model's output starts where the likelihood says, by its bias: at the rows'
        mean, for instance. Otherwise the first steps would drive the code far out to make up for the missing mean: a tanh
        code would stay saturated there.
        """
        x = self.schema.code(x, learn=True)
        self.scaling.adapt(x)
        if not np.any(output.bias(self.decoder)):
            scaled = keras.ops.convert_to_numpy(self.scaling(x))
            output.start_at(self.decoder, self.likelihood.start(scaled), self.config.output_activation)

    @property
    def has_learned(self) -> bool:
        """Whether the model has seen training rows."""
        trained = self.compiled and self.optimizer is not None and int(self.optimizer.iterations) > 0
        return self.scaling.adapted or trained

    # The verbs.

    def encode(self, x: Any, layer: str | None = None, *, batch_size: int = 1024) -> np.ndarray:
        """Codes `(n, code)` of rows `(n, *input_shape)`, or what a named layer gives for them.

        Args:
            x: rows in the data's units.
            layer: a name that `model.summary()` shows, in either half, such as `"hidden_0"`.
            batch_size: rows at a time; it changes the speed, not the result.

        Raises:
            AEZooError: for rows of another shape or with NaN, an unknown layer, or a scaling that has seen no rows.
        """
        x = self._known(x)
        return checks.finite_answers(
            in_batches(self.encoder if layer is None else self._up_to(layer), x, batch_size), "code"
        )

    def decode(self, code: Any, *, batch_size: int = 1024) -> np.ndarray:
        """Reconstructions `(n, *input_shape)`, in the data's units, of codes `(n, code)`."""
        self._check_learned()
        code = schemas.as_codes(code, self.decoder.input_shape[1:])
        found = self.scaling.invert(self.likelihood.mean(in_batches(self.decoder, code, batch_size)))
        return checks.finite_answers(found, "reconstruction")

    def reconstruct(self, x: Any, *, batch_size: int = 1024) -> np.ndarray:
        """Reconstructions of rows `(n, *input_shape)`, of the same shape and in the data's units."""
        x = self._known(x)
        network = self._view("reconstruction", lambda rows: self.decoder(self.encoder(rows)))
        found = self.scaling.invert(self.likelihood.mean(in_batches(network, x, batch_size)))
        return checks.finite_answers(found, "reconstruction")

    def reconstruction_error(
        self, x: Any, per_feature: bool = False, *, unit: Unit = "squared", batch_size: int = 1024
    ) -> np.ndarray:
        """How far rows are from their reconstructions, on the model's scale; higher is stranger.

        Args:
            x: rows `(n, *input_shape)` in the data's units.
            per_feature: give the error of each feature, `(n, *input_shape)`, rather than its mean `(n,)`.
            unit: `"squared"`: the squared error, whatever loss the model was trained with, so families can be compared;
                `"loss"`: the model's own loss, `model.likelihood.unit`, such as nats.
            batch_size: rows at a time.

        Raises:
            AEZooError: for rows of another shape or with NaN, a scaling that has seen no rows, rows that the model's own
                loss has no value for, or so far from the training rows that the error is beyond float32.
        """
        x = self._known(x)
        if unit not in ("squared", "loss"):
            raise unknown("unit", unit, ("squared", "loss"))
        if unit == "loss":
            self.check_targets(x)

        def error(rows: Any) -> Any:
            found = self._feature_error(rows, unit)
            return found if per_feature else keras.ops.mean(found, axis=tuple(range(1, len(found.shape))))

        name = f"{'feature_' if per_feature else ''}error in {unit}"
        return checks.finite_errors(in_batches(self._view(name, error), x, batch_size))

    def corrupt(self, x: Any, *, seed: int | None = None) -> np.ndarray:
        """Rows `(n, *input_shape)` with the noise that the model is trained on, in the data's units.

        Equal seeds give equal noise. With `corruption="none"` the rows come back as they are.
        """
        x = self._known(x)
        if self.config.corruption == "none":
            return x
        low, high = self.schema.extremes
        scaled = keras.ops.convert_to_numpy(self.scaling(x))
        noisy = corrupt(scaled, self.config.corruption, self.config.corruption_amount, low=low, high=high, seed=seed)
        return self.scaling.invert(noisy)

    # Checks at the door.

    @property
    def family(self) -> str:
        """The name by which `ae_zoo.build` knows the model."""
        return self.config.family

    @property
    def schema(self) -> schemas.Schema:
        return self.config.schema

    def check_rows(self, x: Any, name: str = "x", *, learn: bool = False) -> np.ndarray:
        """`x` as float32 rows `(n, *input_shape)`: see `Schema.code`."""
        return self.schema.code(x, name, learn=learn)

    def check_y(self, y: Any, x: np.ndarray) -> np.ndarray:
        """`y`, that `fit` takes beside the rows `x`, as it enters the loss: labels, or rows that are wanted back.

        Raises:
            AEZooError: for `y` of another kind or length.
        """
        if self.config.target == "labels":
            return checks.as_many(checks.labels(y, self.config.classes), x)
        y = self.check_rows(y, "y")
        self.check_targets(y, "y")
        return checks.as_many(y, x)

    def check_targets(self, x: np.ndarray, name: str = "x") -> None:
        """Raises `AEZooError` where rows lie outside what the output activation and the loss can express."""
        if self.likelihood.legal is not None:
            self.schema.check_unit(x, f"the loss {self.likelihood.name!r} compares probabilities", name)
        elif self.config.output_activation == "sigmoid":
            self.schema.check_unit(x, "the model's output is a sigmoid", name)

    def check_reconstructs(self) -> None:
        """Raises `AEZooError` where reconstructions say nothing of the rows."""
        if not self.config.reconstructs:
            raise AEZooError(
                f"The codes of this {type(self).__name__} are denser than those that its decoder was trained on, so its "
                "reconstructions say nothing of the rows: build it with threshold=True."
            )

    def _known(self, x: Any) -> np.ndarray:
        """Rows that a trained model is asked about."""
        self._check_learned()
        return self.check_rows(x)

    def _check_learned(self) -> None:
        if self.has_learned:
            return
        remedy = "call ae_zoo.fit(model, x_train)"
        if self.scaling.weights:
            raise AEZooError(
                f"This {type(self).__name__} has not been trained: its scaling has seen no rows yet; {remedy}, or "
                "model.adapt(x_train) for the scaling alone."
            )
        if not self._views.warned:
            self._views.warned = True
            warnings.warn(
                f"This {type(self).__name__} has not been trained, so its answers mean nothing: {remedy}.",
                AEZooWarning,
                stacklevel=4,
            )

    # Layers by name, looking and saving.

    def get_layer(self, name: str | None = None, index: int | None = None) -> keras.layers.Layer:
        """A layer by its name, in the encoder or the decoder too, or by its index in this model."""
        if name is not None:
            for network in self.networks:
                for layer in network.layers:
                    if layer.name == name:
                        return layer
        return super().get_layer(name=name, index=index)

    def summary(self, *args: Any, expand_nested: bool = True, **kwargs: Any) -> None:
        """Keras's summary, with both halves opened."""
        super().summary(*args, expand_nested=expand_nested, **kwargs)

    def save(self, filepath: str | os.PathLike[str], overwrite: bool = True, **kwargs: Any) -> None:
        """Writes a `.keras` file; `ae_zoo.load` gives the same class back. A crash leaves no half-written file.

        Raises:
            AEZooError: the name ends otherwise, or the file cannot be written.
            FileExistsError: the file is there, and `overwrite` is False.
        """
        if pathlib.Path(filepath).suffix != ".keras":
            raise AEZooError(f"{filepath} must end in .keras, the format that ae_zoo.load reads.")
        if not overwrite and os.path.exists(filepath):
            raise AlreadyThereError(f"{filepath} is there already; give another name, or overwrite=True.")
        with files.whole(filepath) as sibling:
            super().save(sibling, **kwargs)

    def get_config(self) -> dict[str, Any]:
        return {**self.config.to_dict(), "name": self.name}

    @classmethod
    def from_config(cls, config: dict[str, Any], custom_objects: dict[str, Any] | None = None) -> "Autoencoder":
        name = config.get("name")
        return cls.of(name=name, **cls.Config.read({k: v for k, v in config.items() if k != "name"}).to_dict())

    @classmethod
    def of(cls, *, name: str | None = None, **options: Any) -> "Autoencoder":
        """The model of these options: of this class, or of the kin that they ask for."""
        return cls(name=name, **options)

    def to_model(self) -> Self:
        """The model itself, as PCA's is another."""
        return self

    def fresh(self) -> Self:
        """An untrained model of the same configuration; its initial weights follow from Keras's global seed."""
        return type(self)(**self.config.to_dict())

    def _up_to(self, name: str) -> keras.Model:
        """The network from the rows to the output of the layer `name`."""
        for network in self.networks:
            if any(layer.name == name for layer in network.layers):
                return self._view(f"layer {name}", functools.partial(self._run_up_to, network, name))
        raise unknown("layer", name, [layer.name for network in self.networks for layer in network.layers])

    def _run_up_to(self, network: keras.Model, name: str, rows: Any) -> Any:
        part = keras.Model(network.input, network.get_layer(name).output)
        return part(self.encoder(rows) if network is self.decoder else rows)

    def _view(self, name: str, function: Callable[[Any], Any]) -> keras.Model:
        """A network over the same layers, from rows to `function(rows)`; made once, so that it is traced once."""
        if name not in self._views.networks:
            rows = keras.Input(self.config.input_shape)
            self._views.networks[name] = keras.Model(rows, function(rows))
        return self._views.networks[name]

    # The verbs of tensors.

    def rows_of(self, code: Any) -> Any:
        """Rows `(batch, *input_shape)` in the data's units for codes `(batch, code)`."""
        return self.scaling.invert(self.likelihood.mean(_float32(self.decoder(code, training=False))))

    def _feature_error(self, x: Any, unit: Unit = "squared") -> Any:
        """Error of each feature `(batch, *input_shape)`."""
        target, found = self.scaling(x), _float32(self.decoder(self.encoder(x, training=False), training=False))
        if unit == "squared":
            return self.scaling.by_feature(keras.ops.square(target - self.likelihood.mean(found)))
        return self.scaling.by_feature(self.likelihood.loss(target, found))

    def _score(self, x: np.ndarray) -> dict[str, np.ndarray]:
        error = self.reconstruction_error(x, per_feature=True)
        return {"error": self.reconstruction_error(x), "share": shares(error)}

    def _score_of_tensor(self, x: Any) -> dict[str, Any]:
        error = self._feature_error(x)
        mean = keras.ops.mean(error, axis=tuple(range(1, len(error.shape))))
        return {"error": mean, "share": shares_of_tensor(error)}


def _float32(x: Any) -> Any:
    return keras.ops.cast(x, "float32")
