"""Section 19.6.2: a code that holds still under small changes of the row."""

from ae_zoo import plots
from ae_zoo.autoencoder import Autoencoder
from ae_zoo.chapter import few_labels
from ae_zoo.chapter.run import Options, Run, tabulate
from ae_zoo.data import Digits
from ae_zoo.report.page import Section


def measure(model: Autoencoder, digits: Digits) -> dict[str, float]:
    """On test digits: the mean sum of the code's squared derivatives, and the error a pixel."""
    x = digits.x_test
    return {
        "jacobian_norm": float(model.jacobian_norm(x, batch_size=1024).mean()),
        "test_mse": float(model.reconstruction_error(x).mean()),
    }


def section(run: Run) -> Section:
    """19.6.2: a code that holds still, beside the same network without the penalty."""
    section = Section("19.6.2", "Contractive")
    few = few_labels.some(run.digits.y_train, run.seed)
    section.text(
        "A code is only worth something if a smudge on the paper does not change it. The contractive penalty counts how "
        "fast the code moves when the pixels do (the sum of its squared derivatives), and asks for less of it. What "
        "still moves the code must then be worth its price: the ways in which digits do differ."
    )
    for name, weight in (("plain", 0.0), ("contractive", 1.0)):
        network: Options = {"code": 500, "loss": "bce", "contraction": weight}
        model = run.train(f"contractive-{name}", "contractive", shown=run.rows(430_000, 80_000), **network).model
        right = few_labels.accuracy(model.encode, run.digits, few)
        section.results[name] = {**measure(model, run.digits), "accuracy_of_1000_labels": right}
        section.picture(
            f"19-6-2-{name}",
            plots.filters(model.get_layer("code").kernel, most=32),
            f"What 32 units of the {name} code look for in a digit.",
        )
    columns = {
        "mean squared derivatives": "{jacobian_norm:.2f}",
        "test MSE": "{test_mse:.5f}",
        f"digits named from {few_labels.LABELED:,} labels": "{accuracy_of_1000_labels:.1%}",
    }
    tabulate(
        section,
        section.results,
        columns,
        "The same network of 500 sigmoid units twice, on test digits. `python -m benchmarks contractive` compares at equal "
        "reconstruction.",
    )
    return section
