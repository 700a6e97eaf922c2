"""Winner-take-all: each code unit may be active for a small share of the rows, those that excite it most.

Loss: mean over features of (x - reconstruction of x from the winning activations)^2. No weight sets the sparsity, and
every unit that is ever active takes part, so few die. The code is wide: more units than features is the point.

Over a batch each unit keeps its k = share * batch largest activations (lifetime sparsity). In a convolutional network
the code is maps of units; each map first keeps its one largest value (spatial sparsity). Gradients go through the
winners alone. It holds in training only: at inference the code is the plain rectified one, made for classifiers, and
its reconstructions are far too strong, unless `threshold` freezes what it took to win. With `winners="k_sparse"` each
row keeps its own k = share * code largest units, at inference alpha * k.

Sources: Makhzani and Frey 2015, Winner-Take-All Autoencoders, sections 2 and 3; Makhzani and Frey 2013, k-Sparse
Autoencoders, section 2.
"""

import dataclasses

import keras

from ae_zoo import networks
from ae_zoo.autoencoder import Autoencoder
from ae_zoo.config import ACTIVATIONS, Config, option
from ae_zoo.errors import AEZooError
from ae_zoo.families.winner_take_all.winners import Winners
from ae_zoo.recipe import Recipe


@dataclasses.dataclass(frozen=True, kw_only=True)
class WinnerTakeAllConfig(Config):
    """Options of `WinnerTakeAll`."""

    code: int = option(
        1000, help="units of the code (dense), or its maps (convolutional)", low=1, search=[500, 1000, 2000]
    )
    code_activation: str = option("relu", help="activation of the code", choices=ACTIVATIONS)
    winners: str = option(
        "lifetime", help="largest over each unit's batch, or over each row's units", choices=("lifetime", "k_sparse")
    )
    share: float = option(0.05, help="share of the activations that win", low=0, high=1, search=(0.02, 0.2))
    threshold: bool = option(False, help="lifetime: at inference too, keep what would about win (frozen thresholds)")
    alpha: float = option(1.0, help="k_sparse: keep so many times as many units at inference", low=1)

    def check(self) -> None:
        super().check()
        if not self.share:
            raise AEZooError("share must be above 0, or no activation could win; received 0.")
        if self.dense:
            raise AEZooError(
                "In a convolutional network the winners are places in maps of the code, which no dense layer may come "
                f"before: leave dense out; received {list(self.dense)}."
            )
        if self.threshold and self.winners != "lifetime":
            raise AEZooError(
                "threshold=True freezes what it takes to win over a batch; winners='k_sparse' needs none, as its rows "
                "keep their largest units at inference too: leave threshold out."
            )
        if self.alpha != 1 and self.winners != "k_sparse":
            raise AEZooError(
                f"alpha={self.alpha:g} is how much wider k-sparse codes are at inference: give winners='k_sparse'."
            )


@keras.saving.register_keras_serializable("ae_zoo")
class WinnerTakeAll(Autoencoder):
    """A wide code of which only the largest activations are kept while training."""

    Config = WinnerTakeAllConfig
    PAPER = "Makhzani and Frey 2015"
    GOOD_FOR = "wide features for linear classifiers"
    overcomplete = True

    @property
    def reconstructs(self) -> bool:
        """Whether codes are as sparse as in training. Denser ones reconstruct badly, however good their features are."""
        return self.config.threshold or (self.config.winners == "k_sparse" and self.config.alpha == 1)

    @property
    def recipe(self) -> Recipe:
        # Thresholds follow activations that still grow, so early codes are denser than those that are asked for, and the
        # better for it on held-out rows.
        return Recipe(monitor="reconstruction" if self.reconstructs and not self.config.threshold else None)

    @classmethod
    def make_encoder(cls, config: WinnerTakeAllConfig) -> keras.Model:
        x, h = networks.trunk(config)
        regularizer = networks.code_regularizer(config)
        if config.network == "dense":
            layer = networks.head(config.code, config.code_activation, "code", regularizer)
            # A third of the usual size. Units start even, so which of them wins is soon a matter of what they learn.
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
