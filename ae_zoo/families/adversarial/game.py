"""The game of adversarial training: a discriminator, and the losses of its two players."""

from collections.abc import Sequence
from typing import Any

import keras

from ae_zoo import networks


def discriminator(width: int, hidden: Sequence[int], name: str) -> keras.Model:
    """A network from points `(batch, width)` to the logit `(batch, 1)` that they are samples rather than codes.

    Its layers are `<name>_discriminator_0` and so on.
    """
    x = keras.Input((width,), name=f"{name}_input")
    h = x
    for index, units in enumerate(hidden):
        h = networks.head(units, "leaky_relu", f"{name}_discriminator_{index}")(h)
    logit = keras.layers.Dense(1, dtype="float32", name=f"{name}_discriminator")(h)
    return keras.Model(x, logit, name=f"{name}_discriminator")


def game(discriminator: keras.Model, code: Any, sample: Any) -> tuple[Any, Any]:
    """The losses of the discriminator and of the encoder, in nats, each `(batch,)`; neither moves the other's weights.

    The encoder's is the one that does not saturate (Goodfellow et al. 2014, section 3): -log of the probability that a
    code is a sample, rather than the log of the probability that it is none.

    Args:
        code, sample: `(batch, width)`.
    """
    ops = keras.ops
    batch = ops.shape(code)[0]
    # Copies, for both passes: without XLA, TensorFlow now and then runs a part of them after the optimizer's update, which
    # a tensor that shares the variable's memory would see.
    weights = [variable.value * 1.0 for variable in discriminator.trainable_variables]
    others = [variable.value for variable in discriminator.non_trainable_variables]  # where weights are frozen
    both, _ = discriminator.stateless_call(weights, others, ops.concatenate([sample, ops.stop_gradient(code)], axis=0))
    loss = ops.softplus(-both[:batch, 0]) + ops.softplus(both[batch:, 0])
    logit, _ = discriminator.stateless_call([ops.stop_gradient(weight) for weight in weights], others, code)
    return loss, ops.softplus(-logit[:, 0])
