"""A hidden layer of any network: linear map, normalization, activation, dropout.

The activated output has the layer's name, such as `hidden_0`. If there is something between the linear map and the
activation, the map is `hidden_0_linear` and the normalized values are `hidden_0_normalized`. The dropout after the
activation, which acts in training alone, is `hidden_0_dropout`.

Sources: Srivastava et al. 2014 (dropout, and max_norm in section 5.1); Ioffe and Szegedy 2015, section 3 (batch); Ba et al.
2016, section 3 (layer); Wu and He 2018, section 3.1 (layer normalization of maps is that of one group).
"""

from collections.abc import Callable, Sequence
from typing import Any, TypeAlias

import keras

from ae_zoo.config import Config
from ae_zoo.layers.dropout import Dropout
from ae_zoo.typing import Tensor

# Of the moving mean and variance that inference takes: about the last ten steps. A default run on a small table has a
# hundred steps, in which Keras's 0.99 would not forget its start.
MOMENTUM = 0.9

Make: TypeAlias = Callable[..., keras.layers.Layer]  # takes a layer's keywords


def hidden(
    h: Tensor,
    config: Config,
    name: str,
    make: Make,
    incoming: int | Sequence[int],
    reshape: tuple[str, Make] | None = None,
) -> Tensor:
    """Returns the output of a hidden layer for `h`.

    Args:
        h: the layer before, `(batch, ...)`.
        config: has the activation, the normalization, the dropout and the bound of the weights.
        name: of the layer.
        make: makes the layer with the weights from Keras's keywords.
        incoming: the axes of its kernel over which the weights of one unit lie, for `max_norm`.
        reshape: if the output is reshaped or cut: what the layer with the weights is called after `name_`, and what makes
            the layer that reshapes.
    """
    plain = config.normalization == "none"
    options: dict[str, Any] = {"activation": config.activation if plain else None}
    if config.max_norm is not None:
        options["kernel_constraint"] = keras.constraints.MaxNorm(config.max_norm, axis=incoming)
    if config.normalization == "batch":
        options["use_bias"] = False  # the normalization would take it off again, and has its own
    last = name if plain else linear(config, name)
    if reshape is None:
        h = make(name=last, **options)(h)
    else:
        suffix, shaped = reshape
        h = shaped(name=last)(make(name=f"{name}_{suffix}", **options)(h))
    if not plain:
        h = NORMALIZATIONS[config.normalization](h, f"{name}_normalized")
        h = keras.layers.Activation(config.activation, name=name)(h)
    return Dropout(config.dropout, config.activation, name=f"{name}_dropout")(h) if config.dropout else h


def linear(config: Config, name: str) -> str:
    """Returns the name of the layer that has the linear map of the dense hidden layer `name`."""
    return name if config.normalization == "none" else f"{name}_linear"


def _batch(h: Tensor, name: str) -> Tensor:
    return keras.layers.BatchNormalization(momentum=MOMENTUM, name=name)(h)


def _layer(h: Tensor, name: str) -> Tensor:
    if len(h.shape) == 2:
        return keras.layers.LayerNormalization(name=name)(h)
    return keras.layers.GroupNormalization(groups=1, name=name)(h)  # over all places and channels of a row's maps


NORMALIZATIONS: dict[str, Callable[[Tensor, str], Tensor]] = {"batch": _batch, "layer": _layer}
