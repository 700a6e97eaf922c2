"""Section 19.6: the families that the book only names, each with its picture and the figure that it is judged by.

These are short runs that fit into a report. The figures that a paper's can be held against come from `benchmarks`.
"""

import numpy as np
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import average_precision_score, precision_recall_curve
from sklearn.svm import LinearSVC

from ae_zoo import plots
from ae_zoo.chapter.run import Run
from ae_zoo.evaluation.detector import Detector
from ae_zoo.evaluation.paths import interpolate, traverse
from ae_zoo.evaluation.pca import PCA
from ae_zoo.report.page import Section

LABELLED = 1000  # rows whose labels a classifier may see
DENSE_FASTER = 3  # so many times the rows does the dense network see in the time of the convolutional one
OUTLIERS = 0.05  # share of other digits among the fours


def variational(run: Run) -> Section:
    """19.6.1: new digits, and how likely real ones are."""
    section = Section("19.6.1", "Variational")
    trained = run.train(
        "variational", "variational", hidden=[200, 200], code=50, activation="silu", binarisation="dynamic",
        shown=run.rows(1_500_000, 200_000),
    )  # fmt: skip
    model, x = trained.model, run.digits.x_test
    rows, samples = (100, 500) if run.short else (500, 1000)
    likelihood = float(model.log_likelihood(x[:rows], samples, binarisation="dynamic", seed=run.seed).mean())
    spread = model.encode(x).var(axis=0)
    active = int(model.active_units(x).sum())
    section.text(
        "An ordinary code is a point. Here it is a small cloud, and all clouds together are held to the shape of one "
        "large, round one. So there are no holes between them: pick 50 random numbers from the round cloud, decode them, "
        "and a digit comes out that nobody wrote."
    )
    section.picture(
        "19-6-1-samples", plots.samples(model.generate(40, seed=run.seed), columns=20), "New digits from random codes."
    )
    units, values = np.argsort(spread)[::-1][:4], np.linspace(-3, 3, 13)
    digit = x[run.examples()[2]]
    walks = [traverse(model, digit, int(unit), values) for unit in units]
    section.picture(
        "19-6-1-traversals",
        plots.tiles(walks, rows=[f"unit {unit}" for unit in units], columns=[f"{value:g}" for value in values]),
        "One number of a 2's code at a time, from three standard deviations below the middle to three above.",
    )
    section.picture(
        "19-6-1-activity",
        plots.activity({"variational": spread}, label="variance of the code's mean", threshold=0.01),
        f"{active} of 50 units are above the line. Below it no digit moves a unit: the large cloud has won it, and it "
        "carries nothing.",
    )
    section.results |= {"log_likelihood": likelihood, "active_units": active, "seconds_training": trained.seconds}
    _figures(
        run, section, "log-likelihood of a test digit, nats", f"{likelihood:.1f}", "-86.8",
        f"Of {rows} binarised test digits by {samples:,} samples each; more samples raise it a little. {active} of 50 units "
        "are active. The paper (Burda et al. 2016) trained such a network for 3,280 epochs, and took 5,000 samples.",
        "variational",
    )  # fmt: skip
    return section


