"""Convolutional networks for images: strided convolutions down, strided transposed convolutions up.

`config.hidden` are the channels of the convolutions; each halves height and width, rounding up. The decoder doubles
them and cuts the row or column too many, so any height and width come back the same. A dense layer each way joins the
last maps to the code, unless the code is itself maps.

Layers have the names of a dense network's: `hidden_n`, the maps that the decoder begins with, mirrors the encoder's
last; a code of maps takes its place. `hidden_n_flat` and `reconstruction_image` are the layers with weights behind a
reshaping.
"""

import math
from typing import Any

import keras

from ae_zoo.config import Config
from ae_zoo.nets.dense import INITIALIZERS

STRIDE = 2


def down(config: Config, h: Any) -> Any:
    """Scaled images `(batch, height, width[, channels])` to the last maps `(batch, rows, columns, channels)`."""
    if len(config.input_shape) == 2:
        h = keras.layers.Reshape((*config.input_shape, 1), name="image")(h)  # (batch, height, width, 1)
    for index, channels in enumerate(config.hidden):
        initializer = INITIALIZERS.get(config.activation, "glorot_uniform")
        h = _layer(keras.layers.Conv2D, channels, config, config.activation, initializer, f"hidden_{index}")(h)
    return h


def up(config: Config, code: Any, encoder: keras.Model) -> Any:
    """Codes `(batch, code)`, or maps of codes `(batch, rows, columns, code)`, to images `(batch, *input_shape)`."""
    depth, h = len(config.hidden), code
    sizes = [config.input_shape[:2]]  # (height, width) before each convolution of the encoder, and after the last
    for _ in config.hidden:
        sizes.append(tuple(math.ceil(side / STRIDE) for side in sizes[-1]))
    if len(code.shape) == 2:
        maps = (*sizes[-1], config.hidden[-1])
        h = keras.layers.Dense(
            math.prod(maps),
            activation=config.activation,
            kernel_initializer=INITIALIZERS.get(config.activation, "glorot_uniform"),
            name=f"hidden_{depth}_flat",
        )(h)
        h = keras.layers.Reshape(maps, name=f"hidden_{depth}")(h)  # (batch, rows, columns, channels)
    for index, channels in enumerate(reversed(config.hidden[:-1])):
        name = f"hidden_{depth + 1 + index}"
        h = _upsampled(h, channels, config, config.activation, sizes[depth - 1 - index], name)
    channels = config.input_shape[2] if len(config.input_shape) == 3 else 1
    h = _upsampled(h, channels, config, config.output_activation, sizes[0], "reconstruction_image")
    return keras.layers.Reshape(config.input_shape, name="reconstruction")(h)


def _upsampled(h: Any, channels: int, config: Config, activation: str, size: tuple[int, int], name: str) -> Any:
    """Maps of the height and width of `size`, twice those of `h` or one less."""
    # A kernel of Keras's transposed convolution is (rows, columns, out, in), and each output sums but 1 in STRIDE^2 of
    # its places: the variance that keeps a signal's size is STRIDE^2 / (rows * columns * in), or twice that.
    gain = 2 if INITIALIZERS.get(activation) == "he_normal" else 1
    initializer = keras.initializers.VarianceScaling(gain * STRIDE**2, mode="fan_out")
    h = _layer(keras.layers.Conv2DTranspose, channels, config, activation, initializer, name)(h)
    excess = [doubled - side for doubled, side in zip(h.shape[1:3], size, strict=True)]
    if any(excess):
        # An odd kernel's "same" padding begins one place earlier on an odd side than on the even one that comes up here:
        # cut there, this layer is the transpose of its mirror.
        early = (config.kernel - 1) // 2 - max(config.kernel - STRIDE, 0) // 2
        cut = [(early * more, (1 - early) * more) for more in excess]
        h = keras.layers.Cropping2D(cut, data_format="channels_last", name=f"{name}_cropped")(h)
    return h


def _layer(kind: type, channels: int, config: Config, activation: str, initializer: Any, name: str) -> Any:
    return kind(
        channels,
        config.kernel,
        strides=STRIDE,
        padding="same",
        data_format="channels_last",
        activation=activation,
        kernel_initializer=initializer,
        name=name,
    )
