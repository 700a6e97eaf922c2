"""The families, one file each. This table is the list of what the zoo holds."""

from ae_zoo.autoencoder import Autoencoder
from ae_zoo.families.denoising import Denoising
from ae_zoo.families.sparse import Sparse
from ae_zoo.families.stacked import Stacked
from ae_zoo.families.undercomplete import Undercomplete

FAMILIES: dict[str, type[Autoencoder]] = {
    "undercomplete": Undercomplete,
    "stacked": Stacked,
    "sparse": Sparse,
    "denoising": Denoising,
}
