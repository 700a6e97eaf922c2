"""What a run has to say at its end: that PCA would have done better."""

import keras
import numpy as np

from ae_zoo import networks
from ae_zoo.autoencoder import Autoencoder
from ae_zoo.likelihoods import Squared
from ae_zoo.training.holdout import Data
from ae_zoo.typing import Array

SAMPLE = 10_000  # training rows from which PCA learns; enough for its error, and fast
WIDEST = 2000  # features; PCA of more takes longer than many a training


def worse_than_pca(model: Autoencoder, data: Data, rows: Array, valid: Data) -> str | None:
    """Returns a sentence if PCA with the same code size has less error on the held-out rows; None otherwise.

    Only a model that is trained for nothing but the squared error is compared: penalties, noise and other losses have
    their price in squared error, which is no fault.

    Args:
        model: trained.
        data: all rows.
        rows: the indices of the training rows.
        valid: the held-out rows.
    """
    config = model.config
    plain = model.likelihood.unit == Squared.unit and len(model.PARTS) == 1 and config.corruption == "none"
    if not plain or networks.code_regularizer(config) is not None or data.y is not None or data.weights is not None:
        return None
    if model.schema.features > WIDEST or not 0 < config.code < min(len(rows), model.schema.features):
        return None
    ours = float(model.reconstruction_error(valid.x).mean())
    some = data.x[rows[:: -(-len(rows) // SAMPLE)]]
    theirs = _pca_error(_flat(model, some), _flat(model, valid.x), config.code)
    if ours <= theirs:
        return None
    return (
        f"This model ends worse than PCA: its held-out error is {ours:.4g}, that of {config.code} principal components is "
        f"{theirs:.4g}. Give it more epochs, hidden layers or a linear code, or use ae_zoo.PCA({config.code})."
    )


def _flat(model: Autoencoder, x: Array) -> Array:
    """Returns the targets of rows on the model's scale, `(n, features)`."""
    return keras.ops.convert_to_numpy(model.scaling.target(x)).reshape(len(x), -1).astype("float64")


def _pca_error(train: Array, valid: Array, code: int) -> float:
    """Returns the mean squared error of held-out rows that are projected on the training rows' first components."""
    mean = train.mean(axis=0)
    train -= mean
    _, vectors = np.linalg.eigh(train.T @ train)
    components = vectors[:, ::-1][:, :code]
    valid -= mean
    return float(np.mean(np.square(valid - valid @ components @ components.T)))