def contractive(run: Run) -> Section:
    """19.6.2: a code that holds still, beside the same network without the penalty."""
    section = Section("19.6.2", "Contractive")
    x, digits, rows = run.digits.x_test, run.digits, []
    few = np.random.default_rng(run.seed).permutation(len(digits.x_train))[:LABELLED]
    section.text(
        "A code is only worth something if a smudge on the paper does not change it. The contractive penalty counts how "
        "fast the code moves when the pixels do (the sum of its squared derivatives), and asks for less of it. What "
        "still moves the code must then be worth its price: the ways in which digits do differ."
    )
    for name, weight in (("plain", 0.0), ("contractive", 1.0)):
        model = run.train(
            f"contractive-{name}", "contractive", code=500, loss="bce", contraction=weight,
            shown=run.rows(430_000, 80_000),
        ).model  # fmt: skip
        classifier = LogisticRegression(max_iter=1000).fit(model.encode(digits.x_train[few]), digits.y_train[few])
        right = float(classifier.score(model.encode(x), digits.y_test))
        norm, error = float(model.jacobian_norm(x).mean()), float(model.reconstruction_error(x).mean())
        section.results[name] = {"jacobian_norm": norm, "test_mse": error, "accuracy_of_1000_labels": right}
        rows.append([name, f"{norm:.2f}", f"{error:.5f}", f"{right:.1%}"])
        section.picture(
            f"19-6-2-{name}",
            plots.filters(model.get_layer("code").kernel, most=32),
            f"What 32 units of the {name} code look for in a digit.",
        )
    section.table(
        ["", "mean squared derivatives", "test MSE", f"digits named from {LABELLED:,} labels"],
        rows,
        f"The same network of 500 sigmoid units twice, on test digits. {_short(run)} `python -m benchmarks contractive` "
        "compares at equal reconstruction.",
    )
    return section


def convolutional(run: Run) -> Section:
    """19.6.3: small filters that see every place, beside layers in which every unit sees every pixel."""
    section = Section("19.6.3", "Convolutional")
    x, images = run.digits.x_test, run.digits.x_train.reshape(-1, 28, 28)
    shown = run.rows(240_000, 60_000)
    trained = {
        "dense": run.train("convolutional-dense", "stacked", code=30, shown=DENSE_FASTER * shown),
        "convolutional": run.train("convolutional", "convolutional", images, code=30, shown=shown),
    }
    section.text(
        "A stroke is a stroke wherever it lies on the paper. A dense network must learn it anew for every place; a "
        "convolution slides small filters over the picture and learns it once. So fewer numbers do more, though each is "
        "used so often that an epoch takes longer: the networks are compared at about equal training time."
    )
    examples = run.examples()
    pictures, rows = {"original": x[examples].reshape(-1, 28, 28)}, []
    for name, one in trained.items():
        test = x.reshape(len(x), *one.model.config.input_shape)
        error = float(one.model.reconstruction_error(test).mean())
        parameters = one.model.count_params()
        section.results[name] = {"test_mse": error, "seconds_training": one.seconds, "parameters": parameters}
        rows.append([name, f"{error:.5f}", f"{parameters:,}", f"{one.seconds:.0f}"])
        pictures[name] = one.model.reconstruct(test[examples]).reshape(-1, 28, 28)
    pca = float(run.pca(30).reconstruction_error(x).mean())
    rows.append(["PCA", f"{pca:.5f}", "", ""])
    section.picture(
        "19-6-3-reconstructions", plots.tiles([*pictures.values()], rows=[*pictures]), "Test digits from 30 codes."
    )
    model = trained["convolutional"].model
    section.picture(
        "19-6-3-filters", plots.filters(model.get_layer("hidden_0").kernel, most=32), "The filters of the first layer."
    )
    ends = x[examples].reshape(-1, 28, 28)
    paths = [interpolate(model, ends[a], ends[b], 12) for a, b in ((0, 6), (1, 4), (3, 8))]
    section.picture(
        "19-6-3-paths",
        plots.tiles(paths),
        "On a straight line from one digit's code to another's (linear interpolation).",
    )
    section.table(
        ["30 codes", "test MSE", "weights", "seconds"],
        rows,
        f"Mean squared error a pixel. {_short(run)} `python -m benchmarks convolutional` takes longer.",
    )
    return section


