"""What Keras trains: a functional graph inside a named class, its loss, its metrics, and its file.

The verbs are in `autoencoder.py`, in the class that families inherit.
"""

import os
import pathlib
from typing import Any, ClassVar

import keras
import numpy as np

from ae_zoo import networks
from ae_zoo._support import files
from ae_zoo._support.keras_files import remember_attributes
from ae_zoo.config import Config as BaseConfig
from ae_zoo.errors import AEZooError, AlreadyThereError
from ae_zoo.networks import output
from ae_zoo.networks.inference import check_not_forked
from ae_zoo.schemas import Schema
from ae_zoo.typing import Rows, Tensor

ENOUGH = 10_000  # rows, evenly spaced, from which the start of the output is taken


class Trainable(keras.Model):
    """An encoder and a decoder in one graph, with the loss that trains them. `Autoencoder` adds the verbs."""

    Config: ClassVar[type[BaseConfig]] = BaseConfig
    config: BaseConfig
    RUNS_ITSELF: ClassVar[bool] = False  # whether `loss_parts` runs the networks itself, and does not use `y_pred`

    # The encoder's layers that serve the training of the autoencoder alone: a classifier on the encoder needs none of them.
    TRAINING_LAYERS: ClassVar[tuple[str, ...]] = ("corruption",)

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
        self._part_metrics = [keras.metrics.Mean(part) for part in self.PARTS]
        # Shown where the code is regularized; the loss adds whatever penalties there are.
        self._penalty_metric = keras.metrics.Mean("penalty") if networks.code_regularizer(config) else None

    @property
    def schema(self) -> Schema:
        """What a row is."""
        return self.config.schema

    # What a family may replace.

    @property
    def PARTS(self) -> tuple[str, ...]:
        """The names of the loss's parts, in the order in which `loss_parts` returns them."""
        return ("reconstruction",)

    @classmethod
    def make_encoder(cls, config: BaseConfig) -> keras.Model:
        """Returns the network from rows to codes; its first layer is the schema's, and has the name `scaling`."""
        return networks.encoder(config)

    @classmethod
    def make_decoder(cls, config: BaseConfig, encoder: keras.Model) -> keras.Model:
        """Returns the network from codes, of the shape that `encoder` gives, to reconstructions on the model's scale."""
        return networks.decoder(config, encoder)

    def loss_parts(self, x: Tensor, y: Tensor | None, y_pred: Tensor, training: bool) -> dict[str, Tensor]:
        """Returns the parts of the loss, one for each name in `PARTS`: a value for each row, `(batch,)`.

        A family that needs more than `y_pred` runs its networks itself. That costs nothing: where `y_pred` is not used,
        the compiler removes the pass that computed it.

        Args:
            x: rows `(batch, *input_shape)` in the data's units.
            y: the second argument of `fit`, or None; here the rows that the model must give back.
            y_pred: reconstructions `(batch, *output_shape)` on the model's scale.
            training: whether this is a training step.
        """
        return {"reconstruction": self.row_loss(self.target(x, y), y_pred)}

    def row_loss(self, target: Tensor, y_pred: Tensor) -> Tensor:
        """Returns the reconstruction loss of each row `(batch,)`, a mean over features, of arguments on the model's scale."""
        # A mean over a thousand features is too much for half precision.
        return self.likelihood.row_loss(target, keras.ops.cast(y_pred, "float32"))

    def diagnose(self, history: dict[str, list[float]]) -> list[str]:
        """Returns a sentence for each thing that went wrong in a run with these metrics by epoch; `fit` warns of them."""
        return []

    @property
    def warmup_left(self) -> int:
        """How many more training rows it takes until the loss itself no longer changes."""
        return self.config.recipe.warmup_rows

    @property
    def networks(self) -> tuple[keras.Model, ...]:
        """The networks that the model consists of; the names of their layers are unique among them."""
        return self.encoder, self.decoder

    @property
    def lasting_weights(self) -> dict[str, keras.Variable]:
        """The weights that an export keeps, by name: those that the verbs need, without those of the training alone."""
        return {weight.path.removeprefix(f"{self.name}/"): weight for weight in self.weights}

    # Training: the loss, and nothing else. The steps are Keras's own.

    def call(self, inputs: Tensor, training: bool | None = None, mask: Tensor | None = None) -> Tensor:
        """Returns reconstructions `(batch, *output_shape)` on the model's scale, of rows `(batch, *input_shape)`.

        If the loss runs the networks itself, its own pass is the one that counts in the averages of batch normalization.
        """
        if self.RUNS_ITSELF and self.config.normalization == "batch":
            training = False
        return super().call(inputs, training=training, mask=mask)

    def compute_loss(
        self,
        x: Tensor = None,
        y: Tensor | None = None,
        y_pred: Tensor = None,
        sample_weight: Tensor | None = None,
        training: bool = True,
    ) -> Tensor:
        """Returns the loss, a scalar: the mean over the batch of its parts, plus the penalties that layers add.

        The target is the clean row itself, or `y` where it is given (for `x` that you have corrupted yourself). `x` and
        `y` are `(batch, *input_shape)` in the data's units, `y_pred` is `(batch, *output_shape)` on the model's scale,
        `sample_weight` is `(batch,)` or `(batch, 1)`.

        Raises:
            AEZooError: the scaling has seen no rows, or the target has another shape than the rows.
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

    def target(self, x: Tensor, y: Tensor | None) -> Tensor:
        """Returns the rows that the model must give back, on its scale: `y`, or `x` where `y` is labels or None."""
        target = x if y is None or self.config.target == "labels" else y
        if tuple(target.shape[1:]) != self.config.input_shape:
            raise AEZooError(
                f"The target must have the shape of a row, {self.config.input_shape}; received {target.shape[1:]}. "
                "An autoencoder needs no labels: call fit(x)."
            )
        return self.scaling.target(target)

    def compute_metrics(
        self, x: Tensor, y: Tensor | None, y_pred: Tensor, sample_weight: Tensor | None = None
    ) -> dict[str, Any]:
        """Keras's, with the clean row on the model's scale as the target of the metrics given to `compile`."""
        return super().compute_metrics(x, self.target(x, y), y_pred, sample_weight)

    def fit(self, x: Any = None, y: Any = None, *args: Any, sample_weight: Any = None, **options: Any) -> Any:
        """Keras's `fit`. Weights `(n,)` count without a target too, where Keras drops them."""
        check_not_forked()
        y = self._target_of_weights(x, y, sample_weight)
        return super().fit(x, y, *args, sample_weight=sample_weight, **options)

    def evaluate(self, x: Any = None, y: Any = None, *args: Any, sample_weight: Any = None, **options: Any) -> Any:
        """Keras's `evaluate`. Weights `(n,)` count without a target too, where Keras drops them."""
        check_not_forked()
        y = self._target_of_weights(x, y, sample_weight)
        return super().evaluate(x, y, *args, sample_weight=sample_weight, **options)

    def _target_of_weights(self, x: Any, y: Any, sample_weight: Any) -> Any:
        return x if sample_weight is not None and y is None and self.config.target == "rows" else y

    def adapt(self, x: Rows) -> None:
        """Fits what follows from the training rows `(n, *input_shape)` without training. `ae_zoo.fit` calls it.

        This is the scaling, and the bias of an untrained model's output: it starts where the likelihood says, for instance
        at the rows' mean. Otherwise the first steps would push the code to extreme values to make up for the missing mean,
        and a tanh code would stay saturated there.
        """
        coded = self.schema.code(x, learn=True)
        self.scaling.adapt(coded)
        if not np.any(output.bias(self.decoder)):
            some = coded[:: -(-len(coded) // ENOUGH)]  # copies of all rows would be the peak of a training's memory
            scaled = keras.ops.convert_to_numpy(self.scaling.target(some))
            output.start_at(self.decoder, self.likelihood.start(scaled), self.config.output_activation)

    @property
    def has_learned(self) -> bool:
        """Whether the model has seen training rows."""
        optimizer = getattr(self, "optimizer", None)  # a model that was loaded may be compiled without one
        trained = self.compiled and optimizer is not None and int(optimizer.iterations) > 0
        return self.scaling.adapted or trained

    # Looking at it, and saving it.

    def get_layer(self, name: str | None = None, index: int | None = None) -> keras.layers.Layer:
        """Returns a layer by its name, in the encoder or the decoder too, or by its index in this model."""
        if name is not None:
            for network in self.networks:
                for layer in network.layers:
                    if layer.name == name:
                        return layer
        return super().get_layer(name=name, index=index)

    def summary(self, *args: Any, expand_nested: bool = True, **kwargs: Any) -> None:
        """Prints Keras's summary, with the layers of both halves."""
        super().summary(*args, expand_nested=expand_nested, **kwargs)

    def save(self, filepath: str | os.PathLike[str], overwrite: bool = True, **kwargs: Any) -> None:
        """Writes a `.keras` file; `ae_zoo.load` gives the same class back. A crash leaves no half-written file.

        Raises:
            AEZooError: the name does not end in `.keras`.
            AlreadyThereError: the file exists, and `overwrite` is False.
            UnwritableError: the file cannot be written.
        """
        files.writable(filepath)
        if pathlib.Path(filepath).suffix != ".keras":
            raise AEZooError(f"{filepath} must end in .keras, the format that ae_zoo.load reads.")
        if not overwrite and os.path.exists(filepath):
            raise AlreadyThereError(f"{filepath} already exists; give another name, or overwrite=True.")
        remember_attributes()
        with files.whole(filepath) as sibling:
            super().save(sibling, **kwargs)

    def get_config(self) -> dict[str, Any]:
        return {**self.config.to_dict(), "name": self.name}
