"""Denoising: the network sees a corrupted row and is asked for the clean one.

Loss: mean over features of (clean x - reconstruction of corrupted x)^2, with fresh noise at every step.

What is wanted is robust features, so the network is judged on corrupted rows against clean targets; on clean rows it
gives up a little. The book's own procedure takes the corrupted rows as targets too, which asks for the noise back.

Sources: Hands-On Machine Learning with R, section 19.4; Vincent et al. 2008, section 2; Vincent et al. 2010, section 3.
"""

import dataclasses

import keras

from ae_zoo.autoencoder import Autoencoder
from ae_zoo.config import CORRUPTIONS, DEEP, Config, option
from ae_zoo.errors import AEZooError


@dataclasses.dataclass(frozen=True, kw_only=True)
class DenoisingConfig(Config):
    """Options of `Denoising`."""

    code: int = option(100, help="width of the code", low=1, search=(25, 200))
    hidden: tuple[int, ...] = option((300,), help="widths of the encoder's hidden layers; mirrored", low=1, search=DEEP)
    corruption: str = option(
        "masking",
        help="noise put on the input while training",
        choices=CORRUPTIONS,
        search=["gaussian", "masking", "salt_pepper"],
    )
    corruption_amount: float = option(
        0.3, help="standard deviation (gaussian) or share of the features (others)", low=0, search=(0.1, 0.5)
    )

    def check(self) -> None:
        super().check()
        if self.corruption == "none":
            raise AEZooError("A denoising autoencoder needs noise: give corruption='masking', say.")


@keras.saving.register_keras_serializable("ae_zoo")
class Denoising(Autoencoder):
    """Corrupted rows in, clean rows out."""

    Config = DenoisingConfig
    PAPER = "Vincent et al. 2008"
    GOOD_FOR = "cleaning rows, robust features"
