"""Section 19.2.1: what two numbers hold of a digit, by PCA and by networks."""

from collections.abc import Mapping

from sklearn.neighbors import KNeighborsClassifier

from ae_zoo import plots
from ae_zoo.chapter.run import Model, Options, Run, tabulate
from ae_zoo.data import Digits
from ae_zoo.plots.style import Figure
from ae_zoo.report.page import Section

NEIGHBOURS = 15
TANH: Options = {"hidden": [], "code": 2, "code_activation": "tanh"}  # the book's network
DEEP: Options = {"hidden": [300, 100], "code": 2}


def measure(model: Model, digits: Digits) -> dict[str, float]:
    """Test error a pixel, and the share of the test digits that the nearest training digits, by their codes, name."""
    classifier = KNeighborsClassifier(NEIGHBOURS).fit(model.encode(digits.x_train), digits.y_train)
    return {
        "test_mse": float(model.reconstruction_error(digits.x_test).mean()),
        "knn_accuracy": float(classifier.score(model.encode(digits.x_test), digits.y_test)),
    }


def figure(models: Mapping[str, Model], digits: Digits) -> Figure:
    """Test digits by their two codes, one panel a model."""
    return plots.codes({name: model.encode(digits.x_test) for name, model in models.items()}, digits.y_test)


def section(run: Run) -> Section:
    """19.2.1: PCA's two components beside two codes of networks."""
    section = Section("19.2.1", "Two codes")
    models: dict[str, Model] = {
        "PCA": run.pca(2),
        "784-2-784, tanh code": run.train("two-codes-tanh", "undercomplete", **TANH).model,
        "784-300-100-2 and back": run.train("two-codes-deep", "stacked", **DEEP).model,
    }
    found = section.results = {name: measure(model, run.digits) for name, model in models.items()}
    section.text(
        "How much of a digit do two numbers hold? Each point below is a test digit, placed by its two codes. The number "
        f"beside each picture says how often the {NEIGHBOURS} nearest training digits in those two codes name the test "
        "digit rightly; guessing would be right one time in ten."
    )
    named = {f"{name}: {found[name]['knn_accuracy']:.0%} named": model for name, model in models.items()}
    section.picture("19-2-1-codes", figure(named, run.digits), "Test digits by two codes, colored by digit.")
    columns = {"test MSE": "{test_mse:.4f}", "digits named rightly": "{knn_accuracy:.1%}"}
    tabulate(section, found, columns, "Two codes, on test digits.")
    section.text(
        "PCA finds the flat plane that lies closest to the digits. A single tanh layer, as in the book, can bend that "
        "plane's coordinates but hardly the plane: what it reconstructs is the output layer's image of two numbers. "
        "Hidden layers on both sides let the surface itself bend through the clouds, and some of the digits part."
    )
    return section
