"""Convolutional: filters slide over the image, so what is learned in one place holds in all places.

Loss: mean over pixels and channels of (x - reconstruction)^2, or the binary cross-entropy in nats a pixel.

Each hidden layer is a convolution with stride 2, which halves height and width as pooling would, but with learned filters.
The decoder mirrors them with transposed convolutions of stride 2, which upsample and filter at once. Images of any height
and width come back in their own size. A dense layer between the maps and the code makes better use of a small code, and
costs less time than more channels. The networks are `network="convolutional"`, which every other family takes too.

Sources: Masci et al. 2011, section 3 (which pools where this strides); Springenberg et al. 2015, section 2 (strides for
pooling); Dumoulin and Visin 2016, section 4 (transposed convolutions).
"""

import keras

from ae_zoo.autoencoder import Autoencoder
from ae_zoo.families.configs import ConvolutionalConfig


@keras.saving.register_keras_serializable("ae_zoo")
class Convolutional(Autoencoder):
    """Filters that slide over images, strided down to a code and up again to the same height and width."""

    Config = ConvolutionalConfig
