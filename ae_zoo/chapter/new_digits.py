"""Section 19.6.1: digits that nobody wrote, and how likely real ones are."""

import numpy as np

from ae_zoo import plots
from ae_zoo.autoencoder import Autoencoder
from ae_zoo.chapter.reconstructions import one_of_each
from ae_zoo.chapter.run import Options, Run
from ae_zoo.evaluation.log_likelihood import log_likelihood
from ae_zoo.evaluation.paths import traverse
from ae_zoo.plots.style import Figure
from ae_zoo.report.page import Section

# That of Burda et al. 2016, table 1, with one stochastic layer; its units are tanh, silu units learn faster.
NETWORK: Options = {"code": 50, "hidden": [200, 200], "activation": "silu", "binarization": "dynamic"}


def measure(model: Autoencoder, x: np.ndarray, samples: int, seed: int, rows: int | None = None) -> dict[str, float]:
    """The log-likelihood in nats, a mean over the first `rows`, or all, its standard error, and the units in use."""
    likelihood = log_likelihood(model, x[:rows], samples, binarization="dynamic", seed=seed)
    return {
        "log_likelihood": float(likelihood.mean()),
        "standard_error": float(likelihood.std() / len(likelihood) ** 0.5),
        "active_units": int(model.active_units(x).sum()),
    }


def walks(model: Autoencoder, x: np.ndarray, digit: np.ndarray) -> Figure:
    """One number of a digit's code at a time, from -3 to 3: the four that vary most over the rows `x`."""
    units, values = np.argsort(model.encode(x).var(axis=0))[::-1][:4], np.linspace(-3, 3, 13).tolist()
    images = [traverse(model, digit, int(unit), values) for unit in units]
    return plots.tiles(images, rows=[f"unit {unit}" for unit in units], columns=[f"{value:g}" for value in values])


def section(run: Run) -> Section:
    """19.6.1: new digits, and how likely real ones are."""
    section = Section("19.6.1", "Variational")
    trained = run.train("variational", "variational", shown=run.rows(1_500_000, 200_000), **NETWORK)
    model, x = trained.model, run.digits.x_test
    rows, samples = (100, 500) if run.short else (500, 1000)
    found = measure(model, x, samples, run.seed, rows)
    section.results |= {**found, "seconds_training": trained.seconds}
    section.text(
        "An ordinary code is a point. Here it is a small cloud, and all clouds together are held to the shape of one "
        "large, round one. So there are no holes between them: pick 50 random numbers from the round cloud, decode them, "
        "and a digit comes out that nobody wrote."
    )
    section.picture(
        "19-6-1-samples", plots.samples(model.generate(40, seed=run.seed), columns=20), "New digits from random codes."
    )
    section.picture(
        "19-6-1-traversals",
        walks(model, x, x[one_of_each(run.digits)[2]]),
        "One number of a 2's code at a time, from three standard deviations below the middle to three above.",
    )
    section.picture(
        "19-6-1-activity",
        plots.activity(
            {"variational": model.encode(x).var(axis=0)}, label="variance of the code's mean", threshold=0.01
        ),
        f"{found['active_units']} of 50 units are above the line. Below it no digit moves a unit: the large cloud has won "
        "it, and it carries nothing.",
    )
    section.table(
        ["", "here", "the paper"],
        [["log-likelihood of a test digit, nats", f"{found['log_likelihood']:.1f}", "-86.8"]],
        f"Of {rows} binarised test digits by {samples:,} samples each; more samples raise it a little. The paper (Burda et "
        "al. 2016) trained such a network for 3,280 epochs, and took 5,000 samples.",
    )
    return section
