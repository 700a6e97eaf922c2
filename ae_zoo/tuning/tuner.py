"""Keras Tuner, which decides what is tried next: the space in its terms, its oracles, and its loop around our trials.

No search resumes from Keras Tuner's own files: they are not written whole, and those of a grid and of the Bayesian oracle
lack a part of the state. Instead, an oracle starts from the beginning, and each trial that has a result is looked up.
"""

import json
import os
import pathlib
import time
from collections.abc import Callable, Mapping
from typing import Any, Literal

import keras_tuner
from keras_tuner.engine import base_tuner
from keras_tuner.errors import FailedTrialError, FatalError
from keras_tuner.src import config

from ae_zoo.tuning.dimensions import Choice, Dimension, Values
from ae_zoo.tuning.space import Candidate, Space
from ae_zoo.tuning.trials import Result

FAMILY = "family"
NO_LIMIT = 10**6  # trials


class Combinations(keras_tuner.Oracle):
    """Goes through a list of candidates in order. It has no state, so any number of workers can share it."""

    def __init__(self, number: int, **options: Any) -> None:
        super().__init__(**options)
        self.number = number

    def populate_space(self, trial_id: str) -> Values:
        if int(trial_id) >= self.number:
            return {"status": "STOPPED"}
        return {"status": "RUNNING", "values": {"combination": int(trial_id)}}


def oracle(
    kind: str, space: Space, direction: Literal["min", "max"], seed: int, trials: int | None, epochs: int | None
) -> keras_tuner.Oracle:
    """Returns an oracle, which decides what is tried next.

    Args:
        kind: `"random"`, `"bayesian"` or `"hyperband"`. A list of combinations is tried in order, whatever the kind.
        space: what is drawn from.
        direction: whether the smallest or the largest score is the best.
        seed: at least 1, because Keras Tuner takes 0 for no seed.
        trials: the number of trials; None for the whole list, or for no limit.
        epochs: the epochs of Hyperband's longest trainings.
    """
    shared: dict[str, Any] = {
        "objective": keras_tuner.Objective("score", direction),
        "seed": seed,
        # A trial that cannot be run is a result like any other; the search goes on.
        "max_consecutive_failed_trials": NO_LIMIT,
    }
    limit = NO_LIMIT if trials is None else trials
    if space.combinations is not None:
        number = len(space.combinations)
        parameters = keras_tuner.HyperParameters()
        parameters.Int("combination", 0, max(number - 1, 1))
        return Combinations(min(number, limit), max_trials=NO_LIMIT, hyperparameters=parameters, **shared)
    shared["hyperparameters"] = parameters = hyperparameters(space)
    if kind == "random":
        return keras_tuner.oracles.RandomSearchOracle(max_trials=limit, **shared)
    if kind == "bayesian":
        first = min(2 * len(parameters.space), 10)  # not by the limit, which may be raised later
        return keras_tuner.oracles.BayesianOptimizationOracle(max_trials=limit, num_initial_points=first, **shared)
    return keras_tuner.oracles.HyperbandOracle(max_epochs=epochs, **shared)


def hyperparameters(space: Space) -> keras_tuner.HyperParameters:
    """Returns the space in Keras Tuner's terms; a family's dimensions are drawn only with that family."""
    found = keras_tuner.HyperParameters()
    families = list(space.dimensions)
    if len(families) == 1:
        _add_all(found, families[0], space.dimensions[families[0]])
        return found
    found.Choice(FAMILY, families)
    for family in families:
        with found.conditional_scope(FAMILY, [family]):
            _add_all(found, family, space.dimensions[family])
    return found


def candidate(space: Space, values: Values) -> Candidate:
    """Returns the candidate that an oracle's values stand for."""
    if space.combinations is not None:
        return space.combinations[values["combination"]]
    family = values.get(FAMILY) or next(iter(space.dimensions))
    drawn = {
        name: _value(space.dimensions[family][name], values[f"{family}.{name}"])
        for name in space.dimensions[family]
        if f"{family}.{name}" in values
    }
    found = space.candidate(family, drawn)
    if "tuner/epochs" in values:  # Hyperband's; no training continues another, so that each has a whole rate schedule
        found.training["epochs"] = values["tuner/epochs"]
    return found


