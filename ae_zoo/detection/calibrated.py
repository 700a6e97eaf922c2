"""What has scores and a threshold from held-out rows: the part of a detector that promises something."""

import warnings
from typing import Any, Self

import numpy as np

from ae_zoo._support import checks
from ae_zoo.detection import seen
from ae_zoo.detection.again import trained_again
from ae_zoo.detection.groups import Calibrations
from ae_zoo.detection.reference import Reference
from ae_zoo.detection.scores import Error, Score
from ae_zoo.errors import AEZooError, AEZooWarning
from ae_zoo.evaluation.reconstructor import Reconstructor
from ae_zoo.schemas import Schema
from ae_zoo.typing import Array, Rows


class Calibrated:
    """The scores of rows, and a threshold from held-out ones: see `Detector`."""

    def __init__(self, score: Score, known: Array = seen.NONE) -> None:
        self._seen = known  # hashes of the training rows
        self.score_ = score
        self.calibrations: Calibrations | None = None
        self.false_alarm_rate: float | None = None
        self.out_of_fold: Array | None = None
        self.reference: Reference | None = None
        self._limits: Array | None = None  # of all rows, and of each group

    @property
    def model(self) -> Reconstructor:
        """The model, or the first of several."""
        return self.score_.models[0]

    @property
    def family(self) -> str:
        """The name of the model's family."""
        return self.model.family

    @property
    def schema(self) -> Schema:
        """What a row is."""
        return self.model.schema

    @property
    def threshold(self) -> float | None:
        """The score above which a row is flagged, a finite number of at least 0; None before `calibrate`.

        With `calibrate(by=...)` it is that of rows of no group. A threshold of your own is one for all rows, and promises
        nothing.
        """
        return None if self._limits is None else float(self._limits[0])

    @threshold.setter
    def threshold(self, value: float | None) -> None:
        number = None if value is None else checks.finite("threshold", value)
        if number is not None and number < 0:
            raise AEZooError(f"threshold must be at least 0, as no error is less; received {number:g}.")
        groups = 1 if self.calibrations is None else len(self.calibrations.each)
        self._limits = None if number is None else np.full(groups, number, "float32")
        self.false_alarm_rate = None

    def promise(self, level: float = 0.9) -> str:
        """Returns what the threshold promises, as a sentence.

        Args:
            level: how sure the interval is that it gives.

        Raises:
            AEZooError: the threshold is not from `calibrate`.
        """
        if self.false_alarm_rate is None:
            raise AEZooError("The threshold is not from calibrate, so it promises nothing.")
        rate, known, level = self.false_alarm_rate, self._calibrated(), checks.share("level", level)
        if self.out_of_fold is not None:
            return (
                f"about {rate:.3g} of ordinary rows are flagged, by the scores of the folds, of which nothing is proved"
            )
        what = f"{rate:.3g} of ordinary rows are flagged, or fewer, on average over all choices of held-out rows"
        if known.by is not None:
            return f"{what}, in each group of {known.by} that had held-out rows"
        every = known.each[0]
        if every.weighted:
            return f"{what}, drawn by their weights"
        low, high = every.interval(rate, level)
        return f"{what}; with these {every.rows:,} it is {low:.3g} to {high:.3g} with a probability of {level:g}"

    # Calibration.

    def calibrate(
        self,
        x: Rows,
        false_alarm_rate: float = 0.01,
        *,
        weights: Rows | None = None,
        by: str | None = None,
        folds: int | None = None,
        seed: int = 1,
        **options: Any,
    ) -> Self:
        """Sets the threshold from ordinary rows that the models were *not* trained on.

        It is just above the split-conformal quantile, the ceil((n + 1)(1 - rate))-th smallest of the n scores: a new
        ordinary row is then flagged with a probability of at most `false_alarm_rate`, whatever the distribution of the scores
        (Lei et al. 2018, section 2.2), and also if rows repeat. "Just above" is a ten-thousandth of the score, because
        rounding may change a row's score with the other rows in its batch, and between Python and a server. The scores of
        training rows would give too low a threshold.

        Args:
            x: held-out rows `(n, *input_shape)` in the data's units.
            false_alarm_rate: the share of ordinary rows that may be flagged, in (0, 1).
            weights: of the rows `(n,)`, 0 or more: how often such rows will come, if the held-out rows are not a fair sample
                of the new ones. Only their proportions matter. The promise then holds for rows that are drawn by these
                weights (Tibshirani et al. 2019, section 2) and weigh at most as much as the heaviest held-out row.
            by: a column whose values have a threshold each, so that the rate holds in each group (Vovk 2012, section 4):
                one rate for all may hide a group that is always flagged.
            folds: instead of held-out rows, `x` are the training rows. The models are trained again `folds` times, each
                time without a part of the rows, which they score afterwards (cross-conformal, Vovk 2015). The scores are
                kept as `out_of_fold`. The rate is usually close, but nothing is proved: new rows are scored by your models,
                which saw more rows than those of the folds.
            seed: of the folds and their training.
            **options: of `ae_zoo.fit`, for the folds.

        Raises:
            AEZooError: the rate is not in (0, 1), there are too few rows for it, in a group too, the weights are not legal,
                or a model has seen no rows.
        """
        rate = checks.share("false_alarm_rate", false_alarm_rate)
        if not all(model.has_learned for model in self.score_.models):
            raise AEZooError("The model has not been trained, so its scores mean nothing: train it before calibrate.")
        rows, out_of_fold = self.model.check_rows(x), None
        if folds is None:
            if options:
                raise AEZooError(
                    f"{', '.join(options)} are options of the training of folds: give folds, such as folds=5."
                )
            seen.warn(self._seen, rows, "x")
            scores = self.score(rows)
        else:
            scores = out_of_fold = self._fold_scores(rows, checks.count("folds", folds), seed, options)
        known = ~np.isnan(scores)  # a row of a table without a cell has no score
        if not known.any():
            raise AEZooError(
                "No held-out row has a cell that is present, so there is no score to choose a threshold by."
            )
        heavy = None if weights is None else checks.weights(weights, len(known))[known]
        found = Calibrations.of(self.schema, rows[known], scores[known], heavy, by)
        limits = found.thresholds(self.schema, rate)
        if found.each[0].scores[0] == found.each[0].scores[-1]:
            warnings.warn(
                "All held-out rows have the same score, so the threshold tells only equal rows from others.",
                AEZooWarning,
                stacklevel=2,
            )
        self.calibrations, self.false_alarm_rate, self._limits, self.out_of_fold = found, rate, limits, out_of_fold
        own = scores if folds is None else np.full(len(scores), np.nan)  # those of folds are of other models
        groups = found.groups(self.schema, rows)
        self.reference = None if weights is not None else Reference.of(self.schema, rows, own, groups)
        return self

    def _fold_scores(self, x: Array, folds: int, seed: int, options: dict[str, Any]) -> Array:
        if not 2 <= folds <= len(x) // 2:
            raise AEZooError(f"folds must be from 2 to {len(x) // 2}, half of the rows; received {folds}.")
        seed = checks.seed(seed) or 0
        fold = np.random.default_rng(seed).permutation(len(x)) % folds
        scores = np.empty(len(x), "float32")
        for index in range(folds):
            first = seed + index * len(self.score_.models)  # each network has a seed of its own
            scores[fold == index] = self._again(x[fold != index], first, options).of(x[fold == index])
        return scores

    def _again(self, x: Array, seed: int, options: dict[str, Any]) -> Score:
        models = [
            trained_again(model, x, (seed + index) % 2**32, options) for index, model in enumerate(self.score_.models)
        ]
        return self.score_.like(models, x, seed)

    def refit(self, x: Rows, quantile: float = 0.75, *, seed: int = 1, **options: Any) -> Self:
        """Returns a detector with new models of the same configuration, trained on the rows with the lowest errors.

        Strange rows in the training teach a model to reconstruct strange rows (the chapter's section 19.5). The new
        detector has no threshold: calibrate it.

        Args:
            x: training rows `(n, *input_shape)` in the data's units.
            quantile: the share of the rows to keep, in (0, 1).
            seed: seed of the initial weights and the run, from 0 to 2^32 - 1.
            **options: other arguments of `ae_zoo.fit`; none for a PCA.

        Raises:
            AEZooError: the quantile is not in (0, 1) or keeps too few rows, or `ae_zoo.fit` or a PCA has no such option.
        """
        seed = checks.seed(seed) or 0
        quantile = checks.share("quantile", quantile)
        # By the errors alone: a stored training row is its own nearest neighbor.
        scores = Error(self.model, self.score_.top).of(x)
        kept = self.model.check_rows(x, learn=True)[scores <= np.nanquantile(scores, quantile)]
        if len(kept) < 2:
            raise AEZooError(
                f"quantile={quantile:g} keeps {len(kept)} of the {len(scores)} rows, too few to train on: give a larger one."
            )
        found = type(self).__new__(type(self))
        Calibrated.__init__(found, self._again(kept, seed, options), seen.hashes(kept))
        return found

    # The scores, and what they mean.

    def score(self, x: Rows) -> Array:
        """Returns how strange each row is `(n,)`; higher is stranger."""
        return self.score_.of(x)

    def p_value(self, x: Rows) -> Array:
        """Returns the p-value of each row `(n,)`: the share of held-out rows that are at least as strange, itself among them.

        If the row is ordinary, it is at most `a` with a probability of at most `a`; ties make it larger, never smaller.

        Raises:
            AEZooError: the detector has not been calibrated.
        """
        self._calibrated()
        return self.columns(x)["p_value"]

    def columns(self, x: Rows) -> dict[str, Array]:
        """Returns `score`, `p_value` if the detector is calibrated, and `flagged` if it has a threshold, each `(n,)`."""
        rows = self.model.check_rows(x)
        found = {"score": self.score(rows)}
        group: Any = 0 if self.calibrations is None else self.calibrations.groups(self.schema, rows)
        if self.calibrations is not None:
            found["p_value"] = self.calibrations.p_values(found["score"], group)
        if self._limits is not None:
            found["flagged"] = found["score"] > self._limits[group]
        return found

    def flag(self, x: Rows) -> Array:
        """Returns whether each row's score is above the threshold: bool, `(n,)`.

        Raises:
            AEZooError: there is no threshold yet.
        """
        self._thresholds()
        return self.columns(x)["flagged"]

    def thresholds(self, x: Rows) -> Array:
        """Returns the threshold of each row `(n,)`.

        Raises:
            AEZooError: there is no threshold yet.
        """
        limits, rows = self._thresholds(), self.model.check_rows(x)
        group = np.zeros(len(rows), int) if len(limits) == 1 else self._calibrated().groups(self.schema, rows)
        found: Array = limits[group]
        return found

    def _thresholds(self) -> Array:
        if self._limits is None:
            raise AEZooError("The detector has no threshold yet: call calibrate(x_held_out) first.")
        return self._limits

    def _calibrated(self) -> Calibrations:
        if self.calibrations is None:
            raise AEZooError("The detector has not been calibrated: call calibrate(x_held_out) first.")
        return self.calibrations
