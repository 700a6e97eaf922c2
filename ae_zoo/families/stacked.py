"""Stacked: several hidden layers each way, the decoder mirroring the encoder.

Loss: mean over features of (x - reconstruction)^2, or the binary cross-entropy in nats a feature.

Depth buys small codes: each hidden layer bends the surface on which the reconstructions lie. `ae_zoo.pretrain` trains
the layers one after another first, as was done before good initialisation made it optional (Bengio et al. 2007).

Sources: Hands-On Machine Learning with R, section 19.2.2; Hinton and Salakhutdinov 2006; Bengio et al. 2007.
"""

import keras

from ae_zoo.autoencoder import Autoencoder
from ae_zoo.families.configs import StackedConfig


@keras.saving.register_keras_serializable("ae_zoo")
class Stacked(Autoencoder):
    """Several hidden layers each way, for small codes."""

    Config = StackedConfig
