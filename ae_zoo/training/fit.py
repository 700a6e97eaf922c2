"""The one-call trainer."""

import os
from collections.abc import Sequence

import keras

from ae_zoo.autoencoder import Autoencoder
from ae_zoo.errors import AEZooError
from ae_zoo.training.fit_robust import fit_robust
from ae_zoo.training.run import TrainingResult, check_model, run
from ae_zoo.training.schedule import Plan, Validation, Verbose
from ae_zoo.typing import Rows


def fit(
    model: Autoencoder,
    x: Rows,
    y: Rows | None = None,
    *,
    weights: Rows | None = None,
    validation: Validation = 0.1,
    epochs: int | None = None,
    batch_size: int | None = None,
    learning_rate: float | None = None,
    weight_decay: float | None = None,
    ema: float | None = None,
    optimizer: keras.optimizers.Optimizer | None = None,
    patience: int | None = None,
    minutes: float | None = None,
    seed: int = 1,
    checkpoint: str | os.PathLike[str] | None = None,
    callbacks: Sequence[keras.callbacks.Callback] = (),
    verbose: Verbose = "auto",
) -> TrainingResult:
    """Trains a model with defaults that work, and leaves it with the weights of its best epoch.

    The learning rate rises over the first 5 % of the steps, at least 60 and at most 200, and then falls along a cosine. A
    scaling that has seen no rows is fitted to the training rows. The steps are Keras's own, many in one compiled call. A run
    that collapses goes on from its best weights at a lower rate, and with held-out rows a run does not end worse than it
    began: see docs/training.md. The model is compiled for the run, and plainly again afterwards; to use your own metrics,
    call plain `model.fit`. A `robust` model is trained by `fit_robust`, whose result has more fields.

    Args:
        model: the model to train, from `ae_zoo.build` or `ae_zoo.load`.
        x: rows `(n, *input_shape)` in the data's units.
        y: depends on the family: rows `(n, *input_shape)` that the model must give back instead of `x`, or labels `(n,)`.
        weights: of the rows `(n,)`, 0 or more, in the loss and in the held-out error; only their proportions matter. Rows of
            weight 0 still count in the scaling. None weighs all rows alike.
        validation: the share of `x` to hold out, chosen by `seed`; or held-out rows `(m, *input_shape)`; or a pair of rows
            and their `y`; or 0 to hold out none.
        epochs: number of passes over the rows, at most. Default: so many that the run trains on about 430,000 rows in all
            (`model.config.recipe.rows_shown`), from 8 to 100.
        batch_size: rows in a batch; by default 256 (`model.config.recipe.batch_size`), less for fewer than 8,192 rows.
        learning_rate: Adam's highest rate. Default: 0.008 (`model.config.recipe.learning_rate`) at a batch of 256 rows,
            proportional to the square root of the batch size (the rule of Malladi et al. 2022, for the rate alone), less
            for wide and deep dense networks, and more for small ones.
        weight_decay: the share of each kernel that a step takes away, times the rate (Loshchilov and Hutter 2019); none by
            default.
        ema: the model gets exponential moving averages of the weights of its steps, in which the average before a step counts
            this much, such as 0.999 (Polyak and Juditsky 1992); no averages by default.
        optimizer: an optimizer instead of Adam and its schedule; `learning_rate`, `weight_decay` and `ema` are then ignored.
        patience: the run stops after this number of epochs without a better value of the family's metric on the held-out
            rows; by default half of `epochs`, at least 5.
        minutes: limit of wall-clock time. When it is over, the model keeps the best weights so far.
        seed: seed of the held-out rows, of the order of the batches and of the noise, from 0 to 2^32 - 1. The initial
            weights follow from `build`'s seed.
        checkpoint: file for the run's state, written after each epoch. The same call with the same file continues the run,
            and ends with the same weights as a run without interruption.
        callbacks: Keras callbacks of your own. A checkpoint holds what they change in the model and its optimizer, not
            their own state.
        verbose: 0 for silence, 1 for a progress bar, 2 for a line for each epoch, "auto" for Keras's choice.

    Raises:
        AEZooError: the model cannot take the rows, an argument is not legal, or the checkpoint belongs to another run.
        DivergedError: the loss or the weights became NaN or infinite after three rescues, or with an optimizer of your own;
            the model keeps the best weights so far.

    Example:
        >>> model = ae_zoo.build("stacked", data=x, hidden=[256], code=32)
        >>> result = ae_zoo.fit(model, x, minutes=5, checkpoint="run.npz")
    """
    check_model(model)
    plan = Plan(
        weights=weights,
        validation=validation,
        epochs=epochs,
        batch_size=batch_size,
        learning_rate=learning_rate,
        weight_decay=weight_decay,
        ema=ema,
        optimizer=optimizer,
        patience=patience,
        minutes=minutes,
        seed=seed,
        checkpoint=checkpoint,
        callbacks=callbacks,
        verbose=verbose,
    )
    if model.config.recipe.split is None:
        return run(model, x, y, plan)
    if y is not None:
        raise AEZooError(
            f"A {type(model).__name__} model takes no y, because it splits the rows itself: call fit(model, x)."
        )
    return fit_robust(model, x, **vars(plan))
