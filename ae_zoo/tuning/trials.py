"""One trial: a candidate is built, trained and measured, and its result is written into a file of its own.

The name of that file follows from the candidate and the seed, so a trial that is asked for again is looked up. That is how a
search resumes: it starts from the beginning, and finds the results that are there.
"""

import dataclasses
import functools
import hashlib
import json
import math
import pathlib
import time
import warnings
from collections.abc import Sequence
from typing import TypedDict

import keras

from ae_zoo._support import files
from ae_zoo.autoencoder import Autoencoder
from ae_zoo.errors import AEZooWarning, NotFoundError, first_line
from ae_zoo.networks.inference import no_retracing_alarm
from ae_zoo.training.fit import fit
from ae_zoo.tuning import kept
from ae_zoo.tuning.dimensions import Values
from ae_zoo.tuning.objectives import Objective
from ae_zoo.tuning.rows import Rows
from ae_zoo.tuning.space import Candidate
from ae_zoo.typing import Array

Callbacks = Sequence[keras.callbacks.Callback]


@dataclasses.dataclass(frozen=True, kw_only=True)
class Result:
    """The result of a trial.

    Attributes:
        key: the name of its files.
        number: the place among the candidates in the order in which they were drawn, from 1.
        family: the name of the family.
        options: the options that were drawn or fixed.
        training: the arguments of `ae_zoo.fit`.
        seed: the seed of weights, batches and noise.
        status: `"done"`; `"cut"` if the search's time was up; `"skipped"` if the options do not go together; or
            `"failed"`.
        reason: why it was skipped or failed.
        config: all options of the model, with the defaults.
        score: the value of the objective; None if it was not measured.
        error: mean error of the held-out rows, see `Rows.error`; None if the model does not reconstruct.
        code: the width of the code.
        parameters: the number of weights of the whole model.
        epochs: the number of epochs of the training.
        seconds: the duration of the whole trial.
        overhead: the part of `seconds` outside the epochs: building, compiling, measuring, saving.
    """

    key: str
    number: int
    family: str
    options: Values
    training: Values
    seed: int
    status: str
    reason: str = ""
    config: Values | None = None
    score: float | None = None
    error: float | None = None
    code: int | None = None
    parameters: int | None = None
    epochs: int | None = None
    seconds: float = 0.0
    overhead: float = 0.0

    @property
    def final(self) -> bool:
        """Whether the trial would have the same result if it ran again."""
        return self.status != "cut"


class Measures(TypedDict):
    """The fields of a `Result` that are known after the training."""

    status: str
    config: Values
    score: float
    error: float | None
    code: int
    parameters: int
    epochs: int


