"""`ae_zoo.search`: finds the best model for rows, and shows how the others did."""

import os
import pathlib
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import keras
import numpy.typing as npt

from ae_zoo._support import files
from ae_zoo.errors import SearchError
from ae_zoo.evaluation.peer import peer_of
from ae_zoo.factory import load
from ae_zoo.tables.schema import TableSchema
from ae_zoo.training.checkpoint import digest
from ae_zoo.tuning import leaderboard as board
from ae_zoo.tuning import supervisor, worker
from ae_zoo.tuning.leaderboard import SearchResult
from ae_zoo.tuning.linear import linear_errors
from ae_zoo.tuning.objectives import Noise, noise
from ae_zoo.tuning.rows import Rows, Validation
from ae_zoo.tuning.settings import Clock, Settings, lock
from ae_zoo.tuning.space import Candidate, Space
from ae_zoo.tuning.trials import Result, Trials
from ae_zoo.tuning.view import View
from ae_zoo.typing import Logs
from ae_zoo.typing import Rows as RowsLike


def search(
    family: str | Sequence[str],
    x: RowsLike,
    y: npt.ArrayLike | None = None,
    *,
    schema: TableSchema | None = None,
    space: Mapping[str, Any] | Sequence[Mapping[str, Any]] | None = None,
    tuner: str = "random",
    trials: int | None = None,
    minutes: float | None = None,
    trial_minutes: float | None = None,
    objective: str = "reconstruction",
    corruption: Noise = ("masking", 0.3),
    validation: Validation = 0.1,
    epochs: int | None = None,
    seeds: int = 1,
    finalists: int = 3,
    workers: int = 1,
    chief: str | None = None,
    seed: int = 1,
    directory: str | os.PathLike[str] = "search",
    tensorboard: bool = False,
    verbose: bool = True,
) -> SearchResult:
    """Searches for the best architecture with Keras Tuner; by default the one with the smallest held-out error.

    The same call with the same directory resumes a search that was interrupted, with the same result: finished trials are
    not run again. The decoder mirrors the encoder, so every draw is a network.

    Args:
        family: a name of `ae_zoo.list_families()`, or several names to search together.
        x: rows `(n, *input_shape)` in the data's units, or a table.
        y: labels `(n,)`, whole numbers, for objectives and families that need them.
        schema: what the columns of a table are, from `ae_zoo.schema`; by default guessed. It is the same for all trials, with
            the statistics of the training rows.
        space: what to try, in the place of the families' own ranges: a dict from options to a value (fixed), a list of
            values (a choice) or a pair `(low, high)` (a range); or a list of dicts, each a whole combination, which are
            tried in order. Options are the config's fields, and `depth` and `width` (of the first hidden layer),
            `learning_rate`, `batch_size` and `epochs`.
        tuner: `"random"`, `"grid"` (every combination of the lists in `space`), `"bayesian"` or `"hyperband"`.
        trials: the number of trials; by default 20, or as many as fit into `minutes`, or the whole grid.
        minutes: the time limit of the search, over all of its runs; the best model so far is returned.
        trial_minutes: the time limit of each training.
        objective: what ranks, on held-out rows: `"reconstruction"` (mean squared error, without penalties; of a table the
            error that is 1 for a model that always says what is usual),
            `"denoising"` (the error of reconstructions of corrupted rows), `"neighbors"` or `"linear"` (accuracy of a
            classifier of codes; `y` holds classes), or `"average_precision"` (of anomalies; `y` is 1 for an anomaly and
            0 for none, and no anomaly is trained on).
        corruption: kind and amount of the noise in the objective `"denoising"`.
        validation: the share of `x` to hold out; or held-out rows `(m, *input_shape)`; or a pair of rows and labels.
        epochs: the epochs of each training, by default those of `ae_zoo.fit`; with Hyperband, of the longest.
        seeds: the number of seeds with which the finalists are trained; they are ranked by their means.
        finalists: the number of finalists.
        workers: the number of processes on this machine, which share its cores; 1 is this process alone.
        chief: an address `"HOST:PORT"` where other machines join by `ae-zoo search --join`. It has no authentication,
            and everybody who reaches it can take part: use it only in a network that you trust.
        seed: the seed of what is drawn and of each training, at least 1.
        directory: the folder for the results, the best models, the log and the report; it is made if it is missing.
        tensorboard: whether to write the trials for TensorBoard's HParams into `directory/tensorboard`.
        verbose: whether to show the progress on the terminal; `search.log` always has it.

    Returns:
        The best model, its configuration and the leaderboard.

    Raises:
        AEZooError: an argument is not legal, or the directory belongs to another search or holds a damaged file.
        SearchError: no trial could be run, or the processes die again and again.
        KeyboardInterrupt: the search was interrupted before any trial was done; later, what was found is returned.

    Example:
        >>> found = ae_zoo.search("stacked", x_train, space={"code": 30, "depth": [1, 2]}, minutes=10)
        >>> found.model, found.leaderboard
    """
    folder = files.as_path("directory", directory)
    families = list(family) if isinstance(family, Iterable) and not isinstance(family, str) else [family]
    if chief is not None:
        supervisor.address(chief)  # before the rows are split
    rows = Rows.split(x, y, validation, seed, strange=objective == "average_precision", schema=schema)
    drawn = Space.of(
        families, space, rows.schema, len(rows.x), tuner == "grid", epochs if tuner != "hyperband" else None
    )
    if trials is None and minutes is None and drawn.combinations is None and tuner != "hyperband":
        trials = 20
    if tuner == "hyperband" and epochs is None:
        epochs = 27  # three halvings by a third, from 1 epoch on
    settings = Settings(
        families=families,
        space=drawn.to_dict(),
        data={name: digest(part) for name, part in rows.parts.items()},
        schema=rows.schema.to_dict(),
        objective=objective,
        corruption=list(noise(corruption)),
        tuner=tuner,
        seed=seed,
        epochs=epochs,
        trial_minutes=trial_minutes,
        trials=trials,
        minutes=minutes,
        workers=workers,
        seeds=seeds,
        finalists=finalists,
    )
    settings.check()
    settings.measure.check(rows)
    with lock(folder):
        settings.claim(folder)
        clock = Clock(folder, minutes, settings.drawing)
        with View(folder, settings, clock, verbose) as view:
            return _search(folder, settings, rows, clock, view, chief, tensorboard)


