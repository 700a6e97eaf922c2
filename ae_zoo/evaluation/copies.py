"""Whether a model that generates rows gives training rows back.

Generated rows are means, so they lie nearer to all rows than real ones, which have noise. That alone is no copying. So what
counts is whether the nearest row is more often a training row than a held-out row, beyond their numbers: without copying,
training and held-out rows are exchangeable (Meehan et al. 2020, section 3, compare the distances to both).
"""

from typing import Protocol, cast

import numpy as np
import scipy.stats
import sklearn.neighbors

from ae_zoo.evaluation.findings import Finding, Subject, graded
from ae_zoo.evaluation.plain import plain
from ae_zoo.typing import Array

DRAWN = 1000  # rows
QUANTILE = 0.01  # of the held-out rows' distances
FEWEST = 20  # held-out rows, and training rows


class _Source(Protocol):
    """A model with a prior."""

    def generate(self, n: int, *, label: int | None = None, seed: int | None = None) -> Array:
        """Returns `n` new rows `(n, *input_shape)`."""


def copies(subject: Subject) -> list[Finding]:
    """Returns how near generated rows are to the training rows, if there are such rows and the model generates."""
    network, x_train = subject.network, subject.x_train
    if x_train is None or "generate" not in network.endpoints() or min(len(subject.x), len(x_train)) < FEWEST:
        return []
    drawn = network.check_rows(cast(_Source, network).generate(DRAWN, seed=subject.seed), "generated")
    generated, training, held_out = (plain(network, rows) for rows in (drawn, x_train, subject.x))
    (to_training, of_training), (to_held_out, of_held_out) = (
        _nearest(known, generated) for known in (training, held_out)
    )
    usual, _ = _nearest(training, held_out)
    close = float((to_training < np.quantile(usual, QUANTILE)).mean())
    p_value = float(scipy.stats.ks_2samp(to_training, usual, alternative="greater").pvalue)
    nearer = float((to_training < to_held_out).mean() + (to_training == to_held_out).mean() / 2)
    fair = len(training) / (len(training) + len(held_out))
    copied = (nearer - fair) / (1 - fair)
    # If every row were a training row by chance: the variance is that of a sum over the nearest rows, by their weights.
    nearest = np.where(to_training <= to_held_out, of_training, len(training) + of_held_out)
    weights = np.bincount(nearest) / DRAWN
    limit = 3 * float((fair * (1 - fair) * np.square(weights).sum()) ** 0.5) / (1 - fair)
    found = copied > limit
    remedy = " Give more rows, a narrower network, or stop earlier." if found else ""
    return [
        Finding(
            "close to training rows",
            close,
            graded(close, 2 * QUANTILE, 5 * QUANTILE) if found else "ok",
            f"{close:.1%} of {DRAWN:,} generated rows are closer to a training row than {1 - QUANTILE:.0%} of held-out rows "
            f"(Kolmogorov's p for all distances: {p_value:.2g}). Means are closer than real rows, so this counts only "
            "together with the next check.",
        ),
        Finding(
            "copies of training rows",
            copied,
            ("bad" if copied > 0.5 else "look") if found else "ok",
            f"{nearer:.1%} of the generated rows are nearer to a training row than to any held-out row; without copying it "
            f"would be {fair:.1%}, so about {max(0.0, copied):.0%} are copies, give or take {min(limit, 1):.0%}.{remedy}",
        ),
    ]


def _nearest(known: Array, rows: Array) -> tuple[Array, Array]:
    """Returns the distance of each row to the nearest known one, and which one that is, each `(n,)`."""
    distance, place = sklearn.neighbors.NearestNeighbors(n_neighbors=1).fit(known).kneighbors(rows)
    return distance[:, 0], place[:, 0]
