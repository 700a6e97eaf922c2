"""Checks inside the served graph: it refuses illegal inputs and outputs of an endpoint.

Rows come in the data's units and are scaled inside. Random numbers follow from a seed in the request, so a request always has
the same answer. The first axis of every input and output is the batch, which the server's own batching needs. A row's
answer does not depend on the other rows.
"""

import tensorflow as tf

from ae_zoo.endpoints import Endpoint, Tensors
from ae_zoo.typing import Tensor


def guarded(endpoint: Endpoint, given: Tensor) -> Tensors:
    """Returns the endpoint's outputs for `given` `(batch, *shape)`; refuses wrong shapes, NaN, ranges and overflow."""
    # A session accepts any shape, and a row with one feature would silently be broadcast to all features.
    given = tf.ensure_shape(given, (None, *endpoint.shape))
    if endpoint.may_miss:
        legal = tf.logical_not(tf.reduce_any(tf.math.is_inf(given)))
        given = _asserted(
            given, legal, f"{endpoint.input} must be finite, or NaN for a missing cell; it holds infinity"
        )
        known = tf.reduce_all(tf.reduce_any(tf.logical_not(tf.math.is_nan(given)), axis=1))
        given = _asserted(given, known, f"each row of {endpoint.input} must have a cell that is present")
    elif given.dtype.is_floating:
        given = _asserted(given, _all_finite(given), f"{endpoint.input} must be finite; it holds NaN or infinity")
    beyond = f"{endpoint.input} lies so far from what the model was trained on that {{}} is beyond float32"
    return {
        name: _asserted(value, _all_finite(value), beyond.format(name)) if value.dtype.is_floating else value
        for name, value in endpoint.function(given).items()
    }


def _all_finite(x: Tensor) -> Tensor:
    return tf.reduce_all(tf.math.is_finite(x))


def _asserted(x: Tensor, condition: Tensor, message: str) -> Tensor:
    with tf.control_dependencies([tf.debugging.Assert(condition, [message])]):
        return tf.identity(x)
