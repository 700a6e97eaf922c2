"""Convolutional networks for images: strided convolutions down, upsampling convolutions up (Masci et al. 2011).

`config.hidden` are the channels of the convolutions; each halves height and width, rounding up. The decoder doubles
them and cuts the row or column too many, so any height and width come back the same.
"""

import math
from typing import Any

import keras

from ae_zoo.config import Config
from ae_zoo.nets.dense import INITIALIZERS


def down(config: Config, h: Any) -> Any:
    """Scaled images `(batch, height, width[, channels])` to the last feature maps `(batch, rows, columns, channels)`."""
    if len(config.input_shape) == 2:
        h = keras.layers.Reshape((*config.input_shape, 1), name="image")(h)  # (batch, height, width, 1)
    for index, channels in enumerate(config.hidden):
        h = _convolution(keras.layers.Conv2D, channels, config, config.activation, f"hidden_{index}")(h)
    return h


def up(config: Config, code: Any, encoder: keras.Model) -> Any:
    """Codes `(batch, code)`, or maps of codes, to images `(batch, *input_shape)`."""
    sizes = [config.input_shape[:2]]  # (height, width) before each convolution of the encoder
    for _ in config.hidden:
        sizes.append(tuple(math.ceil(side / 2) for side in sizes[-1]))
    depth, h = len(config.hidden), code
    if len(code.shape) == 2:
        first = (*sizes[-1], config.hidden[-1])
        h = keras.layers.Dense(
            math.prod(first),
            activation=config.activation,
            kernel_initializer=INITIALIZERS.get(config.activation, "glorot_uniform"),
            name="maps_flat",
        )(h)
        h = keras.layers.Reshape(first, name="maps")(h)  # (batch, rows, columns, channels)
    channels = [*reversed(config.hidden[:-1]), config.input_shape[2] if len(config.input_shape) == 3 else 1]
    for index, (width, size) in enumerate(zip(channels, reversed(sizes[:-1]), strict=True)):
        last = index == depth - 1
        name = "reconstruction_image" if last else f"hidden_{depth + index}"
        h = _convolution(
            keras.layers.Conv2DTranspose, width, config, config.output_activation if last else config.activation, name
        )(h)
        excess = [2 * math.ceil(side / 2) - side for side in size]
        if any(excess):
            h = keras.layers.Cropping2D(
                [(0, more) for more in excess], data_format="channels_last", name=f"cropping_{depth + index}"
            )(h)
    return keras.layers.Reshape(config.input_shape, name="reconstruction")(h)


def _convolution(kind: type, channels: int, config: Config, activation: str, name: str) -> keras.layers.Layer:
    return kind(
        channels,
        config.kernel,
        strides=2,
        padding="same",
        data_format="channels_last",
        activation=activation,
        kernel_initializer=INITIALIZERS.get(activation, "glorot_uniform"),
        name=name,
    )
