"""The choice of the rows that a run trains on and of those that it holds out."""

import dataclasses

import numpy as np

from ae_zoo._support import checks
from ae_zoo.autoencoder import Autoencoder
from ae_zoo.errors import AEZooError
from ae_zoo.training.schedule import Validation
from ae_zoo.typing import Array, Rows


@dataclasses.dataclass(frozen=True)
class Data:
    """Rows `(n, *input_shape)` for a run, checked, with their `y` and their weights `(n,)`, or None for either."""

    x: Array
    y: Array | None = None
    weights: Array | None = None

    @property
    def arrays(self) -> tuple[Array | None, ...]:
        """What a step takes: rows, `y` and weights, without what is missing at the end."""
        if self.weights is not None:
            return self.x, self.y, self.weights
        return (self.x,) if self.y is None else (self.x, self.y)

    def take(self, rows: Array) -> "Data":
        """Returns some of the rows, by index or by a mask; their weights have a mean of 1."""
        y = None if self.y is None else self.y[rows]
        return Data(self.x[rows], y, None if self.weights is None else _of_mean_one(self.weights[rows]))

    def balanced(self, rows: Array) -> "Data":
        """Returns all rows, with weights whose mean over the training rows is 1, and 0 for the others."""
        if self.weights is None:
            return self
        weights = np.zeros_like(self.weights)
        weights[rows] = _of_mean_one(self.weights[rows])
        return dataclasses.replace(self, weights=weights)


def checked(
    model: Autoencoder, x: Rows, y: Rows | None, weights: Rows | None = None, name: str = "x", *, learn: bool = False
) -> Data:
    """Returns the rows, their `y` and weights. Rows may be outside the output's range if `y` are the rows to give back."""
    coded = model.check_rows(x, name, learn=learn)
    y = None if y is None else model.check_y(y, coded)
    if y is None or model.config.target == "labels":
        model.check_targets(coded, name)
    found = Data(coded, y, None if weights is None else _of_mean_one(checks.weights(weights, len(coded))))
    if not model.schema.may_miss:
        return found
    # A row without a cell that counts says nothing, and would count as one without an error.
    known = model.schema.known(coded)
    if not known.any():
        raise AEZooError(f"No row of {name} has a cell that is present and counts.")
    return found.take(known)


def _of_mean_one(weights: Array) -> Array:
    """Returns weights in proportion, so that the mean of weighted losses is the weighted mean."""
    if not weights.any():
        raise AEZooError(
            "The weights of all training rows or of all held-out rows are 0: give validation rows, or another seed."
        )
    return (weights / weights.mean()).astype("float32")


def hold_out(model: Autoencoder, data: Data, validation: Validation, seed: int) -> tuple[Array, Data | None]:
    """Returns the indices of the training rows, and the held-out rows or None.

    Args:
        model: the model that will be trained.
        data: all rows.
        validation: as in `ae_zoo.fit`.
        seed: chooses the rows.
    """
    x, y = data.x, data.y
    labels = model.config.target == "labels"
    if isinstance(validation, str):
        raise AEZooError(f"validation must be a share from 0 to below 1, or rows; received {validation!r}.")
    if not isinstance(validation, float | int | np.number):
        if isinstance(validation, tuple) and len(validation) != 2:
            raise AEZooError(f"validation as a tuple is (rows, y); received {len(validation)} parts.")
        rows, targets = validation if isinstance(validation, tuple) else (validation, None)
        if targets is None and y is not None and not labels:
            raise AEZooError("The rows of validation need their y too, the rows to give back: give (rows, y).")
        return np.arange(len(x)), checked(model, rows, targets, name="validation")
    share = float(validation)
    if not 0 <= share < 1:
        raise AEZooError(f"validation must be a share from 0 to below 1, or rows; received {validation!r}.")
    if not share:
        return np.arange(len(x)), None
    count = max(1, round(share * len(x)))
    if count >= len(x):
        raise AEZooError(f"{len(x)} rows cannot be split for validation={share:g}; give more rows or validation=0.")
    # Rows with a label apart from those without: otherwise all of a few labels would be held out if the caller has chosen
    # their rows with the same generator and seed.
    labeled = np.zeros(len(x), bool) if y is None or not labels else y >= 0
    of_labeled = min(round(count * labeled.mean()), max(0, labeled.sum() - 1))
    random, held = np.random.default_rng(seed), np.zeros(len(x), bool)
    for group, some in ((labeled, of_labeled), (~labeled, count - of_labeled)):
        held[random.permutation(np.flatnonzero(group))[:some]] = True
    return np.flatnonzero(~held), data.take(held)
