"""Contractive codes against plain ones on MNIST: the Jacobian's norm, and a linear classifier on 1,000 labels.

The plain network is the same with contraction=0. It learns to reconstruct better, so it is shown twice: stopped where its
held-out error is that of the contractive one, and trained to the end. The bars are this project's own: at equal error at
most half of the plain network's norm, and at least one point more of accuracy.
"""

import time

import keras
import numpy as np
from sklearn.linear_model import LogisticRegression

import ae_zoo
from ae_zoo.autoencoder import Autoencoder
from benchmarks import common

OPTIONS = {"input_shape": 784, "code": 500, "loss": "bce"}  # the paper's loss for MNIST
CONTRACTION = 1.0
LABELS = 1000
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


def main() -> None:
    digits = common.digits()
    held_out, x = digits.x_train[-5000:], digits.x_train[:-5000]
    figures: dict[str, list[tuple[float, float, float]]] = {}
    begin = time.perf_counter()
    for seed in common.seeds():
        models = {"contractive": trained(CONTRACTION, x, held_out, seed)}
        error = models["contractive"].reconstruction_error(held_out).mean()
        models["plain, equal error"] = stopped(error, x, held_out, seed)
        models["plain, to the end"] = trained(0.0, x, held_out, seed)
        rows = np.random.default_rng(seed).permutation(len(x))[:LABELS]
        for name, model in models.items():
            right = accuracy(model.encode, x[rows], digits.y_train[rows], digits.x_test, digits.y_test)
            figure = (
                model.reconstruction_error(digits.x_test).mean(),
                model.jacobian_norm(digits.x_test, batch_size=1024).mean(),
                100 * right,
            )
            figures.setdefault(name, []).append(figure)
            print(f"  seed {seed}, {name}: test MSE {figure[0]:.5f}, |J|^2 {figure[1]:.2f}, accuracy {figure[2]:.2f} %")
    print(f"  {time.perf_counter() - begin:.0f} s")
    for name, values in figures.items():
        for what, column in zip(("test MSE", "mean |J|^2", "accuracy %"), zip(*values, strict=True), strict=True):
            common.spread(f"{name}, {what}", list(column), "smaller norm, better features; no such figure")
    contractive, plain = (np.mean(figures[name], axis=0) for name in ("contractive", "plain, equal error"))
    common.verdict("difference of the errors", 100 * abs(plain[0] / contractive[0] - 1), 2, at_most=True, unit=" %")
    common.verdict("|J|^2, of the plain network's", 100 * contractive[1] / plain[1], 50, at_most=True, unit=" %")
    common.verdict("accuracy gained", contractive[2] - plain[2], 1, at_most=False, unit=" points")


if __name__ == "__main__":
    main()
