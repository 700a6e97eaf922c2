"""Anomaly detection by reconstruction error: a model, and a threshold from rows that it was not trained on."""

import json
import math
import os
import pathlib
import tempfile
import zipfile
from collections.abc import Callable
from typing import Any, Self, cast

import numpy as np

from ae_zoo._support import checks, files, versions
from ae_zoo.autoencoder import Autoencoder
from ae_zoo.endpoints import Arrays, Endpoint, Endpoints, Tensors
from ae_zoo.errors import AEZooError, NotFoundError
from ae_zoo.evaluation.pca import PCA
from ae_zoo.evaluation.reconstructor import Reconstructor, check_model
from ae_zoo.factory import load
from ae_zoo.schemas import Schema
from ae_zoo.training.fit import fit
from ae_zoo.typing import Array, Rows, Tensor

# How the model's file in a detector's file is read, by its suffix.
MEMBERS: dict[str, Callable[[str], Reconstructor]] = {".npz": PCA.load, ".keras": load}
MARGIN = 1e-4  # of a threshold: more than rounding changes a score, with other rows in its batch or in another runtime


class Detector:
    """Scores rows by a trained model's reconstruction error, and flags those above a calibrated threshold.

    Args:
        model: a trained `Autoencoder` or a fitted `PCA`.

    Attributes:
        threshold: rows with a higher score are flagged; None before `calibrate`. It may be set to another number.
        false_alarm_rate: the share of ordinary rows that `calibrate` allowed to be flagged.

    Raises:
        AEZooError: the argument is not a model, or its reconstructions say nothing about the rows.

    Example:
        >>> detector = ae_zoo.Detector(model).calibrate(x_held_out, false_alarm_rate=0.01)
        >>> detector.flag(x_new)
    """

    def __init__(self, model: Reconstructor) -> None:
        check_model(model, "A detector")
        model.check_reconstructs()
        self.model = model
        self.threshold: float | None = None
        self.false_alarm_rate: float | None = None

    def __repr__(self) -> str:
        if self.threshold is None:
            return f"Detector({self.model!r}), no threshold yet"
        rate = "" if self.false_alarm_rate is None else f" for false alarms of {self.false_alarm_rate:g}"
        return f"Detector({self.model!r}), threshold {self.threshold:.5g}{rate}"

    @property
    def threshold(self) -> float | None:
        """The score above which a row is flagged: a finite number of at least 0; None before `calibrate`."""
        return self._threshold

    @threshold.setter
    def threshold(self, value: float | None) -> None:
        number = None if value is None else checks.finite("threshold", value)
        if number is not None and number < 0:
            raise AEZooError(f"threshold must be at least 0, as no error is less; received {number:g}.")
        self._threshold = number

    @property
    def family(self) -> str:
        """The name of the model's family."""
        return self.model.family

    @property
    def schema(self) -> Schema:
        """What a row is."""
        return self.model.schema

    def calibrate(self, x: Rows, false_alarm_rate: float = 0.01, *, weights: Rows | None = None) -> Self:
        """Sets the threshold from ordinary rows that the model was *not* trained on.

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

        Raises:
            AEZooError: the rate is not in (0, 1), there are too few rows for it, the weights are not legal, or the model has
                seen no rows.
        """
        rate = checks.share("false_alarm_rate", false_alarm_rate)
        if not self.model.has_learned:
            raise AEZooError("The model has not been trained, so its scores mean nothing: train it before calibrate.")
        scores = self.score(x)
        known = ~np.isnan(scores)  # a row of a table without a cell has no score
        scores = scores[known]
        if not len(scores):
            raise AEZooError(
                "No held-out row has a cell that is present, so there is no score to choose a threshold by."
            )
        order = np.argsort(scores)
        counts = np.ones(len(scores)) if weights is None else checks.weights(weights, len(known))[known][order]
        reached = np.cumsum(counts)
        needed = (reached[-1] + counts.max()) * (1 - rate)
        rank = int(np.searchsorted(reached, needed * (1 - 1e-12)))  # a rounded sum may fall short of its limit
        if rank == len(scores):
            rows = f"{math.ceil(1 / rate) - 1} held-out rows"
            needs = rows if weights is None else f"held-out rows that weigh as much as {rows} of the heaviest"
            raise AEZooError(f"A false alarm rate of {rate:g} needs at least {needs}; received {len(scores)}.")
        just_above = np.float32(scores[order[rank]]) * np.float32(1 + MARGIN) + np.float32(1e-12)
        self.threshold, self.false_alarm_rate = float(just_above), rate
        return self

    def score(self, x: Rows) -> Array:
        """Returns the reconstruction error of each row `(n,)`; higher is stranger."""
        return self.model.reconstruction_error(x)

    def flag(self, x: Rows) -> Array:
        """Returns whether each row's score is above the threshold: bool, `(n,)`.

        Raises:
            AEZooError: there is no threshold yet.
        """
        return self.score(x) > np.float32(self._calibrated())

    def share(self, x: Rows) -> Array:
        """Returns each feature's share of its row's error, `(n, *input_shape)`; a row's add up to 1, or 0 for no error."""
        return self.model.shares(self.model.reconstruction_error(x, per_feature=True))

    def endpoints(self) -> Endpoints:
        """Returns what the model can do, by name, and `detect`."""
        threshold, network = self._calibrated(), self.to_model()
        served = network.endpoints()

        def verb(x: Array) -> Arrays:
            score = served["score"].verb(x)["error"]
            limit = np.full_like(score, threshold)
            return {"score": score, "threshold": limit, "flagged": score > limit}

        def function(x: Tensor) -> Tensors:
            import keras

            score = served["score"].function(x)["error"]
            limit = keras.ops.full_like(score, threshold)
            return {"score": score, "threshold": limit, "flagged": score > limit}

        detect = Endpoint(
            input="x",
            shape=self.schema.input_shape,
            may_miss=self.schema.may_miss,
            verb=verb,
            function=function,
            about="the error, the threshold, and whether the error is above it",
        )
        return {**served, "detect": detect}

    def to_model(self) -> Autoencoder:
        """Returns the autoencoder whose error is the score."""
        return self.model.to_model()

    def refit(self, x: Rows, quantile: float = 0.75, *, seed: int = 1, **options: Any) -> "Detector":
        """Returns a detector with a new model of the same configuration, trained on the rows with the lowest scores.

        Strange rows in the training teach the model to reconstruct strange rows (the chapter's section 19.5). The new
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
        # A row of a table without a cell has no score.
        kept = self.model.check_rows(x, learn=True)[scores <= np.nanquantile(scores, quantile)]
        if len(kept) < 2:
            raise AEZooError(
                f"quantile={quantile:g} keeps {len(kept)} of the {len(scores)} rows, too few to train on: give a larger one."
            )
        return Detector(_trained_again(self.model, kept, seed, options))

    def save(self, path: str | os.PathLike[str]) -> None:
        """Writes the model and the threshold to one file; `Detector.load` reads it."""
        with files.whole(path) as sibling:
            member = f"model{self.model.suffix}"
            model = (
                sibling.parent / "member" / member
            )  # in its own folder, because the detector's file may have that name
            self.model.save(model)
            with zipfile.ZipFile(sibling, "w") as archive:
                archive.write(model, member)
                state = {"threshold": self.threshold, "false_alarm_rate": self.false_alarm_rate}
                archive.writestr("detector.json", json.dumps(state))

    @classmethod
    def load(cls, path: str | os.PathLike[str]) -> Self:
        """Returns the detector in a file that `save` wrote, or in the folder of an exported one (in a checkout: its name).

        An exported detector comes back with its threshold, but without the rate that it was calibrated for.

        Raises:
            NotFoundError: there is no such file.
            AEZooError: the file is damaged or of another kind.
        """
        folder = versions.found(path)
        if folder.is_dir():
            detector = cls(load(folder))
            detector.threshold = versions.card(versions.newest(folder))["threshold"]
            return detector
        if not pathlib.Path(path).is_file():
            raise NotFoundError(f"There is no detector file {path}.{versions.hint(pathlib.Path(path))}")
        try:
            with zipfile.ZipFile(path) as archive, tempfile.TemporaryDirectory() as place:
                state = json.loads(archive.read("detector.json"))
                threshold, rate = state["threshold"], state["false_alarm_rate"]
                (suffix,) = [suffix for suffix in MEMBERS if f"model{suffix}" in archive.namelist()]
                detector = cls(MEMBERS[suffix](archive.extract(f"model{suffix}", place)))
            detector.threshold = threshold
            detector.false_alarm_rate = None if rate is None else checks.share("false_alarm_rate", rate)
        except AEZooError as error:
            raise AEZooError(f"{path} is damaged, or holds no detector of ae_zoo: {error}") from error
        except Exception as error:  # whatever a damaged archive brings up
            raise AEZooError(f"{path} is damaged, or holds no detector of ae_zoo.") from error
        return detector

    def _calibrated(self) -> float:
        if self.threshold is None:
            raise AEZooError("The detector has no threshold yet: call calibrate(x_held_out) first.")
        return self.threshold


def _trained_again(model: Reconstructor, x: Array, seed: int, options: dict[str, Any]) -> Reconstructor:
    """Returns a new model with the same options, trained on other rows."""
    import keras

    keras.utils.set_random_seed(seed)
    fresh = model.fresh()
    if isinstance(fresh, Autoencoder):
        fit(fresh, x, seed=seed, **options)
        return fresh
    if options:
        raise AEZooError(f"A PCA is fitted at once, without options of ae_zoo.fit: leave out {', '.join(options)}.")
    return cast(PCA, fresh).fit(x, model.schema)  # fitted at once, without steps
