"""Section 19.5: anomaly detection."""

from collections.abc import Mapping

import numpy as np

from ae_zoo import plots
from ae_zoo.chapter import reconstructions
from ae_zoo.chapter.run import Line, Options, Run
from ae_zoo.chapter.symbols import symbols
from ae_zoo.data import Digits
from ae_zoo.detection.detector import Detector
from ae_zoo.plots.style import Figure
from ae_zoo.report.page import Section

FALSE_ALARM_RATE = 0.01
QUANTILE = 0.75
NARROW: Options = {"hidden": [300, 100], "code": 10}


def set_aside(x: np.ndarray, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Rows to train on, and a sixth of the rows for the threshold, which no weight may have seen."""
    held_out = np.random.default_rng(seed).permutation(len(x)) < len(x) // 6
    return x[~held_out], x[held_out]


def strangers(x: np.ndarray, seed: int) -> dict[str, np.ndarray]:
    """Images that are no digits: digits with shuffled pixels, inverted digits, and letters and signs."""
    return {
        "shuffled pixels": np.random.default_rng(seed).permuted(x[:500], axis=1),
        "inverted digits": 1 - x[:500],
        "other symbols": symbols(seed),
    }


def flagged(detectors: Mapping[str, Detector], groups: Mapping[str, np.ndarray]) -> dict[str, dict[str, float]]:
    """The share of each group that each detector flags; of real digits it is the rate of false alarms."""
    return {name: {title: float(one.flag(x).mean()) for title, one in detectors.items()} for name, x in groups.items()}


def quarters(before: np.ndarray, after: np.ndarray) -> dict[str, list[float]]:
    """The mean errors before and after of the quarter of the rows that was strangest before, and of the others."""
    strange = before > np.quantile(before, QUANTILE)
    return {
        name: [float(scores[rows].mean()) for scores in (before, after)]
        for name, rows in (("strange", strange), ("others", ~strange))
    }


def strangest(scores: np.ndarray, count: int) -> np.ndarray:
    """The places of the largest scores, the largest first."""
    return np.argsort(scores)[-count:][::-1]


def figure(detector: Detector, digits: Digits, rows: np.ndarray) -> Figure:
    """Test digits, their reconstructions, and where their errors lie."""
    x = digits.x_test[rows]
    shares, scores = detector.share(x), detector.score(x)
    strips = {
        "strangest": x,
        "reconstruction": detector.model.reconstruct(x),
        "where the error is": shares / shares.max(axis=1, keepdims=True),
    }
    notes = [f"a {name}\n{score:.4f}" for name, score in zip(digits.y_test[rows], scores, strict=True)]
    return plots.strips(strips, notes=notes)


def strangers_figure(detectors: Mapping[str, Detector], groups: Mapping[str, np.ndarray]) -> Figure:
    """Four images of each group, and what the detectors' models make of them."""
    shown = np.concatenate([x[:4] for x in groups.values()])
    return reconstructions.figure({name: one.model for name, one in detectors.items()}, shown, "not a digit")


def section(run: Run) -> Section:
    """19.5: the strangest digits, a refit without them, and a threshold that is put to the test."""
    section = Section("19.5", "Anomaly detection")
    digits = run.digits
    x_fit, x_calibrate = set_aside(digits.x_train, run.seed)
    model = run.train("anomaly", "undercomplete", x_fit, hidden=[], code=100).model
    detector = Detector(model).calibrate(x_calibrate, FALSE_ALARM_RATE)
    scores = detector.score(digits.x_test)
    rows = strangest(scores, 5)
    section.results["strangest"] = [{"row": int(row), "error": float(scores[row])} for row in rows]
    section.text(
        "A network reconstructs best what is like the rows that it was trained on, so a large error says that a row is "
        "strange. The largest errors among the test digits belong to these five."
    )
    section.picture(
        "19-5-strangest",
        figure(detector, digits, rows),
        "The five test digits with the largest errors, and where it lies.",
    )

    refitted = detector.refit(
        x_fit, QUANTILE, seed=run.seed, verbose=0, epochs=run.epochs, callbacks=[Line("anomaly-refit")]
    ).calibrate(x_calibrate, FALSE_ALARM_RATE)
    refitted.save(run.folder / "models" / "detector-refit.zip")
    detector.save(run.folder / "models" / "detector.zip")
    after = refitted.score(digits.x_test)
    found = section.results["refit"] = quarters(scores, after)
    section.text(
        f"The book then trains again on the digits whose error is below the {QUANTILE:.0%} quantile, so that strange "
        "ones no longer teach the network how to draw them. On the quarter of the test digits that were strangest "
        f"before, the mean error goes from {found['strange'][0]:.4f} to {found['strange'][1]:.4f}; on the others from "
        f"{found['others'][0]:.4f} to {found['others'][1]:.4f}. It also costs a quarter of the rows."
    )
    section.picture(
        "19-5-errors",
        plots.errors({"test digits": scores, "test digits, after the refit": after}, threshold=detector.threshold),
        "Distribution of the errors of the test digits; the threshold is the first network's.",
    )

    narrow_model = run.train("anomaly-narrow", "stacked", x_fit, **NARROW).model
    narrow = Detector(narrow_model).calibrate(x_calibrate, FALSE_ALARM_RATE)
    section.text(
        f"A threshold for a false alarm rate of {FALSE_ALARM_RATE:.0%} comes from {len(x_calibrate):,} digits that the "
        "network was not trained on. What does it flag? Real test digits should pass; digits with shuffled pixels, "
        "inverted digits and other symbols should not. A third detector has ten codes behind two hidden layers."
    )
    wide, bent = "100 codes", "300-100-10 and back"
    detectors = {wide: detector, "100 codes, after the refit": refitted, bent: narrow}
    foreign = strangers(digits.x_test, run.seed)
    groups = {"real digits": digits.x_test, **foreign}
    shares = flagged(detectors, groups)
    errors = {title: float(one.score(digits.x_test).mean()) for title, one in detectors.items()}
    section.results |= {name: {"rows": len(groups[name]), "flagged": share} for name, share in shares.items()}
    section.results["thresholds"] = {title: one.threshold for title, one in detectors.items()}
    section.results["test_mse"] = errors
    table = [[name, f"{len(x):,}", *(f"{share:.1%}" for share in shares[name].values())] for name, x in groups.items()]
    table.append(["mean error of real digits", "", *(f"{error:.4f}" for error in errors.values())])
    section.table(
        ["flagged", "images", *detectors], table, "Share flagged. For real digits it is the rate of false alarms."
    )
    section.picture(
        "19-5-strangers",
        plots.errors({name: narrow.score(x) for name, x in groups.items()}, threshold=narrow.threshold),
        "Errors of real digits and of images that are none, by the narrow network.",
    )
    section.picture(
        "19-5-stranger-images",
        strangers_figure({"by 100 codes": detector, "by 10 codes": narrow}, foreign),
        "Images that are no digits, and what the networks make of them.",
    )
    section.text(
        "What reconstructs best need not detect best. A hundred codes describe strokes, and a letter is made of strokes: "
        f"many come back almost whole, and {shares['other symbols'][wide]:.0%} of the symbols are flagged. Ten codes have "
        "little room for anything but digits, so a letter comes back bent towards one: "
        f"{shares['other symbols'][bent]:.0%} are flagged. Real digits come back worse too, and of the shuffled "
        f"ones {shares['shuffled pixels'][bent]:.0%} are flagged, where the hundred codes flag "
        f"{shares['shuffled pixels'][wide]:.0%}.",
        "The book reads a threshold off the training rows' own quantile. That flags a fixed share of them whatever the "
        "data, and is too low for new rows; held-out rows give a rate that can be checked, as above.",
    )
    return section
