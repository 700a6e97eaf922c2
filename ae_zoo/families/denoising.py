"""Denoising: the network sees a corrupted row and must give back the clean one.

Loss: mean over features of (clean x - reconstruction of corrupted x)^2, with fresh noise at every step.

The aim is robust features, so the network is judged on corrupted rows against clean targets; on clean rows it loses a
little. The book's own procedure takes the corrupted rows as targets too, so its network must reproduce the noise.

Sources: Hands-On Machine Learning with R, section 19.4; Vincent et al. 2008, section 2; Vincent et al. 2010, section 3.
"""

import keras

from ae_zoo.autoencoder import Autoencoder
from ae_zoo.families.configs import DenoisingConfig


@keras.saving.register_keras_serializable("ae_zoo")
class Denoising(Autoencoder):
    """Corrupted rows in, clean rows out."""

    Config = DenoisingConfig
