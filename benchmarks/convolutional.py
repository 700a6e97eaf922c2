"""The convolutional network against the dense stacked ones: test error at 30 codes after equal training time.

Each gets as many epochs as its own speed allows within the budget, so that its learning rate comes to rest in time.
"""

import time

import numpy as np

import ae_zoo
from ae_zoo.data import Digits
from benchmarks import common

MINUTES = 2.5
# What `build` and what `fit` are given beside their defaults: three wide layers need a lower learning rate than two.
NETWORKS = {
    "convolutional, defaults": ("convolutional", {}, {}),
    "stacked 300-100-30": ("stacked", {"hidden": (300, 100)}, {}),
    "stacked 1000-500-250-30": ("stacked", {"hidden": (1000, 500, 250)}, {"learning_rate": 2e-3}),
}


def rows_per_second(family: str, options: dict, x: np.ndarray) -> float:
    model = ae_zoo.build(family, x.shape[1:], code=30, seed=1, **options)
    return ae_zoo.fit(model, x[:20_000], epochs=2, verbose=0).rows_per_second


def experiment(digits: Digits, seed: int) -> dict[str, dict[str, float]]:
    train, test = (rows.reshape(-1, 28, 28) for rows in (digits.x_train, digits.x_test))
    found = {}
    for name, (family, options, training) in NETWORKS.items():
        # A tenth of the rows is held out; compiling and validation take a part of the budget.
        epochs = max(2, int(0.93 * 60 * MINUTES * rows_per_second(family, options, train) / (0.9 * len(train))))
        begin = time.perf_counter()
        model = ae_zoo.build(family, train.shape[1:], code=30, seed=seed, **options)
        ae_zoo.fit(model, train, epochs=epochs, minutes=MINUTES, seed=seed, verbose=0, **training)
        seconds = time.perf_counter() - begin
        found[name] = {"test MSE": model.reconstruction_error(test).mean(), "epochs": epochs, "seconds": seconds}
    return found


def main() -> None:
    digits = common.digits()
    pca = ae_zoo.PCA(30).fit(digits.x_train).reconstruction_error(digits.x_test).mean()
    print(f"  PCA, 30 components: test MSE {pca:.5f}", flush=True)
    ours, *dense = (each["test MSE"].mean() for each in common.over_seeds(experiment, digits).values())
    what = f"convolutional, of the better dense network's error at {MINUTES:g} minutes"
    common.verdict(what, 100 * ours / min(dense), 100, at_most=True, unit=" %")


if __name__ == "__main__":
    main()
