"""The options of each family, its defaults and its rules, without Keras, for the command line and the search.

The use of the options, the loss and the sources are in each family's own file.
"""

import dataclasses
from collections.abc import Mapping
from typing import Any, Literal, Self, TypeAlias, get_args

from ae_zoo.config import DEEP, Activation, Config, CorruptionKind, Network, override
from ae_zoo.errors import AEZooError, entry
from ae_zoo.likelihoods import LIKELIHOODS
from ae_zoo.options import option
from ae_zoo.recipe import SPLITS, Recipe, Split

Prior: TypeAlias = Literal["gaussian", "mixture", "swiss_roll"]
LabelUse: TypeAlias = Literal["classify", "condition"]
Heads: TypeAlias = Literal["concat", "sum"]
WinnersRule: TypeAlias = Literal["lifetime", "k_sparse"]
Binarization: TypeAlias = Literal["none", "dynamic"]
PRIORS: tuple[str, ...] = get_args(Prior)
MODES = 10  # of the mixture, and of the swiss roll: tenths of its length


@dataclasses.dataclass(frozen=True, kw_only=True)
class UndercompleteConfig(Config):
    """Options of `Undercomplete`."""

    family = "undercomplete"
    about = "A code that is narrower than the row, so it keeps only what matters most."
    paper = "Hinton and Salakhutdinov 2006"
    good_for = "small codes, anomaly detection"

    hidden: tuple[int, ...] = override(
        "hidden", (300,), help="widths of the encoder's hidden layers; the decoder mirrors them"
    )


@dataclasses.dataclass(frozen=True, kw_only=True)
class StackedConfig(Config):
    """Options of `Stacked`."""

    family = "stacked"
    about = "Several hidden layers in encoder and decoder, for small codes."
    paper = "Hinton and Salakhutdinov 2006"
    good_for = "the smallest codes for nonlinear data"

    hidden: tuple[int, ...] = override(
        "hidden", (300, 100), help="widths of the encoder's hidden layers; the decoder mirrors them", search=DEEP
    )

    def check(self) -> None:
        super().check()
        if not self.hidden:
            raise AEZooError(
                "A stacked autoencoder needs at least one hidden layer: give hidden=[300, 100], for example."
            )


@dataclasses.dataclass(frozen=True, kw_only=True)
class SparseConfig(Config):
    """Options of `Sparse`."""

    family = "sparse"
    about = "A code whose mean activation is kept near a target; it is sparse if the target is low, such as -0.75."
    paper = "Ng 2011"
    good_for = "codes whose units can be interpreted one by one, if the target is low"

    code: int = override("code", 100, search=(25, 200))
    code_activation: Activation = override("code_activation", "tanh")
    sparsity: float | None = override("sparsity", -0.1, search=(-0.9, -0.1))
    sparsity_weight: float = override("sparsity_weight", 1.0, search=(0.01, 1.0))


@dataclasses.dataclass(frozen=True, kw_only=True)
class DenoisingConfig(Config):
    """Options of `Denoising`."""

    family = "denoising"
    about = "The input is a corrupted row, the target is the clean row."
    paper = "Vincent et al. 2008"
    good_for = "cleaning rows, robust features"

    code: int = override("code", 100, search=(25, 200))
    hidden: tuple[int, ...] = override(
        "hidden", (300,), help="widths of the encoder's hidden layers; the decoder mirrors them", search=DEEP
    )
    corruption: CorruptionKind = override("corruption", "masking", search=["gaussian", "masking", "salt_pepper"])
    corruption_amount: float = override("corruption_amount", 0.3, search=(0.1, 0.5))

    def check(self) -> None:
        super().check()
        if self.corruption == "none":
            raise AEZooError("A denoising autoencoder needs noise: give corruption='masking', for example.")


