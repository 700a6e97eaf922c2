"""What a graph that is served refuses: every input and output of an endpoint is checked inside it.

Rows come in the data's units and are scaled inside. Nothing is drawn but by a seed in the request, so a request always has
the same answer. Every input and output has the batch as its first axis, which the server's own batching needs; a row's
answer does not depend on the others.
"""

from typing import Any

import keras
import tensorflow as tf

from ae_zoo.endpoints import Endpoint, Tensors


def guarded(endpoint: Endpoint, given: Any) -> Tensors:
    """The endpoint's outputs, from a graph that refuses what has none: by shape, NaN, range, and overflow."""
    # The session takes any shape, and a row of one feature would be stretched to all of them without a word.
    given = tf.ensure_shape(given, (None, *endpoint.shape))
    if given.dtype.is_floating:
        given = _asserted(given, _all_finite(given), f"{endpoint.input} must be finite; it holds NaN or infinity")
    if endpoint.legal is not None:
        low, high = endpoint.legal
        within = keras.ops.logical_and(keras.ops.all(given >= low), keras.ops.all(given <= high))
        given = _asserted(given, within, f"{endpoint.input} must lie in [{low:g}, {high:g}], as the training rows did")
    beyond = f"{endpoint.input} lies so far from what the model was trained on that {{}} is beyond float32"
    return {
        name: _asserted(value, _all_finite(value), beyond.format(name)) if value.dtype.is_floating else value
        for name, value in endpoint.function(given).items()
    }


def _all_finite(x: Any) -> Any:
    return tf.reduce_all(tf.math.is_finite(x))


def _asserted(x: Any, condition: Any, message: str) -> Any:
    with tf.control_dependencies([tf.debugging.Assert(condition, [message])]):
        return tf.identity(x)
