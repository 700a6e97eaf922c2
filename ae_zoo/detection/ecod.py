"""ECOD: how far out in the tails of its columns a row is, without options and without training.

Source: Li et al. 2022, "ECOD: Unsupervised outlier detection using empirical cumulative distribution functions". The article
adds up the columns first and then takes the largest of the left tails, the right tails, and those on each column's skewed
side (algorithm 1). The authors' own implementation, in PyOD, takes the larger tail of each column first. So does this one,
because results that people report come from PyOD.
"""

from collections.abc import Callable

import numpy as np

from ae_zoo.typing import Array


def ecod(x: Array, seed: int = 1) -> Callable[[Array], Array]:
    """Returns the function from rows `(m, features)` to scores `(m,)`, higher is stranger.

    A score is a sum over the columns of -log of the share of the training rows, the row itself among them, that are as far
    out on the side where these are fewer.

    Args:
        x: training rows `(n, features)`.
        seed: is not used, because nothing is random.
    """
    columns, n = np.sort(x, axis=0).T, len(x)

    def score(rows: Array) -> Array:
        total = np.zeros(len(rows))
        for cells, known in zip(rows.T, columns, strict=True):
            up_to = np.searchsorted(known, cells, side="right") + 1
            from_here = n - np.searchsorted(known, cells, side="left") + 1
            total -= np.log(np.minimum(up_to, from_here) / (n + 1))
        return total

    return score
