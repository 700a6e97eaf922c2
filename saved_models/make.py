"""The zoo of trained models, exported beside this file: one of digits for each family, and one of a table.

    python saved_models/make.py [FAMILY...] [penguins]

Each is at most 1.5 MB. The digits are full MNIST. Models that reconstruct are exported as detectors, whose threshold lets
1 % of the first 5,000 test digits pass for strange; the figures on the cards are of the last 5,000. The table is the Palmer
penguins (Horst, Hill and Gorman 2020; CC0): 236 birds to learn from, 54 for the threshold, and 54 for the figures.
"""

import pathlib
import shutil
import sys

import numpy as np
import pandas as pd

import ae_zoo
from ae_zoo._support import versions
from ae_zoo.chapter.stroke_dictionary import svm_error

HERE = pathlib.Path(__file__).parent
SEED = 1
LIMIT = 1.5e6  # bytes of a version
PENGUINS = "penguins"

MODELS = {
    "undercomplete": {"code": 32, "hidden": [128]},
    "stacked": {"code": 16, "hidden": [160, 80]},
    "sparse": {"code": 100, "sparsity": -0.1},
    "denoising": {"code": 64, "hidden": [128]},
    "variational": {"code": 16, "hidden": [128]},
    "contractive": {"code": 160},
    "convolutional": {"code": 16, "hidden": [16, 32], "dense": [64]},
    "winner_take_all": {"code": 180},
    "adversarial": {"code": 8, "hidden": [128], "n_classes": 10, "classification_weight": 0.2},
    "robust": {},
}


def make(family: str, digits: ae_zoo.data.Digits) -> None:
    """Trains, exports and checks one model of digits."""
    shape = (28, 28) if family == "convolutional" else (784,)
    x_train, x_test = (x.reshape(-1, *shape) for x in (digits.x_train, digits.x_test))
    calibration, x_test, y_test = x_test[:5000], x_test[5000:], digits.y_test[5000:]
    model = ae_zoo.build(family, data=x_train, seed=SEED, **MODELS[family])
    labels = digits.y_train if model.config.target == "labels" else None
    ae_zoo.fit(model, x_train, labels, validation=0.1, seed=SEED, verbose=0)
    metrics = {}
    if model.config.target == "labels":
        metrics["test error of classes"] = float(np.mean(model.classify(x_test) != y_test))
    if not model.config.reconstructs:
        train, test = (model.encode(x_train[:20_000]), digits.y_train[:20_000]), (model.encode(x_test), y_test)
        metrics["test error of a linear SVM on 20,000 codes"] = svm_error(train, test, cost=0.1, seed=SEED)
    served = ae_zoo.Detector(model).calibrate(calibration) if model.config.reconstructs else model
    if model.config.reconstructs:
        metrics["share of test digits flagged"] = float(served.flag(x_test).mean())
    source = f"{digits.source}, the last 5,000 test digits"
    export(served, f"digits-{family}", x_train=x_train, x_test=x_test, source=source, metrics=metrics)


def make_penguins() -> None:
    """Trains, exports and checks the model of a table, whose figures are of birds with one cell hidden or wrong."""
    from palmerpenguins import load_penguins

    birds = load_penguins()
    order = np.random.default_rng(SEED).permutation(len(birds))
    learn, calibration, test = (birds.iloc[part] for part in np.split(order, [236, 290]))
    model = ae_zoo.build("undercomplete", data=learn, hidden=[64], seed=SEED)
    ae_zoo.fit(model, learn, seed=SEED, verbose=0)
    detector = ae_zoo.Detector(model).calibrate(calibration, false_alarm_rate=0.05)
    wrong = with_wrong_species(test.dropna())
    metrics = {
        "share of test birds flagged": float(detector.flag(test).mean()),
        "share of birds flagged whose species is wrong": float(detector.flag(wrong).mean()),
        "share of those where explain names the species first": named_first(model, wrong, "species"),
        "share of hidden species that impute finds": right(model, test, "species"),
        "share of hidden sexes that impute finds": right(model, test, "sex"),
    }
    source = "Palmer penguins (Horst, Hill and Gorman 2020; CC0), 54 birds that were held out"
    export(detector, PENGUINS, x_train=learn, x_test=test, source=source, metrics=metrics)


def with_wrong_species(birds: pd.DataFrame) -> pd.DataFrame:
    """Returns birds whose species is one of the two others."""
    random, kinds = np.random.default_rng(SEED), birds["species"].unique()
    return birds.assign(species=[random.choice(kinds[kinds != species]) for species in birds["species"]])


def named_first(model: ae_zoo.Autoencoder, rows: pd.DataFrame, column: str) -> float:
    """Returns the share of rows of which `explain` names the column first."""
    return float((model.explain(rows, top=1)["column"] == column).mean())


def right(model: ae_zoo.Autoencoder, rows: pd.DataFrame, column: str) -> float:
    """Returns the share of a column's cells that `impute` finds if they are hidden."""
    known = rows[rows[column].notna()]
    return float((model.impute(known.assign(**{column: None}))[column] == known[column]).mean())


def export(served: ae_zoo.Autoencoder | ae_zoo.Detector, name: str, **about: object) -> None:
    """Exports and checks a model; the version that was there is replaced."""
    folder = HERE / name
    shutil.rmtree(folder, ignore_errors=True)
    version = ae_zoo.export(served, folder, **about)
    size = sum(path.stat().st_size for path in version.rglob("*") if path.is_file())
    print(f"\n{versions.described(version)}\n{size / 1e6:.2f} MB in all", flush=True)
    if size > LIMIT:
        raise ValueError(f"{folder.name} takes {size / 1e6:.2f} MB, more than the {LIMIT / 1e6:g} MB that it may.")
    print(ae_zoo.serving.check(version), flush=True)


def main() -> None:
    """Makes the models that are named, or all."""
    names = sys.argv[1:] or [PENGUINS, *MODELS]
    if PENGUINS in names:
        make_penguins()
    families = [name for name in names if name != PENGUINS]
    if not families:
        return
    digits = ae_zoo.load_mnist()
    print(f"Data: {digits}", flush=True)
    if not digits.full:
        sys.exit("The zoo is made from full MNIST: set AE_ZOO_DATA to the folder of mnist.npz.")
    for family in families:
        make(family, digits)


if __name__ == "__main__":
    main()
