"""The one base class: a functional graph inside a named class, with the verbs that every family has."""

import functools
import os
import pathlib
from collections.abc import Callable
from typing import Any, ClassVar, Self

import keras
import numpy as np

from ae_zoo import checks, losses, networks
from ae_zoo._support import files
from ae_zoo.config import Config
from ae_zoo.errors import AEZooError, AlreadyThereError, unknown
from ae_zoo.layers.corruption import corrupt
from ae_zoo.networks import output
from ae_zoo.networks.inference import Views, in_batches
from ae_zoo.recipe import Recipe


class Autoencoder(keras.Model):
    """An encoder and a decoder that are trained together to give back their input.

    A family is a subclass with a `Config` of its own and, where it needs them, its own `make_encoder` and
    `make_decoder`. It is built from its options, `Sparse(input_shape=784, code=100)`, or by `ae_zoo.build`, which also
    compiles it.

    `model(x)` and `model.predict(x)` give reconstructions on the model's scale, where the loss lives; the verbs below
    take and give the data's own units.

    Attributes:
        config: the options, frozen.
        encoder: rows `(batch, *input_shape)` in the data's units to codes `(batch, code)`.
        decoder: codes `(batch, code)` to reconstructions `(batch, *input_shape)` on the model's scale.

    Raises:
        ValueError: for an option that is unknown or not legal.
    """

    Config: ClassVar[type[Config]] = Config
    recipe: Recipe = Recipe()  # what `ae_zoo.fit` does by default; a property where it depends on the config
    overcomplete: ClassVar[bool] = False  # whether codes are meant to be wider than rows
    reconstructs: bool = True  # whether codes at inference are like those that the decoder was trained on
    takes_labels: bool = False  # whether `y` of `fit` are labels, rather than the rows that are wanted back
    PAPER: ClassVar[str] = ""  # the one to read first, for the list of families
    GOOD_FOR: ClassVar[str] = ""  # what to take it for, in a few words
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
        self._views = Views()
        self._part_metrics = [keras.metrics.Mean(part) for part in self.PARTS]
        # Shown where the code is regularised; the loss adds whatever penalties there are.
        self._penalty_metric = keras.metrics.Mean("penalty") if networks.code_regularizer(config) else None

    # What a family may replace.

    @classmethod
    def make_encoder(cls, config: Config) -> keras.Model:
        """The network from rows to codes; it has a layer named `scaling`."""
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
            y_pred: reconstructions `(batch, *input_shape)` on the model's scale.
            training: whether this is a training step.
        """
        return {"reconstruction": self.row_loss(self.target(x, y), y_pred)}

    def row_loss(self, target: Any, y_pred: Any) -> Any:
        """Reconstruction loss of each row `(batch,)`, a mean over features; both arguments are on the model's scale."""
        # A mean over a thousand features is too much for half precision.
        return losses.RECONSTRUCTION[self.config.loss](target, keras.ops.cast(y_pred, "float32"))

    def diagnose(self, history: dict[str, list[float]]) -> list[str]:
        """What has gone wrong in a run whose metrics by epoch are given: a sentence each; `ae_zoo.fit` warns of them."""
        return []

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
        `y` are `(batch, *input_shape)` in the data's units, `y_pred` the same on the model's scale. Keras passes
        weights on only beside a target: `model.fit(x, x, sample_weight=w)`.
        """
        if self.config.scaling != "none" and not self.scaling.adapted:
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
        """The rows that are wanted back, on the model's scale: `y`, or `x` itself."""
        target = x if y is None else y
        if tuple(target.shape[1:]) != tuple(self.config.input_shape):
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

        The scaling is fitted, and an untrained model's output is set to the rows' mean by its bias. Otherwise the first
        steps would drive the code far out to make up for the missing mean: a tanh code would stay saturated there.
        """
        x = self.check_rows(x)
        self.scaling.adapt(x)
        if not np.any(output.bias(self.decoder)):
            # The scaling is linear, so the mean of the scaled rows is the scaled mean.
            mean = self.scaling(x.mean(axis=0, dtype="float64").astype("float32")[None])[0]
            output.start_at(self.decoder, keras.ops.convert_to_numpy(mean), self.config.output_activation)

    # The verbs.

    def encode(self, x: Any, layer: str | None = None, *, batch_size: int = 1024) -> np.ndarray:
        """Codes `(n, code)` of rows `(n, *input_shape)`, or what a named layer gives for them.

        Args:
            x: rows in the data's units.
            layer: a name that `model.summary()` shows, in either half, such as `"hidden_0"`.
            batch_size: rows at a time; it changes the speed, not the result.

        Raises:
            ValueError: for rows of another shape or with NaN, or an unknown layer.
        """
        x = self.check_rows(x)
        return in_batches(self.encoder if layer is None else self._up_to(layer), x, batch_size)

    def decode(self, code: Any, *, batch_size: int = 1024) -> np.ndarray:
        """Reconstructions `(n, *input_shape)`, in the data's units, of codes `(n, code)`."""
        code = checks.rows(code, self.decoder.input_shape[1:], "code")
        return self.scaling.invert(in_batches(self.decoder, code, batch_size))

    def reconstruct(self, x: Any, *, batch_size: int = 1024) -> np.ndarray:
        """Reconstructions of rows `(n, *input_shape)`, of the same shape and in the data's units."""
        x = self.check_rows(x)
        network = self._view("reconstruction", lambda rows: self.decoder(self.encoder(rows)))
        return self.scaling.invert(in_batches(network, x, batch_size))

    def reconstruction_error(self, x: Any, per_feature: bool = False, *, batch_size: int = 1024) -> np.ndarray:
        """Squared error between rows and their reconstructions, on the model's scale; higher is stranger.

        It is the squared error whatever loss the model was trained with, so families can be compared.

        Args:
            x: rows `(n, *input_shape)` in the data's units.
            per_feature: give the squared error of each feature, `(n, *input_shape)`, rather than its mean `(n,)`.
            batch_size: rows at a time.

        Raises:
            ValueError: for rows of another shape, with NaN, outside what the output can reach, or so far from the
                training rows that the error is beyond float32.
        """
        x = self.check_rows(x)
        self.check_targets(x)

        def error(rows: Any) -> Any:
            target, reconstruction = self.scaling(rows), self.decoder(self.encoder(rows))
            reconstruction = keras.ops.cast(reconstruction, "float32")
            return keras.ops.square(target - reconstruction) if per_feature else losses.mse(target, reconstruction)

        found = in_batches(self._view("feature_error" if per_feature else "error", error), x, batch_size)
        return checks.finite_errors(found)

    def corrupt(self, x: Any, *, seed: int | None = None) -> np.ndarray:
        """Rows `(n, *input_shape)` with the noise that the model is trained on, in the data's units.

        Equal seeds give equal noise. With `corruption="none"` the rows come back as they are.
        """
        x = self.check_rows(x)
        if self.config.corruption == "none":
            return x
        low, high = networks.pepper_and_salt(self.config)
        scaled = keras.ops.convert_to_numpy(self.scaling(x))
        noisy = corrupt(scaled, self.config.corruption, self.config.corruption_amount, low=low, high=high, seed=seed)
        return self.scaling.invert(noisy)

    def check_rows(self, x: Any, name: str = "x") -> np.ndarray:
        """`x` as float32 rows `(n, *input_shape)`; a data frame's columns are put in the order of `config.columns`.

        Raises:
            ValueError: for rows of another shape, with other columns, with NaN, without numbers, or none at all.
        """
        return checks.rows(x, self.config.input_shape, name, self.config.columns)

    def check_y(self, y: Any, x: np.ndarray) -> np.ndarray:
        """`y`, that `fit` takes beside the rows `x`, as it enters the loss: here rows that are wanted back.

        Raises:
            ValueError: for `y` of another kind or length.
        """
        y = self.check_rows(y, "y")
        self.check_targets(y, "y")
        return checks.as_many(y, x)

    def check_targets(self, x: np.ndarray, name: str = "x") -> None:
        """Raises `ValueError` where rows lie outside what the output activation and the loss can express."""
        if self.config.scaling == "none":
            if self.config.loss == "bce":
                checks.within_unit(x, "the loss is a binary cross-entropy", name)
            elif self.config.output_activation == "sigmoid":
                checks.within_unit(x, "the model's output is a sigmoid", name)

    def check_reconstructs(self) -> None:
        """Raises `ValueError` where reconstructions say nothing of the rows."""
        if not self.reconstructs:
            raise AEZooError(
                f"The codes of this {type(self).__name__} are denser than those that its decoder was trained on, so its "
                "reconstructions say nothing of the rows: build it with threshold=True."
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

    def save(self, filepath: str | os.PathLike, overwrite: bool = True, **kwargs: Any) -> None:
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
    def from_config(cls, config: dict[str, Any], custom_objects: dict | None = None) -> Self:
        return cls(**config)

    @property
    def networks(self) -> tuple[keras.Model, ...]:
        """The networks that the model is made of; their layers' names are unique among them."""
        return self.encoder, self.decoder

    @property
    def lasting_weights(self) -> dict[str, keras.Variable]:
        """The weights that an export keeps, by name: those that the model's verbs need, and not only its training."""
        return {weight.path.removeprefix(f"{self.name}/"): weight for weight in self.weights}

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
