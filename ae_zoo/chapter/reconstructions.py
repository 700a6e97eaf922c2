"""Section 19.2.3: what reconstructions look like."""

from collections.abc import Mapping

import numpy as np

from ae_zoo import plots
from ae_zoo.chapter import two_codes
from ae_zoo.chapter.architectures import grid_model
from ae_zoo.chapter.run import Model, Run
from ae_zoo.data import Digits
from ae_zoo.plots.style import Figure
from ae_zoo.report.page import Section


def one_of_each(digits: Digits) -> np.ndarray:
    """The places of the first test digit of each of the ten kinds `(10,)`."""
    return np.array([np.flatnonzero(digits.y_test == kind)[0] for kind in range(10)])


def figure(models: Mapping[str, Model], x: np.ndarray, original: str = "original") -> Figure:
    """Rows, and what each model makes of them."""
    return plots.strips({original: x, **{name: model.reconstruct(x) for name, model in models.items()}})


def section(run: Run) -> Section:
    """19.2.3: originals and reconstructions."""
    section = Section("19.2.3", "Looking at reconstructions")
    x = run.digits.x_test[one_of_each(run.digits)]
    models: dict[str, Model] = {
        "PCA, 100 codes": run.pca(100),
        "network, 100 codes": grid_model(run, "100"),
        "PCA, 50 codes": run.pca(50),
        "network 250-100-50": grid_model(run, "250-100-50-100-250"),
        "network, 2 codes": run.train("two-codes-deep", "stacked", **two_codes.DEEP).model,
    }
    for name, model in models.items():
        section.results[name] = {"mse_of_the_ten": float(model.reconstruction_error(x).mean())}
    section.text(
        "The first test digit of each kind, and what comes back. PCA leaves grey waves around the strokes, since it adds "
        "and subtracts whole images; a sigmoid output can leave white paper white. Two codes give a typical digit of the "
        "kind that the network takes it for, sometimes the wrong kind."
    )
    section.picture("19-2-3-reconstructions", figure(models, x), "Test digits and their reconstructions.")
    return section
