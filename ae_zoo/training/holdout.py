"""The choice of the rows that a run trains on and of those that it holds out."""

import dataclasses

import numpy as np

from ae_zoo.autoencoder import Autoencoder
from ae_zoo.errors import AEZooError
from ae_zoo.training.schedule import Validation
from ae_zoo.typing import Array, Rows


@dataclasses.dataclass(frozen=True)
class HeldOut:
    """The held-out rows `(m, *input_shape)` of a run, and their `y` or None."""

    x: Array
    y: Array | None = None

    @property
    def arrays(self) -> tuple[Array, ...]:
        """The rows, and their `y` if there are any."""
        return (self.x,) if self.y is None else (self.x, self.y)


def checked(
    model: Autoencoder, x: Rows, y: Rows | None, name: str = "x", *, learn: bool = False
) -> tuple[Array, Array | None]:
    """Returns the rows and their `y`. Rows may be outside the output's range if `y` are the rows to give back."""
    x = model.check_rows(x, name, learn=learn)
    y = None if y is None else model.check_y(y, x)
    if y is None or model.config.target == "labels":
        model.check_targets(x, name)
    return x, y


def hold_out(
    model: Autoencoder, x: Array, y: Array | None, validation: Validation, seed: int
) -> tuple[Array, HeldOut | None]:
    """Returns the indices of the training rows, and the held-out rows or None.

    Args:
        model: the model that will be trained.
        x: all rows `(n, *input_shape)`.
        y: their `y` `(n, ...)`, or None.
        validation: as in `ae_zoo.fit`.
        seed: chooses the rows.
    """
    labels = model.config.target == "labels"
    if isinstance(validation, str):
        raise AEZooError(f"validation must be a share from 0 to below 1, or rows; received {validation!r}.")
    if not isinstance(validation, float | int | np.number):
        if isinstance(validation, tuple) and len(validation) != 2:
            raise AEZooError(f"validation as a tuple is (rows, y); received {len(validation)} parts.")
        rows, targets = validation if isinstance(validation, tuple) else (validation, None)
        if targets is None and y is not None and not labels:
            raise AEZooError("The rows of validation need their y too, the rows to give back: give (rows, y).")
        return np.arange(len(x)), HeldOut(*checked(model, rows, targets, "validation"))
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
    return np.flatnonzero(~held), HeldOut(x[held], None if y is None else y[held])
