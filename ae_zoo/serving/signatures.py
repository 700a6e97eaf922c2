"""What a model serves: each of its verbs as a function of tensors, with named inputs and outputs.

Rows come in the data's units and are scaled inside. Nothing is drawn but by a seed in the request, so a request always has
the same answer. Every input and output has the batch as its first axis, which the server's own batching needs; a row's
answer does not depend on the others.
"""

import dataclasses
from collections.abc import Callable
from typing import Any

import keras

from ae_zoo import losses
from ae_zoo.autoencoder import Autoencoder

Function = Callable[[Any], dict[str, Any]]


@dataclasses.dataclass(frozen=True)
class Served:
    """A function and its one input.

    Attributes:
        input: its name: `x` (rows), `code` or `seed`.
        shape: of one row of it.
        dtype: of it.
        function: from the input `(batch, *shape)` to outputs by name, each `(batch, ...)`.
        about: what it gives, for the card.
        ranged: only rows from 0 to 1 have an answer.
    """

    input: str
    shape: tuple[int, ...]
    dtype: str
    function: Function
    about: str
    ranged: bool = False

    def guarded(self, given: Any) -> dict[str, Any]:
        """The function's outputs, from a graph that refuses what has none: by shape, NaN, range, and overflow."""
        import tensorflow as tf

        # The session takes any shape, and a row of one feature would be stretched to all of them without a word.
        given = tf.ensure_shape(given, (None, *self.shape))
        if given.dtype.is_floating:
            given = _asserted(given, _all_finite(given), f"{self.input} must be finite; it holds NaN or infinity")
        if self.ranged:
            within = keras.ops.logical_and(keras.ops.all(given >= 0), keras.ops.all(given <= 1))
            given = _asserted(
                given, within, f"{self.input} must lie in [0, 1], as the rows did that the model was trained on"
            )
        beyond = f"{self.input} lies so far from what the model was trained on that {{}} is beyond float32"
        return {
            name: _asserted(value, _all_finite(value), beyond.format(name)) if value.dtype.is_floating else value
            for name, value in self.function(given).items()
        }


def signatures(model: Autoencoder, threshold: float | None = None) -> dict[str, Served]:
    """What a model serves, by name; the first is what a server takes where a request names none.

    Args:
        model: trained.
        threshold: of a calibrated detector, which is then served too.
    """
    shape, code = tuple(model.config.input_shape), tuple(model.decoder.input_shape[1:])

    config = model.config
    ranged = config.scaling == "none" and (config.loss == "bce" or config.output_activation == "sigmoid")

    def rows(function: Function, about: str, ranged: bool = False) -> Served:
        return Served("x", shape, "float32", function, about, ranged)

    def reconstruction(codes: Any) -> Any:
        return model.scaling.invert(_float(model.decoder(codes, training=False)))

    found = {}
    if model.reconstructs:
        found["reconstruct"] = rows(
            lambda x: {"reconstruction": reconstruction(model.encoder(x, training=False))},
            "the row as the model gives it back, in the data's units",
        )
    found["encode"] = rows(lambda x: {"code": _float(model.encoder(x, training=False))}, "the row's code")
    found["decode"] = Served("code", code, "float32", lambda c: {"reconstruction": reconstruction(c)}, "a code's row")
    if model.reconstructs:
        found["score"] = rows(
            lambda x: dict(zip(("error", "share"), _score(model, x), strict=True)),
            "mean squared error on the model's scale, and each feature's share of it",
            ranged=ranged,
        )
    if threshold is not None:
        found["detect"] = rows(
            lambda x: _detect(_score(model, x)[0], threshold),
            "the error, the threshold, and whether the row is beyond it",
            ranged=ranged,
        )
    if hasattr(model, "distribution"):
        found["encode_distribution"] = rows(
            lambda x: dict(zip(("mean", "log_variance"), model.distribution(x), strict=True)),
            "mean and log-variance of the row's code",
        )
    if getattr(model.config, "categories", 0):
        classes = keras.Model(model.encoder.input, model.get_layer("classes").output)
        found["classify"] = rows(
            lambda x: _classify(classes(x, training=False)), "the likeliest class, and all of them"
        )
    if hasattr(model, "drawn_codes"):
        found["generate"] = Served(
            "seed",
            (),
            "int64",
            lambda seed: _generate(model, seed, code, reconstruction),
            "a new row for each seed, and its code; equal seeds give equal rows",
        )
    return found


def _all_finite(x: Any) -> Any:
    import tensorflow as tf

    return tf.reduce_all(tf.math.is_finite(x))


def _asserted(x: Any, condition: Any, message: str) -> Any:
    import tensorflow as tf

    with tf.control_dependencies([tf.debugging.Assert(condition, [message])]):
        return tf.identity(x)


def _score(model: Autoencoder, x: Any) -> tuple[Any, Any]:
    """Error `(batch,)` and share of each feature `(batch, *input_shape)`."""
    ops = keras.ops
    target = model.scaling(x)
    reconstruction = _float(model.decoder(model.encoder(x, training=False), training=False))
    square = ops.square(target - reconstruction)
    total = ops.sum(square, axis=tuple(range(1, len(square.shape))), keepdims=True)
    share = ops.where(total > 0, square / ops.where(total > 0, total, ops.ones_like(total)), ops.zeros_like(square))
    return losses.mse(target, reconstruction), share


def _detect(score: Any, threshold: float) -> dict[str, Any]:
    limit = keras.ops.full_like(score, threshold)
    return {"score": score, "threshold": limit, "flagged": score > limit}


def _classify(probabilities: Any) -> dict[str, Any]:
    import tensorflow as tf

    # Keras's argmax minds negative zeros, by operations on bits that ONNX and LiteRT have not.
    return {"class": tf.argmax(probabilities, axis=-1, output_type="int32"), "probabilities": probabilities}


def _generate(model: Any, seed: Any, code: tuple[int, ...], reconstruction: Callable[[Any], Any]) -> dict[str, Any]:
    import tensorflow as tf

    # Seed by seed, so that a row is the same whatever others the server puts in its batch.
    codes = tf.map_fn(
        lambda one: model.drawn_codes(1, _Seed(one))[0], seed, fn_output_signature=tf.TensorSpec(code, "float32")
    )
    return {"code": codes, "generated": reconstruction(codes)}


class _Seed:
    """Stands for a `keras.random.SeedGenerator` whose state is in the request: each call is the next of the seed's draws."""

    def __init__(self, seed: Any) -> None:
        self.seed, self.draws = seed, 0

    def next(self) -> Any:
        """A pair whose lower halves, which are what the generator takes, differ for all seeds of 64 bits."""
        self.draws += 1
        return keras.ops.stack([self.seed, self.draws + 1_000_003 * (self.seed // 2**32)])


def _float(x: Any) -> Any:
    return keras.ops.cast(x, "float32")
