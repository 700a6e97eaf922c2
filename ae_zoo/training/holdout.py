"""Which rows a run trains on, and which it holds out."""

import dataclasses
from typing import Any

import numpy as np

from ae_zoo.autoencoder import Autoencoder
from ae_zoo.errors import AEZooError


@dataclasses.dataclass(frozen=True)
class HeldOut:
    """Rows `(m, *input_shape)` that a run is judged on, and their `y`, if any."""

    x: np.ndarray
    y: np.ndarray | None = None

    @property
    def data(self) -> Any:
        """As Keras's `fit` takes them."""
        return self.x if self.y is None else (self.x, self.y)


def checked(
    model: Autoencoder, x: Any, y: Any, name: str = "x", *, learn: bool = False
) -> tuple[np.ndarray, np.ndarray | None]:
    """The rows and their `y`. Rows may lie outside what the output can reach where others are wanted back."""
    x = model.check_rows(x, name, learn=learn)
    y = None if y is None else model.check_y(y, x)
    if y is None or model.config.target == "labels":
        model.check_targets(x, name)
    return x, y


def hold_out(
    model: Autoencoder, x: np.ndarray, y: np.ndarray | None, validation: Any, seed: int
) -> tuple[np.ndarray, HeldOut | None]:
    """The indices of the training rows, and the rows held out; None for none.

    Args:
        validation: as of `ae_zoo.fit`.
    """
    labels = model.config.target == "labels"
    if not np.isscalar(validation):
        rows, targets = validation if isinstance(validation, tuple) else (validation, None)
        if targets is None and y is not None and not labels:
            raise AEZooError("The rows of validation need their y too, as it is what is wanted back: give (rows, y).")
        return np.arange(len(x)), HeldOut(*checked(model, rows, targets, "validation"))
    if isinstance(validation, str) or not 0 <= validation < 1:
        raise AEZooError(f"validation must be a share from 0 to below 1, or rows; received {validation!r}.")
    if not validation:
        return np.arange(len(x)), None
    count = max(1, round(validation * len(x)))
    if count >= len(x):
        raise AEZooError(
            f"{len(x)} rows cannot be split for validation={validation:g}; give more rows or validation=0."
        )
    # Rows with a label apart from those without: a few labels must not all be held out, as they would be where the
    # caller has chosen their rows by the same generator and seed.
    labeled = np.zeros(len(x), bool) if y is None or not labels else y >= 0
    of_labeled = min(round(count * labeled.mean()), max(0, labeled.sum() - 1))
    random, held = np.random.default_rng(seed), np.zeros(len(x), bool)
    for group, some in ((labeled, of_labeled), (~labeled, count - of_labeled)):
        held[random.permutation(np.flatnonzero(group))[:some]] = True
    return np.flatnonzero(~held), HeldOut(x[held], None if y is None else y[held])
