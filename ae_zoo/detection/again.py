"""Models of the same configuration, trained on other rows."""

from typing import Any, cast

from ae_zoo.autoencoder import Autoencoder
from ae_zoo.errors import AEZooError
from ae_zoo.evaluation.pca import PCA
from ae_zoo.evaluation.reconstructor import Reconstructor
from ae_zoo.training.fit import fit
from ae_zoo.typing import Array


def trained_again(model: Reconstructor, x: Array, seed: int, options: dict[str, Any]) -> Reconstructor:
    """Returns a new model with the same options, trained on other rows."""
    import keras

    keras.utils.set_random_seed(seed)
    fresh = model.fresh()
    if isinstance(fresh, Autoencoder):
        fit(fresh, x, seed=seed, **options)
        return fresh
    if options:
        raise AEZooError(f"A PCA is fitted at once, without options of ae_zoo.fit: leave out {', '.join(options)}.")
    return cast(PCA, fresh).fit(x, model.schema)  # fitted at once, without steps
