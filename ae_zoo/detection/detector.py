"""Anomaly detection: models, a score, and a threshold from rows that they were not trained on."""

import os
import pathlib
from collections.abc import Collection, Sequence
from typing import TYPE_CHECKING, Any, Self

import numpy as np

from ae_zoo._support import checks
from ae_zoo.autoencoder import Autoencoder
from ae_zoo.detection import conformal, reasons, seen, stored
from ae_zoo.detection.calibrated import Calibrated
from ae_zoo.detection.groups import Calibrations
from ae_zoo.detection.reference import Reference
from ae_zoo.detection.scores import Combined, Error, Part, score_of
from ae_zoo.endpoints import Arrays, Endpoint, Endpoints, Tensors
from ae_zoo.errors import AEZooError, short
from ae_zoo.evaluation.reconstructor import Reconstructor, check_model
from ae_zoo.tables.verbs import index_of
from ae_zoo.typing import Array, Rows, Tensor

if TYPE_CHECKING:
    import pandas as pd

    from ae_zoo.detection.monitor import Monitor

ALL: tuple[Part, ...] = ("reconstruction", "code", "row")


class Detector(Calibrated):
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
        if parts is not None and (isinstance(parts, str) or not isinstance(parts, Collection) or not parts):
            raise AEZooError(f"parts must be a list of at least one of {', '.join(ALL)}; received {short(parts)}.")
        models: list[Reconstructor] = list(model) if isinstance(model, list | tuple) else [model]  # type: ignore[list-item]
        if not models:
            raise AEZooError("A detector needs at least one model; received none.")
        for one in models:
            check_model(one, "A detector")
            one.check_reconstructs()
        if x_train is None or x_held_out is None:
            if (
                len(models) > 1
                or (parts is not None and tuple(parts) != ("reconstruction",))
                or x_train is not x_held_out
            ):
                raise AEZooError("Several models, and the parts code and row, need both x_train and x_held_out.")
            super().__init__(Error(models[0], top))
        else:
            first = models[0]
            checks.seed(seed)
            train, held_out = first.check_rows(x_train, "x_train"), first.check_rows(x_held_out, "x_held_out")
            held_out = held_out[first.schema.known(held_out)]  # a row of a table without a cell has no values
            if len(held_out) < 2:
                raise AEZooError(f"x_held_out must hold at least 2 rows with a cell; received {len(held_out)}.")
            seen.warn(seen.hashes(train), held_out, "x_held_out")
            known = seen.hashes(np.concatenate([train, held_out]))  # calibrate needs rows of its own
            networks = [one.to_model() for one in models]
            super().__init__(Combined.learn(networks, parts or ALL, train, held_out, top=top, seed=seed), known)

    def __repr__(self) -> str:
        models = self.score_.models
        what = f"Detector({self.model!r})" if len(models) == 1 else f"Detector({len(models)} of {self.model!r})"
        if self._limits is None:
            return f"{what}, no threshold yet"
        found = f"{what}, threshold {self.threshold:.5g} {self.score_.unit}"
        return found if self.false_alarm_rate is None else f"{found}: {self.promise()}"

    def score_parts(self, x: Rows) -> "pd.DataFrame":
        """Returns what the score is the mean of, a column for each part and model, and the rows' own index."""
        import pandas as pd

        parts = self.score_.parts(x)
        return pd.DataFrame(parts, index=index_of(x, len(parts)), columns=list(self.score_.names))

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
            known = np.asarray(arrays.get("seen", seen.NONE), seen.NONE.dtype)
            Calibrated.__init__(detector, score_of(models, state, arrays), known)
            if "calibration/by" in arrays:
                detector.calibrations = Calibrations.read(arrays)
            if "reference/keys" in arrays:
                detector.reference = Reference.read(detector.schema, arrays)
            detector.threshold = state["threshold"]
            if "limits" in arrays:
                detector._limits = checks.stored("limits", arrays["limits"], detector._thresholds().shape)
                if (detector._limits < 0).any():
                    raise AEZooError("A threshold is negative.")
            rate = state.get("false_alarm_rate")
            detector.false_alarm_rate = None if rate is None else checks.share("false_alarm_rate", rate)
            detector.out_of_fold = arrays.get("out_of_fold")
        except (KeyError, IndexError, TypeError, ValueError, AttributeError) as error:
            raise AEZooError(f"{path} is damaged, or holds no detector of ae_zoo: {error}") from error
        return detector
