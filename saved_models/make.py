"""The zoo of trained digits: one small model a family, trained on full MNIST and exported beside this file.

    python saved_models/make.py [FAMILY...]

Each is at most 1.5 MB. Models that reconstruct are exported as detectors, whose threshold lets 1 % of the first 5,000 test
digits pass for strange; the figures on the cards are of the last 5,000.
"""

import pathlib
import shutil
import sys

import numpy as np

import ae_zoo
from ae_zoo._support import versions
from ae_zoo.chapter.stroke_dictionary import svm_error

HERE = pathlib.Path(__file__).parent
SEED = 1
LIMIT = 1.5e6  # bytes of a version

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
    """Trains, exports and checks one model; the version that was there is replaced."""
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
    folder = HERE / f"digits-{family}"
    shutil.rmtree(folder, ignore_errors=True)
    version = ae_zoo.export(
        served,
        folder,
        x_train=x_train,
        x_test=x_test,
        source=f"{digits.source}, the last 5,000 test digits",
        metrics=metrics,
    )
    size = sum(path.stat().st_size for path in version.rglob("*") if path.is_file())
    print(f"\n{versions.described(version)}\n{size / 1e6:.2f} MB in all", flush=True)
    if size > LIMIT:
        raise ValueError(f"{folder.name} takes {size / 1e6:.2f} MB, more than the {LIMIT / 1e6:g} MB that it may.")
    print(ae_zoo.serving.check(version), flush=True)


def main() -> None:
    """Makes the families that are named, or all."""
    digits = ae_zoo.load_mnist()
    print(f"Data: {digits}", flush=True)
    if not digits.full:
        sys.exit("The zoo is made from full MNIST: set AE_ZOO_DATA to the folder of mnist.npz.")
    for family in sys.argv[1:] or MODELS:
        make(family, digits)


if __name__ == "__main__":
    main()
