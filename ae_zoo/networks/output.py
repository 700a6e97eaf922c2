"""The start of the output layer: its bias is set to what gives the mean of the rows."""

import keras
import numpy as np


def bias(decoder: keras.Model) -> keras.Variable:
    """The bias of a decoder's last layer that has one."""
    return [layer for layer in decoder.layers if getattr(layer, "bias", None) is not None][-1].bias


def start_at(decoder: keras.Model, mean: np.ndarray, activation: str) -> None:
    """Sets the output's bias to what alone, without the weights, gives `mean` `(*input_shape)`.

    It inverts the output's activation; an activation that cannot be inverted everywhere is left as it is.
    """
    edge = 0.998  # a feature that is always at its end would need an infinite bias
    variable = bias(decoder)
    # One bias a feature in a dense output; one a channel in a convolutional one.
    mean = mean.reshape(-1, variable.shape[0]).mean(axis=0)
    if activation == "sigmoid":
        p = np.clip(mean, 1 - edge, edge)
        mean = np.log(p / (1 - p))
    elif activation == "tanh":
        mean = np.arctanh(np.clip(mean, -edge, edge))
    elif activation != "linear":
        return
    variable.assign(mean)
