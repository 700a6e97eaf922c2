"""Sparse: few code units are active at the same time, so each can stand for one thing.

Loss: reconstruction + sparsity_weight * mean over units of KL(target || mean activation), in nats.

The target is in the range of the code's activation, as in the book: -0.1 for a tanh code is 0.45 on the way from -1 to 1.
H2O, which the book uses, moves biases instead, so its betas and these weights are not the same numbers.

Sources: Hands-On Machine Learning with R, section 19.3; Ng 2011, CS294A lecture notes, section 3.
"""

import keras

from ae_zoo.autoencoder import Autoencoder
from ae_zoo.families.configs import SparseConfig


@keras.saving.register_keras_serializable("ae_zoo")
class Sparse(Autoencoder):
    """A code whose mean activation is kept near a target."""

    Config = SparseConfig
