"""Section 19.3: average activations of sparse codes."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from ae_zoo import plots
from ae_zoo.autoencoder import Autoencoder
from ae_zoo.chapter import reconstructions
from ae_zoo.chapter.run import Run, tabulate
from ae_zoo.plots.style import Figure
from ae_zoo.report.page import Section

CODE = 100
TARGET, STRONG_TARGET = -0.1, -0.75
# The book's betas, and the mean squared error that its table gives for each (H2O, on its training rows).
BETAS = {0.01: 0.01298, 0.05: 0.01338, 0.1: 0.01352, 0.2: 0.01321}
BOOK_BEFORE, BOOK_AFTER = -0.007, -0.108


def measure(model: Autoencoder, x: np.ndarray) -> dict[str, Any]:
    """Error a pixel; the mean activation, the least and the largest mean of a unit, and the share that is off."""
    code = model.encode(x)
    units = code.mean(axis=0)
    return {
        "test_mse": float(model.reconstruction_error(x).mean()),
        "average_activation": float(code.mean()),
        "unit_averages": [float(units.min()), float(units.max())],
        "share_below_minus_half": float(np.mean(code < -0.5)),
    }


def figure(models: Mapping[str, Autoencoder], x: np.ndarray, targets: Mapping[str, float]) -> Figure:
    """Histograms of all activations, with their mean and the wanted one."""
    return plots.activations({name: model.encode(x) for name, model in models.items()}, targets=targets)


def section(run: Run) -> Section:
    """19.3: average activations with and without a KL penalty."""
    section = Section("19.3", "Sparse autoencoders")
    x_test, strong = run.digits.x_test, f"target {STRONG_TARGET:g}"
    models = {"no penalty": run.train("sparse-none", "sparse", code=CODE, sparsity=None).model}
    for beta in BETAS:
        # The book's formula sums the divergences of the codes, where the zoo's weight is on their mean.
        models[f"beta {beta:g}"] = run.train(
            f"sparse-beta-{beta:g}", "sparse", code=CODE, sparsity=TARGET, sparsity_weight=beta * CODE
        ).model
    models[strong] = run.train("sparse-strong", "sparse", code=CODE, sparsity=STRONG_TARGET).model
    found = section.results = {name: measure(model, x_test) for name, model in models.items()}
    before, after, last = (found[name] for name in ("no penalty", "beta 0.01", "beta 0.2"))
    section.text(
        "A penalty asks each of the 100 tanh codes to average -0.1 over the digits, where -1 is off and 1 is on. The "
        "penalty is the Kullback-Leibler divergence between the wanted and the seen share of the way from -1 to 1, so "
        f"-0.1 means 0.45. The average over all codes goes from {before['average_activation']:+.3f} to "
        f"{after['average_activation']:+.3f}; the book's goes from {BOOK_BEFORE} to {BOOK_AFTER}.",
        "The average over all codes hides what single ones do. Their own averages reach from "
        f"{before['unit_averages'][0]:+.2f} to {before['unit_averages'][1]:+.2f} without a penalty, and from "
        f"{after['unit_averages'][0]:+.2f} to {after['unit_averages'][1]:+.2f} with the smallest one, while the test error "
        f"goes from {before['test_mse']:.5f} to {after['test_mse']:.5f}.",
    )
    book = {f"beta {beta:g}": error for beta, error in BETAS.items()}
    columns = {
        "test MSE": "{test_mse:.5f}",
        "average activation": "{average_activation:+.3f}",
        "averages of single codes": "{unit_averages[0]:+.2f} to {unit_averages[1]:+.2f}",
        "codes below -0.5": "{share_below_minus_half:.0%}",
        "the book's MSE": "{book}",
    }
    tabulate(
        section,
        {name: {**each, "book": book.get(name, "")} for name, each in found.items()},
        columns,
        "Codes on the test digits. The book's betas weigh another quantity (H2O moves biases towards the target), so "
        "its numbers and these share a column, not a scale.",
    )
    shown = {name: models[name] for name in ("no penalty", "beta 0.01", "beta 0.2", strong)}
    section.picture(
        "19-3-activations",
        figure(shown, x_test, {"beta 0.01": TARGET, "beta 0.2": TARGET, strong: STRONG_TARGET}),
        "All codes of all test digits: before, with the least and the most weight, and with a target far from zero.",
    )
    ends = {name: models[name] for name in ("no penalty", strong)}
    section.picture(
        "19-3-reconstructions",
        reconstructions.figure(ends, x_test[reconstructions.one_of_each(run.digits)]),
        "What few active codes still hold.",
    )
    section.text(
        "More weight brings the averages nearer to the target and costs error: "
        f"{after['test_mse']:.5f} at 0.01, {last['test_mse']:.5f} at 0.2. A target of -0.1 moves the mean without making "
        f"a code sparse: {last['share_below_minus_half']:.0%} of the activations lie below -0.5. At {STRONG_TARGET:g} it "
        f"is {found[strong]['share_below_minus_half']:.0%}: most codes are off for most "
        "digits, each is left to stand for something rarer, and that has its price in error too."
    )
    return section