def winner_take_all(run: Run) -> Section:
    """19.6.4: a dictionary of strokes."""
    section = Section("19.6.4", "Winner-take-all")
    digits, code = run.digits, 1000 if run.short else 2000
    model = run.train(
        "winner-take-all", "winner_take_all", code=code, shown=run.rows(400_000, 100_000), validation=0
    ).model
    some = slice(0, 10_000)
    train, test = model.encode(digits.x_train[some]), model.encode(digits.x_test)
    scale = np.sqrt(np.mean(np.square(train)))
    svm = LinearSVC(C=0.01, dual="auto", random_state=run.seed).fit(train / scale, digits.y_train[some])
    wrong = float(1 - svm.score(test / scale, digits.y_test))
    dead = float(np.mean(train.max(axis=0) <= 0))
    section.results |= {"svm_test_error": wrong, "dead_units": dead, "units": code, "svm_rows": len(train)}
    section.text(
        f"There are {code:,} units, more than a digit has pixels, but each may speak only for the 5 % of the digits in a "
        "batch that excite it most. So nobody speaks always, and each unit comes to stand for one thing of its own: the "
        "longer it is trained, the more a piece of a stroke. A straight-line classifier can read digits off such pieces."
    )
    section.picture(
        "19-6-4-filters",
        plots.filters(np.transpose(model.get_layer("reconstruction").kernel)[:, train.max(axis=0) > 0], most=64),
        "What each of 64 units that some digit excites adds to the picture when it speaks.",
    )
    _figures(
        run, section, "test error of a linear SVM on the codes", f"{wrong:.2%}", "1.20%",
        f"The SVM learns from {len(train):,} labelled digits, the paper's from 60,000. {dead:.1%} of the units are dead: "
        "nothing excites them.",
        "winner_take_all",
    )  # fmt: skip
    return section


def adversarial(run: Run) -> Section:
    """19.6.5: codes of a wanted shape, and classes from few labels."""
    section = Section("19.6.5", "Adversarial")
    digits, shown = run.digits, run.rows(600_000, 110_000)
    small = {"hidden": [256, 256], "discriminator": [128, 128]} if run.short else {}
    shaped = run.train(
        "adversarial-mixture", "adversarial", y=digits.y_train, code=2, prior="mixture", n_classes=10, labels="condition",
        adversarial_weight=0.3, shown=shown, **small,
    ).model  # fmt: skip
    section.text(
        "Two networks play a game. One tells codes from random draws of a shape that you choose; the encoder tries to "
        "fool it. When it cannot tell any more, the codes have that shape, and draws from it can be decoded to new digits. "
        "Nothing but draws are needed, so any shape will do: here ten flat clouds in a ring, and the labels of the "
        "training digits say which cloud is whose."
    )
    draws = shaped.sample(3000, seed=run.seed)
    code = shaped.encode(digits.x_test)
    off = float(np.abs(code.mean(axis=0) - draws.mean(axis=0)).max())
    ratio = [float(value) for value in code.std(axis=0) / draws.std(axis=0)]
    section.results["moments"] = {"largest_difference_of_means": off, "ratio_of_deviations": ratio}
    section.picture(
        "19-6-5-codes",
        plots.prior(code, draws, digits.y_test),
        f"Test digits' codes and the wanted shape. The means are at most {off:.2f} apart; the codes' standard deviations "
        f"are {ratio[0]:.2f} and {ratio[1]:.2f} times the shape's.",
    )
    section.picture(
        "19-6-5-samples",
        plots.tiles(_by_label(shaped, 3, run.seed), columns=[*map(str, range(10))]),
        "New digits: three draws from the cloud of each.",
    )
    y = np.full(len(digits.y_train), -1)
    few = np.random.default_rng(run.seed).permutation(len(y))[:LABELLED]
    y[few] = digits.y_train[few]
    classes = run.train(
        "adversarial-classes", "adversarial", y=y, code=4, n_classes=10, classification_weight=0.2, shown=shown, **small
    ).model
    wrong = float(np.mean(classes.classify(digits.x_test) != digits.y_test))
    plain = LogisticRegression(max_iter=1000).fit(digits.x_train[few], digits.y_train[few])
    other = float(1 - plain.score(digits.x_test, digits.y_test))
    section.results["classes"] = {"test_error": wrong, "logistic_regression_on_pixels": other}
    section.text(
        f"The code can be split: one part says which digit it is, taught by {LABELLED:,} labels and by a game of its own on "
        "all the other digits, and the rest holds how it is written. So a style can be held and the digit changed, as well "
        "as a short training has told the two apart."
    )
    section.picture(
        "19-6-5-styles",
        plots.tiles(_by_label(classes, 5, run.seed), columns=[*map(str, range(10))]),
        "In each row one style, in all ten digits.",
    )
    _figures(
        run, section, f"test error with {LABELLED:,} labels", f"{wrong:.2%}", "1.60%",
        f"Logistic regression on the pixels of the same {LABELLED:,} digits: {other:.2%}. The paper's figure has 60,000 "
        "digits without labels beside them.",
        "adversarial",
    )  # fmt: skip
    return section


