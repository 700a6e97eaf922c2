"""1,000 labels and 60,000 rows of MNIST: the test error of `ae_zoo.supervise`, beside what learns from the labels alone."""

import keras
import numpy as np
from sklearn.linear_model import LogisticRegression

import ae_zoo
from ae_zoo.chapter import few_labels
from ae_zoo.data import Digits
from benchmarks import common

MODELS: dict[str, dict[str, object]] = {
    "winner_take_all": {"code": 1000, "corruption": "masking"},
    "contractive": {"code": 500},
}


def experiment(digits: Digits, seed: int) -> dict[str, dict[str, float]]:
    rows = few_labels.some(digits.y_train, seed)
    x, y = digits.x_train[rows], digits.y_train[rows]
    raw = LogisticRegression(max_iter=2000).fit(x, y)
    found = {"logistic regression on the pixels": 1 - raw.score(digits.x_test, digits.y_test)}
    for family, options in MODELS.items():
        model = ae_zoo.build(family, data=digits.x_train, seed=seed, **options)
        model.adapt(digits.x_train)  # the same start, with random weights
        plan = {"seed": seed, "verbose": 0}
        found[f"{family}, random weights"] = error(ae_zoo.supervise(model, x, y, **plan), digits)
        ae_zoo.fit(model, digits.x_train, **plan)
        for freeze in (True, False):
            classifier = ae_zoo.supervise(model, x, y, freeze=freeze, **plan)
            found[f"{family}, {'the head alone' if freeze else 'supervise'}"] = error(classifier, digits)
    return {name: {"test error, %": 100 * value} for name, value in found.items()}


def error(classifier: keras.Model, digits: Digits) -> float:
    """The share of the test digits that are taken for another digit."""
    return float(np.mean(classifier.predict(digits.x_test, verbose=0).argmax(axis=1) != digits.y_test))


def main() -> None:
    found = common.over_seeds(experiment, common.digits())
    wrong = {name: measures["test error, %"].mean() for name, measures in found.items()}
    for family in MODELS:
        alone = min(wrong[f"{family}, random weights"], wrong["logistic regression on the pixels"])
        common.verdict(f"{family}: test error", wrong[f"{family}, supervise"], alone, at_most=True, unit=" %")


if __name__ == "__main__":
    main()
