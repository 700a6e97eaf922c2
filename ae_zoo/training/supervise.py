"""From an autoencoder to a classifier or a regressor: what was learned without labels is the start for a few of them."""

import dataclasses
import math
import numbers
from collections.abc import Callable
from typing import Any, Self

import keras
import numpy as np

from ae_zoo import networks
from ae_zoo._support import checks
from ae_zoo.autoencoder import Autoencoder
from ae_zoo.errors import AEZooError, DivergedError, short
from ae_zoo.layers.at_inference import AtInference
from ae_zoo.layers.scaling import Scaling
from ae_zoo.networks.inference import in_batches, no_retracing_alarm
from ae_zoo.training.holdout import Data, hold_out
from ae_zoo.training.run import check_model
from ae_zoo.training.schedule import Verbose
from ae_zoo.training.targets import Task, task_of
from ae_zoo.typing import Array, Rows, Tensor

ENCODING_BATCH, VALIDATION_BATCH = 1024, 2048  # rows; they change the speed, not the result
LOWER = 10  # by how much the rate of the whole network is below that of the head alone


def supervise(
    model: Autoencoder,
    x: Rows,
    y: Rows,
    *,
    freeze: bool = False,
    classes: int | None = None,
    validation: float | tuple[Rows, Rows] = 0.1,
    epochs: int = 100,
    batch_size: int | None = None,
    learning_rate: float = 3e-3,
    patience: int = 10,
    seed: int = 1,
    verbose: Verbose = "auto",
) -> keras.Model:
    """Returns a Keras classifier or regressor that starts from a trained model's encoder; the model itself stays as it is.

    The code goes into one dense layer, the head, after a shift and a division by one number, because the codes of some
    families are larger than those of others. First the head is trained alone, then the whole network at a tenth of the rate.
    The second training counts only if it makes the loss on the held-out rows smaller.

    The encoder is a copy. It keeps the model's dropout and `max_norm`, but leaves out what belongs to the training of the
    autoencoder alone: noise on the input, penalties on the code, winners.

    Args:
        model: a trained model of any family; train it on all rows, also those without labels.
        x: rows `(n, *input_shape)` in the data's units.
        y: for a classifier, whole numbers `(n,)`: labels from 0 without gaps, or -1 for a row without a label, which is left
            out. For a regressor, floating-point numbers `(n,)` or `(n, k)` in any units.
        freeze: whether to train the head alone; the encoder then stays frozen in the returned network.
        classes: number of classes; by default those that occur in `y`.
        validation: the share of the labeled rows to hold out, chosen by `seed`; or a pair of held-out rows and their `y`; or
            0 to hold out none: then both trainings run for all epochs, and the last weights count.
        epochs: number of passes over the rows in each of the two trainings, at most.
        batch_size: rows in a batch; by default 256, less for fewer than 8,192 rows.
        learning_rate: Adam's rate for the head.
        patience: each training stops after this number of epochs without a smaller loss on the held-out rows, and keeps the
            weights of its best epoch.
        seed: seed of the held-out rows and of the order of the batches, from 0 to 2^32 - 1. It sets Keras's global seed, as
            `keras.utils.set_random_seed` does.
        verbose: as in `ae_zoo.fit`.

    Returns:
        A functional, compiled `keras.Model` from rows `(batch, *input_shape)` in the data's units to the probability of
        each class `(batch, classes)`, or to numbers `(batch, k)` in the units of `y`, where k is 1 for `y` of shape `(n,)`.
        Of a table its rows are coded, and `predict`, `evaluate` and `fit` take frames too.
        Its layers are `encoder`, `standardized` and `head`. `save("name.keras")` writes it, and `keras.models.load_model`
        reads it; in another program, `from ae_zoo import supervise` must come first, because it makes the layers known.

    Raises:
        AEZooError: the model has not been trained or cannot take the rows, `y` is neither labels nor numbers, or an argument
            is not legal.
        DivergedError: the weights became NaN or infinite.

    Sources:
        Hinton and Salakhutdinov 2006, and Bengio et al. 2007, section 2.3: layers that were trained without labels, then all
        of them by the labels. The option `pretrained_autoencoder` of H2O's deep learning does the same.

    Example:
        >>> classifier = ae_zoo.supervise(model, digits.x_train[:1000], digits.y_train[:1000])
        >>> labels = classifier.predict(digits.x_test).argmax(axis=1)
    """
    check_model(model)
    counts = {"epochs": epochs, "batch_size": batch_size, "patience": patience, "classes": classes}
    for name, value in counts.items():
        if value is not None:
            checks.count(name, value)
    if not checks.finite("learning_rate", learning_rate) > 0:
        raise AEZooError(f"learning_rate must be above 0; received {learning_rate!r}.")
    if checks.seed(seed) is None:
        raise AEZooError("seed must be a whole number, because the held-out rows follow from it; received None.")
    if not model.has_learned:
        raise AEZooError(
            f"This {type(model).__name__} has not been trained, so its encoder is no start: call ae_zoo.fit(model, x) first."
        )
    task = task_of(y, classes)
    train, held = _split(model, x, y, task, validation, seed)
    task = task.learn(train[1])
    run = _Run(
        task=task,
        train=(train[0], task.scaled(train[1])),
        held=None if held is None else (held[0], task.scaled(held[1])),
        epochs=epochs,
        batch_size=batch_size or model.config.recipe.batch_for(len(train[0])),
        patience=patience,
        verbose=verbose,
    )
    keras.utils.set_random_seed(seed)
    encoder, given = _copy(model), keras.Input(model.config.input_shape, name="x")
    head = keras.layers.Dense(
        task.width, activation=task.activation, kernel_initializer="zeros", dtype="float32", name="head"
    )
    codes = run.of(lambda rows: in_batches(encoder, rows, ENCODING_BATCH).reshape(len(rows), -1))
    # Not by the deviation of each unit, which would enlarge those that are hardly ever active.
    center, scale = codes.train[0].mean(axis=0), float(codes.train[0].std()) or 1.0
    standard = Scaling("standard", name="standardized")  # Keras's own layers for this need TensorFlow
    network = Supervised(given, head(standard(networks.flat(encoder(given)))), name=task.name)
    standard.set_weights([center, np.full_like(center, scale)])
    standard.adapted = True
    code = keras.Input(center.shape, name="code")
    before = codes.fit(keras.Model(code, head(standard(code))), learning_rate)  # codes do not change: computed once
    if freeze:
        encoder.trainable = False
    else:
        weights = network.get_weights()
        after = run.fit(network, learning_rate / LOWER)
        if run.held is not None and not after < before:
            network.set_weights(weights)
    if not all(np.isfinite(weight).all() for weight in network.get_weights()):
        raise DivergedError(
            f"The weights became NaN or infinite: give a learning_rate below {learning_rate:g}; the model is unchanged."
        )
    task.finish(head)
    run.compile(network, learning_rate / LOWER)
    return network


