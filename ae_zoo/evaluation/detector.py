"""Anomaly detection by reconstruction error: a model, and a threshold from rows that it has not been trained on."""

import json
import math
import os
import pathlib
import tempfile
import zipfile
from typing import Any, Self

import numpy as np

from ae_zoo import checks
from ae_zoo._support import files, versions
from ae_zoo.autoencoder import Autoencoder
from ae_zoo.errors import AEZooError, NotFoundError
from ae_zoo.evaluation.pca import PCA
from ae_zoo.factory import load
from ae_zoo.training.fit import fit


class Detector:
    """Scores rows by how badly a trained model reconstructs them, and flags those beyond a calibrated threshold.

    Args:
        model: a trained `Autoencoder` or a fitted `PCA`.

    Attributes:
        threshold: rows with a higher score are flagged; None before `calibrate`.
        false_alarm_rate: the share of ordinary rows that `calibrate` allowed to be flagged.

    Example:
        >>> detector = ae_zoo.Detector(model).calibrate(x_held_out, false_alarm_rate=0.01)
        >>> detector.flag(x_new)
    """

    def __init__(self, model: Autoencoder | PCA) -> None:
        if isinstance(model, Autoencoder):
            model.check_reconstructs()
        self.model = model
        self.threshold: float | None = None
        self.false_alarm_rate: float | None = None

    def calibrate(self, x: Any, false_alarm_rate: float = 0.01) -> Self:
        """Sets the threshold from ordinary rows that the model was *not* trained on.

        It is the split-conformal quantile, the ceil((n + 1)(1 - rate))-th smallest of the n scores: a new ordinary row
        is then flagged with a probability of at most `false_alarm_rate`, whatever the scores' distribution (Lei et al.
        2018, section 2.2). The scores of training rows would give a threshold that is too low.

        Args:
            x: held-out rows `(n, *input_shape)`.
            false_alarm_rate: in (0, 1).

        Raises:
            ValueError: the rate is not in (0, 1), or there are too few rows for it.
        """
        if not 0 < false_alarm_rate < 1:
            raise AEZooError(f"false_alarm_rate must lie between 0 and 1; received {false_alarm_rate!r}.")
        scores = np.sort(self.score(x))
        rank = math.ceil((len(scores) + 1) * (1 - false_alarm_rate) - 1e-9)
        if rank > len(scores):
            raise AEZooError(
                f"A false alarm rate of {false_alarm_rate:g} needs at least {math.ceil(1 / false_alarm_rate) - 1} "
                f"held-out rows; received {len(scores)}."
            )
        self.threshold, self.false_alarm_rate = float(scores[rank - 1]), false_alarm_rate
        return self

    def score(self, x: Any) -> np.ndarray:
        """Reconstruction error of each row `(n,)`; higher is stranger."""
        return self.model.reconstruction_error(x)

    def flag(self, x: Any) -> np.ndarray:
        """Whether each row is beyond the threshold `(n,)`, bool.

        Raises:
            ValueError: there is no threshold yet.
        """
        if self.threshold is None:
            raise AEZooError("The detector has no threshold yet: call calibrate(x_held_out) first.")
        return self.score(x) > self.threshold

    def share(self, x: Any) -> np.ndarray:
        """Each feature's share of its row's error, `(n, *input_shape)`; they add up to 1 (0 for a perfect row)."""
        error = self.model.reconstruction_error(x, per_feature=True)
        total = error.sum(axis=tuple(range(1, error.ndim)), keepdims=True)
        return np.divide(error, total, out=np.zeros_like(error), where=total > 0)

    def refit(self, x: Any, quantile: float = 0.75, *, seed: int = 1, **options: Any) -> "Detector":
        """A detector with a fresh model of the same configuration, trained on the least strange of the rows.

        Training rows that are strange themselves teach the model to reconstruct strangeness (the chapter's section
        19.5). The new detector has no threshold: calibrate it.

        Args:
            x: training rows `(n, *input_shape)`.
            quantile: the share of them to keep, in (0, 1).
            seed: of the initial weights and the run.
            **options: for `ae_zoo.fit`.
        """
        if not 0 < quantile < 1:
            raise AEZooError(f"quantile must lie between 0 and 1; received {quantile!r}.")
        scores = self.score(x)
        rows = checks.numeric(x) if isinstance(self.model, PCA) else self.model.check_rows(x)
        x = rows[scores <= np.quantile(scores, quantile)]
        if isinstance(self.model, PCA):
            return Detector(PCA(self.model.code, scaling=self.model.scaling).fit(x))
        import keras

        keras.utils.set_random_seed(seed)
        model = type(self.model)(**self.model.config.to_dict())
        fit(model, x, seed=seed, **options)
        return Detector(model)

    def save(self, path: str | os.PathLike) -> None:
        """Writes model and threshold to one file; `Detector.load` reads it."""
        member = "model.npz" if isinstance(self.model, PCA) else "model.keras"
        with files.whole(path) as sibling:
            model = sibling.parent / "member" / member  # apart, as the detector's own file may have that name
            self.model.save(model)
            with zipfile.ZipFile(sibling, "w") as archive:
                archive.write(model, member)
                state = {"threshold": self.threshold, "false_alarm_rate": self.false_alarm_rate}
                archive.writestr("detector.json", json.dumps(state))

    @classmethod
    def load(cls, path: str | os.PathLike) -> Self:
        """The detector in a file that `save` wrote, or of an exported one's folder (or name, in a checkout).

        An exported detector comes back with its threshold, without the rate that it was calibrated for.

        Raises:
            FileNotFoundError: there is no such file.
            ValueError: the file is damaged or of another kind.
        """
        folder = versions.found(path)
        if folder.is_dir():
            detector = cls(load(folder))
            detector.threshold = versions.card(versions.newest(folder))["threshold"]
            return detector
        if not pathlib.Path(path).is_file():
            raise NotFoundError(f"There is no detector file {path}.")
        try:
            with zipfile.ZipFile(path) as archive, tempfile.TemporaryDirectory() as folder:
                state = json.loads(archive.read("detector.json"))
                (member,) = set(archive.namelist()) & {"model.npz", "model.keras"}
                extracted = archive.extract(member, folder)
                detector = cls(PCA.load(extracted) if member == "model.npz" else load(extracted))
        except (zipfile.BadZipFile, KeyError, ValueError) as error:
            raise AEZooError(f"{path} is damaged, or holds no detector of ae_zoo.") from error
        detector.threshold, detector.false_alarm_rate = state["threshold"], state["false_alarm_rate"]
        return detector
