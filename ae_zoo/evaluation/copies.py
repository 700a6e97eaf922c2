"""Whether a model that generates rows gives training rows back.

Generated rows are means, so they lie nearer to all rows than real ones, which have noise. That alone is no copying. So what
counts is whether they are nearer to training rows than to as many held-out rows: without copying, both are as likely
(Meehan et al. 2020, section 3, compare the same distances).
"""

import numpy as np
import scipy.stats
import sklearn.neighbors

from ae_zoo.evaluation.findings import Finding, Subject
from ae_zoo.evaluation.plain import plain
from ae_zoo.typing import Array

DRAWN = 500  # rows
QUANTILE = 0.01  # of the held-out rows' distances
FEWEST = 20  # held-out rows


def copies(subject: Subject) -> list[Finding]:
    """Returns how near generated rows are to the training rows, if there are such rows and the model generates."""
    served = subject.network.endpoints()
    if subject.x_train is None or "generate" not in served or min(len(subject.x), len(subject.x_train)) < FEWEST:
        return []
    seeds = np.arange(DRAWN, dtype="int64") + DRAWN * subject.seed
    generated, training, held_out = (
        plain(subject.network, rows)
        for rows in (served["generate"].verb(seeds)["generated"], subject.x_train, subject.x)
    )
    to_training, usual = _nearest(training, generated), _nearest(training, held_out)
    close = float((to_training < np.quantile(usual, QUANTILE)).mean())
    p_value = float(scipy.stats.ks_2samp(to_training, usual, alternative="greater").pvalue)
    m, random = min(len(training), len(held_out)), np.random.default_rng(subject.seed)
    some, others = (rows[random.permutation(len(rows))[:m]] for rows in (training, held_out))
    one, other = _nearest(some, generated), _nearest(others, generated)
    nearer = float((one < other).mean() + (one == other).mean() / 2)
    limit = max(0.6, 0.5 + 1.5 / m**0.5)  # three standard deviations of a fair choice between m pairs
    copied = nearer > limit
    remedy = " Give more rows, a narrower network, or stop earlier." if copied else ""
    return [
        Finding(
            "close to training rows",
            close,
            ("bad" if close > 5 * QUANTILE else "look") if copied else "ok",
            f"{close:.1%} of {DRAWN} generated rows are closer to a training row than {1 - QUANTILE:.0%} of held-out rows "
            f"(Kolmogorov's p for all distances: {p_value:.2g}). Means are closer than real rows, so this counts only "
            "together with the next check.",
        ),
        Finding(
            "nearer to training rows",
            nearer,
            "bad" if nearer > max(0.8, limit) else "look" if copied else "ok",
            f"{nearer:.0%} of the generated rows are nearer to a training row than to one of as many held-out rows, "
            f"{m:,}; without copying it is 50%.{remedy}",
        ),
    ]


def _nearest(known: Array, rows: Array) -> Array:
    """Returns the distance of each row to the nearest known one, `(n,)`."""
    search = sklearn.neighbors.NearestNeighbors(n_neighbors=1).fit(known)
    return search.kneighbors(rows)[0][:, 0]