def robust(run: Run) -> Section:
    """19.6.6: other digits among the fours, found."""
    section = Section("19.6.6", "Robust")
    digits, random = run.digits, np.random.default_rng(run.seed)
    fours, others = (np.flatnonzero((digits.y_train == 4) == wanted) for wanted in (True, False))
    others = random.choice(others, round(len(fours) * OUTLIERS / (1 - OUTLIERS)), replace=False)
    place = random.permutation(np.concatenate([fours, others]))
    x, strange = digits.x_train[place], digits.y_train[place] != 4
    network = {"hidden": [100], "code": 10, "validation": 0, "shown": run.rows(300_000, 40_000)}
    errors = run.train("robust-plain", "undercomplete", x, **network).model.reconstruction_error(x)
    # Half of the rows are then copied worse than is free.
    trained = run.train("robust", "robust", x, split_weight=float(np.sqrt(np.median(errors))), **network)
    scores = {
        "robust": trained.result.scores,
        "plain network": errors,
        "trimmed PCA": Detector(PCA(10).fit(x)).refit(x).score(x),
    }
    section.text(
        f"{len(fours):,} fours, and {len(others)} other digits slipped in among them. A network learns to copy whatever it "
        "is shown, intruders included, and then sees nothing strange in them. The robust one may lay aside, at a price, "
        "what it cannot copy cheaply, and learns from the rest. What it laid aside is the list of suspects."
    )
    rows, pictures = [], {}
    for name, score in scores.items():
        ranked = np.argsort(-score, kind="stable")
        among = float(strange[ranked[: len(others)]].mean())
        average = float(average_precision_score(strange, score))
        precision, recall, _ = precision_recall_curve(strange, score)
        best = float((2 * precision * recall / np.maximum(precision + recall, 1e-12)).max())
        section.results[name] = {"average_precision": average, "precision_at_outliers": among, "best_f1": best}
        rows.append([name, f"{average:.3f}", f"{among:.3f}", f"{best:.2f}", "0.64" if name == "robust" else ""])
        pictures[name] = x[ranked[:15]]
    section.picture(
        "19-6-6-suspects", plots.tiles([*pictures.values()], rows=[*pictures]), "The 15 first suspects of each."
    )
    section.table(
        ["", "average precision", f"intruders among the first {len(others)}", "best F1", "the paper's"],
        rows,
        f"1 is perfect; a blind guess has an average precision of {OUTLIERS:g}. PCA has 10 components, and is fitted again "
        f"to the least strange 75 %. {_short(run)} `python -m benchmarks robust` has more.",
    )
    return section


def _by_label(model, rows: int, seed: int) -> list[np.ndarray]:
    """A new digit of each label, a row a seed, so that what is not the label is the same in a row."""
    return [
        np.concatenate([model.generate(1, label=label, seed=seed + row) for label in range(10)]) for row in range(rows)
    ]


def _short(run: Run) -> str:
    return f"Short runs on {len(run.digits.x_train):,} training digits, {len(run.digits.x_test):,} for testing."


def _figures(run: Run, section: Section, what: str, here: str, paper: str, note: str, benchmark: str) -> None:
    section.table(
        ["", "here", "the paper"],
        [[what, here, paper]],
        f"{_short(run)} {note} `python -m benchmarks {benchmark}` takes longer.",
    )
