"""What a search ranks by: figures of held-out rows, which can be compared between families and options.

The loss is not one of them. Where the weight of a penalty is among the options, the smallest loss is that without penalty.
"""

import dataclasses
from collections.abc import Callable, Sequence
from typing import Literal, TypeAlias

import numpy as np

from ae_zoo.autoencoder import Autoencoder
from ae_zoo.errors import AEZooError, entry, short
from ae_zoo.layers.corruption import corrupt
from ae_zoo.tuning.rows import Rows
from ae_zoo.typing import Array

NEIGHBORS = 15  # that vote in the objective "neighbors"
MOST = 10_000  # codes that a classifier is trained on
RENAMED = {"neighbours": "neighbors"}  # objectives of version 0.1

Noise: TypeAlias = tuple[str, float]
"""Kind and amount of a corruption, as `ae_zoo.corrupt` takes them."""


@dataclasses.dataclass(frozen=True)
class Objective:
    """A figure of a trained model.

    Attributes:
        name: the name of its column in the leaderboard.
        direction: whether the smallest or the largest figure is the best.
        measure: the function from a model and the rows to the figure.
        labels: what the labels `y` must be; none are needed where it is `""`.
        reconstructs: whether the figure depends on reconstructions.
        noise: of the held-out rows that are reconstructed, or None.
    """

    name: str
    direction: Literal["min", "max"]
    measure: Callable[[Autoencoder, Rows], float]
    labels: Literal["", "classes", "1 for an anomaly, 0 for none"] = ""
    reconstructs: bool = True
    noise: Noise | None = None

    def check(self, rows: Rows) -> None:
        """Raises `AEZooError` if the labels that it needs are missing, or such rows cannot have its noise."""
        if self.noise is not None:
            rows.schema.check_noise(self.noise[0])
        if not self.labels:
            return
        needed = (rows.y, rows.y_valid) if self.labels == "classes" else (rows.y_valid,)
        there = [labels for labels in needed if labels is not None]
        if len(there) < len(needed):
            raise AEZooError(
                f"The objective {self.name!r} needs labels ({self.labels}): give y (--labels), and validation=(rows, y) "
                "if you hold out rows of your own."
            )
        if self.labels == "classes":
            if min(labels.max() for labels in there) < 0:
                raise AEZooError(
                    f"The objective {self.name!r} needs labels from 0; all rows have -1, which is no label."
                )
        else:
            found = set(np.unique(there[0]).tolist())
            if found != {0, 1}:
                raise AEZooError(
                    f"The objective {self.name!r} needs held-out rows of both labels, 1 for an anomaly and 0 for none; "
                    f"received the labels {sorted(found)[:5]}."
                )


def objective(name: str, corruption: Sequence[str | float]) -> Objective:
    """Returns the objective of a name.

    Args:
        name: `"reconstruction"`, `"denoising"`, `"neighbors"`, `"linear"` or `"average_precision"`.
        corruption: kind and amount of the noise in the objective `"denoising"`.

    Raises:
        AEZooError: the name is unknown, or the noise is not legal.
    """
    kind, amount = noise(corruption)

    known = {
        "reconstruction": Objective("reconstruction", "min", lambda model, rows: rows.error(model)),
        "denoising": Objective(
            "denoising", "min", lambda model, rows: rows.error(model, rows.noisy(kind, amount)), noise=(kind, amount)
        ),
        "neighbors": Objective("neighbors", "max", _neighbors, "classes", reconstructs=False),
        "linear": Objective("linear", "max", _linear, "classes", reconstructs=False),
        "average_precision": Objective("average_precision", "max", _average_precision, "1 for an anomaly, 0 for none"),
    }
    if isinstance(name, str) and name in RENAMED:
        raise AEZooError(f"The objective {name!r} is now {RENAMED[name]!r}.")
    return entry("objective", name, known)


def noise(corruption: Sequence[str | float]) -> Noise:
    """Returns kind and amount of a corruption; raises `AEZooError` if they are not legal."""
    try:
        kind, amount = corruption
        if not isinstance(kind, str) or isinstance(amount, str):
            raise TypeError
    except (TypeError, ValueError):
        raise AEZooError(
            f"corruption must be a kind and an amount, such as ('masking', 0.3); received {short(corruption)}."
        ) from None
    corrupt(np.zeros((1, 1)), kind, amount)
    return kind, float(amount)


def _accuracy(model: Autoencoder, rows: Rows, classifier: Callable[[Array, Array, Array], Array]) -> float:
    """Returns the share of the labeled held-out rows that a classifier of codes names correctly.

    Args:
        model: the model that makes the codes.
        rows: the rows, with labels; -1 means no label.
        classifier: takes training codes `(n, code)`, their labels `(n,)` and other codes `(m, code)`, and returns the
            labels of the other codes `(m,)`.
    """
    y, y_valid = rows.parts["y"], rows.parts["y_valid"]
    known = np.flatnonzero(y >= 0)
    if len(known) > MOST:
        known = np.sort(np.random.default_rng(0).choice(known, MOST, replace=False))
    train, valid = (np.reshape(model.encode(x), (len(x), -1)) for x in (rows.x[known], rows.x_valid))
    labeled = y_valid >= 0
    return float(np.mean(classifier(train, y[known], valid)[labeled] == y_valid[labeled]))


def _neighbors(model: Autoencoder, rows: Rows) -> float:
    from sklearn.neighbors import KNeighborsClassifier

    def classified(train: Array, y: Array, valid: Array) -> Array:
        found: Array = KNeighborsClassifier(min(NEIGHBORS, len(train))).fit(train, y).predict(valid)
        return found

    return _accuracy(model, rows, classified)


def _linear(model: Autoencoder, rows: Rows) -> float:
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    def classified(train: Array, y: Array, valid: Array) -> Array:
        classifier = make_pipeline(StandardScaler(), LogisticRegression(max_iter=300))
        found: Array = classifier.fit(train, y).predict(valid)
        return found

    return _accuracy(model, rows, classified)


def _average_precision(model: Autoencoder, rows: Rows) -> float:
    from sklearn.metrics import average_precision_score

    return float(average_precision_score(rows.y_valid, model.reconstruction_error(rows.x_valid)))
