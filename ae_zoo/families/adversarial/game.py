"""The game of adversarial training: a discriminator, and the losses of its two players."""

from collections.abc import Sequence

import keras

from ae_zoo import networks
from ae_zoo.typing import Tensor


def discriminator(width: int, hidden: Sequence[int], name: str) -> keras.Model:
    """Returns a network from points `(batch, width)` to the logit `(batch, 1)` that they are samples and not codes.

    Its layers have the names `<name>_discriminator_0` and so on.
    """
    x = keras.Input((width,), name=f"{name}_input")
    h = x
    for index, units in enumerate(hidden):
        h = networks.head(units, "leaky_relu", f"{name}_discriminator_{index}")(h)
    logit = keras.layers.Dense(1, dtype="float32", name=f"{name}_discriminator")(h)
    return keras.Model(x, logit, name=f"{name}_discriminator")


def game(discriminator: keras.Model, code: Tensor, sample: Tensor) -> tuple[Tensor, Tensor]:
    """Returns the losses of the discriminator and of the encoder, in nats, each `(batch,)`.

    Neither loss has a gradient for the other player's weights. The encoder's is the one that does not saturate (Goodfellow
    et al. 2014, section 3): minus the log of the probability that a code is a sample.

    Args:
        discriminator: from `discriminator`.
        code: codes of rows `(batch, width)`.
        sample: samples of the prior `(batch, width)`.
    """
    ops = keras.ops
    batch = ops.shape(code)[0]
    # Copies, for both passes: without XLA, TensorFlow sometimes runs a part of them after the optimizer's update, which a
    # tensor that shares the variable's memory would see.
    weights = [variable.value * 1.0 for variable in discriminator.trainable_variables]
    others = [variable.value for variable in discriminator.non_trainable_variables]  # where weights are frozen
    both, _ = discriminator.stateless_call(weights, others, ops.concatenate([sample, ops.stop_gradient(code)], axis=0))
    loss = ops.softplus(-both[:batch, 0]) + ops.softplus(both[batch:, 0])
    logit, _ = discriminator.stateless_call([ops.stop_gradient(weight) for weight in weights], others, code)
    return loss, ops.softplus(-logit[:, 0])
