"""What the scores of held-out rows promise of new ones: p-values, thresholds, and how sure they are.

Split conformal prediction (Vovk, Gammerman and Shafer 2005, section 4.2; Lei et al. 2018, section 2.2): the score of a new
ordinary row is as likely to have any rank among the scores of n held-out ordinary rows, whatever the distribution and
whatever the score. So its p-value, the share of scores that are at least as large, the new one among them, is at most a with
a probability of at most a. Ties count as larger, so repeated rows make the p-values too large, never too small.
"""

import dataclasses
import math
from typing import Self

import numpy as np

from ae_zoo.errors import AEZooError
from ae_zoo.typing import Array

MARGIN = (
    1e-4  # of a held-out score: more than rounding changes a score, with other rows in its batch or in another runtime
)
KEPT = 100_000  # scores that are kept; of more, as many quantiles, rounded up


@dataclasses.dataclass(frozen=True)
class Calibration:
    """The scores of held-out rows.

    Attributes:
        scores: float32 `(n,)`, ascending; each is just above the row's own.
        above: the p-value of a new score with r of these scores below it, for each r from 0 to n, `(n + 1,)`.
        rows: how many held-out rows there were.
        weighted: whether they had weights.
    """

    scores: Array
    above: Array
    rows: int
    weighted: bool = False

    @classmethod
    def of(cls, scores: Array, weights: Array | None = None) -> Self:
        """Returns the calibration by scores `(n,)`, and weights `(n,)` of the rows, or None for equal ones.

        With weights it is that of weighted conformal prediction (Tibshirani et al. 2019, section 2), in which a new row
        counts as much as the heaviest of the held-out rows.
        """
        order = np.argsort(scores, kind="stable")
        just_above = np.asarray(scores[order], "float32") * np.float32(1 + MARGIN) + np.float32(1e-12)
        # Divided by the largest, because a sum of very large weights is infinite.
        counts = np.ones(len(scores)) if weights is None else weights[order].astype("float64") / weights.max()
        total = counts.sum() + counts.max()
        above = np.append(counts[::-1].cumsum()[::-1] + counts.max(), counts.max()) / total
        if len(scores) > KEPT:  # the largest ones all, because small rates are about them
            half = KEPT // 2
            ranks = np.append(
                np.linspace(0, len(scores) - half - 1, half).astype(int), np.arange(len(scores) - half, len(scores))
            )
            just_above = just_above[ranks]
            above = np.append(above[np.append(0, ranks[:-1] + 1)], above[-1])
        return cls(just_above.astype("float32"), above, len(scores), weights is not None)

    def p_value(self, score: Array) -> Array:
        """Returns the p-values of scores, of their shape; NaN for an unknown score."""
        return np.where(np.isnan(score), np.nan, self.above[np.searchsorted(self.scores, score, side="left")])

    def threshold(self, rate: float) -> float:
        """Returns the score above which the p-value is at most `rate`.

        Raises:
            AEZooError: there are too few rows for so small a rate.
        """
        small = np.flatnonzero(self.above <= rate * (1 + 1e-12))  # a rounded sum may miss its limit
        if not len(small):
            rows = f"{math.ceil(1 / rate) - 1} held-out rows"
            rows = f"held-out rows that weigh as much as {rows} of the heaviest" if self.weighted else rows
            raise AEZooError(f"A false alarm rate of {rate:g} needs at least {rows}; received {self.rows}.")
        return float(self.scores[small[0] - 1])

    def interval(self, rate: float, level: float = 0.9) -> tuple[float, float]:
        """Returns between which rates that of a threshold lies with a probability of `level`, without weights and ties.

        Over all choices of held-out rows the rate of false alarms is at most `rate` on average; for the rows at hand it is
        a draw from a Beta distribution (Vovk 2012, section 2), and less if scores tie.
        """
        from scipy.stats import beta

        largest = math.floor((self.rows + 1) * rate * (1 + 1e-12))  # the rank of the threshold from above
        low, high = beta.ppf(((1 - level) / 2, (1 + level) / 2), largest, self.rows + 1 - largest)
        return float(low), float(high)


def select(p_values: Array, share: float) -> Array:
    """Returns which rows to look at, so that on average at most `share` of them are ordinary: bool, `(n,)`.

    The method of Benjamini and Hochberg (1995). For p-values from one set of held-out rows it keeps its word too (Bates et
    al. 2023, theorem 2), without weights, groups or folds. Unknown p-values, NaN, are not selected.
    """
    known = np.flatnonzero(~np.isnan(p_values))
    order = known[np.argsort(p_values[known], kind="stable")]
    under = np.flatnonzero(p_values[order] <= share * (1 + 1e-12) * np.arange(1, len(order) + 1) / max(1, len(order)))
    found = np.zeros(len(p_values), bool)
    if len(under):
        found[order[: under[-1] + 1]] = True
    return found
