"""One trial: a candidate built, trained and measured, and its result in a file of its own.

A result's name follows from what was tried and with which seed, so a trial that is asked for again is looked up. That is
how a search resumes: it is asked again from the start, and what is there is not done again.
"""

import contextlib
import dataclasses
import functools
import hashlib
import json
import math
import pathlib
import time
import warnings
from collections.abc import Sequence
from typing import Any

import keras

from ae_zoo._support import files
from ae_zoo.autoencoder import Autoencoder
from ae_zoo.errors import AEZooWarning, first_line
from ae_zoo.factory import build
from ae_zoo.networks.inference import no_retracing_alarm
from ae_zoo.training.fit import fit
from ae_zoo.tuning.objectives import Objective
from ae_zoo.tuning.rows import Rows
from ae_zoo.tuning.space import Candidate

Callbacks = Sequence[keras.callbacks.Callback]


@dataclasses.dataclass(frozen=True, kw_only=True)
class Result:
    """What came of a trial.

    Attributes:
        key: of its files.
        number: in the order in which candidates were drawn, from 1.
        status: `"done"`; `"cut"`, when the search's own time was up; `"skipped"`, for options that do not go together;
            or `"failed"`.
        reason: why it was skipped or has failed.
        config: all options of the model, the defaults too.
        score: the objective's value, where it was measured.
        error: mean squared error of the held-out rows, where the model is one that reconstructs.
        code, parameters: width of the code, weights of the whole model.
        epochs: of the training.
        seconds: of the whole trial.
        overhead: those beside the epochs of the training: building, compiling, measuring, saving.
    """

    key: str
    number: int
    family: str
    options: dict[str, Any]
    training: dict[str, Any]
    seed: int
    status: str
    reason: str = ""
    config: dict[str, Any] | None = None
    score: float | None = None
    error: float | None = None
    code: int | None = None
    parameters: int | None = None
    epochs: int | None = None
    seconds: float = 0.0
    overhead: float = 0.0

    @property
    def final(self) -> bool:
        """Whether it would come out the same again."""
        return self.status != "cut"


