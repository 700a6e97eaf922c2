"""Robust training of any model: what it cannot reconstruct is taken out of the rows that it learns from."""

import dataclasses
from collections.abc import Sequence
from typing import Any

import keras
import numpy as np

from ae_zoo._support.checks import count
from ae_zoo.autoencoder import Autoencoder
from ae_zoo.errors import AEZooError, unknown
from ae_zoo.families.configs import SPLITS
from ae_zoo.training.run import TrainingResult, run
from ae_zoo.training.schedule import Plan
from ae_zoo.training.split import Split


@dataclasses.dataclass(frozen=True)
class RobustResult(TrainingResult):
    """What a robust run did, and the two parts of its rows: x = reconstructable + sparse + a residual that `weight` bounds.

    Attributes:
        reconstructable: the network's output for the rows without their sparse part `(n, *input_shape)`, in the data's
            units.
        sparse: the sparse part `(n, *input_shape)`, in the data's units.
        scores: root mean square of each row's sparse part `(n,)`, on the model's scale; higher is stranger, and 0 is a
            row that the network reconstructs as well as `weight` asks.
        weight: the root mean square error that stayed, on the model's scale.
        residuals: after each round the norm of what is in neither part, over the norm of the rows.
        changes: after each round the norm of the change in the two parts' sum, over the norm of the rows.
    """

    reconstructable: np.ndarray = dataclasses.field(repr=False)
    sparse: np.ndarray = dataclasses.field(repr=False)
    scores: np.ndarray = dataclasses.field(repr=False)
    weight: float
    residuals: list[float]
    changes: list[float]

    def __str__(self) -> str:
        share = np.mean(self.scores > 0)
        return f"{super().__str__()}; {share:.1%} of the rows have a sparse part, residual {self.residuals[-1]:.3g}"


def fit_robust(
    model: Autoencoder,
    x: Any,
    *,
    split: str | None = None,
    weight: float | None = None,
    rounds: int | None = None,
    validation: float | Any = 0,
    callbacks: Sequence[keras.callbacks.Callback] = (),
    **options: Any,
) -> RobustResult:
    """Trains a model of any family on the part of the rows that it can reconstruct, and gives the rest as a sparse part.

    It alternates between two steps (Zhou and Paffenroth 2017, section 4): some epochs of `ae_zoo.fit` on the rows less
    their sparse part, then the sparse part anew, as what exceeds `weight` in the difference between the rows and the
    network's output. So gross errors and outliers pull on the network with a bounded force. All rounds are one run, with
    one optimizer and one schedule. The model is left with its last weights: errors on rows with outliers, or of rows that
    change each round, choose no epoch and stop nothing.

    Args:
        model: from `ae_zoo.build`, or loaded.
        x: rows `(n, *input_shape)` in the data's units.
        split: what is left out as a whole: `"elements"`, for gross errors here and there; `"rows"`, for outliers;
            `"features"`, for broken sensors. Default: the model's own `split`, where it has one, or `"rows"`.
        weight: the root mean square error that an element, a row or a feature may have and stay, on the model's scale:
            with scaling="standard" 0.3 is 0.3 standard deviations. The sparse part is what exceeds it; large weights
            are plain training. Default: the model's own `split_weight`, where it has one, or the median row's error
            after the first round, so that half of the rows have a sparse part at first.
        rounds: how often the rows are split, at equal intervals; at most once an epoch. Default 10.
        validation: as of `fit`; held-out rows are not trained on, and are split as the others.
        callbacks, **options: as of `fit`, but for a checkpoint, which would not hold the split, and rows as `y`.

    Raises:
        ValueError: as `fit` does, or for an unknown split or a weight that is not above 0.
    """
    recipe = model.config.recipe
    split = split or recipe.split or "rows"
    weight = recipe.split_weight if weight is None else weight
    rounds = count("rounds", recipe.split_rounds if rounds is None else rounds)
    model.check_reconstructs()
    if split not in SPLITS:
        raise unknown("split", split, SPLITS)
    if weight is not None and not weight > 0:
        raise AEZooError(f"weight must be above 0, the error that may stay; received {weight!r}.")
    y = options.pop("y", None)
    plan = Plan(validation=validation, callbacks=callbacks, **options)
    if plan.checkpoint is not None:
        raise AEZooError("Robust training has no checkpoints, which would not hold the split; leave checkpoint out.")
    x = model.check_rows(x)
    model.check_targets(x)
    if y is not None and model.config.target == "rows":
        raise AEZooError("The rows less their sparse part are the targets of robust training; y can only be labels.")
    splitter = Split(model, x, split, weight, rounds)
    result = run(model, x, y, plan, splitter)
    splitter.step()  # by the weights that the model was left with
    rms = np.sqrt(np.mean(np.square(splitter.sparse.reshape(len(x), -1)), axis=1))
    return RobustResult(
        **vars(result),
        reconstructable=splitter.reconstructable,
        sparse=splitter.sparse * splitter.scale,
        scores=rms,
        weight=splitter.weight,
        residuals=splitter.residuals,
        changes=splitter.changes,
    )