@keras.saving.register_keras_serializable("ae_zoo")
class Supervised(keras.Model):
    """A functional Keras model on a trained encoder; where that is of a table, it takes frames too."""

    def __init__(self, inputs: Tensor, outputs: Tensor, name: str | None = None, **options: Any) -> None:
        super().__init__(
            inputs, outputs, name=name, **options
        )  # with these arguments Keras saves it as a functional one

    def predict(self, x: Any, *args: Any, **options: Any) -> Any:
        return super().predict(self._coded(x), *args, **options)

    def evaluate(self, x: Any = None, *args: Any, **options: Any) -> Any:
        return super().evaluate(self._coded(x), *args, **options)

    def fit(self, x: Any = None, *args: Any, **options: Any) -> Any:
        return super().fit(self._coded(x), *args, **options)

    def _coded(self, x: Any) -> Any:
        return self.get_layer("encoder").get_layer("scaling").coded(x)


@dataclasses.dataclass(frozen=True, kw_only=True)
class _Run:
    """The rows, and how long and in which batches to train on them."""

    task: Task
    train: tuple[Array, Array]
    held: tuple[Array, Array] | None
    epochs: int
    batch_size: int
    patience: int
    verbose: Verbose

    def of(self, function: Callable[[Array], Array]) -> Self:
        """Returns the run with `function(rows)` in the place of the rows."""
        held = None if self.held is None else (function(self.held[0]), self.held[1])
        return dataclasses.replace(self, train=(function(self.train[0]), self.train[1]), held=held)

    def compile(self, network: keras.Model, learning_rate: float) -> None:
        """Compiles with a new Adam, and in TensorFlow without XLA, which takes longer than it saves for a few labels."""
        network.compile(
            optimizer=keras.optimizers.Adam(learning_rate, name="adam"),
            loss=self.task.loss,
            metrics=[self.task.metric],
            jit_compile=False if keras.backend.backend() == "tensorflow" else "auto",
        )
        network.optimizer.build(
            network.trainable_variables
        )  # an unbuilt one warns when the network is saved and loaded

    def fit(self, network: keras.Model, learning_rate: float) -> float:
        """Trains a network by Keras's own `fit`, leaves it with the weights of its best epoch, and returns that epoch's loss.

        This is the loss on the held-out rows; without them it is infinite, and the last epoch's weights stay.
        """
        self.compile(network, learning_rate)
        best = keras.callbacks.EarlyStopping("val_loss", patience=self.patience, restore_best_weights=True)
        with no_retracing_alarm():
            network.fit(
                *self.train,
                batch_size=self.batch_size,
                epochs=self.epochs,
                validation_data=self.held,
                validation_batch_size=VALIDATION_BATCH,
                callbacks=[] if self.held is None else [best],
                verbose=self.verbose,
            )
        return math.inf if self.held is None else float(best.best)


