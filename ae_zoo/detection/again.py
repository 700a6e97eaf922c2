"""Models of the same configuration, trained on other rows."""

import inspect
from collections.abc import Mapping
from typing import Any, cast

from ae_zoo.autoencoder import Autoencoder
from ae_zoo.errors import AEZooError, unknown
from ae_zoo.evaluation.pca import PCA
from ae_zoo.evaluation.reconstructor import Reconstructor
from ae_zoo.training.fit import fit
from ae_zoo.typing import Array


def check_options(options: Mapping[str, Any]) -> None:
    """Raises `AEZooError` if `ae_zoo.fit` has no option of such a name."""
    known = [name for name, one in inspect.signature(fit).parameters.items() if one.kind is one.KEYWORD_ONLY]
    for name in options:
        if name not in known:
            raise unknown("option of ae_zoo.fit", name, known)


def trained_again(model: Reconstructor, x: Array, seed: int, options: dict[str, Any]) -> Reconstructor:
    """Returns a new model with the same options, trained on other rows."""
    import keras

    keras.utils.set_random_seed(seed)
    fresh = model.fresh()
    if isinstance(fresh, Autoencoder):
        check_options(options)
        fit(fresh, x, seed=seed, **options)
        return fresh
    if options:
        raise AEZooError(f"A PCA is fitted at once, without options of ae_zoo.fit: leave out {', '.join(options)}.")
    return cast(PCA, fresh).fit(x, model.schema)  # fitted at once, without steps
