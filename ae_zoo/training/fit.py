"""The one-call trainer."""

import os
from collections.abc import Sequence
from typing import Any

import keras

from ae_zoo.autoencoder import Autoencoder
from ae_zoo.errors import AEZooError
from ae_zoo.training.fit_robust import fit_robust
from ae_zoo.training.run import TrainingResult, run
from ae_zoo.training.schedule import Plan


def fit(
    model: Autoencoder,
    x: Any,
    y: Any = None,
    *,
    validation: float | Any = 0.1,
    epochs: int | None = None,
    batch_size: int | None = None,
    learning_rate: float | None = None,
    optimizer: keras.optimizers.Optimizer | None = None,
    patience: int | None = None,
    minutes: float | None = None,
    seed: int = 1,
    checkpoint: str | os.PathLike | None = None,
    callbacks: Sequence[keras.callbacks.Callback] = (),
    verbose: int | str = "auto",
) -> TrainingResult:
    """Trains a model with defaults that work, and leaves it with the weights of its best epoch.

    The learning rate warms up over the first 5 % of the steps and then falls along a cosine. An unfitted scaling is
    fitted to the training rows. The steps are Keras's own `fit`, compiled by XLA and run several at a call. The model is
    compiled for that, and plainly again afterwards, so metrics of your own go with plain `model.fit`. A model of a family
    that is trained on a part of its rows is handed to `fit_robust`, whose result has more to say.

    Args:
        model: from `ae_zoo.build`, or loaded.
        x: rows `(n, *input_shape)` in the data's units.
        y: what the family takes beside them `(n, ...)`: the rows that are wanted back instead of `x`, or labels.
        validation: the share of `x` to hold out, chosen by `seed`; or rows `(m, *input_shape)`; or a pair of rows and
            their `y`; or 0 for none.
        epochs: default: as many as show about 430,000 rows (`model.config.recipe` says), from 8 to 100.
        batch_size: default 256 (`model.config.recipe` says), smaller for less than 8,192 rows.
        learning_rate: the highest, for Adam; default 0.008 (`model.config.recipe` says) at a batch of 256, and as the square
            root of the batch size otherwise (the rule of Malladi et al. 2022, for the rate alone).
        optimizer: instead of Adam and its schedule; `learning_rate` is then not used.
        patience: epochs without a better validation reconstruction before stopping; default a fifth of `epochs`, at
            least 5.
        minutes: wall-clock budget; the best weights so far are kept when it is spent.
        seed: of the held-out rows, the order of the batches and the noise. The initial weights are `build`'s.
        checkpoint: a file for the run's state, written each epoch. The same call with the same file goes on from there
            and ends with the weights of a run that was never interrupted.
        callbacks: Keras callbacks of your own. A checkpoint holds what they change in the model and its optimizer, not
            what they keep to themselves.
        verbose: 0 silent, 1 progress bar, 2 a line an epoch, "auto" as Keras has it.

    Raises:
        ValueError: for rows that the model cannot take, or a checkpoint of another run.
        FloatingPointError: the loss became NaN or infinite; the model keeps the best weights so far.
    """
    plan = Plan(
        validation=validation,
        epochs=epochs,
        batch_size=batch_size,
        learning_rate=learning_rate,
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
        raise AEZooError(f"A {type(model).__name__} splits the rows themselves and takes no y: call fit(model, x).")
    return fit_robust(model, x, **vars(plan))
