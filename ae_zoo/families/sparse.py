"""Sparse: few code units are active at a time, so each can stand for one thing.

Loss: reconstruction + sparsity_weight * mean over units of KL(target || mean activation), in nats.

The target is in the range of the code's activation, as in the book: -0.1 for a tanh code is the share 0.45 of the way
from -1 to 1. H2O, which the book uses, nudges biases instead, so its betas and these weights are not the same numbers.

Sources: Hands-On Machine Learning with R, section 19.3; Ng 2011, CS294A lecture notes, section 3.
"""

import dataclasses

import keras

from ae_zoo.autoencoder import Autoencoder
from ae_zoo.config import ACTIVATIONS, Config, option


@dataclasses.dataclass(frozen=True, kw_only=True)
class SparseConfig(Config):
    """Options of `Sparse`."""

    code: int = option(100, help="width of the code", low=1, search=(25, 200))
    code_activation: str = option("tanh", help="activation of the code", choices=ACTIVATIONS)
    sparsity: float | None = option(
        -0.1, help="target mean activation of each code unit (KL penalty)", low=-1, high=1, search=(-0.9, -0.1)
    )
    sparsity_weight: float = option(
        1.0, help="weight of the KL sparsity penalty, a mean over units", low=0, search=(0.01, 1.0)
    )


@keras.saving.register_keras_serializable("ae_zoo")
class Sparse(Autoencoder):
    """A code whose mean activation is held near a target."""

    Config = SparseConfig
    PAPER = "Ng 2011"
    GOOD_FOR = "codes whose units can be read one by one"
