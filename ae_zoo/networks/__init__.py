"""The symmetric networks of the families, as functional Keras models.

Layer names are part of the interface: `x`, `scaling`, `corruption`, `hidden_0` ... `code`, and in the decoder the mirrored
`hidden_n` ... `reconstruction`. The numbers continue in the decoder, so each name is unique in the whole model. What a hidden
layer consists of is in `hidden.py`.

A kind of network is a module with two functions: `down` from scaled rows to the last hidden layer, and `up` from the code
to the reconstruction. The option `network` names it, so every family can have each kind.
"""

import types

import keras

from ae_zoo.config import Config
from ae_zoo.layers.sparsity import KLSparsity, L1Sparsity
from ae_zoo.networks import convolutions, dense
from ae_zoo.networks.dense import INITIALIZERS
from ae_zoo.typing import Tensor

NETWORKS: dict[str, types.ModuleType] = {"dense": dense, "convolutional": convolutions}


def encoder(config: Config) -> keras.Model:
    """Returns the network from rows `(batch, *input_shape)` to codes `(batch, code)`: scaling, noise, hidden layers, code."""
    x, h = trunk(config)
    code = head(config.code, config.code_activation, "code", code_regularizer(config))(flat(h))  # (batch, code)
    return keras.Model(x, code, name="encoder")


def decoder(config: Config, encoder: keras.Model) -> keras.Model:
    """Returns the network from codes, of the encoder's output shape, to reconstructions `(batch, *output_shape)`."""
    code = keras.Input(encoder.output_shape[1:], name="code_input")
    return keras.Model(code, NETWORKS[config.network].up(config, code, encoder), name="decoder")


def trunk(config: Config) -> tuple[Tensor, Tensor]:
    """Returns the rows and the last hidden layer for them: the part of every encoder before the code."""
    x = keras.Input(config.input_shape, name="x")
    layers = [config.schema.layer("scaling")]
    if config.corruption != "none":
        noise = config.schema.noise(config.corruption, config.corruption_amount, "corruption")
        layers.insert(0 if config.schema.corrupts_coded else 1, noise)
    h = x
    for layer in layers:
        h = layer(h)
    return x, NETWORKS[config.network].down(config, h)


def flat(h: Tensor) -> Tensor:
    """Returns `(batch, ...)` as `(batch, features)`."""
    return h if len(h.shape) == 2 else keras.layers.Flatten(name="flat_code")(h)


def head(
    width: int, activation: str, name: str, activity_regularizer: keras.regularizers.Regularizer | None = None
) -> keras.layers.Dense:
    """Returns a dense layer for the end of an encoder."""
    return keras.layers.Dense(
        width,
        activation=activation,
        kernel_initializer=INITIALIZERS.get(activation, "glorot_uniform"),
        activity_regularizer=activity_regularizer,
        name=name,
    )


def code_regularizer(config: Config) -> keras.regularizers.Regularizer | None:
    """Returns the sparsity penalty of a config, or None; it is the same for every kind of network."""
    if config.sparsity is not None and config.sparsity_weight:
        return KLSparsity(config.sparsity, config.sparsity_weight, config.code_activation)
    if config.l1:
        return L1Sparsity(config.l1)
    return None
