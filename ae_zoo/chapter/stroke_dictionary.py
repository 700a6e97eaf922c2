"""Section 19.6.4: a dictionary of strokes, by winners that take all."""

import numpy as np
from sklearn.svm import LinearSVC

from ae_zoo import plots
from ae_zoo.autoencoder import Autoencoder
from ae_zoo.chapter.run import Run
from ae_zoo.report.page import Section


def features(model: Autoencoder, train: np.ndarray, test: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Codes of two sets of rows, without the sparsity, divided by the root mean square of the first's."""
    train, test = model.encode(train), model.encode(test)
    size = np.sqrt(np.mean(np.square(train)))
    return train / size, test / size


def dead(codes: np.ndarray) -> float:
    """The share of the units that no row excites."""
    return float(np.mean(codes.max(axis=0) <= 0))


def svm_error(
    train: tuple[np.ndarray, np.ndarray], test: tuple[np.ndarray, np.ndarray], *, cost: float = 0.01, seed: int = 1
) -> float:
    """The share of the test rows that a linear SVM takes for another digit. Both are rows and labels."""
    return float(1 - LinearSVC(C=cost, random_state=seed).fit(*train).score(*test))


def section(run: Run) -> Section:
    """19.6.4: the dictionary, and what a straight-line classifier reads off it."""
    section = Section("19.6.4", "Winner-take-all")
    digits, code, some = run.digits, 1000 if run.short else 2000, slice(0, 10_000)
    shown = run.rows(400_000, 100_000)
    model = run.train("winner-take-all", "winner_take_all", code=code, shown=shown, validation=0).model
    train, test = features(model, digits.x_train[some], digits.x_test)
    wrong = svm_error((train, digits.y_train[some]), (test, digits.y_test), seed=run.seed)
    section.results |= {"svm_test_error": wrong, "dead_units": dead(train), "units": code, "svm_rows": len(train)}
    section.text(
        f"There are {code:,} units, more than a digit has pixels, but each may speak only for the 5 % of the digits in a "
        "batch that excite it most. So nobody speaks always, and each unit comes to stand for one thing of its own: the "
        "longer it is trained, the more a piece of a stroke. A straight-line classifier can read digits off such pieces."
    )
    section.picture(
        "19-6-4-filters",
        plots.filters(np.transpose(model.get_layer("reconstruction").kernel)[:, train.max(axis=0) > 0], most=64),
        "What each of 64 units that some digit excites adds to the picture when it speaks.",
    )
    section.table(
        ["", "here", "the paper"],
        [["test error of a linear SVM on the codes", f"{wrong:.2%}", "1.20%"]],
        f"The SVM learns from {len(train):,} labeled digits, the paper's from 60,000. {dead(train):.1%} of the units are "
        "dead: nothing excites them.",
    )
    return section
