"""Convolutional networks for images: strided convolutions down, strided transposed convolutions up.

`config.hidden` are the channels of the convolutions; each halves height and width, and rounds up. The decoder doubles them
and cuts a row or column if there is one too many, so any height and width come back the same. Dense layers connect the maps
to the code: `config.dense` are the widths of those between. A code may also be maps itself; then there are no dense layers.

Layers have names as in a dense network: `hidden_0` ... down to the code, and onwards from there up. If a layer's output is
reshaped or cut, the result has the name, and the layer with the weights is `hidden_n_flat` or `hidden_n_whole`. Before the
final `reconstruction`, which has the row's own shape, is `reconstruction_image`.
"""

import functools
import math

import keras

from ae_zoo.config import Config
from ae_zoo.networks.dense import INITIALIZERS, OUTPUT_DTYPE, hidden_dense
from ae_zoo.networks.hidden import Make, hidden
from ae_zoo.typing import Tensor

STRIDE = 2
# The axes of a kernel over which the incoming weights of one channel lie: (rows, columns, in, out), (rows, columns, out, in).
INCOMING, INCOMING_TRANSPOSED = (0, 1, 2), (0, 1, 3)


def down(config: Config, h: Tensor) -> Tensor:
    """Returns the last maps `(batch, rows, columns, channels)` for scaled images `(batch, height, width[, channels])`.

    With `config.dense` it returns the last dense layer `(batch, width)`.
    """
    if len(config.schema.output_shape) == 2:
        h = keras.layers.Reshape((*config.schema.output_shape, 1), name="image")(h)  # (batch, height, width, 1)
    for index, channels in enumerate(config.hidden):
        initializer = INITIALIZERS.get(config.activation, "glorot_uniform")
        h = hidden(h, config, f"hidden_{index}", _made(keras.layers.Conv2D, channels, config, initializer), INCOMING)
    if config.dense:
        h = keras.layers.Flatten(data_format="channels_last", name="flat_maps")(h)  # (batch, features)
    for index, width in enumerate(config.dense, len(config.hidden)):
        h = hidden_dense(h, config, f"hidden_{index}", width)  # (batch, width)
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
            h = hidden_dense(h, config, f"hidden_{number}", width)  # (batch, width)
            number += 1
        maps = (*last, config.hidden[-1])
        shaped = functools.partial(keras.layers.Reshape, maps)
        h = hidden_dense(  # (batch, rows, columns, channels)
            h, config, f"hidden_{number}", math.prod(maps), reshape=("flat", shaped)
        )
        number += 1
    for channels in reversed(config.hidden[:-1]):
        make, cut = _upsampling(h, channels, config, config.activation, sizes.pop())
        reshape = None if cut is None else ("whole", cut)
        h = hidden(h, config, f"hidden_{number}", make, INCOMING_TRANSPOSED, reshape)
        number += 1
    channels = config.schema.output_shape[2] if len(config.schema.output_shape) == 3 else 1
    make, cut = _upsampling(h, channels, config, config.output_activation, sizes.pop())
    name = "reconstruction_image"
    whole = name if cut is None else f"{name}_whole"
    h = make(activation=config.output_activation, dtype=OUTPUT_DTYPE, name=whole)(h)
    if cut is not None:
        h = cut(dtype=OUTPUT_DTYPE, name=name)(h)
    return keras.layers.Reshape(config.schema.output_shape, dtype=OUTPUT_DTYPE, name="reconstruction")(h)


def _upsampling(
    h: Tensor, channels: int, config: Config, activation: str, size: tuple[int, int]
) -> tuple[Make, Make | None]:
    """Returns what makes the layer from `h` to twice its height and width, and the one that cuts to `size`, if it must."""
    # A kernel of Keras's transposed convolution is (rows, columns, out, in), and each output sums only 1 in STRIDE^2 of
    # its places. So the variance that keeps a signal's size is STRIDE^2 / (rows * columns * in), or twice that.
    gain = 2 if INITIALIZERS.get(activation) == "he_normal" else 1
    initializer = keras.initializers.VarianceScaling(gain * STRIDE**2, mode="fan_out")
    make = _made(keras.layers.Conv2DTranspose, channels, config, initializer)
    excess = [STRIDE * side - wanted for side, wanted in zip(h.shape[1:3], size, strict=True)]
    if not any(excess):
        return make, None
    # An odd kernel's "same" padding begins one place earlier on an odd side than on the even side here. If it is cut
    # there, this layer is the transpose of its mirror.
    early = (config.kernel - 1) // 2 - max(config.kernel - STRIDE, 0) // 2
    cut = [(early * more, (1 - early) * more) for more in excess]
    return make, functools.partial(keras.layers.Cropping2D, cut, data_format="channels_last")


def _made(kind: Make, channels: int, config: Config, initializer: str | keras.initializers.Initializer) -> Make:
    return functools.partial(
        kind,
        channels,
        config.kernel,
        strides=STRIDE,
        padding="same",
        data_format="channels_last",
        kernel_initializer=initializer,
    )
