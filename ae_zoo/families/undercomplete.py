"""Undercomplete: the only constraint on the network is a code that is narrower than the row.

Loss: mean over features of (x - reconstruction)^2, or the binary cross-entropy in nats a feature.

With linear activations everywhere the best such network spans PCA's subspace and has PCA's error (Baldi and Hornik
1989). With one layer in each half a *linear output* can do no better than PCA, with any activation of the code (Bourlard and
Kamp 1988). A better result needs an output that fits the data, such as the sigmoid for values in [0, 1], or hidden layers.
So the default has one hidden layer in each half; `hidden=[]` is the single layer of the book's first network.

Sources: Boehmke and Greenwell, Hands-On Machine Learning with R, section 19.2; Hinton and Salakhutdinov 2006.
"""

import keras

from ae_zoo.autoencoder import Autoencoder
from ae_zoo.families.configs import UndercompleteConfig


@keras.saving.register_keras_serializable("ae_zoo")
class Undercomplete(Autoencoder):
    """A code that is narrower than the row, so it keeps only what matters most."""

    Config = UndercompleteConfig
