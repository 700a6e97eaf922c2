"""What a search ranks by: figures that compare across families and options, on held-out rows.

Never the loss: with a penalty's weight among the options, the least loss is that of no penalty.
"""

import dataclasses
from collections.abc import Callable

import numpy as np

from ae_zoo.autoencoder import Autoencoder
from ae_zoo.errors import AEZooError, unknown
from ae_zoo.layers.corruption import corrupt
from ae_zoo.schemas import SCALINGS
from ae_zoo.tuning.rows import Rows

NEIGHBORS, MOST = 15, 10_000  # of the probes: neighbors, and training codes


@dataclasses.dataclass(frozen=True)
class Objective:
    """A figure of a trained model.

    Attributes:
        name: of the column in the leaderboard.
        direction: `"min"` or `"max"`.
        measure: the model and the rows to the figure.
        labels: what `y` must hold: nothing, classes, or 1 for an anomaly and 0 for none.
        reconstructs: whether the figure is of reconstructions.
    """

    name: str
    direction: str
    measure: Callable[[Autoencoder, Rows], float]
    labels: str = ""
    reconstructs: bool = True

    def check(self, rows: Rows) -> None:
        """Raises `ValueError` where the labels that it needs are missing."""
        if not self.labels:
            return
        if rows.y_valid is None or (self.labels == "classes" and rows.y is None):
            raise AEZooError(
                f"The objective {self.name!r} needs labels ({self.labels}): give y (--labels), and validation=(rows, y) "
                "where rows of your own are held out."
            )
        if self.labels == "classes":
            if min(rows.y.max(), rows.y_valid.max()) < 0:
                raise AEZooError(f"The objective {self.name!r} needs labels from 0; all rows have -1, which is none.")
        else:
            found = set(np.unique(rows.y_valid).tolist())
            if found != {0, 1}:
                raise AEZooError(
                    f"The objective {self.name!r} needs held-out rows of both kinds, 1 for an anomaly and 0 for none; "
                    f"received the labels {sorted(found)[:5]}."
                )


def objective(name: str, corruption: tuple[str, float]) -> Objective:
    """The objective of a name.

    Args:
        name: `"reconstruction"`, `"denoising"`, `"neighbors"`, `"linear"` or `"average_precision"`.
        corruption: kind and amount of the noise that `"denoising"` is judged under.
    """

    def denoising(model: Autoencoder, rows: Rows) -> float:
        kind, amount = corruption
        low, high = SCALINGS[rows.scaling].extremes
        center = rows.x.mean(axis=0) if rows.scaling != "none" else np.float32(0)
        noisy = corrupt((rows.x_valid - center) / rows.spread, kind, amount, low=low, high=high, seed=1)
        return rows.error(model.reconstruct(noisy * rows.spread + center))

    if name == "denoising":
        corrupt(np.zeros((1, 1)), *_pair(corruption))  # refuses what is no noise
    known = {
        "reconstruction": Objective(
            "reconstruction", "min", lambda model, rows: rows.error(model.reconstruct(rows.x_valid))
        ),
        "denoising": Objective("denoising", "min", denoising),
        "neighbors": Objective("neighbors", "max", _neighbors, "classes", reconstructs=False),
        "linear": Objective("linear", "max", _linear, "classes", reconstructs=False),
        "average_precision": Objective("average_precision", "max", _average_precision, "1 for an anomaly, 0 for none"),
    }
    if name not in known:
        raise unknown("objective", name, known)
    return known[name]


def _pair(corruption: tuple[str, float]) -> tuple[str, float]:
    try:
        kind, amount = corruption
        return kind, float(amount)
    except (TypeError, ValueError):
        raise AEZooError(
            f"corruption is a kind and an amount, ('masking', 0.3), say; received {corruption!r}."
        ) from None


def _codes(model: Autoencoder, rows: Rows) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Codes of some training rows with a label, their labels, and the codes of the held-out rows."""
    labelled = np.flatnonzero(rows.y >= 0)
    some = labelled if len(labelled) <= MOST else np.random.default_rng(0).choice(labelled, MOST, replace=False)
    train, valid = (np.reshape(model.encode(x), (len(x), -1)) for x in (rows.x[np.sort(some)], rows.x_valid))
    return train, rows.y[np.sort(some)], valid


def _right(found: np.ndarray, rows: Rows) -> float:
    """Share of the labelled rows that are named rightly."""
    labelled = rows.y_valid >= 0
    return float(np.mean(found[labelled] == rows.y_valid[labelled]))


def _neighbors(model: Autoencoder, rows: Rows) -> float:
    from sklearn.neighbors import KNeighborsClassifier

    train, y, valid = _codes(model, rows)
    classifier = KNeighborsClassifier(min(NEIGHBORS, len(train))).fit(train, y)
    return _right(classifier.predict(valid), rows)


def _linear(model: Autoencoder, rows: Rows) -> float:
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    train, y, valid = _codes(model, rows)
    classifier = make_pipeline(StandardScaler(), LogisticRegression(max_iter=300)).fit(train, y)
    return _right(classifier.predict(valid), rows)


def _average_precision(model: Autoencoder, rows: Rows) -> float:
    from sklearn.metrics import average_precision_score

    return float(average_precision_score(rows.y_valid, model.reconstruction_error(rows.x_valid)))
