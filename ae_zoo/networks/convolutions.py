"""Convolutional networks for images: strided convolutions down, strided transposed convolutions up.

`config.hidden` are the channels of the convolutions; each halves height and width, and rounds up. The decoder doubles them
and cuts a row or column if there is one too many, so any height and width come back the same. Dense layers connect the maps
to the code: `config.dense` are the widths of those between. A code may also be maps itself; then there are no dense layers.

Layers have names as in a dense network: `hidden_0` ... down to the code, and onwards from there up. If a layer's output is
reshaped or cut, the result has the name, and the layer with the weights is `hidden_n_flat` or `hidden_n_whole`. Before the
final `reconstruction`, which has the row's own shape, is `reconstruction_image`.
"""

import math

import keras

from ae_zoo.config import Config
from ae_zoo.networks.dense import INITIALIZERS, OUTPUT_DTYPE
from ae_zoo.typing import Tensor

STRIDE = 2


def down(config: Config, h: Tensor) -> Tensor:
    """Returns the last maps `(batch, rows, columns, channels)` for scaled images `(batch, height, width[, channels])`.

    With `config.dense` it returns the last dense layer `(batch, width)`.
    """
    if len(config.schema.output_shape) == 2:
        h = keras.layers.Reshape((*config.schema.output_shape, 1), name="image")(h)  # (batch, height, width, 1)
    for index, channels in enumerate(config.hidden):
        initializer = INITIALIZERS.get(config.activation, "glorot_uniform")
        h = _layer(keras.layers.Conv2D, channels, config, config.activation, initializer, f"hidden_{index}")(h)
    if config.dense:
        h = keras.layers.Flatten(data_format="channels_last", name="flat_maps")(h)  # (batch, features)
    for index, width in enumerate(config.dense, len(config.hidden)):
        h = _dense(width, config, f"hidden_{index}")(h)  # (batch, width)
    return h


def up(config: Config, code: Tensor, encoder: keras.Model) -> Tensor:
    """Returns images `(batch, *output_shape)` for codes `(batch, code)` or `(batch, rows, columns, code)`."""
    height, width, *_ = config.schema.output_shape
    sizes = [(height, width)]  # before each convolution of the encoder, and after the last
    for _ in config.hidden:
        height, width = math.ceil(height / STRIDE), math.ceil(width / STRIDE)
        sizes.append((height, width))
    last = sizes.pop()
    h, number = code, len(config.hidden) + len(config.dense)
    if len(code.shape) == 2:
        for width in reversed(config.dense):
            h = _dense(width, config, f"hidden_{number}")(h)  # (batch, width)
            number += 1
        maps = (*last, config.hidden[-1])
        h = _dense(math.prod(maps), config, f"hidden_{number}_flat")(h)
        h = keras.layers.Reshape(maps, name=f"hidden_{number}")(h)  # (batch, rows, columns, channels)
        number += 1
    for channels in reversed(config.hidden[:-1]):
        h = _upsampled(h, channels, config, config.activation, sizes.pop(), f"hidden_{number}")
        number += 1
    channels = config.schema.output_shape[2] if len(config.schema.output_shape) == 3 else 1
    h = _upsampled(h, channels, config, config.output_activation, sizes.pop(), "reconstruction_image", OUTPUT_DTYPE)
    return keras.layers.Reshape(config.schema.output_shape, dtype=OUTPUT_DTYPE, name="reconstruction")(h)


def _upsampled(
    h: Tensor,
    channels: int,
    config: Config,
    activation: str,
    size: tuple[int, int],
    name: str,
    dtype: str | None = None,
) -> Tensor:
    """Returns maps with the height and width of `size`, which are twice those of `h` or one less."""
    # A kernel of Keras's transposed convolution is (rows, columns, out, in), and each output sums only 1 in STRIDE^2 of
    # its places. So the variance that keeps a signal's size is STRIDE^2 / (rows * columns * in), or twice that.
    gain = 2 if INITIALIZERS.get(activation) == "he_normal" else 1
    initializer = keras.initializers.VarianceScaling(gain * STRIDE**2, mode="fan_out")
    excess = [STRIDE * side - wanted for side, wanted in zip(h.shape[1:3], size, strict=True)]
    whole = f"{name}_whole" if any(excess) else name
    h = _layer(keras.layers.Conv2DTranspose, channels, config, activation, initializer, whole, dtype)(h)
    if any(excess):
        # An odd kernel's "same" padding begins one place earlier on an odd side than on the even side here. If it is cut
        # there, this layer is the transpose of its mirror.
        early = (config.kernel - 1) // 2 - max(config.kernel - STRIDE, 0) // 2
        cut = [(early * more, (1 - early) * more) for more in excess]
        h = keras.layers.Cropping2D(cut, data_format="channels_last", dtype=dtype, name=name)(h)
    return h


def _layer(
    kind: type[keras.layers.Layer],
    channels: int,
    config: Config,
    activation: str,
    initializer: str | keras.initializers.Initializer,
    name: str,
    dtype: str | None = None,
) -> keras.layers.Layer:
    return kind(
        channels,
        config.kernel,
        strides=STRIDE,
        padding="same",
        data_format="channels_last",
        activation=activation,
        kernel_initializer=initializer,
        dtype=dtype,
        name=name,
    )


def _dense(width: int, config: Config, name: str) -> keras.layers.Dense:
    initializer = INITIALIZERS.get(config.activation, "glorot_uniform")
    return keras.layers.Dense(width, activation=config.activation, kernel_initializer=initializer, name=name)
