"""Keras Tuner, which decides what is tried next: the space in its terms, its oracles, and its loop around our trials.

Its own files are not what a search resumes from: they are not written whole, and a grid's and the Bayesian oracle's leave
out a part of their state. An oracle is asked again from the start instead, and finds each result where it was.
"""

import json
import os
import pathlib
import time
from collections.abc import Callable, Mapping
from typing import Any

import keras_tuner
from keras_tuner.engine import base_tuner
from keras_tuner.errors import FailedTrialError, FatalError
from keras_tuner.src import config

from ae_zoo.tuning.space import Candidate, Choice, Range, Space
from ae_zoo.tuning.trials import Result

FAMILY = "family"
NO_LIMIT = 10**6  # trials


class Combinations(keras_tuner.Oracle):
    """Goes through a list of candidates in order; any number of workers can share it, and it has no state to lose."""

    def __init__(self, number: int, **options: Any) -> None:
        super().__init__(**options)
        self.number = number

    def populate_space(self, trial_id: str) -> dict[str, Any]:
        if int(trial_id) >= self.number:
            return {"status": "STOPPED"}
        return {"status": "RUNNING", "values": {"combination": int(trial_id)}}


def oracle(
    kind: str, space: Space, direction: str, seed: int, trials: int | None, epochs: int | None
) -> keras_tuner.Oracle:
    """The oracle of a kind.

    Args:
        kind: `"random"`, `"bayesian"` or `"hyperband"`; a list of combinations is gone through, whatever it says.
        direction: of the objective.
        seed: at least 1, as Keras Tuner takes 0 for none.
        trials: at most; None for as many as there are, or as time allows.
        epochs: of Hyperband's longest trainings.
    """
    shared: dict[str, Any] = {
        "objective": keras_tuner.Objective("score", direction),
        "seed": seed,
        # A trial that cannot be run is a result like others; the search goes on.
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
        first = min(2 * len(parameters.space), 10)  # whatever the limit, which may be raised later
        return keras_tuner.oracles.BayesianOptimizationOracle(max_trials=limit, num_initial_points=first, **shared)
    return keras_tuner.oracles.HyperbandOracle(max_epochs=epochs, **shared)


def hyperparameters(space: Space) -> keras_tuner.HyperParameters:
    """The space in Keras Tuner's terms; each family's dimensions are drawn where the family is."""
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


def candidate(space: Space, values: dict[str, Any]) -> Candidate:
    """What an oracle's values stand for."""
    if "combination" in values:
        return space.combinations[values["combination"]]
    family = values.get(FAMILY) or next(iter(space.dimensions))
    drawn = {
        name: _value(space.dimensions[family][name], values[f"{family}.{name}"])
        for name in space.dimensions[family]
        if f"{family}.{name}" in values
    }
    found = space.candidate(family, drawn)
    if "tuner/epochs" in values:  # Hyperband's; each training is one of its own, whose learning rate comes to rest
        found.training["epochs"] = values["tuner/epochs"]
    return found


class Tuner(base_tuner.BaseTuner):
    """Runs trials until the oracle has no more, or the time is up.

    As a chief, which the environment says, it answers the workers instead.

    Args:
        run: a candidate and its number, from 1, to its result.
        out_of_time: whether no other trial may begin.
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
        """Runs the trials. Gives whether the oracle had no more before the time was up."""
        told, config.DEBUG = config.DEBUG, False  # it prints a traceback for each trial that cannot be run
        self._waits = False
        try:
            self.search()
        except _TimeIsUp:
            return False
        except FatalError as error:
            raise error.__cause__ from None
        finally:
            config.DEBUG = told
        return True

    def pre_create_trial(self) -> None:
        if self.out_of_time():
            raise _TimeIsUp
        if self._waits:  # the oracle had nothing yet, and is asked again
            time.sleep(0.2)
        self._waits = True

    def on_trial_begin(self, trial: Any) -> None:
        self._waits = False

    def run_trial(self, trial: Any) -> dict[str, float]:
        try:
            result = self.run(candidate(self.space, trial.hyperparameters.values), int(trial.trial_id) + 1)
        except Exception as error:  # not of the trial, whose own come as a result: the disk is full, say
            raise FatalError from error
        if result.score is None:
            raise FailedTrialError(result.reason)
        return {"score": result.score}

    def save(self) -> None:
        """Nothing: no search resumes from Keras Tuner's files."""


class _TimeIsUp(Exception):
    """The search's time is spent."""


def serve(host: str, port: int, tuner_id: str) -> None:
    """Tells Keras Tuner, by the environment, what this process is: its chief, or a worker of the chief there."""
    os.environ |= {
        "KERASTUNER_ORACLE_IP": host,
        "KERASTUNER_ORACLE_PORT": str(port),
        "KERASTUNER_TUNER_ID": tuner_id,
    }


def _add_all(found: keras_tuner.HyperParameters, family: str, dimensions: Mapping[str, Choice | Range]) -> None:
    """Adds a family's dimensions, each under its name; a width is drawn where there is a layer to have it."""
    for name, dimension in dimensions.items():
        depths = dimensions["depth"].values if name == "width" and "depth" in dimensions else ()
        if 0 not in depths:
            _add(found, f"{family}.{name}", dimension)
        elif any(depths):
            with found.conditional_scope(f"{family}.depth", [depth for depth in depths if depth]):
                _add(found, f"{family}.{name}", dimension)


def _add(found: keras_tuner.HyperParameters, name: str, dimension: Choice | Range) -> None:
    if isinstance(dimension, Choice):
        # Keras Tuner's choices are of one type, and no lists; numbers stay such, as their order means something.
        numbers = {type(value) for value in dimension.values} in ({int}, {float})
        found.Choice(name, [value if numbers else json.dumps(value) for value in dimension.values])
        return
    sampling = "log" if dimension.log else "linear"
    add = found.Int if dimension.whole else found.Float
    add(name, dimension.low, dimension.high, sampling=sampling)


def _value(dimension: Choice | Range, drawn: Any) -> Any:
    if isinstance(dimension, Choice):
        return json.loads(drawn) if isinstance(drawn, str) else drawn
    return int(drawn) if dimension.whole else round(float(drawn), 10)