class Trials:
    """Runs candidates, and finds the results of those that have been run.

    Args:
        folder: of the results and the models.
        rows: what all are trained and measured on.
        objective: what is measured.
        seed: of weights, batches and noise, the same for all.
        minutes: for each training; None for no limit.
        kept: models that stay on disk, those of the best scores.
    """

    def __init__(
        self,
        folder: pathlib.Path,
        rows: Rows,
        objective: Objective,
        *,
        seed: int,
        minutes: float | None = None,
        kept: int = 10,
    ) -> None:
        self.folder, self.rows, self.objective = folder, rows, objective
        self.seed, self.minutes, self.kept = seed, minutes, kept

    def run(
        self,
        candidate: Candidate,
        number: int,
        *,
        seed: int | None = None,
        left: float | None = None,
        callbacks: Callbacks = (),
    ) -> Result:
        """The candidate's result, from its file or from a training.

        Args:
            candidate, number: what is run, and its place among all that are drawn.
            seed: instead of the search's own.
            left: minutes until the whole search's time is up.
            callbacks: for the training.
        """
        seed = self.seed if seed is None else seed
        key = self.key(candidate, seed)
        found = self.read(key)
        if found is not None and (found.final or (left is not None and left <= 0)):
            return found
        result = functools.partial(Result, key=key, number=number, seed=seed, **dataclasses.asdict(candidate))
        begin = time.perf_counter()
        keras.backend.clear_session()  # or the graphs of all trials pile up
        try:
            model, y = self._built(candidate, seed)
        except ValueError as error:
            return self.write(result(status="skipped", reason=first_line(error)))
        try:
            with no_retracing_alarm(), warnings.catch_warnings():
                warnings.simplefilter("ignore", AEZooWarning)  # what a family says of its run; the figures show it
                found = self._measured(model, y, candidate.training, seed, left, callbacks)
        except OSError:  # a full disk is no fault of the candidate's
            raise
        except Exception as error:  # whatever TensorFlow or a user's data come up with: the search goes on
            reason = f"{type(error).__name__}: {first_line(error)}"
            return self.write(result(status="failed", reason=reason))
        with files.whole(self.model_path(key)) as sibling:
            model.save(sibling)
        seconds, in_epochs = time.perf_counter() - begin, found.pop("in_epochs")
        return self.write(result(**found, seconds=seconds, overhead=seconds - in_epochs))

    def read(self, key: str) -> Result | None:
        """The result of a key, if it is there."""
        with contextlib.suppress(FileNotFoundError):
            return Result(**json.loads(self._path(key).read_text()))
        return None

    def all(self) -> list[Result]:
        """The results that are there, in no order."""
        found = (self.read(key) for key in sorted(self.keys()))
        return [result for result in found if result is not None]

    def keys(self) -> set[str]:
        """Of the results that are there."""
        return {path.stem for path in (self.folder / "results").glob("*.json")}

    def give_up(self, candidate: Candidate, number: int, reason: str) -> Result:
        """Records that a candidate cannot be run."""
        key = self.key(candidate, self.seed)
        identity = {"key": key, "number": number, "seed": self.seed, **dataclasses.asdict(candidate)}
        return self.write(Result(**identity, status="failed", reason=reason))

    def model_path(self, key: str) -> pathlib.Path:
        return self.folder / "models" / f"{key}.keras"

    @staticmethod
    def key(candidate: Candidate, seed: int) -> str:
        """The name of a result: it follows from what is run alone."""
        text = json.dumps([candidate.values, seed], sort_keys=True)
        return hashlib.blake2b(text.encode(), digest_size=8).hexdigest()

    def ranked(self) -> list[Result]:
        """The results of the search's own seed that have a score, the best first."""
        sign = 1 if self.objective.direction == "min" else -1
        own = (result for result in self.all() if result.seed == self.seed and result.score is not None)
        return sorted(own, key=lambda result: (sign * result.score, result.key))

    def prune(self) -> None:
        """Removes the models that are not among the best, and those of the finalists' other seeds."""
        kept = {self.model_path(result.key) for result in self.ranked()[: self.kept]}
        for path in (self.folder / "models").glob("*.keras"):
            if path not in kept and self.read(path.stem) is not None:
                path.unlink(missing_ok=True)

    def _built(self, candidate: Candidate, seed: int) -> tuple[Autoencoder, Any]:
        """The untrained model, and the labels that it takes, if any."""
        rows = self.rows
        model = build(candidate.family, data=rows.frame, seed=seed, **candidate.options)
        if self.objective.reconstructs:
            model.check_reconstructs()
        takes = model.config.target == "labels" and rows.y is not None
        return model, model.check_y(rows.y, rows.x) if takes else None

    def _measured(
        self, model: Autoencoder, y: Any, training: dict[str, Any], seed: int, left: float | None, callbacks: Callbacks
    ) -> dict[str, Any]:
        """Trains the model, and gives what there is to say of it."""
        rows, limits = self.rows, [minutes for minutes in (self.minutes, left) if minutes is not None]
        trained = fit(
            model,
            rows.x,
            y,
            validation=rows.x_valid if y is None else (rows.x_valid, rows.y_valid),
            seed=seed,
            minutes=max(min(limits), 1e-3) if limits else None,
            callbacks=callbacks,
            verbose=0,
            **training,
        )
        score, error = float(self.objective.measure(model, rows)), None
        if not math.isfinite(score):
            raise ArithmeticError(f"the {self.objective.name} is {score}")
        if model.config.reconstructs:
            plain = self.objective.name == "reconstruction"
            error = score if plain else rows.error(model.reconstruct(rows.x_valid))
        cut = trained.stopped == "time is up" and left is not None and left < (self.minutes or math.inf)
        return {
            "status": "cut" if cut else "done",
            "config": model.config.to_dict(),
            "score": score,
            "error": error,
            "code": int(model.encode(rows.x_valid[:1]).size),
            "parameters": model.count_params(),
            "epochs": trained.epochs,
            # Without what compiling costs; not known of a single epoch, which compiles.
            "in_epochs": trained.epochs * trained.seconds_per_epoch,
        }

    def write(self, result: Result) -> Result:
        """Writes a result's file, whole; gives it back."""
        with files.whole(self._path(result.key)) as sibling:
            sibling.write_text(json.dumps(dataclasses.asdict(result), indent=1) + "\n")
        return result

    def _path(self, key: str) -> pathlib.Path:
        return self.folder / "results" / f"{key}.json"
