"""Dense networks: every unit sees every feature; an image is flattened to a row of pixels."""

import math

import keras

from ae_zoo.config import Config
from ae_zoo.layers.tied_dense import TiedDense
from ae_zoo.typing import Tensor

# The initial variance that keeps a signal's size from layer to layer: Klambauer et al. 2017 for selu, He et al. 2015
# where half of the inputs are cut off, Glorot and Bengio 2010 for the rest.
INITIALIZERS = {"selu": "lecun_normal"} | dict.fromkeys(("relu", "elu", "silu", "gelu", "leaky_relu"), "he_normal")

# Of the reconstruction, in mixed precision too: half precision rounds a probability of 0.999 to 1, which has no gradient.
OUTPUT_DTYPE = "float32"


def down(config: Config, h: Tensor) -> Tensor:
    """Returns the last hidden layer `(batch, width)` for scaled rows `(batch, *output_shape)`."""
    if len(config.schema.output_shape) > 1:
        h = keras.layers.Flatten(name="flat")(h)  # (batch, features)
    for index, width in enumerate(config.hidden):
        h = _layer(width, config.activation, f"hidden_{index}")(h)  # (batch, width)
    return h


def up(config: Config, code: Tensor, encoder: keras.Model) -> Tensor:
    """Returns reconstructions `(batch, *output_shape)` for codes `(batch, code)`; it has the encoder's widths in reverse.

    With `config.tied` each layer has the transposed kernel of its mirror in `encoder`, and its own bias.
    """
    shape = config.schema.output_shape
    depth, flat = len(config.hidden), len(shape) == 1
    widths = [*reversed(config.hidden), math.prod(shape)]
    names = [f"hidden_{depth + index}" for index in range(depth)]
    names.append("reconstruction" if flat else "reconstruction_flat")
    mirrors = ["code", *(f"hidden_{index}" for index in reversed(range(depth)))]
    h = code
    for width, name, mirror in zip(widths, names, mirrors, strict=True):
        activation, dtype = config.activation, None
        if name.startswith("reconstruction"):
            activation, dtype = config.output_activation, OUTPUT_DTYPE
        if config.tied:
            layer = TiedDense(encoder.get_layer(mirror), activation=activation, dtype=dtype, name=name)
        else:
            layer = _layer(width, activation, name, dtype)
        h = layer(h)  # (batch, width)
    return h if flat else keras.layers.Reshape(shape, dtype=OUTPUT_DTYPE, name="reconstruction")(h)


def _layer(width: int, activation: str, name: str, dtype: str | None = None) -> keras.layers.Dense:
    initializer = INITIALIZERS.get(activation, "glorot_uniform")
    return keras.layers.Dense(width, activation=activation, kernel_initializer=initializer, dtype=dtype, name=name)
