"""The families by name. This table is the list of the families that there are; `configs.py` has their options."""

from ae_zoo.autoencoder import Autoencoder
from ae_zoo.families.adversarial.adversarial import Adversarial
from ae_zoo.families.contractive.contractive import Contractive
from ae_zoo.families.convolutional import Convolutional
from ae_zoo.families.denoising import Denoising
from ae_zoo.families.robust import Robust
from ae_zoo.families.sparse import Sparse
from ae_zoo.families.stacked import Stacked
from ae_zoo.families.undercomplete import Undercomplete
from ae_zoo.families.variational.variational import Variational
from ae_zoo.families.winner_take_all.winner_take_all import WinnerTakeAll

FAMILIES: dict[str, type[Autoencoder]] = {
    family.Config.family: family
    for family in (
        Undercomplete,
        Stacked,
        Sparse,
        Denoising,
        Contractive,
        Convolutional,
        Variational,
        Adversarial,
        WinnerTakeAll,
        Robust,
    )
}
