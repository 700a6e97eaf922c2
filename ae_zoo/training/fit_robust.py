"""Robust training of any model: it learns from the rows without the part that it cannot reconstruct."""

import dataclasses
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import keras
import numpy as np

from ae_zoo._support.checks import count
from ae_zoo.autoencoder import Autoencoder
from ae_zoo.errors import AEZooError, unknown
from ae_zoo.recipe import SPLITS
from ae_zoo.recipe import Split as SplitKind
from ae_zoo.training.run import TrainingResult, check_model, run
from ae_zoo.training.schedule import Plan, Validation
from ae_zoo.training.split import Split
from ae_zoo.typing import Array, Rows

if TYPE_CHECKING:
    import pandas as pd


@dataclasses.dataclass(frozen=True)
class RobustResult(TrainingResult):
    """What a robust run did, and the two parts of its rows: x = reconstructable + sparse + residual, bounded by `weight`.

    Attributes:
        reconstructable: the network's output for the rows without their sparse part `(n, *input_shape)`, in the data's
            units; of a table a frame.
        sparse: the sparse part `(n, *input_shape)`, in the data's units; of a table `(n, columns)`, dates in days, and 0 for
            missing cells and categories.
        scores: root mean square of each row's sparse part `(n,)`, on the model's scale; higher is stranger, and 0 means
            that the row's error is at most `weight`.
        weight: the root mean square error that stayed, on the model's scale.
        residuals: for each round, the norm of what is in neither part, divided by the norm of the rows.
        changes: for each round, the norm of the change in the sum of both parts, divided by the norm of the rows.
    """

    reconstructable: "Array | pd.DataFrame" = dataclasses.field(repr=False)
    sparse: Array = dataclasses.field(repr=False)
    scores: Array = dataclasses.field(repr=False)
    weight: float
    residuals: list[float]
    changes: list[float]

    def __str__(self) -> str:
        share = np.mean(self.scores > 0)
        return f"{super().__str__()}; {share:.1%} of the rows have a sparse part, residual {self.residuals[-1]:.3g}"


def fit_robust(
    model: Autoencoder,
    x: Rows,
    *,
    split: SplitKind | None = None,
    weight: float | None = None,
    rounds: int | None = None,
    validation: Validation = 0,
    callbacks: Sequence[keras.callbacks.Callback] = (),
    **options: Any,
) -> RobustResult:
    """Trains a model of any family on the part of the rows that it can reconstruct, and returns the rest as a sparse part.

    It alternates between two steps (Zhou and Paffenroth 2017, section 4): some epochs of `ae_zoo.fit` on the rows without
    their sparse part, then a new sparse part: what exceeds `weight` in the difference between the rows and the network's
    output. So the influence of gross errors and outliers on the network is bounded. All rounds are one run, with one
    optimizer and one schedule. The model keeps its last weights: the errors are those of rows with outliers, or of rows
    that change in each round, so they cannot mark the best epoch or stop the run.

    Of a table the numbers and dates are split, on the standardized scale: a row's root mean square is that of its present
    numbers. Categories are not split: the force with which a cell's cross-entropy pulls at the network has a bound, however
    unlikely the cell is.

    Args:
        model: the model to train, from `ae_zoo.build` or `ae_zoo.load`.
        x: rows `(n, *input_shape)` in the data's units.
        split: what is left out as a whole: `"elements"`, for gross errors in single values; `"rows"`, for outliers;
            `"features"`, for broken sensors. Default: the model's option `split`, if it has one, or `"rows"`.
        weight: the root mean square error that an element, a row or a feature may have without a sparse part, on the
            model's scale: with scaling="standard" 0.3 is 0.3 standard deviations. A large weight is plain training.
            Default: the model's option `split_weight`, if it has one, or the median row's error after the first round, so
            that half of the rows have a sparse part at first.
        rounds: how often the rows are split, at equal intervals, at most once in an epoch; by default 10.
        validation: as in `fit`; held-out rows are not trained on, but are split like the others.
        callbacks: as in `fit`.
        **options: other arguments of `fit`, without `checkpoint`, which would not hold the split, and without rows as `y`.

    Raises:
        AEZooError: as in `fit`, or the split is unknown, or the weight is not above 0.
        DivergedError: as in `fit`.
    """
    check_model(model)
    recipe = model.config.recipe
    split = split or recipe.split or "rows"
    weight = recipe.split_weight if weight is None else weight
    rounds = count("rounds", recipe.split_rounds if rounds is None else rounds)
    model.check_reconstructs()
    if np.isnan(model.scaling.line()[1]).all():
        raise AEZooError(
            "Robust training takes the numbers of a row apart, which needs numbers that are scaled by a straight line, and "
            "these rows have none; train this model with ae_zoo.fit."
        )
    if split not in SPLITS:
        raise unknown("split", split, SPLITS)
    if weight is not None and not weight > 0:
        raise AEZooError(f"weight must be above 0, the error that stays; received {weight!r}.")
    y = options.pop("y", None)
    plan = Plan(validation=validation, callbacks=callbacks, **options)
    if plan.checkpoint is not None:
        raise AEZooError("Robust training has no checkpoints, which would not hold the split; leave checkpoint out.")
    x = model.check_rows(x)
    model.check_targets(x)
    unknown_rows = ~model.schema.known(x)
    if unknown_rows.any():
        raise AEZooError(
            f"Row {int(unknown_rows.argmax())} has no cell that is present and counts, so it has no parts: leave it out."
        )
    if y is not None and model.config.target == "rows":
        raise AEZooError(
            "Robust training takes the rows without their sparse part as targets, so y can only be labels."
        )
    splitter = Split(model, x, split, weight, rounds)
    result = run(model, x, y, plan, splitter)
    splitter.step()  # by the weights that the model was left with
    assert splitter.weight is not None  # it was chosen by the first step
    return RobustResult(
        **vars(result),
        reconstructable=model.schema.rows(splitter.reconstructable),
        sparse=splitter.sparse * splitter.scale,
        scores=splitter.scores,
        weight=splitter.weight,
        residuals=splitter.residuals,
        changes=splitter.changes,
    )
