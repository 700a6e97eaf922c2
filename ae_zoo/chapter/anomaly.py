"""Section 19.5: anomaly detection."""

import numpy as np

from ae_zoo import plots
from ae_zoo.chapter.run import Line, Run
from ae_zoo.chapter.symbols import symbols
from ae_zoo.evaluation.detector import Detector
from ae_zoo.report.page import Section

FALSE_ALARM_RATE = 0.01
QUANTILE = 0.75


def anomalies(run: Run) -> Section:
    """19.5: the strangest digits, a refit without them, and a threshold that is put to the test."""
    section = Section("19.5", "Anomaly detection")
    digits = run.digits
    # Rows for the threshold must be ones that no weight has seen, so they are set aside before training.
    held_out = np.random.default_rng(run.seed).permutation(len(digits.x_train)) < len(digits.x_train) // 6
    x_fit, x_calibrate = digits.x_train[~held_out], digits.x_train[held_out]
    model = run.train("anomaly", "undercomplete", x_fit, hidden=[], code=100).model
    detector = Detector(model).calibrate(x_calibrate, FALSE_ALARM_RATE)
    scores = detector.score(digits.x_test)

    section.text(
        "A network reconstructs best what is like the rows that it was trained on, so a large error says that a row is "
        "strange. The largest errors among the test digits belong to these five."
    )
    worst = np.argsort(scores)[-5:][::-1]
    shares = detector.share(digits.x_test[worst])
    strips = {
        "strangest": digits.x_test[worst],
        "reconstructed": model.reconstruct(digits.x_test[worst]),
        "share of the error": shares / shares.max(axis=1, keepdims=True),
    }
    notes = [f"a {digits.y_test[row]}\n{scores[row]:.4f}" for row in worst]
    section.picture(
        "19-5-strangest",
        plots.strips(strips, notes=notes),
        "The five test digits with the largest errors, and where it lies.",
    )
    section.results["strangest"] = [{"row": int(row), "error": float(scores[row])} for row in worst]

    refitted = detector.refit(
        x_fit, QUANTILE, seed=run.seed, verbose=0, epochs=run.epochs, callbacks=[Line("anomaly-refit")]
    ).calibrate(x_calibrate, FALSE_ALARM_RATE)
    refitted.save(run.folder / "models" / "detector-refit.zip")
    detector.save(run.folder / "models" / "detector.zip")
    after = refitted.score(digits.x_test)
    strange = scores > np.quantile(scores, QUANTILE)
    section.text(
        f"The book then trains again on the digits whose error is below the {QUANTILE:.0%} quantile, so that strange "
        "ones no longer teach the network how to draw them. On the quarter of the test digits that were strangest "
        f"before, the mean error goes from {scores[strange].mean():.4f} to {after[strange].mean():.4f}; on the others from "
        f"{scores[~strange].mean():.4f} to {after[~strange].mean():.4f}. It also costs a quarter of the rows."
    )
    section.results["refit"] = {
        "strange": [float(scores[strange].mean()), float(after[strange].mean())],
        "others": [float(scores[~strange].mean()), float(after[~strange].mean())],
    }
    section.picture(
        "19-5-errors",
        plots.errors({"test digits": scores, "test digits, after the refit": after}, threshold=detector.threshold),
        "Distribution of the errors of the test digits; the threshold is the first network's.",
    )

    narrow_model = run.train("anomaly-narrow", "stacked", x_fit, hidden=[300, 100], code=10).model
    narrow = Detector(narrow_model).calibrate(x_calibrate, FALSE_ALARM_RATE)
    section.text(
        f"A threshold for a false alarm rate of {FALSE_ALARM_RATE:.0%} comes from {len(x_calibrate):,} digits that the "
        "network was not trained on. What does it flag? Real test digits should pass; digits with shuffled pixels, "
        "inverted digits and other symbols should not. A third detector has ten codes behind two hidden layers."
    )
    strangers = {
        "shuffled pixels": np.random.default_rng(run.seed).permuted(digits.x_test[:500], axis=1),
        "inverted digits": 1 - digits.x_test[:500],
        "other symbols": symbols(run.seed),
    }
    detectors = {"100 codes": detector, "100 codes, after the refit": refitted, "300-100-10 and back": narrow}
    table, groups = [], {"real digits": digits.x_test, **strangers}
    for name, rows in groups.items():
        flagged = {title: float(one.flag(rows).mean()) for title, one in detectors.items()}
        table.append([name, f"{len(rows):,}", *(f"{share:.1%}" for share in flagged.values())])
        section.results[name] = {"rows": len(rows), "flagged": flagged}
    section.results["thresholds"] = {title: one.threshold for title, one in detectors.items()}
    errors = {title: float(one.score(digits.x_test).mean()) for title, one in detectors.items()}
    section.results["test_mse"] = errors
    table.append(["mean error of real digits", "", *(f"{error:.4f}" for error in errors.values())])
    section.table(
        ["flagged", "images", *detectors], table, "Share flagged. For real digits it is the rate of false alarms."
    )
    section.picture(
        "19-5-strangers",
        plots.errors({name: narrow.score(rows) for name, rows in groups.items()}, threshold=narrow.threshold),
        "Errors of real digits and of images that are none, by the narrow network.",
    )
    shown = np.concatenate([rows[:4] for rows in strangers.values()])
    section.picture(
        "19-5-stranger-images",
        plots.strips(
            {
                "not a digit": shown,
                "by 100 codes": model.reconstruct(shown),
                "by 10 codes": narrow_model.reconstruct(shown),
            }
        ),
        "Images that are no digits, and what the networks make of them.",
    )

    def share(name: str, title: str) -> str:
        return f"{section.results[name]['flagged'][title]:.0%}"

    section.text(
        "What reconstructs best need not detect best. A hundred codes describe strokes, and a letter is made of strokes: "
        f"many come back almost whole, and {share('other symbols', '100 codes')} of the symbols are flagged. Ten codes have "
        "little room for anything but digits, so a letter comes back bent towards one: "
        f"{share('other symbols', '300-100-10 and back')} are flagged. Real digits come back worse too, and of the shuffled "
        f"ones {share('shuffled pixels', '300-100-10 and back')} are flagged, where the hundred codes flag "
        f"{share('shuffled pixels', '100 codes')}.",
        "The book reads a threshold off the training rows' own quantile. That flags a fixed share of them whatever the "
        "data, and is too low for new rows; held-out rows give a rate that can be checked, as above.",
    )
    return section
