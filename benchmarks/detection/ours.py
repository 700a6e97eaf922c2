"""Our detector's default score, from `build`, `fit`, `encode` and `reconstruction_error`.

Parts, each turned into -log p by its values on rows that were not trained on: the reconstruction error, of a table with each
column's error relative to what is usual; the distance of the whitened code to the nearest ones of a sample; and that of the
row itself. The score is the mean over parts and members (Fisher's rule, without its constant).
"""

import math
from typing import Any

import numpy as np
import pandas as pd
from sklearn.neighbors import NearestNeighbors

import ae_zoo
from ae_zoo.typing import Array, Rows
from benchmarks.detection.sets import numbered

MEMBERS = 3
STORED = 5000  # most rows of the sample
NEAREST = 5  # the distance is the mean of so many
SHRINKAGE, SHRINKAGE_OF_IMAGES = 0.01, 1.0  # of the mean variance, added to that of each direction of the codes
FLOOR = 0.05  # of the mean error, added to that of each column of a table
TAIL = 0.1  # the share of the held-out rows from which the tail is extrapolated
FAMILY = "denoising"
EPOCHS, EPOCHS_OF_IMAGES = 40, 20
GAUSSIAN = {
    "corruption": "gaussian",
    "corruption_amount": 1.0,
}  # in standard deviations; of images, in their brightness


def ours(x_train: Rows, x_calibrate: Rows, x_test: Rows, seed: int, members: int = MEMBERS) -> Array:
    """Returns the score of each test row `(m,)`; higher is stranger.

    Args:
        x_train: a frame, or images as rows `(n, features)` in [0, 1].
        x_calibrate: rows to stop the training by, and to know the usual values of the parts from.
        x_test: rows `(m, ...)`.
        seed: of weights, noise and sample.
        members: networks.
    """
    rows = [x_train, x_calibrate, x_test]
    is_image = isinstance(x_train, np.ndarray)
    if is_image:
        rows = [bright(x) for x in rows]
        options = images(rows[0].shape[1])
        numbers = rows
    else:
        whole = pd.concat(rows)
        inside = np.cumsum([len(x) for x in rows])[:-1]
        numbers = np.split(numbered(whole, np.arange(len(x_train))), inside)
        options = table(numbers[0].shape[1])
        if all(pd.api.types.is_numeric_dtype(kind) for kind in whole.dtypes) and not whole.isna().any(axis=None):
            rows = [x.to_numpy("float32") for x in rows]
            options |= {"scaling": "standard", "output_activation": "linear", "loss": "mse"}
            options |= GAUSSIAN
    sample = np.random.default_rng(seed).permutation(len(x_train))[:STORED]
    parts = [rarity(*distances(numbers[0][sample], numbers[1:]))] * members  # the same for all
    for member in range(members):
        model = ae_zoo.build(FAMILY, data=rows[0], seed=1000 * seed + member, **options)
        epochs = EPOCHS_OF_IMAGES if is_image else EPOCHS
        ae_zoo.fit(model, rows[0], validation=rows[1], epochs=epochs, seed=1000 * seed + member, verbose=0)
        if is_image:
            parts.append(rarity(*(model.reconstruction_error(x) for x in rows[1:])))
        else:
            parts.append(rarity(*errors(model, rows[1:])))
        parts.append(rarity(*distances(*codes(model, rows, sample, SHRINKAGE_OF_IMAGES if is_image else SHRINKAGE))))
    return np.mean(parts, axis=0)


def table(features: int) -> dict[str, Any]:
    return {
        "code": max(2, features),
        "hidden": [min(512, max(16, 2 * features))],
        "corruption": "masking",
        "corruption_amount": 0.5,
    }


def images(features: int) -> dict[str, Any]:
    width = {"code": min(24, features), "hidden": [256]}
    return width | {"scaling": "none", "output_activation": "linear", "loss": "mse"} | GAUSSIAN


def bright(x: Array) -> Array:
    """Returns rows of one brightness: the root of the mean square is 1."""
    return x / np.maximum(np.sqrt(np.square(x).mean(axis=1, keepdims=True)), 1e-6)


def errors(model: ae_zoo.Autoencoder, rows: list[Rows]) -> list[Array]:
    each = [model.reconstruction_error(x, per_feature=True).reshape(len(x), -1) for x in rows]
    counts = ~np.isnan(each[0]).all(axis=0)
    each = [error[:, counts] for error in each]
    usual = np.nanmean(each[0], axis=0)
    usual = usual + FLOOR * usual.mean() + 1e-12
    return [np.nan_to_num(np.nanmean(error / usual, axis=1)) for error in each]


def codes(model: ae_zoo.Autoencoder, rows: list[Rows], sample: Array, shrinkage: float) -> tuple[Array, list[Array]]:
    """Returns the codes of the sample, and of the other rows, whitened by the sample."""
    stored, *others = (model.encode(x) for x in rows)
    stored = stored[sample]
    center = stored.mean(axis=0)
    variances, directions = np.linalg.eigh(np.atleast_2d(np.cov(stored.T)))
    whitening = directions / np.sqrt(variances + shrinkage * variances.mean() + 1e-12)
    whitened = [(code - center) @ whitening for code in (stored, *others)]
    return whitened[0], whitened[1:]


def distances(stored: Array, others: list[Array]) -> list[Array]:
    """Returns the mean distance of each row to its nearest stored ones."""
    tree = NearestNeighbors(n_neighbors=min(NEAREST, len(stored))).fit(stored)
    return [tree.kneighbors(rows)[0].mean(axis=1) for rows in others]


def rarity(held_out: Array, values: Array) -> Array:
    """Returns -log p of values by those of held-out rows; beyond their upper tenth p falls as a power (Hill 1975)."""
    ordered = np.sort(held_out)
    n = len(ordered)
    tail = min(n - 1, max(2, math.ceil(TAIL * n)))
    start = ordered[n - tail - 1] + 1e-12
    index = max(np.log(np.maximum(ordered[n - tail :], start) / start).mean(), 0.02)
    share = (n - np.searchsorted(ordered, values, side="left") + 1) / (n + 1)
    beyond = math.log((n + 1) / (tail + 1)) + np.log(np.maximum(values, 1e-12) / start) / index
    return np.where(values > start, np.maximum(beyond, 0), -np.log(share))
