"""Anomaly detection: models, a score, and a threshold from rows that they were not trained on."""

import os
import pathlib
import warnings
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Self

import numpy as np

from ae_zoo._support import checks
from ae_zoo.autoencoder import Autoencoder
from ae_zoo.detection import conformal, reasons, seen, stored
from ae_zoo.detection.again import trained_again
from ae_zoo.detection.groups import Calibrations
from ae_zoo.detection.reference import Reference
from ae_zoo.detection.scores import Combined, Error, Part, Score, score_of
from ae_zoo.endpoints import Arrays, Endpoint, Endpoints, Tensors
from ae_zoo.errors import AEZooError, AEZooWarning
from ae_zoo.evaluation.reconstructor import Reconstructor, check_model
from ae_zoo.schemas import Schema
from ae_zoo.tables.verbs import index_of
from ae_zoo.typing import Array, Rows, Tensor

if TYPE_CHECKING:
    import pandas as pd

    from ae_zoo.detection.monitor import Monitor

ALL: tuple[Part, ...] = ("reconstruction", "code", "row")


class Detector:
    """Scores rows by trained models, and flags those above a calibrated threshold. `ae_zoo.detect` makes one from rows.

    With a model alone the score is its reconstruction error. With training and held-out rows it is how surprising the
    row's error, its code and the row itself are, in nats: rows that are far from all training rows cannot pass, even if the
    decoder happens to extend to them.

    Args:
        model: a trained `Autoencoder`, a fitted `PCA`, or several models of one schema.
        x_train: the rows that they were trained on `(n, *input_shape)`, some of which are stored; or None.
        x_held_out: rows that they were not trained on, by which values are compared; or None.
        parts: what is asked: `"reconstruction"`, `"code"`, `"row"`; by default all of them with training rows, and
            `"reconstruction"` without.
        top: the error of a row is the mean of this number of its largest errors, for one broken sensor among many; None for
            the mean of all.
        seed: of the choice of the stored rows.

    Attributes:
        score_: what the score is: see `ae_zoo.detection.scores`.
        threshold: rows with a higher score are flagged; None before `calibrate`. It may be set to another number.
        false_alarm_rate: the share of ordinary rows that `calibrate` allowed to be flagged.
        out_of_fold: honest scores of the training rows `(n,)` after `calibrate(x, folds=5)`; None otherwise.
        reference: what `monitor` compares new rows with; None before `calibrate`, and after one with weights.

    Raises:
        AEZooError: the argument is not a model, or its reconstructions say nothing about the rows.

    Example:
        >>> detector = ae_zoo.Detector(model).calibrate(x_held_out, false_alarm_rate=0.01)
        >>> detector.flag(x_new)
    """

    def __init__(
        self,
        model: Reconstructor | Sequence[Reconstructor],
        *,
        x_train: Rows | None = None,
        x_held_out: Rows | None = None,
        parts: Sequence[Part] | None = None,
        top: int | None = None,
        seed: int = 1,
    ) -> None:
        models: list[Reconstructor] = list(model) if isinstance(model, list | tuple) else [model]  # type: ignore[list-item]
        if not models:
            raise AEZooError("A detector needs at least one model; received none.")
        for one in models:
            check_model(one, "A detector")
            one.check_reconstructs()
        self._seen = seen.NONE
        if x_train is None or x_held_out is None:
            if (
                len(models) > 1
                or (parts is not None and tuple(parts) != ("reconstruction",))
                or x_train is not x_held_out
            ):
                raise AEZooError("Several models, and the parts code and row, need both x_train and x_held_out.")
            self._init(Error(models[0], top))
        else:
            first = models[0]
            train, held_out = first.check_rows(x_train, "x_train"), first.check_rows(x_held_out, "x_held_out")
            self._seen = seen.hashes(train)
            seen.warn(self._seen, held_out, "x_held_out")
            networks = [one.to_model() for one in models]
            self._init(Combined.learn(networks, parts or ALL, train, held_out, top=top, seed=seed))

    def _init(self, score: Score) -> None:
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

    def __repr__(self) -> str:
        models = self.score_.models
        what = f"Detector({self.model!r})" if len(models) == 1 else f"Detector({len(models)} of {self.model!r})"
        if self._limits is None:
            return f"{what}, no threshold yet"
        found = f"{what}, threshold {self.threshold:.5g} {self.score_.unit}"
        return found if self.false_alarm_rate is None else f"{found}: {self.promise()}"

    def promise(self, level: float = 0.9) -> str:
        """Returns what the threshold promises, as a sentence.

        Args:
            level: how sure the interval is that it gives.

        Raises:
            AEZooError: the threshold is not from `calibrate`.
        """
        if self.false_alarm_rate is None:
            raise AEZooError("The threshold is not from calibrate, so it promises nothing.")
        every = self._calibrated().each[0]
        low, high = every.interval(self.false_alarm_rate, checks.share("level", level))
        return (
            f"{self.false_alarm_rate:.3g} of ordinary rows are flagged, or fewer, on average over all choices of held-out "
            f"rows; with these {every.rows:,} it is {low:.3g} to {high:.3g} with a probability of {level:g}"
        )

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
                weights (Tibshirani et al. 2019, section 2); a new row counts as much as the heaviest of them.
            by: a column whose values have a threshold each, so that the rate holds in each group (Vovk 2012, section 4):
                one rate for all may hide a group that is always flagged.
            folds: instead of held-out rows, `x` are the training rows. The models are trained again `folds` times, each
                time without a part of the rows, which they score afterwards (cross-conformal, Vovk 2015). The scores are
                kept as `out_of_fold`. The promise is then of the average of those models, and nearly that of yours.
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
        fold = np.random.default_rng(checks.seed(seed)).permutation(len(x)) % folds
        scores = np.empty(len(x), "float32")
        for index in range(folds):
            scores[fold == index] = self._again(x[fold != index], seed + index, options).of(x[fold == index])
        return scores

    def _again(self, x: Array, seed: int, options: dict[str, Any]) -> Score:
        models = [trained_again(model, x, seed + index, options) for index, model in enumerate(self.score_.models)]
        return self.score_.like(models, x, seed)

    def refit(self, x: Rows, quantile: float = 0.75, *, seed: int = 1, **options: Any) -> "Detector":
        """Returns a detector with new models of the same configuration, trained on the rows with the lowest scores.

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
        checks.seed(seed)
        quantile = checks.share("quantile", quantile)
        scores = self.score(x)
        kept = self.model.check_rows(x, learn=True)[scores <= np.nanquantile(scores, quantile)]
        if len(kept) < 2:
            raise AEZooError(
                f"quantile={quantile:g} keeps {len(kept)} of the {len(scores)} rows, too few to train on: give a larger one."
            )
        found = Detector.__new__(Detector)
        found._init(self._again(kept, seed, options))
        found._seen = seen.hashes(kept)
        return found

    # The verbs.

    def score(self, x: Rows) -> Array:
        """Returns how strange each row is `(n,)`; higher is stranger."""
        return self.score_.of(x)

    def score_parts(self, x: Rows) -> "pd.DataFrame":
        """Returns what the score is the mean of, a column for each part and model, and the rows' own index."""
        import pandas as pd

        parts = self.score_.parts(x)
        return pd.DataFrame(parts, index=index_of(x, len(parts)), columns=list(self.score_.names))

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

    def honest(self) -> dict[str, Array]:
        """Returns `score` of the training rows by models that have not seen them `(n,)`, after `calibrate(x, folds=5)`.

        Raises:
            AEZooError: the calibration had no folds.
        """
        if self.out_of_fold is None:
            raise AEZooError("The training rows have honest scores only after calibrate(x_train, folds=5).")
        return {"score": self.out_of_fold}

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

    def select(self, x: Rows, false_share: float = 0.1) -> Array:
        """Returns which of some rows to look at, so that on average at most `false_share` of them are ordinary.

        `flag` bounds the share of ordinary rows that are flagged; this bounds the share of flagged rows that are ordinary
        (Benjamini and Hochberg 1995; Bates et al. 2023, section 2). The more strange rows there are, the more it finds.

        Returns:
            bool, `(n,)`.

        Raises:
            AEZooError: the detector has not been calibrated.
        """
        return conformal.select(self.p_value(x), checks.share("false_share", false_share))

    def share(self, x: Rows) -> Array:
        """Returns each feature's share of its row's error, `(n, *input_shape)`; a row's add up to 1, or 0 for no error."""
        return self.model.shares(self.model.reconstruction_error(x, per_feature=True))

    def explain(self, x: Rows, *, top: int | None = None) -> "pd.DataFrame":
        """Returns why rows are strange: a line for each row and column, the largest error of a row first.

        For tables it is what `Autoencoder.explain` returns. For other rows `expected` is the reconstruction, and `p_value`
        is NaN.

        Args:
            x: rows `(n, *input_shape)` in the data's units.
            top: how many columns of each row; None for all.
        """
        return reasons.explain(self.model, x, top)

    def monitor(self, x_reference: Rows | None = None, *, false_alarm: float = 0.01, seed: int = 1) -> "Monitor":
        """Returns a monitor, which tells from new rows, batch by batch, whether the promise still holds.

        Args:
            x_reference: rows `(n, *input_shape)` that the models were not trained on, to compare new rows with; by default
                those of `calibrate`. After `calibrate(x, folds=5)` the columns are compared with those of `x`, and the
                scores with the new ones that came before, because the models of the folds have other scores.
            false_alarm: the probability that it ever says that rows have changed although they have not, at most; in (0, 1).
            seed: of the order of equal scores, from 0 to 2^32 - 1.

        Raises:
            AEZooError: the detector has not been calibrated, or with weights and there are no `x_reference`.

        Example:
            >>> monitor = detector.monitor()
            >>> print(monitor.update(x_of_tonight))
            >>> monitor.save("night.npz")
        """
        from ae_zoo.detection.monitor import Monitor

        known, calibrations = self.reference, self._calibrated()
        if x_reference is not None:
            rows = self.model.check_rows(x_reference, "x_reference")
            seen.warn(self._seen, rows, "x_reference")
            known = Reference.of(self.schema, rows, self.score(rows), calibrations.groups(self.schema, rows))
        if known is None:
            raise AEZooError(
                "The detector has no rows to compare new ones with, because it was calibrated with weights, or by an earlier "
                "version: give x_reference, ordinary rows that the models were not trained on."
            )
        return Monitor(self, known, false_alarm, seed)

    # What is served, and files.

    def members(self) -> tuple[Autoencoder, ...]:
        """The networks whose weights an export keeps."""
        return self.score_.networks

    def to_model(self) -> Autoencoder:
        """Returns the autoencoder whose error is the score, or the first of several."""
        return self.score_.networks[0]

    def endpoints(self) -> Endpoints:
        """Returns what the model can do, by name, `detect` and `monitor`."""
        limits, calibrations = self._thresholds(), self.calibrations

        def verb(x: Array) -> Arrays:
            group = np.zeros(len(x), int) if calibrations is None else calibrations.groups(self.schema, x)
            found = self.columns(x) | {"threshold": limits[group]}
            return found if len(self.score_.names) == 1 else found | {"parts": self.score_.parts(x)}

        def function(x: Tensor) -> Tensors:
            import keras

            ops = keras.ops
            score, parts = self.score_.of_tensor(x)
            group = (
                ops.zeros_like(score, dtype="int32") if calibrations is None else calibrations.groups_of(self.schema, x)
            )
            limit = ops.take(ops.convert_to_tensor(limits), group, axis=0)
            found = {"score": score, "threshold": limit, "flagged": score > limit}
            if calibrations is not None:
                found["p_value"] = calibrations.p_values_of(score, group)
            return found if len(self.score_.names) == 1 else found | {"parts": parts}

        detect = Endpoint(
            input="x",
            shape=self.schema.input_shape,
            may_miss=self.schema.may_miss,
            verb=verb,
            function=function,
            about=f"the score in {self.score_.unit}, the threshold, whether the score is above it, and the p-value",
        )
        monitor = {} if self.reference is None else self.reference.endpoint(self.schema)
        return {**self.to_model().endpoints(), "detect": detect, **monitor}

    def state(self) -> tuple[dict[str, Any], dict[str, Array]]:
        """Returns what a file keeps besides the models: plain values, and arrays by name."""
        state, arrays = self.score_.state()
        arrays |= {"seen": self._seen}
        arrays |= {} if self._limits is None else {"limits": self._limits}
        arrays |= {} if self.calibrations is None else self.calibrations.arrays()
        arrays |= {} if self.reference is None else self.reference.arrays()
        arrays |= {} if self.out_of_fold is None else {"out_of_fold": self.out_of_fold}
        return state | {"threshold": self.threshold, "false_alarm_rate": self.false_alarm_rate}, arrays

    def save(self, path: str | os.PathLike[str]) -> None:
        """Writes the models, the threshold and all that the verbs need to one file; `Detector.load` reads it."""
        stored.save(path, self.score_.models, *self.state())

    def keep(self, folder: pathlib.Path) -> None:
        """Writes into a folder what a file keeps besides the models."""
        stored.write(folder, *self.state())

    @classmethod
    def load(cls, path: str | os.PathLike[str]) -> Self:
        """Returns the detector in a file that `save` wrote, or in the folder of an exported one (in a checkout: its name).

        Raises:
            NotFoundError: there is no such file.
            AEZooError: the file is damaged or of another kind.
        """
        models, state, arrays = stored.read(path)
        try:
            detector = cls.__new__(cls)
            detector._init(score_of(models, state, arrays))
            detector._seen = np.asarray(arrays.get("seen", seen.NONE), seen.NONE.dtype)
            if "calibration/by" in arrays:
                detector.calibrations = Calibrations.read(arrays)
            if "reference/keys" in arrays:
                detector.reference = Reference.read(detector.schema, arrays)
            detector.threshold = state["threshold"]
            if "limits" in arrays:
                detector._limits = checks.stored("limits", arrays["limits"], detector._thresholds().shape)
            rate = state.get("false_alarm_rate")
            detector.false_alarm_rate = None if rate is None else checks.share("false_alarm_rate", rate)
            detector.out_of_fold = arrays.get("out_of_fold")
        except (KeyError, TypeError, AttributeError, AEZooError) as error:
            raise AEZooError(f"{path} is damaged, or holds no detector of ae_zoo: {error}") from error
        return detector

    def _thresholds(self) -> Array:
        if self._limits is None:
            raise AEZooError("The detector has no threshold yet: call calibrate(x_held_out) first.")
        return self._limits

    def _calibrated(self) -> Calibrations:
        if self.calibrations is None:
            raise AEZooError("The detector has not been calibrated: call calibrate(x_held_out) first.")
        return self.calibrations
