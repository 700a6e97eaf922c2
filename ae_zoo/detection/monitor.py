"""Whether new rows are still like the held-out ones: what a detector promises holds as long as they are."""

import collections
import hashlib
import json
import os
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any, Self

import numpy as np

from ae_zoo._support import archives, checks, files
from ae_zoo.detection import drift, reference
from ae_zoo.detection.drift import Spread
from ae_zoo.detection.drift_report import Report
from ae_zoo.detection.martingale import EXPONENTS, Martingale, keys_of
from ae_zoo.detection.reference import Reference
from ae_zoo.errors import AEZooError
from ae_zoo.typing import Array, Rows

if TYPE_CHECKING:
    from ae_zoo.detection.detector import Detector

POINTS = 1000  # of the path that are kept


class Monitor:
    """Compares new rows, batch by batch, with those of a detector's calibration. `Detector.monitor` makes one.

    As long as the new rows are drawn as the held-out ones were, the probability that it *ever* says otherwise, over all
    batches to come, is at most `false_alarm`. Half of it is for the scores, by a martingale (see
    `ae_zoo.detection.martingale`), which looks at each row and bets that scores become larger, because smaller ones break no
    promise. The other half is for the columns, by Fisher's exact tests and Holm's method (see `ae_zoo.detection.drift`), of
    which the batch number k gets a share of 1 / (k (k + 1)). A batch of few rows says little about columns: give those of a
    night at once.

    Attributes:
        detector: whose rows are monitored.
        reference: the rows that new ones are compared with.
        false_alarm: see above.
        batches: how many batches there have been.
        martingale: the capital after all rows so far.
        alarm_row: the row, counted from 1, at which the capital reached its limit; None as long as it has not.
    """

    def __init__(self, detector: "Detector", known: Reference, false_alarm: float = 0.01, seed: int = 1) -> None:
        if detector.calibrations is None:
            raise AEZooError("The detector has not been calibrated: call calibrate(x_held_out) first.")
        self.detector, self.reference, self._calibrations = detector, known, detector.calibrations
        self.false_alarm = checks.share("false_alarm", false_alarm)
        self.seed = checks.seed(seed) or 0
        self.batches, self.rows = 0, 0
        self.alarm_row: int | None = None
        self.martingale = Martingale()
        self._earlier = known.earlier
        self._path = np.zeros((1, 2))  # rows, and the logarithm of the capital
        self._highest = 0.0  # logarithm

    def __repr__(self) -> str:
        return f"Monitor({self.detector!r}), {self.rows:,} rows in {self.batches:,} batches so far"

    @property
    def limit(self) -> float:
        """The capital at which the scores are said to have changed."""
        return 2 / self.false_alarm

    def update(self, x: Rows, score: Rows | None = None) -> Report:
        """Adds a batch of new rows, and returns what they say.

        Args:
            x: rows `(n, *input_shape)` in the data's units, in the order in which they came.
            score: their scores `(n,)`, if a server has returned them already; by default the detector scores the rows.

        Raises:
            AEZooError: the rows are not of the detector's schema, or there is not one score for each.
        """
        return self._update([(x, score)])

    def update_pieces(self, pieces: Iterable[Rows]) -> Report:
        """Adds a batch that comes in pieces, such as those of a file that is larger than the memory.

        Raises:
            AEZooError: the rows are not of the detector's schema, or there is no piece. Nothing is added then.
        """
        return self._update((piece, None) for piece in pieces)

    def _update(self, pieces: Iterable[tuple[Rows, Rows | None]]) -> Report:
        schema = self.detector.schema
        # As many random numbers have been drawn before as there have been rows, whatever the batches.
        random = np.random.Generator(np.random.PCG64(self.seed).advance(self.martingale.rows))
        martingale, earlier, now = self.martingale, self._earlier, None
        others: dict[str, collections.Counter[str]] = collections.defaultdict(collections.Counter)
        p_values: list[Array] = []
        capitals, counted_rows, keys, flagged = [], [], [], 0
        for x, given in pieces:
            coded = self.detector.model.check_rows(x)
            scores = self.detector.score(coded) if given is None else _scores(given, len(coded))
            known = ~np.isnan(scores)
            groups = self._calibrations.groups(schema, coded)
            flagged += int((scores > self.detector.thresholds(coded)).sum())
            keys.append(keys_of(scores[known], groups[known]))
            p, earlier = earlier.p_values(keys[-1], random)
            martingale, path = martingale.after(p)
            capitals.append(path)
            before = self.rows + sum(len(part) for part in p_values)
            counted_rows.append(before + np.flatnonzero(known) + 1)
            p_values.append(np.full(len(coded), np.nan))
            p_values[-1][known] = p
            counted = self.reference.count(schema, coded)
            now = counted if now is None else tuple(a + b for a, b in zip(now, counted, strict=True))
            for name, found in reference.others_of(schema, x, coded).items():
                others[name] += found
        if now is None:
            raise AEZooError("A batch needs at least one row; received none.")
        self._remember(martingale, np.concatenate(counted_rows), np.concatenate(capitals))
        self._earlier, self.batches = earlier, self.batches + 1
        self.rows += sum(map(len, p_values))
        return self._report(np.concatenate(p_values), flagged, now, others, np.concatenate(keys))

    def _remember(self, martingale: Martingale, rows: Array, path: Array) -> None:
        self.martingale = martingale
        if not len(path):
            return
        self._highest = max(self._highest, float(path.max()))
        reached = np.flatnonzero(path >= np.log(self.limit))
        if self.alarm_row is None and len(reached):
            self.alarm_row = int(rows[reached[0]])
        some = np.unique(np.linspace(0, len(path) - 1, POINTS // 4).astype(int))
        self._path = np.vstack([self._path, np.column_stack([rows[some], path[some]])])
        while len(self._path) > POINTS:
            self._path = np.vstack([self._path[:-1:2], self._path[-1:]])

    def _report(
        self,
        p_values: Array,
        flagged: int,
        now: tuple[Spread, ...],
        others: dict[str, collections.Counter[str]],
        keys: Array,
    ) -> Report:
        found = drift.changes(self.reference.columns, now)
        rate = self.false_alarm / 2 / (self.batches * (self.batches + 1))
        return Report(
            schema=self.detector.schema,
            before=self.reference.columns,
            now=now,
            changes=tuple(found),
            drifts=drift.holm(np.array([one.p_value for one in found]), rate),
            others={name: tuple(counts.most_common(3)) for name, counts in others.items()},
            p_values=p_values,
            flagged=flagged,
            promised=self.detector.false_alarm_rate,
            false_alarm=self.false_alarm,
            batch=self.batches,
            total=self.rows,
            martingale=_capital(self._path[-1, 1]),
            highest=_capital(self._highest),
            limit=self.limit,
            alarm_row=self.alarm_row,
            path=self._path,
            threshold=self.detector.threshold,
            scores=(self.reference.earlier.keys, self.reference.earlier.counts, keys),
        )

    # Files.

    def save(self, path: str | os.PathLike[str]) -> None:
        """Writes what the monitor remembers to a file `.npz`, so that `Monitor.load` goes on from it.

        Raises:
            UnwritableError: the file cannot be written.
        """
        state = {
            "mark": _mark(self.detector),
            "false_alarm": self.false_alarm,
            "seed": self.seed,
            "batches": self.batches,
            "rows": self.rows,
            "highest": self._highest,
            "alarm_row": self.alarm_row,
            "scored": self.martingale.rows,
        }
        arrays = self.reference.arrays() | {"earlier/keys": self._earlier.keys, "earlier/times": self._earlier.counts}
        with files.whole(path) as sibling, sibling.open("wb") as file:
            np.savez_compressed(
                file,
                allow_pickle=False,
                monitor=np.array(json.dumps(state)),
                bets=self.martingale.bets,
                path=self._path,
                **arrays,
            )

    @classmethod
    def load(cls, path: str | os.PathLike[str], detector: "Detector") -> Self:
        """Returns the monitor in a file that `save` wrote.

        Args:
            path: the file.
            detector: the detector whose rows it monitors: the same calibration of the same models.

        Raises:
            NotFoundError: there is no such file.
            AEZooError: the file is damaged or of another kind, or belongs to another detector.
        """
        arrays: dict[str, Any] = archives.read_arrays(path)
        try:
            state = json.loads(str(arrays["monitor"]))
            if state["mark"] != _mark(detector):
                raise AEZooError("it belongs to another detector, or to this one before it was calibrated again")
            found = cls(detector, Reference.read(detector.schema, arrays), state["false_alarm"], state["seed"])
            now = {f"reference/{name}": arrays[f"earlier/{name}"] for name in ("keys", "times")}
            found._earlier = Reference.read(detector.schema, arrays | now).earlier
            bets, steps = arrays["bets"].astype("float64"), arrays["path"].astype("float64")
            found.batches, found.rows, scored = (int(state[name]) for name in ("batches", "rows", "scored"))
            legal = bets.shape == EXPONENTS.shape and steps.ndim == 2 and steps.shape[1] == 2 and len(steps)
            legal = legal and not np.isnan(bets).any() and not (bets == np.inf).any() and np.isfinite(steps).all()
            if not legal or not 0 <= scored <= found.rows or found.batches < 0:
                raise AEZooError("its numbers do not go together")
            found.martingale, found._path = Martingale(scored, bets), steps
            found._highest = checks.finite("highest", state["highest"])
            row = state["alarm_row"]
            found.alarm_row = None if row is None else checks.count("alarm_row", row)
        except (KeyError, IndexError, OverflowError, TypeError, ValueError, AttributeError) as error:
            raise AEZooError(f"{path} is not what a monitor of this detector has saved: {error}") from error
        return found


def _capital(logarithm: float) -> float:
    return float(np.exp(min(logarithm, 700.0)))  # e^709 is the largest float


def _scores(given: Rows, rows: int) -> Array:
    scores = np.asarray(given, "float32")  # NaN of a row without a cell
    if np.isinf(scores).any():
        raise AEZooError("score must hold finite numbers, or NaN for a row without a cell; it holds infinity.")
    if scores.shape != (rows,):
        raise AEZooError(f"score must be one number for each of the {rows} rows; received the shape {scores.shape}.")
    return scores


def _mark(detector: "Detector") -> str:
    """Returns a hash of the calibration, which no other models and no other held-out rows have."""
    digest = hashlib.blake2b(digest_size=16)
    for name, array in sorted(detector.state()[1].items()):
        if name.startswith("calibration/"):
            digest.update(name.encode() + np.ascontiguousarray(array).tobytes())
    return digest.hexdigest()
