"""Section 19.3: sparse autoencoders."""

import numpy as np

from ae_zoo import plots
from ae_zoo.chapter.run import Run
from ae_zoo.report import Section

CODE = 100
TARGET, STRONG_TARGET = -0.1, -0.75
# The book's betas, and the mean squared error that its table gives for each (H2O, on its training rows).
BETAS = {0.01: 0.01298, 0.05: 0.01338, 0.1: 0.01352, 0.2: 0.01321}
BOOK_BEFORE, BOOK_AFTER = -0.007, -0.108


def sparsity(run: Run) -> Section:
    """19.3: average activations with and without a KL penalty."""
    section = Section("19.3", "Sparse autoencoders")
    x_test = run.digits.x_test
    plain = run.train("sparse-none", "sparse", code=CODE, sparsity=None).model
    models = {"no penalty": plain}
    for beta in BETAS:
        # The book's formula sums the divergences of the codes, where the zoo's weight is on their mean.
        models[f"beta {beta:g}"] = run.train(
            f"sparse-beta-{beta:g}", "sparse", code=CODE, sparsity=TARGET, sparsity_weight=beta * CODE
        ).model
    strong = run.train("sparse-strong", "sparse", code=CODE, sparsity=STRONG_TARGET).model
    models[f"target {STRONG_TARGET:g}"] = strong
    panels, table = {}, []
    for name, model in models.items():
        code = model.encode(x_test)
        units = code.mean(axis=0)
        error = float(model.reconstruction_error(x_test).mean())
        book = BETAS[float(name.split()[1])] if name.startswith("beta") else ""
        inactive = float(np.mean(code < -0.5))
        table.append(
            [
                name,
                f"{error:.5f}",
                f"{code.mean():+.3f}",
                f"{units.min():+.2f} to {units.max():+.2f}",
                f"{inactive:.0%}",
                book,
            ]
        )
        section.results[name] = {
            "test_mse": error,
            "average_activation": float(code.mean()),
            "unit_averages": [float(units.min()), float(units.max())],
            "share_below_minus_half": inactive,
        }
        panels[name] = code
    before, after = (section.results[name]["average_activation"] for name in ("no penalty", "beta 0.01"))
    section.text(
        "A penalty asks each of the 100 tanh codes to average -0.1 over the digits, where -1 is off and 1 is on. The "
        "penalty is the Kullback-Leibler divergence between the wanted and the seen share of the way from -1 to 1, so "
        f"-0.1 means 0.45. The average over all codes goes from {before:+.3f} to {after:+.3f}; the book's goes from "
        f"{BOOK_BEFORE} to {BOOK_AFTER}."
    )
    section.table(
        ["", "test MSE", "average activation", "averages of single codes", "codes below -0.5", "the book's MSE"],
        table,
        "Codes on the test digits. The book's betas weigh another quantity (H2O moves biases towards the target), so "
        "its numbers and these share a column, not a scale.",
    )
    shown = {name: panels[name] for name in ("no penalty", "beta 0.01", "beta 0.2")}
    section.picture(
        "19-3-activations", plots.activations(shown, target=TARGET), "All codes of all test digits, before and after."
    )
    section.picture(
        "19-3-strong",
        plots.activations({f"target {STRONG_TARGET:g}": panels[f"target {STRONG_TARGET:g}"]}, target=STRONG_TARGET),
        f"With a target of {STRONG_TARGET:g} most codes are off for most digits.",
    )
    x = x_test[run.examples()]
    section.picture(
        "19-3-reconstructions",
        plots.strips(
            {"original": x, "no penalty": plain.reconstruct(x), f"target {STRONG_TARGET:g}": strong.reconstruct(x)}
        ),
        "What few active codes still hold.",
    )
    section.text(
        "A target of -0.1 is next to no constraint: a shift of the biases meets it, and the error hardly changes. It "
        "moves the mean without making a code sparse. At -0.75 most codes must be off for most digits, each code is left "
        "to stand for something rarer, and that has its price in error."
    )
    return section
