"""Dense networks: every unit sees every feature; an image is flattened to a row of pixels."""

import functools
import math

import keras

from ae_zoo.config import Config
from ae_zoo.layers.tied_dense import TiedDense
from ae_zoo.networks.hidden import Make, hidden, linear
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
        h = hidden_dense(h, config, f"hidden_{index}", width)  # (batch, width)
    return h


def up(config: Config, code: Tensor, encoder: keras.Model) -> Tensor:
    """Returns reconstructions `(batch, *output_shape)` for codes `(batch, code)`; it has the encoder's widths in reverse.

    With `config.tied` each layer has the transposed kernel of its mirror in `encoder`, and its own bias.
    """
    shape = config.schema.output_shape
    depth, flat = len(config.hidden), len(shape) == 1
    mirrors = ["code", *(linear(config, f"hidden_{index}") for index in reversed(range(depth)))]
    h = code
    for index, width in enumerate(reversed(config.hidden)):
        mirror = encoder.get_layer(mirrors[index]) if config.tied else None
        h = hidden_dense(h, config, f"hidden_{depth + index}", width, mirror)  # (batch, width)
    mirror = encoder.get_layer(mirrors[-1]) if config.tied else None
    output = _made(math.prod(shape), config.output_activation, mirror)
    if mirror is None and config.schema.starts_at_zero:
        output = functools.partial(output, kernel_initializer=keras.initializers.RandomNormal(stddev=1e-3))
    name = "reconstruction" if flat else "reconstruction_flat"
    h = output(activation=config.output_activation, dtype=OUTPUT_DTYPE, name=name)(h)  # (batch, features)
    return h if flat else keras.layers.Reshape(shape, dtype=OUTPUT_DTYPE, name="reconstruction")(h)


def hidden_dense(
    h: Tensor,
    config: Config,
    name: str,
    width: int,
    mirror: keras.layers.Dense | None = None,
    reshape: tuple[str, Make] | None = None,
) -> Tensor:
    """Returns a hidden layer `(batch, width)` for `h`, with the transposed kernel of `mirror` if there is one.

    The other arguments are those of `hidden`.
    """
    return hidden(h, config, name, _made(width, config.activation, mirror), incoming=0, reshape=reshape)


def _made(width: int, activation: str, mirror: keras.layers.Dense | None) -> Make:
    if mirror is not None:
        return functools.partial(TiedDense, mirror)
    return functools.partial(
        keras.layers.Dense, width, kernel_initializer=INITIALIZERS.get(activation, "glorot_uniform")
    )