class Trials:
    """Runs candidates, and finds the results of the candidates that have been run.

    Args:
        folder: the folder of the search, which holds the results and the models.
        rows: the rows that all candidates are trained and measured on.
        objective: what is measured.
        seed: the seed of weights, batches and noise, the same for all candidates.
        minutes: the time limit of each training; None for no limit.
        kept: the number of models to keep on disk, those with the best scores.
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
        """Returns the candidate's result, from its file or from a training.

        Args:
            candidate: what is built and trained.
            number: its place among the candidates that are drawn, from 1.
            seed: a seed in the place of the search's own.
            left: minutes until the time of the whole search is up; None for no limit.
            callbacks: callbacks for the training.

        Raises:
            AEZooError: the result's file is damaged.
            OSError: the result or the model cannot be written.
        """
        seed = self.seed if seed is None else seed
        key = self.key(candidate, seed)
        found = self.find(key)
        if found is not None and (found.final or (left is not None and left <= 0)):
            return found
        result = functools.partial(Result, key=key, number=number, seed=seed, **dataclasses.asdict(candidate))
        begin = time.perf_counter()
        keras.backend.clear_session()  # or the graphs of all trials pile up
        try:
            model, y = self._built(candidate, seed)
        except ValueError as error:  # Keras raises its own
            return self.write(result(status="skipped", reason=first_line(error)))
        try:
            with no_retracing_alarm(), warnings.catch_warnings():
                warnings.simplefilter("ignore", AEZooWarning)  # of a family about its training; the figures show it
                measures, in_epochs = self._measured(model, y, candidate.training, seed, left, callbacks)
        except OSError:  # a full disk is not the candidate's fault
            raise
        except Exception as error:  # of TensorFlow, or caused by the user's data: the search goes on
            reason = f"{type(error).__name__}: {first_line(error)}"
            return self.write(result(status="failed", reason=reason))
        with files.whole(self.model_path(key)) as sibling:
            model.save(sibling)
        seconds = time.perf_counter() - begin
        return self.write(result(**measures, seconds=seconds, overhead=seconds - in_epochs))

    def find(self, key: str) -> Result | None:
        """Returns the result of a key, or None if there is none.

        Raises:
            AEZooError: its file is damaged.
        """
        path, remedy = self._path(key), "delete it, and the same search runs that trial again"
        found = kept.read(path, Result, remedy)
        if found is not None and found.key != key:
            raise kept.damaged(path, remedy)
        return found

    def read(self, key: str) -> Result:
        """Returns the result of a key.

        Raises:
            AEZooError: its file is gone or damaged.
        """
        found = self.find(key)
        if found is None:
            raise NotFoundError(f"There is no {self._path(key)}.")
        return found

    def all(self) -> list[Result]:
        """Returns the results that are there, sorted by key."""
        found = (self.find(key) for key in sorted(self.keys()))
        return [result for result in found if result is not None]

    def keys(self) -> set[str]:
        """Returns the keys of the results that are there."""
        return {path.stem for path in (self.folder / "results").glob("*.json")}

    def give_up(self, candidate: Candidate, number: int, reason: str) -> Result:
        """Writes and returns the result of a candidate that cannot be run."""
        key = self.key(candidate, self.seed)
        identity = {"key": key, "number": number, "seed": self.seed, **dataclasses.asdict(candidate)}
        return self.write(Result(**identity, status="failed", reason=reason))

    def model_path(self, key: str) -> pathlib.Path:
        """Returns where the model of a result is kept."""
        return self.folder / "models" / f"{key}.keras"

    @staticmethod
    def key(candidate: Candidate, seed: int) -> str:
        """Returns the name of a result, which depends on the candidate and the seed alone."""
        text = json.dumps([candidate.values, seed], sort_keys=True)
        return hashlib.blake2b(text.encode(), digest_size=8).hexdigest()

    def ranked(self) -> list[Result]:
        """Returns the results with the search's own seed that have a score, the best first."""
        sign = 1 if self.objective.direction == "min" else -1
        own = [(sign * r.score, r.key, r) for r in self.all() if r.seed == self.seed and r.score is not None]
        return [result for *_, result in sorted(own, key=lambda entry: entry[:2])]

    def prune(self) -> None:
        """Removes the models that are not among the best, and the models of the finalists' other seeds."""
        best = {self.model_path(result.key) for result in self.ranked()[: self.kept]}
        for path in (self.folder / "models").glob("*.keras"):
            if path not in best and self.find(path.stem) is not None:
                path.unlink(missing_ok=True)

    def _built(self, candidate: Candidate, seed: int) -> tuple[Autoencoder, Array | None]:
        """Returns the untrained model, and the labels that it takes, if any."""
        rows = self.rows
        model = rows.built(candidate.family, candidate.options, seed)
        if self.objective.reconstructs:
            model.check_reconstructs()
        if rows.y is None or model.config.target != "labels":
            return model, None
        return model, model.check_y(rows.y, rows.x)

    def _measured(
        self,
        model: Autoencoder,
        y: Array | None,
        training: Values,
        seed: int,
        left: float | None,
        callbacks: Callbacks,
    ) -> tuple[Measures, float]:
        """Trains and measures the model; returns its measures, and the seconds of the epochs without compiling."""
        rows, limits = self.rows, [minutes for minutes in (self.minutes, left) if minutes is not None]
        trained = fit(
            model,
            rows.x,
            y,
            validation=rows.x_valid if y is None or rows.y_valid is None else (rows.x_valid, rows.y_valid),
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
            error = score if plain else rows.error(model)
        cut = trained.stopped == "time is up" and left is not None and left < (self.minutes or math.inf)
        measures = Measures(
            status="cut" if cut else "done",
            config=model.config.to_dict(),
            score=score,
            error=error,
            code=int(model.encode(rows.x_valid[:1]).size),
            parameters=model.count_params(),
            epochs=trained.epochs,
        )
        return measures, trained.epochs * trained.seconds_per_epoch

    def write(self, result: Result) -> Result:
        """Writes a result into its file, and returns it."""
        kept.write(self._path(result.key), result)
        return result

    def _path(self, key: str) -> pathlib.Path:
        return self.folder / "results" / f"{key}.json"
