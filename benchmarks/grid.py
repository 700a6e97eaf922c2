"""The book's grid of five on MNIST with the zoo's defaults: seconds, and test error against PCA's."""

import time

import ae_zoo
from ae_zoo.chapter.undercomplete import GRID
from benchmarks import common


def main() -> None:
    digits = common.digits()
    total, rows = 0.0, []
    for hidden, code, _ in GRID:
        begin = time.perf_counter()
        model = ae_zoo.build("undercomplete", 784, hidden=hidden, code=code, seed=1)
        ae_zoo.fit(model, digits.x_train, verbose=0)
        seconds = time.perf_counter() - begin
        total += seconds
        error = model.reconstruction_error(digits.x_test).mean()
        pca = ae_zoo.PCA(code).fit(digits.x_train).reconstruction_error(digits.x_test).mean()
        name = "-".join(map(str, (*hidden, code, *reversed(hidden))))
        rows.append((name, error, pca, 50 if not hidden else 70))
        print(f"  {name:<20} test MSE {error:.5f}, PCA {pca:.5f}, {seconds:5.1f} s", flush=True)
    for name, error, pca, target in rows:
        common.verdict(f"{name}, of PCA's error", 100 * error / pca, target, at_most=True, unit=" %")
    common.verdict("all five", total, 60, at_most=True, unit=" s")


if __name__ == "__main__":
    main()
