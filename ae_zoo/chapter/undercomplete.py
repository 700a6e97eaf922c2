"""Section 19.2: undercomplete autoencoders: two codes, five architectures, and what reconstructions look like."""

import numpy as np
from sklearn.neighbors import KNeighborsClassifier

from ae_zoo import plots
from ae_zoo.chapter.run import Run, Trained
from ae_zoo.report.page import Section

NEIGHBOURS = 15
# The book's grid: hidden layers, code, and the mean squared error that its table gives (H2O, on its training rows).
GRID = (
    ((), 50, 0.01245),
    ((), 100, 0.00675),
    ((300,), 100, 0.00831),
    ((100,), 50, 0.01122),
    ((250, 100), 50, 0.01441),
)


def grid_model(run: Run, hidden: tuple[int, ...], code: int) -> Trained:
    """One network of the book's grid, with the zoo's defaults."""
    return run.train(f"undercomplete-{layout(hidden, code)}", "undercomplete", hidden=hidden, code=code)


def layout(hidden: tuple[int, ...], code: int) -> str:
    """The widths of all layers between the row and its reconstruction."""
    return "-".join(map(str, (*hidden, code, *reversed(hidden))))


def two_codes(run: Run) -> Section:
    """19.2.1: PCA's two components beside two codes of networks."""
    section = Section("19.2.1", "Two codes")
    digits = run.digits
    book = run.train("two-codes-tanh", "undercomplete", hidden=[], code=2, code_activation="tanh").model
    deep = run.train("two-codes-deep", "stacked", hidden=[300, 100], code=2).model
    panels, rows = {}, []
    for name, model in (("PCA", run.pca(2)), ("784-2-784, tanh code", book), ("784-300-100-2 and back", deep)):
        classifier = KNeighborsClassifier(NEIGHBOURS).fit(model.encode(digits.x_train), digits.y_train)
        codes = model.encode(digits.x_test)
        accuracy = float(np.mean(classifier.predict(codes) == digits.y_test))
        error = float(model.reconstruction_error(digits.x_test).mean())
        panels[f"{name}: {accuracy:.0%} named"] = codes
        rows.append([name, f"{error:.4f}", f"{accuracy:.1%}"])
        section.results[name] = {"test_mse": error, "knn_accuracy": accuracy}
    section.text(
        "How much of a digit do two numbers hold? Each point below is a test digit, placed by its two codes. The number "
        f"beside each picture says how often the {NEIGHBOURS} nearest training digits in those two codes name the test "
        "digit rightly; guessing would be right one time in ten."
    )
    section.picture("19-2-1-codes", plots.codes(panels, digits.y_test), "Test digits by two codes, coloured by digit.")
    section.table(["", "test MSE", "digits named rightly"], rows, "Two codes, on test digits.")
    section.text(
        "PCA finds the flat plane that lies closest to the digits. A single tanh layer, as in the book, can bend that "
        "plane's coordinates but hardly the plane: what it reconstructs is the output layer's image of two numbers. "
        "Hidden layers on both sides let the surface itself bend through the clouds, and some of the digits part."
    )
    return section


def architectures(run: Run) -> Section:
    """19.2.2: the book's five architectures."""
    section = Section("19.2.2", "Five architectures against PCA")
    x_test = run.digits.x_test
    run.search("undercomplete", {f"undercomplete-{layout(h, c)}": {"hidden": [*h], "code": c} for h, c, _ in GRID})
    names, table = [], []
    series: dict[str, list[float]] = {"network": [], "PCA, same code size": [], "the book's (H2O)": []}
    for hidden, code, book in GRID:
        trained = grid_model(run, hidden, code)
        error = float(trained.model.reconstruction_error(x_test).mean())
        pca = float(run.pca(code).reconstruction_error(x_test).mean())
        name = layout(hidden, code)
        names.append(name)
        for points, value in zip(series.values(), (error, pca, book)):
            points.append(value)
        parameters = trained.model.count_params()
        table.append(
            [
                name,
                f"{error:.5f}",
                f"{pca:.5f}",
                f"{error / pca:.0%}",
                f"{parameters:,}",
                f"{trained.seconds:.1f}",
                book,
            ]
        )
        section.results[name] = {
            "test_mse": error,
            "pca_test_mse": pca,
            "parameters": parameters,
            "seconds": trained.seconds,
            "book_training_mse": book,
        }
    total = sum(row["seconds"] for row in section.results.values())
    section.text(
        "The book searches five layouts by hand. Here `ae_zoo.search` goes through the same five, each beside PCA with as "
        "many components as the network has codes: the comparison that tells whether a network has learned anything that "
        "a rotation does not. The search's own report, with the errors on held-out rows by which it ranks, is in "
        "`search/report.html`."
    )
    section.table(
        ["hidden layers", "test MSE", "PCA", "of PCA's", "parameters", "seconds", "the book's MSE"],
        table,
        f"Mean squared error a pixel on the test digits; {total:.0f} s for all five, building and compiling included. "
        "The book's figures are H2O's, on its training rows.",
    )
    section.picture(
        "19-2-2-grid",
        plots.comparison(names, series, label="mean squared error a pixel (smaller is better)"),
        "The five networks, PCA of the same code size, and the figures in the book.",
    )
    tanh = dict.fromkeys(("activation", "code_activation", "output_activation"), "tanh")
    book_like = run.train("undercomplete-100-tanh", "undercomplete", hidden=[], code=100, **tanh).model
    error = float(book_like.reconstruction_error(x_test).mean())
    section.results["100"]["test_mse_with_tanh_everywhere"] = error
    beaten = sum(book > pca for _, pca, book in zip(*series.values()))
    section.text(
        f"{beaten} of the book's five figures are worse than PCA's at the same code size, though they are of training rows "
        "and PCA's of test rows. One of its choices can be put to the test here: with tanh everywhere, as in the book, the "
        f"layout of 100 codes comes to {error:.5f}, with a linear code and a sigmoid output to "
        f"{section.results['100']['test_mse']:.5f}; PCA is at {section.results['100']['pca_test_mse']:.5f}. Pixels are "
        "mostly exactly 0 or 1, the ends of a sigmoid; 0 is the steepest place of a tanh. Without hidden layers a linear "
        "output could never pass PCA, which is then the optimum whatever the code's activation."
    )
    return section


def reconstructions(run: Run) -> Section:
    """19.2.3: originals and reconstructions."""
    section = Section("19.2.3", "Looking at reconstructions")
    x = run.digits.x_test[run.examples()]
    models = {
        "PCA, 100 codes": run.pca(100),
        "network, 100 codes": grid_model(run, (), 100).model,
        "PCA, 50 codes": run.pca(50),
        "network 250-100-50": grid_model(run, (250, 100), 50).model,
        "network, 2 codes": run.train("two-codes-deep", "stacked", hidden=[300, 100], code=2).model,
    }
    rows = {"original": x}
    for name, model in models.items():
        rows[name] = model.reconstruct(x)
        section.results[name] = {"mse_of_the_ten": float(model.reconstruction_error(x).mean())}
    section.text(
        "The first test digit of each kind, and what comes back. PCA leaves grey waves around the strokes, since it adds "
        "and subtracts whole images; a sigmoid output can leave white paper white. Two codes give a typical digit of the "
        "kind that the network takes it for, sometimes the wrong kind."
    )
    section.picture("19-2-3-reconstructions", plots.strips(rows), "Test digits and their reconstructions.")
    return section
