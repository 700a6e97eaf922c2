"""The defaults on small real tables that come with scikit-learn: held-out error against PCA's at the same code size."""

import numpy as np
from sklearn.datasets import load_breast_cancer, load_diabetes, load_digits, load_wine

import ae_zoo
from benchmarks import common

TABLES = {"digits": load_digits, "breast cancer": load_breast_cancer, "diabetes": load_diabetes, "wine": load_wine}


def main() -> None:
    for name, loader in TABLES.items():
        x = loader().data.astype("float32")
        order = np.random.default_rng(0).permutation(len(x))
        train, test = x[order[: len(x) * 4 // 5]], x[order[len(x) * 4 // 5 :]]
        for code in (2, max(3, x.shape[1] // 4)):
            model = ae_zoo.build("undercomplete", data=train, code=code, seed=1)
            result = ae_zoo.fit(model, train, verbose=0)
            error = model.reconstruction_error(test).mean()
            pca = ae_zoo.PCA(code, scaling=model.config.scaling).fit(train).reconstruction_error(test).mean()
            what = f"{name}, {len(train):,} rows of {x.shape[1]}, code {code}, {result.seconds:.0f} s, of PCA's error"
            common.verdict(what, 100 * error / pca, 100, at_most=True, unit=" %")


if __name__ == "__main__":
    main()