@dataclasses.dataclass(frozen=True, kw_only=True)
class ContractiveConfig(Config):
    """Options of `Contractive`."""

    family = "contractive"
    about = "A code that hardly changes when the row changes a little."
    paper = "Rifai et al. 2011"
    good_for = "features for classifiers with few labels"

    code: int = override("code", 100, search=(50, 500))
    code_activation: Activation = override("code_activation", "sigmoid")
    tied: bool = override("tied", True)
    contraction: float = option(
        0.1,
        help="weight (lambda) of the squared derivatives of the code with respect to the row",
        low=0,
        search=(0.01, 1.0),
    )


@dataclasses.dataclass(frozen=True, kw_only=True)
class ConvolutionalConfig(Config):
    """Options of `Convolutional`."""

    family = "convolutional"
    about = "Filters that slide over images; strides reduce each image to a code, and the output has the image's size."
    paper = "Masci et al. 2011"
    good_for = "images: a smaller error with a code of the same width"

    network: Network = override("network", "convolutional")
    hidden: tuple[int, ...] = override(
        "hidden",
        (16, 32),
        help="channels of the encoder's convolutions; the decoder mirrors them",
        search={"depth": [2, 3], "width": [8, 16, 32]},
    )
    dense: tuple[int, ...] = override(
        "dense",
        (256,),
        help="widths of dense layers between the maps and the code; the decoder mirrors them",
        search=[[], [128], [256]],
    )

    @property
    def recipe(self) -> Recipe:
        # A row costs the same in a small batch as in a large one, so there are many small steps; 0.003 at this batch.
        return Recipe(learning_rate=6e-3, batch_size=64)

    def check(self) -> None:
        super().check()
        if self.network != "convolutional":
            raise AEZooError(
                f"A convolutional autoencoder has a convolutional network; received {self.network!r}: for a dense network, "
                "build 'stacked'."
            )


@dataclasses.dataclass(frozen=True, kw_only=True)
class VariationalConfig(Config):
    """Options of `Variational`."""

    family = "variational"
    about = "A code that is a distribution, from which new rows can be drawn."
    paper = "Kingma and Welling 2014"
    good_for = "new rows, likelihoods"
    real_loss = "gaussian"

    hidden: tuple[int, ...] = override(
        "hidden", (300,), help="widths of the encoder's hidden layers; the decoder mirrors them", search=DEEP
    )
    loss: str = override("loss", "bce", help="likelihood of a feature, in nats: bce (Bernoulli) or gaussian")
    beta: float = option(1.0, help="weight of the KL divergence; 1 is the evidence lower bound", low=0)
    warmup: int = option(0, help="training rows over which the KL's weight rises from 0 to beta", low=0)
    free_bits: float = option(0.0, help="nats that each code unit may use without a cost", low=0)
    binarization: Binarization = option(
        "none",
        help="dynamic: each step draws zeros and ones, by the gray values of the rows",
        choices=get_args(Binarization),
    )

    @property
    def recipe(self) -> Recipe:
        # The whole bound marks the best epoch: the reconstruction alone would prefer a code that ignores its prior.
        return Recipe(learning_rate=3e-3, monitor="loss", rows_shown=1_500_000, warmup_rows=self.warmup)

    @classmethod
    def read(cls, plain: Mapping[str, Any]) -> Self:
        # Before version 0.2 a Gaussian likelihood was asked for by loss="mse".
        return super().read({**plain, "loss": "gaussian"} if plain.get("loss") == "mse" else plain)

    def check(self) -> None:
        if self.sparsity is not None:
            raise AEZooError(
                "The code of a variational autoencoder has no bounds, which sparsity (KL) needs: give l1 instead."
            )
        super().check()
        if self.code_activation != "linear":
            raise AEZooError(
                "The code of a variational autoencoder is a mean, which must reach every number: leave code_activation "
                f"linear; received {self.code_activation!r}."
            )
        if not LIKELIHOODS[self.loss].is_density:
            known = ", ".join(sorted(name for name, one in LIKELIHOODS.items() if one.is_density))
            raise AEZooError(
                f"The bound of a variational autoencoder needs a likelihood as its loss, and loss={self.loss!r} is none: "
                f"give one of {known} (for real numbers, loss='gaussian')."
            )
        if self.binarization == "dynamic" and self.loss != "bce":
            raise AEZooError("binarization='dynamic' gives zeros and ones, whose likelihood is loss='bce'.")


