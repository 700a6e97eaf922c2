"""Winner-take-all: each code unit is active only for the small share of the rows that excite it most.

Loss: mean over features of (x - reconstruction of x from the winning activations)^2. No penalty needs a weight, and every
unit that is ever active takes part, so few units die. The code is wide on purpose: it has more units than the row features.

Over a batch each unit keeps its k = share * batch largest activations (lifetime sparsity). In a convolutional network
the code is maps of units; each map first keeps its one largest value (spatial sparsity). Gradients go through the
winners alone. All this is for training: at inference the code is the plain rectified one, made for classifiers, and its
reconstructions are far too strong, unless `threshold` freezes the activations that were needed to win. With
`winners="k_sparse"` each row keeps its own k = share * code largest units, and alpha * k of them at inference.

Sources: Makhzani and Frey 2015, Winner-Take-All Autoencoders, sections 2 and 3; Makhzani and Frey 2013, k-Sparse
Autoencoders, section 2.
"""

import keras

from ae_zoo import networks
from ae_zoo.autoencoder import Autoencoder
from ae_zoo.families.configs import WinnerTakeAllConfig
from ae_zoo.families.winner_take_all.winners import Winners


@keras.saving.register_keras_serializable("ae_zoo")
class WinnerTakeAll(Autoencoder):
    """A wide code of which only the largest activations are kept while training."""

    Config = WinnerTakeAllConfig
    config: WinnerTakeAllConfig
    TRAINING_LAYERS = ("corruption", "winners")

    @classmethod
    def make_encoder(cls, config: WinnerTakeAllConfig) -> keras.Model:  # type: ignore[override]  # its own Config
        x, h = networks.trunk(config)
        regularizer = networks.code_regularizer(config)
        if config.network == "dense":
            layer = networks.head(config.code, config.code_activation, "code", regularizer)
            # A third of the usual size: units start alike, so what they learn soon decides which of them win.
            layer.kernel_initializer = keras.initializers.VarianceScaling(0.18, "fan_in", "truncated_normal")
            code = layer(h)  # (batch, code)
        else:
            code = keras.layers.Conv2D(
                config.code,
                config.kernel,
                padding="same",
                data_format="channels_last",
                activation=config.code_activation,
                kernel_initializer=networks.INITIALIZERS.get(config.code_activation, "glorot_uniform"),
                activity_regularizer=regularizer,
                name="code",
            )(h)  # (batch, rows, columns, code)
        winners = Winners(config.share, config.winners, config.threshold, config.alpha, name="winners")
        return keras.Model(x, winners(code), name="encoder")
