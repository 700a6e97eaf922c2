"""The start of the output layer: a bias that gives the mean of the rows."""

import keras
import numpy as np

from ae_zoo.typing import Array


def bias(decoder: keras.Model) -> keras.Variable:
    """Returns the bias of a decoder's last layer that has one."""
    return [weight for weight in decoder.weights if weight.name == "bias"][-1]


def start_at(decoder: keras.Model, mean: Array, activation: str) -> None:
    """Sets the output's bias so that it alone, without the other weights, gives `mean` `(*output_shape)`.

    It inverts the output's activation. If an activation cannot be inverted everywhere, the bias stays as it is.
    """
    edge = 0.998  # a feature that is always 0 or 1 would need an infinite bias
    variable = bias(decoder)
    # A dense output has one bias for each feature, a convolutional one has one for each channel.
    mean = mean.reshape(-1, variable.shape[0]).mean(axis=0)
    if activation == "sigmoid":
        p = np.clip(mean, 1 - edge, edge)
        mean = np.log(p / (1 - p))
    elif activation == "tanh":
        mean = np.arctanh(np.clip(mean, -edge, edge))
    elif activation != "linear":
        return
    variable.assign(mean)