@dataclasses.dataclass(frozen=True, kw_only=True)
class AdversarialConfig(Config):
    """Options of `Adversarial`."""

    family = "adversarial"
    about = (
        "A discriminator makes the codes follow a prior of your choice; classes from few labels, or clusters from none."
    )
    paper = "Makhzani et al. 2015"
    good_for = "codes that follow a given distribution, classes from few labels"

    code: int = override("code", 8, help="width of the code, without the classes", search=(2, 32))
    hidden: tuple[int, ...] = override(
        "hidden", (500, 500), help="widths of the encoder's hidden layers; the decoder mirrors them", search=DEEP
    )
    activation: Activation = override("activation", "relu", search=["relu", "leaky_relu", "silu"])
    prior: Prior = option("gaussian", help="distribution that the codes should follow", choices=PRIORS)
    discriminator: tuple[int, ...] = option((256, 256), help="widths of a discriminator's hidden layers", low=1)
    adversarial_weight: float = option(
        0.01, help="weight of the encoder's loss for fooling the discriminator", low=0, search=(0.003, 0.1)
    )
    n_classes: int | None = option(None, help="number of classes in the labels; semi-supervised", low=2)
    n_clusters: int | None = option(None, help="number of clusters to find without labels", low=2)
    labels: LabelUse = option(
        "classify", help="what labels do: train a class head, or choose the prior's mode", choices=get_args(LabelUse)
    )
    heads: Heads = option(
        "concat", help="class and style: side by side in the code, or summed", choices=get_args(Heads)
    )
    classification_weight: float = option(0.05, help="weight of the labeled rows' cross-entropy", low=0)
    heads_distance: float = option(4.0, help="heads=sum: least distance between the classes' points", low=0)

    @property
    def recipe(self) -> Recipe:
        return Recipe(learning_rate=1e-3, beta_1=0.5, monitor=None, rows_shown=1_500_000)

    @property
    def target(self) -> Literal["rows", "labels"]:
        return "labels" if self.n_classes else "rows"

    @property
    def classes(self) -> int:
        return self.n_classes or 0

    @property
    def categories(self) -> int:
        """Width of the class head; 0 for no head."""
        return 0 if self.labels == "condition" else self.n_classes or self.n_clusters or 0

    def check(self) -> None:
        if self.sparsity is not None:
            raise AEZooError("A code that follows a prior has no bounds, which sparsity (KL) needs: give l1 instead.")
        super().check()
        if self.code_activation != "linear":
            raise AEZooError(
                "The code of an adversarial autoencoder follows a prior without bounds: leave code_activation linear; "
                f"received {self.code_activation!r}."
            )
        if self.prior != "gaussian" and self.code != 2:
            raise AEZooError(f"prior={self.prior!r} lies in two dimensions: give code=2; received {self.code}.")
        if self.n_classes and self.n_clusters:
            raise AEZooError("n_classes needs labels, and n_clusters finds classes without labels; give one of them.")
        if self.labels == "condition":
            if not self.n_classes:
                raise AEZooError("labels='condition' needs the number of labels: give n_classes=10, for example.")
            if self.prior == "gaussian" or self.n_classes != MODES:
                raise AEZooError(
                    f"labels='condition' gives each label one of the {MODES} modes of a prior: give prior='mixture' or "
                    f"'swiss_roll' and n_classes={MODES}; received {self.prior!r} and {self.n_classes}."
                )
        if self.tied and self.categories:
            raise AEZooError("tied=True mirrors the layer of the code, but a code with classes has two layers.")
        if self.heads == "sum" and not self.categories:
            raise AEZooError("heads='sum' adds a class to the style: give n_classes or n_clusters.")


