"""Stacked: several hidden layers in each half; the decoder mirrors the encoder.

Loss: mean over features of (x - reconstruction)^2, or the binary cross-entropy in nats a feature.

Depth allows small codes: each hidden layer bends the surface on which the reconstructions lie. `ae_zoo.pretrain` trains
the layers one after another first, which was necessary before good initialization (Bengio et al. 2007).

Sources: Hands-On Machine Learning with R, section 19.2.2; Hinton and Salakhutdinov 2006; Bengio et al. 2007.
"""

import keras

from ae_zoo.autoencoder import Autoencoder
from ae_zoo.families.configs import StackedConfig


@keras.saving.register_keras_serializable("ae_zoo")
class Stacked(Autoencoder):
    """Several hidden layers in each half, for small codes."""

    Config = StackedConfig
