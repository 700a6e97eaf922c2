"""The class that families inherit: the verbs that every model has, its endpoints, and its checks."""

import math
import pathlib
import warnings
from typing import TYPE_CHECKING, Any, ClassVar, Literal, Self

import keras
import numpy as np

from ae_zoo import schemas
from ae_zoo._support import checks
from ae_zoo.endpoints import Arrays, Endpoint, Endpoints, Tensors, shares, shares_of_tensor
from ae_zoo.errors import AEZooError, AEZooWarning, unknown
from ae_zoo.layers.corruption import corrupted
from ae_zoo.networks.inference import Views, in_batches
from ae_zoo.tables import unseen, verbs
from ae_zoo.tables.model import TableVerbs
from ae_zoo.trainable import Trainable
from ae_zoo.typing import Array, Rows, Tensor

if TYPE_CHECKING:
    pass

Unit = Literal["squared", "loss"]


class Autoencoder(TableVerbs, Trainable):
    """An encoder and a decoder that are trained together to reproduce their input.

    A family is a subclass with a `Config` of its own and, where it needs them, its own `make_encoder` and
    `make_decoder`. It is built from its options, `Sparse(input_shape=784, code=100)`, or by `ae_zoo.build`, which also
    compiles it.

    `model(x)` and `model.predict(x)` return reconstructions on the model's scale, on which the loss is computed; the verbs
    below take and return the data's own units.

    Attributes:
        config: the options, frozen.
        schema: what a row is.
        likelihood: what an output means.
        encoder: rows `(batch, *input_shape)` in the data's units to codes `(batch, code)`.
        decoder: codes `(batch, code)` to reconstructions `(batch, *output_shape)` on the model's scale.
        scaling: the encoder's first layer, from rows to the model's scale.

    Raises:
        AEZooError: an option is unknown or not legal.
    """

    suffix: ClassVar[str] = ".keras"
    threshold: ClassVar[None] = None  # a detector has one

    def __init__(self, *, name: str | None = None, **options: Any) -> None:
        super().__init__(name=name, **options)
        self._views = Views(self, self.config.input_shape)
        self._warned = False  # that it has not been trained

    @classmethod
    def of(cls, *, name: str | None = None, **options: Any) -> "Autoencoder":
        """Returns the model with these options: of this class, or of the subclass that the options ask for."""
        return cls(name=name, **options)

    @classmethod
    def from_config(cls, config: dict[str, Any], custom_objects: dict[str, Any] | None = None) -> "Autoencoder":
        name = config.get("name")
        return cls.of(name=name, **cls.Config.read({k: v for k, v in config.items() if k != "name"}).to_dict())

    def fresh(self) -> Self:
        """Returns an untrained model of the same configuration; its initial weights follow from Keras's global seed."""
        return type(self)(**self.config.to_dict())

    # The verbs.

    def encode(self, x: Rows, layer: str | None = None, *, batch_size: int = 1024) -> Array:
        """Returns codes `(n, code)` of rows `(n, *input_shape)`, or the output of a named layer for them.

        Args:
            x: rows in the data's units.
            layer: a name that `model.summary()` shows, in either half, such as `"hidden_0"`; None for the code.
            batch_size: most rows in a batch, a power of two of them; it changes the speed, not the result.

        Raises:
            AEZooError: the rows have another shape or hold NaN, there is no such layer, the scaling has seen no rows, or a
                row is so far from the training rows that its code is beyond float32.
        """
        x = self._known(x)
        network = self.encoder if layer is None else self._views.up_to(layer, self.encoder, self.decoder, self.networks)
        return checks.finite_answers(in_batches(network, x, batch_size), "code")

    def decode(self, code: Rows, *, draw: bool = False, seed: int | None = None, batch_size: int = 1024) -> Array:
        """Returns reconstructions `(n, *input_shape)`, in the data's units, of codes `(n, code)`.

        Args:
            code: `(n, code)`.
            draw: return a draw from the distribution that the output means: a level by its probability, a number with the
                noise of `loss="gaussian"`, zeros and ones for `loss="bce"`. Other losses mean no distribution of a number,
                so it is the mean all the same.
            seed: of the draws; equal seeds give equal rows; None draws a seed.
            batch_size: most rows in a batch, a power of two of them; it changes the speed, not the result.
        """
        self.check_learned()
        code = schemas.as_codes(code, self.decoder.input_shape[1:])
        return self.schema.rows(self.decoded(code, batch_size, self._uniform(len(code), seed) if draw else None))

    def reconstruct(self, x: Rows, *, batch_size: int = 1024) -> Array:
        """Returns reconstructions of rows `(n, *input_shape)`, of the same shape and in the data's units."""
        return self.schema.rows(self.reconstructed(self._known(x), batch_size))

    def reconstruction_error(
        self, x: Rows, per_feature: bool = False, *, unit: Unit = "squared", batch_size: int = 1024
    ) -> Array:
        """Returns the difference between rows and their reconstructions, on the model's scale; higher is stranger.

        Args:
            x: rows `(n, *input_shape)` in the data's units.
            per_feature: return the error of each feature, `(n, *input_shape)`, instead of its mean over the row, `(n,)`.
            unit: `"squared"`: the squared error, whatever loss the model was trained with, so families can be compared;
                `"loss"`: the model's own loss, in the unit `model.likelihood.unit`, such as nats.
            batch_size: most rows in a batch, a power of two of them; it changes the speed, not the result.

        Raises:
            AEZooError: the rows have another shape or hold NaN, the scaling has seen no rows, the model's own loss has no
                value for the rows, or a row is so far from the training rows that its error is beyond float32.
        """
        x = self._known(x)
        if unit not in ("squared", "loss"):
            raise unknown("unit", unit, ("squared", "loss"))
        if unit == "loss":
            self.check_targets(x)

        def error(rows: Tensor) -> Tensor:
            found = self.feature_errors_of(rows, unit)
            if per_feature:
                return found
            return self.scaling.by_row(found) if unit == "squared" else self.likelihood.of_row(found)

        name = f"{'feature_' if per_feature else ''}error in {unit}"
        found = in_batches(self._views.of(name, error), x, batch_size)
        if self.schema.may_miss:
            missing = np.isnan(x)
            unknown_rows = ~self.schema.known(x)
            if unknown_rows.any() and not per_feature:
                warnings.warn(
                    f"{unknown_rows.sum()} rows, the first {int(unknown_rows.argmax())}, have no cell that is present and "
                    "counts, so their error is unknown: NaN.",
                    AEZooWarning,
                    stacklevel=2,
                )
            checks.finite_errors(np.where(missing if per_feature else unknown_rows, 0, found))
            return found
        return checks.finite_errors(found)

    def corrupt(self, x: Rows, *, seed: int | None = None) -> Array:
        """Returns rows `(n, *input_shape)` with the noise that the model is trained on, in the data's units.

        Equal seeds give equal noise. With `corruption="none"` the rows are returned unchanged.
        """
        config = self.config
        noisy = corrupted(
            self._known(x), self.schema, self.scaling, config.corruption, config.corruption_amount, seed=seed
        )
        return self.schema.rows(noisy)

    def keep_errors(self, x: Array) -> None:
        """Keeps how large the errors of a table's columns are, of coded rows that were held out. `ae_zoo.fit` calls it."""
        if self.schema.may_miss:
            self.scaling.keep_errors(unseen.unseen(self, x)["cell_error"])

    def to_model(self) -> Self:
        """Returns the model itself; `PCA.to_model` returns the autoencoder that is the same map."""
        return self

    def members(self) -> "tuple[Autoencoder, ...]":
        """The model itself; a detector may have several."""
        return (self,)

    def keep(self, folder: pathlib.Path) -> None:
        """Does nothing: an export needs only the weights. A detector writes its calibration."""

    # The endpoints, and the verbs as functions of tensors.

    def endpoints(self) -> Endpoints:
        """Returns what the model can do, by name. A server takes the first where a request names none."""
        shape, code = self.config.input_shape, tuple(self.decoder.input_shape[1:])
        found: Endpoints = {}
        if self.config.reconstructs:
            found["reconstruct"] = Endpoint(
                input="x",
                shape=shape,
                may_miss=self.schema.may_miss,
                verb=lambda x: {"reconstruction": self.reconstructed(self._known(x))},
                function=lambda x: {"reconstruction": self.rows_of(self.encoder(x, training=False))},
                about="the row's reconstruction, in the data's units",
            )
        found["encode"] = Endpoint(
            input="x",
            shape=shape,
            may_miss=self.schema.may_miss,
            verb=lambda x: {"code": self.encode(x)},
            function=lambda x: {"code": _float32(self.encoder(x, training=False))},
            about="the row's code",
        )
        found["decode"] = Endpoint(
            input="code",
            shape=code,
            verb=lambda code: {"reconstruction": self.decoded(code)},
            function=lambda code: {"reconstruction": self.rows_of(code)},
            about="the row of a code, in the data's units",
        )
        if self.config.reconstructs:
            found["score"] = Endpoint(
                input="x",
                shape=shape,
                may_miss=self.schema.may_miss,
                verb=self._score,
                function=self._score_of_tensor,
                about="the row's error on the model's scale, and each feature's share of it",
            )
            found |= self.schema.endpoints(self)
        return found

    def rows_of(self, code: Tensor, uniform: Tensor | None = None) -> Tensor:
        """Returns rows `(batch, *input_shape)`, in the data's units, of codes `(batch, code)`, as tensors.

        Args:
            code: the codes.
            uniform: random numbers `(batch, *schema.target_shape)` in [0, 1), to draw the rows; None for the means.
        """
        output, likelihood = _float32(self.decoder(code, training=False)), self.likelihood
        return self.scaling.invert(likelihood.mean(output) if uniform is None else likelihood.draw(output, uniform))

    def decoded(self, code: Array, batch_size: int = 1024, uniform: Array | None = None) -> Array:
        """Returns coded rows `(n, *input_shape)` of codes: the means, or draws by numbers in [0, 1), one a target."""
        shape, random = self.decoder.input_shape[1:], self.schema.target_shape
        if uniform is None:
            network = self._views.of("rows of codes", self.rows_of, shape)
        else:
            code = np.concatenate([part.reshape(len(code), -1) for part in (code, uniform)], axis=1)

            def drawn(both: Tensor) -> Tensor:
                parts = keras.ops.split(both, [math.prod(shape)], axis=1)
                return self.rows_of(*(keras.ops.reshape(part, (-1, *own)) for part, own in zip(parts, (shape, random))))

            network = self._views.of("draws of codes", drawn, code.shape[1:])
        return checks.finite_answers(in_batches(network, code, batch_size), "reconstruction")

    def _uniform(self, n: int, seed: int | None) -> Array:
        """Returns the random numbers for draws, one a target; not those that draw codes by the same seed."""
        random = np.random.default_rng(None if seed is None else [checks.seed(seed) or 0, 1])
        return random.random((n, *self.schema.target_shape), "float32")

    def reconstructed(self, x: Array, batch_size: int = 1024) -> Array:
        """Returns coded reconstructions of coded rows, both `(n, *input_shape)`."""
        network = self._views.of("reconstruction", lambda rows: self.rows_of(self.encoder(rows, training=False)))
        return checks.finite_answers(in_batches(network, x, batch_size), "reconstruction")

    def probabilities(self, x: Array) -> Array:
        """Returns the probabilities of a table's levels `(n, levels)`, for coded rows: see `level_probabilities`."""
        network = self._views.of("probabilities", lambda rows: verbs.probabilities_of(self, rows))
        return checks.finite_answers(in_batches(network, x, 1024), "probability")

    def draw_holes(self, x: Array, random: np.random.Generator) -> Array:
        """Returns coded rows of a table with each missing cell drawn, given the row's other cells.

        Raises:
            AEZooError: the family has no distribution of codes.
        """
        raise AEZooError(
            f"The codes of a {type(self).__name__} have no distribution from which holes could be drawn: build "
            "'variational', or leave draws out."
        )

    def unseen(self, x: Array) -> Array:
        """Returns what a model of a table says of each cell if it does not see it, for coded rows: see `tables.unseen`."""
        network = self._views.of("unseen", lambda rows: unseen.unseen_of(self, rows))
        return in_batches(network, x, max(1, 4096 // x.shape[1]))

    def feature_errors_of(self, x: Tensor, unit: Unit = "squared", code: Tensor | None = None) -> Tensor:
        """Returns the error of each number `(batch, *input_shape)` of coded rows, as tensors; `code` if it is known."""
        code = self.encoder(x, training=False) if code is None else code
        target, found = self.scaling.target(x), _float32(self.decoder(code, training=False))
        if unit == "squared":
            return self.scaling.by_feature(self.likelihood.error(target, found))
        return self.scaling.by_feature(self.likelihood.loss(target, found))

    def _score(self, x: Array) -> Arrays:
        error = self.reconstruction_error(x, per_feature=True)
        return {"error": self.reconstruction_error(x), "share": self.shares(error)}

    def _score_of_tensor(self, x: Tensor) -> Tensors:
        error = self.feature_errors_of(x)
        return {"error": self.scaling.by_row(error), "share": shares_of_tensor(self.scaling.shared(error))}

    def shares(self, error: Array) -> Array:
        """Returns each number's share of its row's error, both `(n, *input_shape)`."""
        return shares(keras.ops.convert_to_numpy(self.scaling.shared(error)))

    # Checks of what comes in.

    @property
    def family(self) -> str:
        """The name by which `ae_zoo.build` knows the model."""
        return self.config.family

    def check_rows(self, x: Rows, name: str = "x", *, learn: bool = False) -> Array:
        """Returns `x` as float32 rows `(n, *input_shape)`: see `Schema.code`."""
        return self.schema.code(x, name, learn=learn)

    def check_y(self, y: Rows, x: Array) -> Array:
        """Returns `y`, the second argument of `fit`, as it enters the loss: labels, or rows to give back.

        Raises:
            AEZooError: `y` is of another kind than the model takes, or not as long as the rows `x`.
        """
        if self.config.target == "labels":
            return checks.as_many(checks.labels(y, self.config.classes), x)
        y = self.check_rows(y, "y")
        self.check_targets(y, "y")
        return checks.as_many(y, x)

    def check_targets(self, x: Array, name: str = "x") -> None:
        """Raises `AEZooError` if rows are outside what the output, the loss or the noise is made for."""
        if self.likelihood.legal is not None:
            why = f"loss={self.likelihood.name!r} is defined only there. Scale the rows yourself, or give another loss"
            self.schema.check_range(x, *self.likelihood.legal, f"{why}, such as {self.config.real_loss!r}", name)
        elif self.config.output_activation == "sigmoid":
            why = "the model's output is a sigmoid. Divide by the largest value, or build the model with data=x"
            self.schema.check_range(x, 0, 1, f"{why} or scaling='minmax'", name)
        elif self.config.corruption == "salt_pepper":
            why = "salt-and-pepper noise sets features to 0 and 1. Divide by the largest value, or build the model with"
            self.schema.check_range(x, 0, 1, f"{why} data=x", name)

    def check_reconstructs(self) -> None:
        """Raises `AEZooError` if the reconstructions say nothing about the rows."""
        if not self.config.reconstructs:
            raise AEZooError(
                f"The codes of this {type(self).__name__} are denser than those that its decoder was trained on, so its "
                "reconstructions say nothing about the rows: build it with threshold=True."
            )

    def _known(self, x: Rows) -> Array:
        """Returns rows for a verb, checked; warns, or raises, if the model has not been trained."""
        self.check_learned()
        return self.check_rows(x)

    def check_learned(self) -> None:
        """Warns that the model has not been trained, or raises `AEZooError` if its scaling has seen no rows."""
        if self.has_learned:
            return
        remedy = "call ae_zoo.fit(model, x_train)"
        if self.scaling.weights:
            raise AEZooError(
                f"This {type(self).__name__} has not been trained: its scaling has seen no rows yet; {remedy}, or "
                "model.adapt(x_train) for the scaling alone."
            )
        if not self._warned:
            self._warned = True
            warnings.warn(
                f"This {type(self).__name__} has not been trained, so its answers mean nothing: {remedy}.",
                AEZooWarning,
                stacklevel=4,
            )


def _float32(x: Tensor) -> Tensor:
    return keras.ops.cast(x, "float32")