@dataclasses.dataclass(frozen=True, kw_only=True)
class WinnerTakeAllConfig(Config):
    """Options of `WinnerTakeAll`."""

    family = "winner_take_all"
    about = "A wide code; training keeps only its largest activations."
    paper = "Makhzani and Frey 2015"
    good_for = "wide features for linear classifiers"

    code: int = override(
        "code", 1000, help="units of the code (dense), or its maps (convolutional)", search=[500, 1000, 2000]
    )
    code_activation: Activation = override("code_activation", "relu")
    winners: WinnersRule = option(
        "lifetime",
        help="which activations win, the largest of each unit over the batch or the largest of each row",
        choices=get_args(WinnersRule),
    )
    share: float = option(0.05, help="share of the activations that win", low=0, high=1, search=(0.02, 0.2))
    threshold: bool = option(False, help="lifetime: keep only winners at inference too (frozen thresholds)")
    alpha: float = option(1.0, help="k_sparse: factor on the number of winning units at inference", low=1)

    @property
    def recipe(self) -> Recipe:
        # Thresholds follow activations that still grow, so early codes are denser than `share` says, and therefore better
        # on held-out rows.
        return Recipe(monitor="reconstruction" if self.reconstructs and not self.threshold else None)

    @property
    def reconstructs(self) -> bool:
        # Codes that are denser than in training reconstruct badly, even if their features are good.
        return self.threshold or (self.winners == "k_sparse" and self.alpha == 1)

    @classmethod
    def widest_code(cls, features: int) -> int:
        return cls.default("code")  # codes are meant to be wider than rows

    def check(self) -> None:
        super().check()
        if not self.share:
            raise AEZooError("share must be above 0, so that some activations win; received 0.")
        if self.dense:
            raise AEZooError(
                "In a convolutional network the winners are places in maps, so no dense layer may come before the code: "
                f"leave dense out; received {list(self.dense)}."
            )
        if self.threshold and self.winners != "lifetime":
            raise AEZooError(
                "threshold=True freezes what it takes to win over a batch; winners='k_sparse' needs no threshold, "
                "because each row keeps its largest units at inference too: leave threshold out."
            )
        if self.alpha != 1 and self.winners != "k_sparse":
            raise AEZooError(
                f"alpha={self.alpha:g} is the factor by which k-sparse codes are denser at inference: give "
                "winners='k_sparse'."
            )


@dataclasses.dataclass(frozen=True, kw_only=True)
class RobustConfig(Config):
    """Options of `Robust`."""

    family = "robust"
    about = "The part of each row that the model cannot reconstruct is set aside, so outliers hardly change the model."
    paper = "Zhou and Paffenroth 2017"
    good_for = "training rows that contain outliers"

    code: int = override("code", 10, search=(4, 32))
    hidden: tuple[int, ...] = override(
        "hidden", (100,), help="widths of the encoder's hidden layers; the decoder mirrors them", search=DEEP
    )
    split: Split = option("rows", help="what is split off, each as a whole", choices=SPLITS)
    split_weight: float | None = option(
        None,
        help="errors up to this root mean square (model's scale) are not split off; none: the median row's error",
        low=0,
    )

    @property
    def recipe(self) -> Recipe:
        # The split belongs to the last weights, and errors on rows with outliers cannot mark the best epoch.
        return Recipe(monitor=None, split=self.split, split_weight=self.split_weight)

    def check(self) -> None:
        super().check()
        if self.split_weight == 0:
            raise AEZooError("split_weight must be above 0; at 0 nothing would be left to train on.")


CONFIGS: dict[str, type[Config]] = {
    config.family: config
    for config in (
        UndercompleteConfig,
        StackedConfig,
        SparseConfig,
        DenoisingConfig,
        ContractiveConfig,
        ConvolutionalConfig,
        VariationalConfig,
        AdversarialConfig,
        WinnerTakeAllConfig,
        RobustConfig,
    )
}


def config_of(family: str) -> type[Config]:
    """Returns the config class of a family.

    Raises:
        AEZooError: there is no such family; the message has the nearest name.
    """
    return entry("family", family, CONFIGS)


def list_families() -> dict[str, str]:
    """Returns the name of each family, and what it is in one line."""
    return {name: config.about for name, config in CONFIGS.items()}
