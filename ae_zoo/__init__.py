"""The autoencoder zoo: every autoencoder of chapter 19 behind one factory call, with the same verbs.

>>> import ae_zoo
>>> digits = ae_zoo.load_mnist()
>>> model = ae_zoo.build("undercomplete", data=digits.x_train, code=50)
>>> result = ae_zoo.fit(model, digits.x_train)
>>> codes = model.encode(digits.x_test)

Names are imported when they are first used, so `import ae_zoo` and `ae-zoo --help` load neither Keras nor TensorFlow.
"""

import importlib
from typing import Any

_HOMES = {
    "build": "factory",
    "families": "factory",
    "load": "factory",
    "fit": "training",
    "fit_robust": "training",
    "pretrain": "training",
    "corrupt": "noise",
    "search": "tuning",
    "load_mnist": "data",
    "PCA": "pca",
    "Detector": "anomaly",
    "export": "serving",
    "Density": "latent",
    "interpolate": "latent",
    "traverse": "latent",
}
__all__ = sorted(_HOMES)
__version__ = "0.1.0"


def __getattr__(name: str) -> Any:
    if name in _HOMES:
        value = getattr(importlib.import_module(f"{__name__}.{_HOMES[name]}"), name)
        globals()[name] = value
        return value
    if name in (
        "anomaly",
        "checks",
        "client",
        "config",
        "data",
        "latent",
        "layers",
        "losses",
        "nets",
        "noise",
        "notebook",
        "plots",
        "regularizers",
        "serving",
        "training",
        "tuning",
        "versions",
    ):
        return importlib.import_module(f"{__name__}.{name}")
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted([*globals(), *_HOMES])
