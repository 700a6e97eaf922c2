"""Two-dimensional codes against their prior, and 1,000 labels of MNIST.

The classifier's network is convolutional, where the paper's is dense (1,000-1,000): in 20 minutes on 2 cores it comes
further.
"""

import sys
import time

import numpy as np

import ae_zoo
from ae_zoo.chapter import few_labels
from ae_zoo.data import Digits
from ae_zoo.families.adversarial import priors
from benchmarks import common

MINUTES = 20
PRIOR_EPOCHS = 15
CLASSIFIER = {
    "n_classes": 10,
    "code": 10,
    "network": "convolutional",
    "hidden": (16, 32),
    "dense": (256,),
    "kernel": 3,
    "corruption": "gaussian",
    "corruption_amount": 0.5,
    "adversarial_weight": 0.01,
    "classification_weight": 0.02,
}
CLASSIFIER_EPOCHS, LEARNING_RATE = 20, 2e-3


def main() -> None:
    digits = common.digits()
    parts = sys.argv[1:] or ("prior", "labels")  # python -m benchmarks.adversarial labels
    if "prior" in parts:
        found = common.over_seeds(match_the_prior, digits)["codes"]
        common.verdict("largest error of mean or covariance", found["moments off by"].max(), 0.1, at_most=True)
        over = found["MMD over the limit"].max()
        common.verdict("MMD over the 99th percentile of two prior samples'", over, 1.0, at_most=True)
    if "labels" in parts:
        found = common.over_seeds(learn_from_few_labels, digits, {"test error, %": "1.60 (on a GPU)"})["classes"]
        common.verdict("test error", found["test error, %"].mean(), 4.0, at_most=True, unit=" %")
        common.verdict("training, the longest", found["minutes"].max(), MINUTES, at_most=True, unit=" min")


def match_the_prior(digits: Digits, seed: int) -> dict[str, dict[str, float]]:
    model = ae_zoo.build("adversarial", 784, code=2, seed=seed)
    ae_zoo.fit(model, digits.x_train, validation=0, epochs=PRIOR_EPOCHS, seed=seed, verbose=0)
    codes = model.encode(digits.x_test)
    off = max(np.abs(codes.mean(axis=0)).max(), np.abs(np.cov(codes.T) - np.eye(2)).max())
    found, limit = discrepancy(codes, seed)
    error = model.reconstruction_error(digits.x_test).mean()
    return {"codes": {"moments off by": off, "MMD": found, "MMD over the limit": found / limit, "test MSE": error}}


def discrepancy(codes: np.ndarray, seed: int, size: int = 2000, repeats: int = 200) -> tuple[float, float]:
    """(the MMD of `size` codes from as many prior samples, the 99th percentile of two prior samples')."""
    random = np.random.default_rng(seed)

    def prior() -> np.ndarray:
        return random.standard_normal((size, codes.shape[1]), "float32")

    null = [float(priors.mmd(prior(), prior())) for _ in range(repeats)]
    some = codes[random.permutation(len(codes))[:size]]
    return float(priors.mmd(some, prior())), float(np.quantile(null, 0.99))


def learn_from_few_labels(digits: Digits, seed: int) -> dict[str, dict[str, float]]:
    train, test = (rows.reshape(-1, 28, 28) for rows in (digits.x_train, digits.x_test))
    y = few_labels.hidden_but(digits.y_train, few_labels.balanced(digits.y_train, seed))
    model = ae_zoo.build("adversarial", (28, 28), seed=seed, **CLASSIFIER)
    plan = {"epochs": CLASSIFIER_EPOCHS, "minutes": MINUTES, "learning_rate": LEARNING_RATE}
    begin = time.perf_counter()
    ae_zoo.fit(model, train, y, validation=0, seed=seed, verbose=0, **plan)
    minutes = (time.perf_counter() - begin) / 60
    return {"classes": {"test error, %": 100 * np.mean(model.classify(test) != digits.y_test), "minutes": minutes}}


if __name__ == "__main__":
    main()