class Tuner(base_tuner.BaseTuner):
    """Runs trials until the oracle has no more, or the time is up.

    Where the environment says that this process is a chief, it answers the workers instead.

    Args:
        oracle: decides what is tried next.
        space: what the oracle's values belong to.
        run: the function from a candidate and its number, from 1, to its result.
        out_of_time: returns True if no other trial may begin.
        folder: the folder of Keras Tuner's files.
    """

    def __init__(
        self,
        oracle: keras_tuner.Oracle,
        space: Space,
        run: Callable[[Candidate, int], Result],
        out_of_time: Callable[[], bool],
        folder: pathlib.Path,
    ) -> None:
        self.space, self.run, self.out_of_time = space, run, out_of_time
        super().__init__(oracle, directory=str(folder.parent), project_name=folder.name, overwrite=False)
        if isinstance(self.oracle, keras_tuner.Oracle):
            self.oracle.verbose = 0

    def finished(self) -> bool:
        """Runs the trials; returns True if the oracle had no more trials before the time was up."""
        told, config.DEBUG = config.DEBUG, False  # which prints a traceback for each trial that cannot be run
        self._waits = False
        try:
            self.search()
        except _TimeIsUp:
            return False
        except FatalError as error:
            raise (error.__cause__ or error) from None
        finally:
            config.DEBUG = told
        return True

    def pre_create_trial(self) -> None:
        if self.out_of_time():
            raise _TimeIsUp
        if self._waits:  # the oracle had no trial yet, and is asked again
            time.sleep(0.2)
        self._waits = True

    def on_trial_begin(self, trial: keras_tuner.engine.trial.Trial) -> None:
        self._waits = False

    def run_trial(self, trial: keras_tuner.engine.trial.Trial) -> dict[str, float]:
        try:
            result = self.run(candidate(self.space, trial.hyperparameters.values), int(trial.trial_id) + 1)
        except Exception as error:  # not of the trial, whose errors are in its result, but of the disk, for example
            raise FatalError from error
        if result.score is None:
            raise FailedTrialError(result.reason)
        return {"score": result.score}

    def save(self) -> None:
        """Does nothing, because no search resumes from Keras Tuner's files."""


class _TimeIsUp(Exception):
    """The time of the search is up."""


def serve(host: str, port: int, tuner_id: str) -> None:
    """Tells Keras Tuner, by the environment, what this process is: the chief at an address, or one of its workers."""
    os.environ |= {
        "KERASTUNER_ORACLE_IP": host,
        "KERASTUNER_ORACLE_PORT": str(port),
        "KERASTUNER_TUNER_ID": tuner_id,
    }


def _add_all(found: keras_tuner.HyperParameters, family: str, dimensions: Mapping[str, Dimension]) -> None:
    """Adds a family's dimensions, each under its name; a width is drawn only where there is a hidden layer."""
    depth = dimensions.get("depth")
    for name, dimension in dimensions.items():
        depths = depth.values if name == "width" and isinstance(depth, Choice) else ()
        if 0 not in depths:
            _add(found, f"{family}.{name}", dimension)
        elif any(depths):
            with found.conditional_scope(f"{family}.depth", [depth for depth in depths if depth]):
                _add(found, f"{family}.{name}", dimension)


def _add(found: keras_tuner.HyperParameters, name: str, dimension: Dimension) -> None:
    if isinstance(dimension, Choice):
        # Keras Tuner's choices are of one type and no lists. Numbers stay numbers, because their order means something.
        numbers = {type(value) for value in dimension.values} in ({int}, {float})
        found.Choice(name, [value if numbers else json.dumps(value) for value in dimension.values])
        return
    sampling = "log" if dimension.log else "linear"
    add = found.Int if dimension.whole else found.Float
    add(name, dimension.low, dimension.high, sampling=sampling)


def _value(dimension: Dimension, drawn: Any) -> Any:
    if isinstance(dimension, Choice):
        return json.loads(drawn) if isinstance(drawn, str) else drawn
    return int(drawn) if dimension.whole else round(float(drawn), 10)
