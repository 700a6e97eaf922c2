"""What finds strange rows without a network, to compare a detector with."""

from collections.abc import Callable, Mapping
from typing import TypeAlias

import numpy as np
import sklearn.decomposition
import sklearn.ensemble
import sklearn.neighbors

from ae_zoo.detection.ecod import ecod
from ae_zoo.typing import Array

Score: TypeAlias = Callable[[Array], Array]  # rows (m, features) to scores (m,), higher is stranger

EXPLAINED = 0.9  # of the variance, by the components of PCA
NEIGHBORS = 5
WIDE = 1000  # features, for which the rows are decomposed, and not their covariance


def pca(x: Array, seed: int = 1) -> Score:
    """Returns the squared error of as many principal components as explain nine tenths of the variance."""
    solver = "full" if x.shape[1] > WIDE or len(x) < x.shape[1] else "covariance_eigh"
    with np.errstate(invalid="ignore", divide="ignore"):  # rows that do not vary
        fitted = sklearn.decomposition.PCA(EXPLAINED, svd_solver=solver).fit(x)

    def score(rows: Array) -> Array:
        centered = rows - fitted.mean_
        return np.square(centered - centered @ fitted.components_.T @ fitted.components_).mean(axis=1)

    return score


def nearest(x: Array, seed: int = 1) -> Score:
    """Returns the mean distance to the five nearest training rows."""
    search = sklearn.neighbors.NearestNeighbors(n_neighbors=min(NEIGHBORS, len(x))).fit(x)
    return lambda rows: search.kneighbors(rows)[0].mean(axis=1)


def forest(x: Array, seed: int = 1) -> Score:
    """Returns how few random cuts set a row apart (Liu et al. 2008), by scikit-learn's defaults."""
    fitted = sklearn.ensemble.IsolationForest(random_state=seed).fit(x)
    return lambda rows: -fitted.score_samples(rows)


# From training rows `(n, features)` and a seed.
RIVALS: Mapping[str, Callable[[Array, int], Score]] = {
    "PCA": pca,
    "kNN": nearest,
    "IsolationForest": forest,
    "ECOD": ecod,
}