def _search(
    folder: pathlib.Path,
    settings: Settings,
    rows: Rows,
    clock: Clock,
    view: View,
    chief: str | None,
    tensorboard: bool,
) -> SearchResult:
    run = settings.trials_in(folder, rows)
    stopped = "all trials done"
    try:
        if settings.workers > 1 or chief is not None:
            rows.save(folder / "data")
            in_time = supervisor.supervise(folder, settings, run, clock, view, chief)
        else:
            in_time = _alone(folder, settings, run, clock, view)
        if not in_time:
            stopped = "time is up"
        if settings.seeds > 1:
            stopped = _repeat(settings, run, clock, view) or stopped
    except KeyboardInterrupt:
        if not any(result.score is not None for result in run.all()):
            view.say(
                f"Interrupted before any trial was done; the same command with the folder {folder} goes on from here."
            )
            raise
        stopped = "interrupted"
        view.say(f"Interrupted; the same command with the folder {folder} goes on from here.")
    finally:
        clock.finish()
    table = board.leaderboard(run, settings.seed)
    if table.empty or table[settings.objective].isna().all():
        reason = table["reason"].iloc[0] if len(table) else "the time was too short for one"
        raise SearchError(f"No trial could be run: {reason}")
    best, peer = run.read(table.index[0]), peer_of(rows.schema)
    board.keep_best(run, settings.seed)
    linear = linear_errors(folder, rows, board.some_codes(table, best.code, peer.sizes))
    model = load(run.model_path(best.key))
    notes = [f"{stopped.capitalize()} after {clock.seconds / 60:.1f} minutes; {len(table)} trials."]
    about = f"{len(rows.x):,} rows to train on, {len(rows.x_valid):,} held out; ranked by {settings.objective}."
    board.write(folder, table, settings.objective, peer, linear, about, notes, clock.seconds)
    if tensorboard:
        _tensorboard(folder / "tensorboard", run.all(), settings.objective)
    found = SearchResult(
        model=model,
        family=best.family,
        config=model.config.to_dict(),
        training=best.training,
        leaderboard=table,
        objective=settings.objective,
        stopped=stopped,
        folder=folder,
    )
    view.say(str(found))
    if best.error is not None and best.code is not None and best.code in linear:
        beside = f"that of {peer.called(best.code)} {linear[best.code]:.5f}"
        view.say(f"Its held-out error is {best.error:.5f}, {beside}.")
    view.say(f"Report: {folder / 'report.html'}")
    return found


def _alone(folder: pathlib.Path, settings: Settings, run: Trials, clock: Clock, view: View) -> bool:
    """Runs all trials in this process; returns True if the oracle had no more trials before the time was up."""

    def one(candidate: Candidate, number: int) -> Result:
        result = run.run(candidate, number, left=clock.left, callbacks=(_Watch(view, candidate),))
        view.done(result)
        run.prune()
        board.keep_best(run, settings.seed)
        clock.tick()
        return result

    worker.clear(folder)
    return worker.loop(folder, settings, one, clock)


def _repeat(settings: Settings, run: Trials, clock: Clock, view: View) -> str:
    """Trains the finalists with other seeds; returns why it stopped early, or `""`."""
    clock.share = 1.0
    pairs = ((best, extra) for best in run.ranked()[: settings.finalists] for extra in range(1, settings.seeds))
    for best, extra in pairs:
        if clock.left is not None and clock.left <= 0:
            return "time is up"
        candidate = Candidate(best.family, best.options, best.training)
        watch = _Watch(view, candidate)
        view.done(run.run(candidate, best.number, seed=settings.seed + extra, left=clock.left, callbacks=(watch,)))
        clock.tick()
    return ""


class _Watch(keras.callbacks.Callback):
    """Shows the epochs of a training."""

    def __init__(self, view: View, candidate: Candidate) -> None:
        super().__init__()
        self.view, self.candidate = view, candidate

    def on_train_begin(self, logs: Logs = None) -> None:
        self.view.running(self.candidate, 0, self.params["epochs"])

    def on_epoch_end(self, epoch: int, logs: Logs = None) -> None:
        self.view.running(self.candidate, epoch + 1, self.params["epochs"])


def _tensorboard(folder: pathlib.Path, results: Sequence[Result], objective: str) -> None:
    """Writes each trial that has a score as a run of TensorBoard's HParams."""
    import tensorflow as tf
    from tensorboard.plugins.hparams import api

    for result in results:
        if result.score is None:
            continue
        values = {"family": result.family, "seed": result.seed, **result.options, **result.training}
        plain = {k: v if isinstance(v, (int, float, str, bool)) else str(v) for k, v in values.items()}
        with tf.summary.create_file_writer(str(folder / result.key)).as_default():
            api.hparams(plain, trial_id=result.key)
            tf.summary.scalar(objective, result.score, step=result.epochs)
