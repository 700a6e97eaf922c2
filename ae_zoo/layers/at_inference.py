"""A layer that is left as it is at inference, in training too."""

import keras

from ae_zoo.typing import Tensor


@keras.saving.register_keras_serializable("ae_zoo")
class AtInference(keras.layers.Wrapper):
    """Runs a layer as at inference, whatever the network around it does.

    Giving `training=False` when the graph is made is not enough: Keras replaces it when the whole network is trained.

    Args:
        layer: the layer; input and output are its own.
    """

    def call(self, x: Tensor) -> Tensor:
        return self.layer(x, training=False)
