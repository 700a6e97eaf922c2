"""Section 19.3: sparse autoencoders."""

import numpy as np

from ae_zoo import plots
from ae_zoo.chapter.run import Run
from ae_zoo.report.page import Section

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
    before, after = section.results["no penalty"], section.results["beta 0.01"]
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
    section.table(
        ["", "test MSE", "average activation", "averages of single codes", "codes below -0.5", "the book's MSE"],
        table,
        "Codes on the test digits. The book's betas weigh another quantity (H2O moves biases towards the target), so "
        "its numbers and these share a column, not a scale.",
    )
    strong_name = f"target {STRONG_TARGET:g}"
    shown = ("no penalty", "beta 0.01", "beta 0.2", strong_name)
    targets = dict.fromkeys(shown[1:3], TARGET) | {strong_name: STRONG_TARGET}
    section.picture(
        "19-3-activations",
        plots.activations({name: panels[name] for name in shown}, targets=targets),
        "All codes of all test digits: before, with the least and the most weight, and with a target far from zero.",
    )
    x = x_test[run.examples()]
    section.picture(
        "19-3-reconstructions",
        plots.strips(
            {"original": x, "no penalty": plain.reconstruct(x), f"target {STRONG_TARGET:g}": strong.reconstruct(x)}
        ),
        "What few active codes still hold.",
    )
    last = section.results["beta 0.2"]
    section.text(
        "More weight brings the averages nearer to the target and costs error: "
        f"{after['test_mse']:.5f} at 0.01, {last['test_mse']:.5f} at 0.2. A target of -0.1 moves the mean without making "
        f"a code sparse: {last['share_below_minus_half']:.0%} of the activations lie below -0.5. At {STRONG_TARGET:g} it "
        f"is {section.results[f'target {STRONG_TARGET:g}']['share_below_minus_half']:.0%}: most codes are off for most "
        "digits, each is left to stand for something rarer, and that has its price in error too."
    )
    return section
