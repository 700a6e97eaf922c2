"""Section 19.2.2: the book's five architectures beside PCA."""

from collections.abc import Mapping

from ae_zoo import plots
from ae_zoo.autoencoder import Autoencoder
from ae_zoo.chapter.run import Options, Run, tabulate
from ae_zoo.data import Digits
from ae_zoo.evaluation.pca import PCA
from ae_zoo.plots.style import Figure
from ae_zoo.report.page import Section

# The book's grid: hidden layers, code, and the mean squared error that its table gives (H2O, on its training rows).
GRID = (
    ((), 50, 0.01245),
    ((), 100, 0.00675),
    ((300,), 100, 0.00831),
    ((100,), 50, 0.01122),
    ((250, 100), 50, 0.01441),
)
TANH: Options = dict.fromkeys(("activation", "code_activation", "output_activation"), "tanh")  # the book's activations


def layout(hidden: tuple[int, ...], code: int) -> str:
    """The widths of all layers between the row and its reconstruction."""
    return "-".join(map(str, (*hidden, code, *reversed(hidden))))


SPACE: dict[str, Options] = {
    layout(hidden, code): {"hidden": [*hidden], "code": code} for hidden, code, _ in GRID
}  # for a search
BOOK = {layout(hidden, code): error for hidden, code, error in GRID}


def measure(model: Autoencoder, pca: PCA, digits: Digits) -> dict[str, float]:
    """Test errors a pixel of a network and of PCA with as many components, and the network's weights."""
    return {
        "test_mse": float(model.reconstruction_error(digits.x_test).mean()),
        "pca_test_mse": float(pca.reconstruction_error(digits.x_test).mean()),
        "parameters": model.count_params(),
    }


def figure(measures: Mapping[str, Mapping[str, float]]) -> Figure:
    """The errors of networks of the grid, by layout, beside PCA's and the book's."""
    errors = {
        "network": [each["test_mse"] for each in measures.values()],
        "PCA": [each["pca_test_mse"] for each in measures.values()],
        "the book's (H2O)": [BOOK[name] for name in measures],
    }
    return plots.comparison(
        [*measures], errors, label="mean squared error a pixel, test digits (further left is better)"
    )


def grid_model(run: Run, name: str) -> Autoencoder:
    """The network of the grid with the layout `name`, with the zoo's defaults."""
    return run.train(f"undercomplete-{name}", "undercomplete", **SPACE[name]).model


def section(run: Run) -> Section:
    """19.2.2: the book's five architectures."""
    section = Section("19.2.2", "Five architectures against PCA")
    run.search("undercomplete", {f"undercomplete-{name}": options for name, options in SPACE.items()})
    for name, options in SPACE.items():
        trained = run.train(f"undercomplete-{name}", "undercomplete", **options)
        measured = measure(trained.model, run.pca(options["code"]), run.digits)
        section.results[name] = {**measured, "seconds": trained.seconds, "book_training_mse": BOOK[name]}
    found = dict(section.results)
    section.text(
        "The book searches five layouts by hand. Here `ae_zoo.search` goes through the same five, each beside PCA with as "
        "many components as the network has codes: the comparison that tells whether a network has learned anything that "
        "a rotation does not. The search's own report, with the errors on held-out rows by which it ranks, is in "
        "`search/report.html`."
    )
    columns = {
        "test MSE": "{test_mse:.5f}",
        "PCA": "{pca_test_mse:.5f}",
        "of PCA's": "{share:.0%}",
        "parameters": "{parameters:,}",
        "seconds": "{seconds:.1f}",
        "the book's MSE": "{book_training_mse}",
    }
    tabulate(
        section,
        {name: {**each, "share": each["test_mse"] / each["pca_test_mse"]} for name, each in found.items()},
        columns,
        f"Mean squared error a pixel on the test digits; {sum(each['seconds'] for each in found.values()):.0f} s for all "
        "five, building and compiling included. The book's figures are H2O's, on its training rows.",
        head="hidden layers",
    )
    section.picture(
        "19-2-2-grid", figure(found), "The five networks, PCA of the same code size, and the figures in the book."
    )
    tanh = run.train("undercomplete-100-tanh", "undercomplete", hidden=[], code=100, **TANH).model
    error = float(tanh.reconstruction_error(run.digits.x_test).mean())
    section.results["100"]["test_mse_with_tanh_everywhere"] = error
    beaten = sum(each["book_training_mse"] > each["pca_test_mse"] for each in found.values())
    section.text(
        f"{beaten} of the book's five figures are worse than PCA's at the same code size, though they are of training rows "
        "and PCA's of test rows. One of its choices can be put to the test here: with tanh everywhere, as in the book, the "
        f"layout of 100 codes comes to {error:.5f}, with a linear code and a sigmoid output to "
        f"{found['100']['test_mse']:.5f}; PCA is at {found['100']['pca_test_mse']:.5f}. Pixels are "
        "mostly exactly 0 or 1, the ends of a sigmoid; 0 is the steepest place of a tanh. Without hidden layers a linear "
        "output could never pass PCA, which is then the optimum whatever the code's activation."
    )
    return section
