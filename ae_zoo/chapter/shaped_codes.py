"""Section 19.6.5: codes of a wanted shape, and classes from few labels, by an adversarial game."""

from collections.abc import Iterable
from typing import Any

import numpy as np

from ae_zoo import plots
from ae_zoo.autoencoder import Autoencoder
from ae_zoo.chapter import few_labels
from ae_zoo.chapter.run import Options, Run
from ae_zoo.plots.style import Figure
from ae_zoo.report.page import Section

RING: Options = {"code": 2, "prior": "mixture", "n_classes": 10, "labels": "condition", "adversarial_weight": 0.3}
CLASSES: Options = {"code": 4, "n_classes": 10, "classification_weight": 0.2}


def moments(codes: np.ndarray, draws: np.ndarray) -> dict[str, Any]:
    """How far codes `(n, code)` are from draws of their prior in mean and standard deviation."""
    return {
        "largest_difference_of_means": float(np.abs(codes.mean(axis=0) - draws.mean(axis=0)).max()),
        "ratio_of_deviations": [float(ratio) for ratio in codes.std(axis=0) / draws.std(axis=0)],
    }


def by_label(model: Autoencoder, seeds: Iterable[int]) -> Figure:
    """A new digit of each label, a row a seed, so that what is not the label is the same in a row."""
    rows = [np.concatenate([model.generate(1, label=label, seed=seed) for label in range(10)]) for seed in seeds]
    return plots.tiles(rows, columns=[*map(str, range(10))])


def section(run: Run) -> Section:
    """19.6.5: codes of a wanted shape, and classes from few labels."""
    section = Section("19.6.5", "Adversarial")
    digits = run.digits
    plan: Options = {"shown": run.rows(600_000, 110_000)}
    if run.short:
        plan |= {"hidden": [256, 256], "discriminator": [128, 128]}
    shaped = run.train("adversarial-mixture", "adversarial", y=digits.y_train, **RING, **plan).model
    section.text(
        "Two networks play a game. One tells codes from random draws of a shape that you choose; the encoder tries to "
        "fool it. When it cannot tell any more, the codes have that shape, and draws from it can be decoded to new digits. "
        "Nothing but draws are needed, so any shape will do: here ten flat clouds in a ring, and the labels of the "
        "training digits say which cloud is whose."
    )
    codes, draws = shaped.encode(digits.x_test), shaped.sample(3000, seed=run.seed)
    found = section.results["moments"] = moments(codes, draws)
    first, second = found["ratio_of_deviations"]
    section.picture(
        "19-6-5-codes",
        plots.prior(codes, draws, digits.y_test),
        f"Test digits' codes and the wanted shape. The means are at most {found['largest_difference_of_means']:.2f} apart; "
        f"the codes' standard deviations are {first:.2f} and {second:.2f} times the shape's.",
    )
    section.picture(
        "19-6-5-samples",
        by_label(shaped, range(run.seed, run.seed + 3)),
        "New digits: three draws from the cloud of each.",
    )
    few = few_labels.some(digits.y_train, run.seed)
    y = few_labels.hidden_but(digits.y_train, few)
    classes = run.train("adversarial-classes", "adversarial", y=y, **CLASSES, **plan).model
    wrong = float(np.mean(classes.classify(digits.x_test) != digits.y_test))
    other = 1 - few_labels.accuracy(lambda pixels: pixels, digits, few)
    section.results["classes"] = {"test_error": wrong, "logistic_regression_on_pixels": other}
    labels = f"{few_labels.LABELED:,} labels"
    section.text(
        f"The code can be split: one part says which digit it is, taught by {labels} and by a game of its own on "
        "all the other digits, and the rest holds how it is written. So a style can be held and the digit changed, as well "
        "as a short training has told the two apart."
    )
    section.picture(
        "19-6-5-styles",
        by_label(classes, range(run.seed, run.seed + 5)),
        "In each row one style, in all ten digits.",
    )
    section.table(
        ["", "here", "the paper"],
        [[f"test error with {labels}", f"{wrong:.2%}", "1.60%"]],
        f"Logistic regression on the pixels of the same {few_labels.LABELED:,} digits: {other:.2%}. The paper's figure has "
        "60,000 digits without labels beside them.",
    )
    return section