def _copy(model: Autoencoder) -> keras.Model:
    """Returns the model's encoder with weights of its own, without what belongs to the training of the autoencoder alone."""

    def layer_of(layer: keras.layers.Layer) -> keras.layers.Layer:
        copy = type(layer).from_config(layer.get_config())
        copy.activity_regularizer = None
        passing = layer.name in model.TRAINING_LAYERS
        return AtInference(copy, dtype=layer.dtype_policy, name=layer.name) if passing else copy

    encoder = keras.models.clone_model(model.encoder, clone_function=layer_of)
    encoder.set_weights(model.encoder.get_weights())
    encoder.get_layer("scaling").adapted = True
    return encoder


def _split(
    model: Autoencoder, x: Rows, y: Rows, task: Task, validation: object, seed: int
) -> tuple[tuple[Array, Array], tuple[Array, Array] | None]:
    """Returns the training rows and the held-out rows or None, each with their `y` and without rows that have no label."""

    def pair(x: Rows, y: Rows, of: str) -> tuple[Array, Array]:
        rows = model.check_rows(x, f"{of}x")
        target = checks.as_many(task.read(y, f"{of}y"), rows)
        known = task.known(target)
        return rows[known], target[known]

    train = pair(x, y, "")
    if isinstance(validation, tuple):
        if len(validation) != 2:
            raise AEZooError(f"validation as a tuple is (rows, y); received {len(validation)} parts.")
        held = pair(*validation, "validation's ")
        if not len(held[0]):
            raise AEZooError("The held-out rows have no label: each y of validation is -1.")
        return train, held
    if not isinstance(validation, numbers.Real):
        raise AEZooError(f"validation must be a share, or a pair of rows and their y; received {short(validation)}.")
    rows, held_out = hold_out(model, Data(train[0]), float(validation), seed)
    apart = None if held_out is None else (held_out.x, np.delete(train[1], rows, axis=0))
    return (train[0][rows], train[1][rows]), apart
