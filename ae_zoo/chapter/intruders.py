"""Section 19.6.6: other digits among the fours, found."""

from collections.abc import Mapping
from typing import cast

import numpy as np
from sklearn.metrics import average_precision_score, precision_recall_curve

from ae_zoo import plots
from ae_zoo.chapter.run import Options, Run, tabulate
from ae_zoo.data import Digits
from ae_zoo.detection.detector import Detector
from ae_zoo.evaluation.pca import PCA
from ae_zoo.plots.style import Figure
from ae_zoo.report.page import Section
from ae_zoo.training.fit_robust import RobustResult

SHARE = 0.05  # of other digits among the fours


def mixture(digits: Digits, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """All fours and as many other digits as make up `SHARE`, in random order; and which rows are the others."""
    random = np.random.default_rng(seed)
    fours, others = (np.flatnonzero((digits.y_train == 4) == wanted) for wanted in (True, False))
    others = random.choice(others, round(len(fours) * SHARE / (1 - SHARE)), replace=False)
    rows = random.permutation(np.concatenate([fours, others]))
    return digits.x_train[rows], digits.y_train[rows] != 4


def ranked(scores: np.ndarray) -> np.ndarray:
    """The rows, the most suspect first; of equal ones, the first."""
    return np.argsort(-scores, kind="stable")


def measure(scores: np.ndarray, intruder: np.ndarray) -> dict[str, float]:
    """How well scores rank the intruders first: 1 is perfect, and chance has an average precision of their share."""
    precision, recall, _ = precision_recall_curve(intruder, scores)
    return {
        "average_precision": float(average_precision_score(intruder, scores)),
        "precision_at_outliers": float(intruder[ranked(scores)[: intruder.sum()]].mean()),
        "best_f1": float((2 * precision * recall / np.maximum(precision + recall, 1e-12)).max()),
    }


def figure(scores: Mapping[str, np.ndarray], x: np.ndarray) -> Figure:
    """The 15 first suspects by each of the scores."""
    return plots.tiles([x[ranked(each)[:15]] for each in scores.values()], rows=[*scores])


def section(run: Run) -> Section:
    """19.6.6: other digits among the fours, found."""
    section = Section("19.6.6", "Robust")
    x, intruder = mixture(run.digits, run.seed)
    network: Options = {"hidden": [100], "code": 10, "validation": 0, "shown": run.rows(300_000, 40_000)}
    errors = run.train("robust-plain", "undercomplete", x, **network).model.reconstruction_error(x)
    # Half of the rows are then copied worse than is free.
    trained = run.train("robust", "robust", x, split_weight=float(np.sqrt(np.median(errors))), **network)
    scores = {
        "robust": cast(RobustResult, trained.result).scores,
        "plain network": errors,
        "trimmed PCA": Detector(PCA(10).fit(x)).refit(x).score(x),
    }
    section.results |= {name: measure(each, intruder) for name, each in scores.items()}
    section.text(
        f"{(~intruder).sum():,} fours, and {intruder.sum()} other digits slipped in among them. A network learns to copy "
        "whatever it is shown, intruders included, and then sees nothing strange in them. The robust one may lay aside, at "
        "a price, what it cannot copy cheaply, and learns from the rest. What it laid aside is the list of suspects."
    )
    section.picture("19-6-6-suspects", figure(scores, x), "The 15 first suspects of each.")
    columns = {
        "average precision": "{average_precision:.3f}",
        f"intruders among the first {intruder.sum()}": "{precision_at_outliers:.3f}",
        "best F1": "{best_f1:.2f}",
        "the paper's": "{paper}",
    }
    tabulate(
        section,
        {name: {**each, "paper": "0.64" if name == "robust" else ""} for name, each in section.results.items()},
        columns,
        f"1 is perfect; a blind guess has an average precision of {SHARE:g}. PCA has 10 components, and is fitted again "
        "to the least strange 75 %.",
    )
    return section
