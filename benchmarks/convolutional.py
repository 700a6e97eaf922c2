"""The convolutional network against the dense stacked ones: test error at 30 codes after equal training time.

Each gets as many epochs as its own speed allows within the budget, so that its learning rate comes to rest in time.
"""

import time

import numpy as np

import ae_zoo
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


def main() -> None:
    digits = common.digits()
    train, test = (rows.reshape(-1, 28, 28) for rows in (digits.x_train, digits.x_test))
    pca = ae_zoo.PCA(30).fit(digits.x_train).reconstruction_error(digits.x_test).mean()
    print(f"  PCA, 30 components: test MSE {pca:.5f}", flush=True)
    means = {}
    for name, (family, options, training) in NETWORKS.items():
        rate = rows_per_second(family, options, train)
        # A tenth of the rows is held out; compiling and validation take a part of the budget.
        epochs = max(2, int(0.93 * 60 * MINUTES * rate / (0.9 * len(train))))
        errors = []
        for seed in common.seeds():
            begin = time.perf_counter()
            model = ae_zoo.build(family, train.shape[1:], code=30, seed=seed, **options)
            ae_zoo.fit(model, train, epochs=epochs, minutes=MINUTES, seed=seed, verbose=0, **training)
            seconds = time.perf_counter() - begin
            errors.append(float(model.reconstruction_error(test).mean()))
            print(f"    {name}, seed {seed}: {errors[-1]:.5f}, {epochs} epochs, {seconds:.0f} s", flush=True)
        means[name] = common.spread(f"{name} at {rate:,.0f} rows/s, test MSE", errors, "none at this code on MNIST")
    dense = min(means["stacked 300-100-30"], means["stacked 1000-500-250-30"])
    share = 100 * means["convolutional, defaults"] / dense
    common.verdict(
        f"convolutional, of the better dense network's error at {MINUTES:g} minutes",
        share,
        100,
        at_most=True,
        unit=" %",
    )


if __name__ == "__main__":
    main()
