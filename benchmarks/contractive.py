"""Contractive codes against plain ones on MNIST: the Jacobian's norm, and a linear classifier on 1,000 labels.

The plain network is the same with contraction=0. It learns to reconstruct better, so it is shown twice: stopped where its
held-out error is that of the contractive one, and trained to the end. The bars are this project's own: at equal error at
most half of the plain network's norm, and at least one point more of accuracy.
"""

import keras
import numpy as np
from sklearn.linear_model import LogisticRegression

import ae_zoo
from ae_zoo.autoencoder import Autoencoder
from ae_zoo.chapter import few_labels, still_codes
from ae_zoo.data import Digits
from benchmarks import common

OPTIONS = {"input_shape": 784, "code": 500, "loss": "bce"}  # the paper's loss for MNIST
CONTRACTION = 1.0
STRENGTHS = 10.0 ** np.arange(-3, 4)


class StopAt(keras.callbacks.Callback):
    """Stops a run as soon as the held-out error is down to `error`; looks every few steps."""

    def __init__(self, error: float, x: np.ndarray) -> None:
        super().__init__()
        self.error, self.x = error, x

    def on_train_batch_end(self, batch: int, logs: dict | None = None) -> None:
        if batch % 5 == 0 and self.model.reconstruction_error(self.x).mean() <= self.error:
            self.model.stop_training = True


def trained(contraction: float, x: np.ndarray, held_out: np.ndarray, seed: int) -> Autoencoder:
    model = ae_zoo.build("contractive", contraction=contraction, seed=seed, **OPTIONS)
    ae_zoo.fit(model, x, validation=held_out, seed=seed, verbose=0)
    return model


def stopped(error: float, x: np.ndarray, held_out: np.ndarray, seed: int) -> Autoencoder:
    model = ae_zoo.build("contractive", contraction=0.0, seed=seed, **OPTIONS)
    model.adapt(x)
    model.fit(x, batch_size=256, epochs=10, callbacks=[StopAt(error, held_out)], verbose=0)
    return model


def accuracy(encode, x: np.ndarray, y: np.ndarray, x_test: np.ndarray, y_test: np.ndarray) -> float:
    """Of a logistic regression on the codes of a few labelled rows; its strength is chosen on a fifth of them."""
    codes, kept = encode(x), len(x) * 4 // 5

    def fitted(strength: float, rows: slice) -> LogisticRegression:
        return LogisticRegression(C=strength, max_iter=500).fit(codes[rows], y[rows])

    best = max(STRENGTHS, key=lambda c: fitted(c, slice(kept)).score(codes[kept:], y[kept:]))
    return fitted(best, slice(None)).score(encode(x_test), y_test)


def experiment(digits: Digits, seed: int) -> dict[str, dict[str, float]]:
    held_out, x = digits.x_train[-5000:], digits.x_train[:-5000]
    models = {"contractive": trained(CONTRACTION, x, held_out, seed)}
    error = models["contractive"].reconstruction_error(held_out).mean()
    models["plain, equal error"] = stopped(error, x, held_out, seed)
    models["plain, to the end"] = trained(0.0, x, held_out, seed)
    rows, found = few_labels.some(x, seed), {}
    for name, model in models.items():
        right = accuracy(model.encode, x[rows], digits.y_train[rows], digits.x_test, digits.y_test)
        found[name] = {**still_codes.measure(model, digits), "accuracy, %": 100 * right}
    return found


def main() -> None:
    found = common.over_seeds(experiment, common.digits())
    norm, error, right = found["contractive"].values()
    plain_norm, plain_error, plain_right = found["plain, equal error"].values()
    difference, share = abs(plain_error.mean() / error.mean() - 1), norm.mean() / plain_norm.mean()
    common.verdict("difference of the errors", 100 * difference, 2, at_most=True, unit=" %")
    common.verdict("|J|^2, of the plain network's", 100 * share, 50, at_most=True, unit=" %")
    common.verdict("accuracy gained", np.mean(right - plain_right), 1, at_most=False, unit=" points")


if __name__ == "__main__":
    main()
