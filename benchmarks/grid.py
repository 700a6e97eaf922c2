"""The book's grid of five on MNIST with the zoo's defaults: seconds, and test error against PCA's."""

import time

import ae_zoo
from ae_zoo.chapter import architectures
from benchmarks import common


def main() -> None:
    digits = common.digits()
    total, rows = 0.0, []
    for name, options in architectures.SPACE.items():
        begin = time.perf_counter()
        model = ae_zoo.build("undercomplete", 784, seed=1, **options)
        ae_zoo.fit(model, digits.x_train, verbose=0)
        seconds = time.perf_counter() - begin
        total += seconds
        error, pca, _ = architectures.measure(model, ae_zoo.PCA(options["code"]).fit(digits.x_train), digits).values()
        rows.append((name, error, pca, 70 if options["hidden"] else 50))
        print(f"  {name:<20} test MSE {error:.5f}, PCA {pca:.5f}, {seconds:5.1f} s", flush=True)
    for name, error, pca, target in rows:
        common.verdict(f"{name}, of PCA's error", 100 * error / pca, target, at_most=True, unit=" %")
    common.verdict("all five", total, 60, at_most=True, unit=" s")


if __name__ == "__main__":
    main()
