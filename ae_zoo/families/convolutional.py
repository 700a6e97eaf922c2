"""Convolutional: filters that slide over the image, so that what is learned in one place is known in all.

Loss: mean over pixels and channels of (x - reconstruction)^2, or the binary cross-entropy in nats a pixel.

Each hidden layer is a convolution with stride 2, which halves height and width as pooling would, and learns how. The
decoder mirrors them by transposed convolutions with stride 2, which upsample as they filter. Any height and width come
back the same. A dense layer between the maps and the code bends the few numbers of the code further, and costs less time
than more channels. The networks are `network="convolutional"`, which every other family takes too.

Sources: Masci et al. 2011, section 3 (which pools where this strides); Springenberg et al. 2015, section 2 (strides for
pooling); Dumoulin and Visin 2016, section 4 (transposed convolutions).
"""

import dataclasses

import keras

from ae_zoo.autoencoder import Autoencoder
from ae_zoo.config import NETWORKS, Config, option
from ae_zoo.errors import AEZooError
from ae_zoo.recipe import Recipe


@dataclasses.dataclass(frozen=True, kw_only=True)
class ConvolutionalConfig(Config):
    """Options of `Convolutional`."""

    network: str = option("convolutional", help="kind of the hidden layers", choices=NETWORKS)
    hidden: tuple[int, ...] = option(
        (16, 32),
        help="channels of the encoder's convolutions; mirrored",
        low=1,
        search={"depth": [2, 3], "width": [8, 16, 32]},
    )
    dense: tuple[int, ...] = option(
        (256,), help="widths of dense layers between the maps and the code; mirrored", low=1, search=[[], [128], [256]]
    )

    def check(self) -> None:
        super().check()
        if self.network != "convolutional":
            raise AEZooError(
                f"A convolutional autoencoder has a convolutional network; received {self.network!r}: for a dense one, "
                "build 'stacked'."
            )


@keras.saving.register_keras_serializable("ae_zoo")
class Convolutional(Autoencoder):
    """Filters that slide over images, strided down to a code and back up to the same height and width."""

    Config = ConvolutionalConfig
    PAPER = "Masci et al. 2011"
    GOOD_FOR = "images: smaller errors from the same code"
    # A step costs as much a row with few rows as with many, so the steps are many; 0.003 at this batch.
    recipe = Recipe(learning_rate=6e-3, batch_size=64)
