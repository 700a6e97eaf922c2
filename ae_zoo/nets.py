"""The symmetric networks that families are made of, as functional Keras models.

Layer names are interface: `x`, `scaling`, `corruption`, `hidden_0` ... `code`, and in the decoder the mirrored
`hidden_n` ... `reconstruction`. The numbers go on through the decoder, so each name is unique in the whole model.
"""

import math

import keras
import numpy as np

from ae_zoo.config import Config
from ae_zoo.layers import Corruption, Scaling
from ae_zoo.regularizers import KLSparsity, L1Sparsity

# The initial variance that keeps a signal's size from layer to layer: Klambauer et al. 2017 for selu, He et al. 2015
# where half of the inputs are cut off, Glorot and Bengio 2010 for the rest.
_INITIALIZERS = {"selu": "lecun_normal"} | dict.fromkeys(("relu", "elu", "silu", "gelu", "leaky_relu"), "he_normal")


def encoder(config: Config) -> keras.Model:
    """Rows `(batch, *input_shape)` to codes `(batch, code)`: scaling, corruption, flattening, hidden layers, code."""
    x = keras.Input(config.input_shape, name="x")
    h = Scaling(config.scaling, name="scaling")(x)  # (batch, *input_shape)
    if config.corruption != "none":
        low, high = pepper_and_salt(config)
        h = Corruption(config.corruption, config.corruption_amount, low, high, name="corruption")(h)
    if len(config.input_shape) > 1:
        h = keras.layers.Flatten(name="flat")(h)  # (batch, features)
    for index, width in enumerate(config.hidden):
        h = _dense(width, config.activation, f"hidden_{index}")(h)  # (batch, width)
    code = _dense(config.code, config.code_activation, "code", code_regularizer(config))(h)  # (batch, code)
    return keras.Model(x, code, name="encoder")


def decoder(config: Config) -> keras.Model:
    """Codes `(batch, code)` to reconstructions `(batch, *input_shape)` on the model's scale: the encoder mirrored."""
    code = keras.Input((config.code,), name="code_input")
    h = code
    for index, width in enumerate(reversed(config.hidden), start=len(config.hidden)):
        h = _dense(width, config.activation, f"hidden_{index}")(h)  # (batch, width)
    features = math.prod(config.input_shape)
    flat = len(config.input_shape) == 1
    h = _dense(features, config.output_activation, "reconstruction" if flat else "reconstruction_flat")(h)
    if not flat:
        h = keras.layers.Reshape(config.input_shape, name="reconstruction")(h)  # (batch, *input_shape)
    return keras.Model(code, h, name="decoder")


def output_bias(decoder: keras.Model) -> keras.Variable:
    """The bias of a decoder's last layer that has weights."""
    return [layer for layer in decoder.layers if layer.weights][-1].bias


def set_output(decoder: keras.Model, mean: np.ndarray, activation: str) -> None:
    """Sets the output's bias to what alone, without the weights, gives `mean` `(*input_shape)`.

    It inverts the output's activation; an activation that cannot be inverted everywhere is left as it is.
    """
    edge = 0.998  # a feature that is always at its end would need an infinite bias
    if activation == "sigmoid":
        p = np.clip(mean, 1 - edge, edge)
        mean = np.log(p / (1 - p))
    elif activation == "tanh":
        mean = np.arctanh(np.clip(mean, -edge, edge))
    elif activation != "linear":
        return
    bias = output_bias(decoder)
    # One bias a feature in a dense output; one a channel in a convolutional one.
    bias.assign(mean.reshape(-1, bias.shape[0]).mean(axis=0))


def code_regularizer(config: Config) -> keras.regularizers.Regularizer | None:
    """The sparsity penalty that the config asks for, whatever the network."""
    if config.sparsity is not None and config.sparsity_weight:
        return KLSparsity(config.sparsity, config.sparsity_weight, config.code_activation)
    if config.l1:
        return L1Sparsity(config.l1)
    return None


def pepper_and_salt(config: Config) -> tuple[float, float]:
    """The two extreme values of a feature on the model's scale, for salt-and-pepper noise."""
    if config.scaling == "standard":
        return -2.0, 2.0  # standardised data has no extremes: two standard deviations
    return 0.0, 1.0


def _dense(
    width: int, activation: str, name: str, activity_regularizer: keras.regularizers.Regularizer | None = None
) -> keras.layers.Dense:
    return keras.layers.Dense(
        width,
        activation=activation,
        kernel_initializer=_INITIALIZERS.get(activation, "glorot_uniform"),
        activity_regularizer=activity_regularizer,
        name=name,
    )
