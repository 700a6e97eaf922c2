"""Whether rows need an autoencoder to find the strange ones among them."""

import dataclasses
import math
import time
from typing import TYPE_CHECKING, Any

import numpy as np

from ae_zoo._support import checks
from ae_zoo.autoencoder import Autoencoder
from ae_zoo.detection.detect import detect, rows_of
from ae_zoo.detection.judge import Area
from ae_zoo.detection.rivals import RIVALS, Score
from ae_zoo.detection.strangers import made
from ae_zoo.errors import AEZooError, short
from ae_zoo.evaluation.plain import categories, plain
from ae_zoo.frames import take
from ae_zoo.typing import Array, Rows

if TYPE_CHECKING:
    import pandas as pd

OURS = "autoencoder"
LEAST = 40  # ordinary rows
MARGIN = 0.01  # a smaller difference of areas is none, however sure it is
SURE = 2.0  # standard errors
MOST = 10_000  # rows of a kind to test on
NUMBERS = 2**25  # in them
MADE_UP = (
    "made up, for want of labels: rows with a fifth of the cells from other rows (exchanged), with one cell moved by three "
    "standard deviations or set to another level (broken), and with all cells drawn evenly (uniform); yours may be of "
    "another kind"
)


@dataclasses.dataclass(frozen=True, eq=False)
class Comparison:
    """What `ae_zoo.compare` returns; printing it shows all of it.

    Attributes:
        table: a line for each method, the best first, by name. `auroc` is the probability that a strange row has a higher
            score than an ordinary one, `standard_error` that of the test rows' choice. With labels there is
            `average_precision`; without, the area for each kind of strange rows. `fit_seconds` and `score_seconds` are
            for the training and the test rows.
        best: the name of the method to take.
        margin: the smallest difference between the areas of the autoencoder and of the best other method that would count.
        protocol: what was trained on and tested on, in a sentence.
        verdict: which method to take, and why, in a sentence.
    """

    table: "pd.DataFrame"
    best: str
    margin: float
    protocol: str
    verdict: str

    @property
    def needs_autoencoder(self) -> bool:
        """Whether the autoencoder is the method to take."""
        return self.best == OURS

    def __str__(self) -> str:
        shown = self.table.rename_axis(None).rename(columns=lambda name: name.replace("_", " "))
        return f"{shown.to_string(float_format='{:.3f}'.format)}\n\n{self.protocol}\n{self.verdict}"

    __repr__ = __str__


def compare(x: Rows, y: Rows | None = None, *, seed: int = 1, **options: Any) -> Comparison:
    """Returns how well an autoencoder finds strange rows beside simpler methods, and which one to take.

    The simpler ones are PCA (the error of as many components as explain 90 % of the variance), the mean distance to the 5
    nearest training rows (kNN), an isolation forest, and ECOD. All are trained on the same half of the ordinary rows, and
    tested on the others, at most 10,000 of a kind. The autoencoder is taken only if its area under the ROC curve is larger
    than that of the best other method by more than two standard errors (DeLong et al. 1988) and more than .01.

    Args:
        x: rows: an array `(n, ...)`, images, or a frame with texts, dates and holes. To the simpler methods numbers are
            scaled as for the network, a category is a number a level, and a missing number is the mean.
        y: for each row 1 if it is strange, else 0, `(n,)`. None if nobody knows: then most rows should be ordinary, and the
            strange ones are made up.
        seed: of the choice of rows, the training, and the made-up rows, from 0 to 2^32 - 1.
        **options: of `ae_zoo.detect`, such as `members=5`, and of its networks.

    Raises:
        AEZooError: there are too few rows, the labels are not 0 and 1 or all of one kind, or an option is not legal.

    Example:
        >>> print(ae_zoo.compare(x))
    """
    import pandas as pd

    seed = checks.seed(seed) or 0
    for name in ("false_alarm_rate", "held_out", "by"):
        if name in options:
            raise AEZooError(f"{name} is for a threshold, and compare needs none: leave it out.")
    rows = rows_of(x, options)
    n = len(rows)
    is_strange = np.zeros(n, bool) if y is None else _labels(y, n)
    ordinary = np.random.default_rng(seed).permutation(np.flatnonzero(~is_strange))
    if len(ordinary) < LEAST:
        raise AEZooError(f"A comparison needs at least {LEAST} ordinary rows; received {len(ordinary)}.")
    half = len(ordinary) // 2
    x_train, x_test = take(rows, ordinary[:half]), take(rows, ordinary[half:])
    begin = time.perf_counter()
    # Few rows for a threshold that nobody asks for: the others learn from all rows too.
    detector = detect(x_train, seed=seed, false_alarm_rate=0.5, held_out=min(0.2, 20 / half), **options)
    fitted: dict[str, tuple[Score, float]] = {OURS: (detector.score, time.perf_counter() - begin)}
    model = detector.model.to_model()
    train, test = (_known(model, model.check_rows(part)) for part in (x_train, x_test))
    most = max(LEAST, min(MOST, NUMBERS // math.prod(train.shape[1:])))
    test = test[:most]
    if y is None:
        test, strange = _with_strangers(model, train, test, seed)
        what = f"strange rows of each of three kinds, {MADE_UP}"
    else:
        labeled = np.random.default_rng(seed).permutation(np.flatnonzero(is_strange))[:most]
        strange = {"labeled": _known(model, model.check_rows(take(rows, labeled)))}
        what = "strange rows by the labels"
    numbers, every = plain(model, train), np.concatenate([test, *strange.values()])
    for name, fit in RIVALS.items():
        begin = time.perf_counter()
        fitted[name] = fit(numbers, seed), time.perf_counter() - begin
    simple = plain(model, every)
    lines, areas = {}, {}
    for name, (score, seconds) in fitted.items():
        begin = time.perf_counter()
        scores = score(every if name == OURS else simple)
        times = {"fit_seconds": seconds, "score_seconds": time.perf_counter() - begin}
        areas[name] = area = Area.of(scores[: len(test)], scores[len(test) :].reshape(len(strange), -1))
        by_kind = dict(zip(strange, area.of_strange.mean(axis=1), strict=True))
        own = by_kind if y is None else {"average_precision": _average_precision(scores, len(test))}
        lines[name] = {"auroc": area.value, "standard_error": area.error, **own, **times}
    table = pd.DataFrame.from_dict(lines, orient="index").rename_axis("method")
    best, margin, verdict = judged(
        areas, {name: line["fit_seconds"] + line["score_seconds"] for name, line in lines.items()}
    )
    count = len(next(iter(strange.values())))
    return Comparison(
        table.sort_values("auroc", ascending=False, kind="stable"),
        best,
        margin,
        f"Trained on {len(train):,} ordinary rows, tested on {len(test):,} other ordinary rows and {count:,} {what}.",
        verdict,
    )


def judged(areas: dict[str, Area], seconds: dict[str, float]) -> tuple[str, float, str]:
    """Returns the method to take, the smallest difference that counts, and both as a sentence.

    Args:
        areas: of the autoencoder and the other methods, by name.
        seconds: that each takes.
    """
    ours = areas[OURS]
    other = max((name for name in areas if name != OURS), key=lambda name: areas[name].value)
    theirs = areas[other]
    margin = max(MARGIN, SURE * ours.error_of_difference(theirs))
    gain = ours.value - theirs.value
    best = OURS if gain > margin else other
    if areas[best].value - SURE * areas[best].error <= 0.5:
        return best, margin, "No method finds these strange rows better than chance: an autoencoder is no help here."
    figures = f"area {ours.value:.3f} against {theirs.value:.3f}, and a difference counts from {margin:.3f}"
    times = seconds[OURS] / max(seconds[other], 1e-9)
    if gain > margin:
        slower = f", in {_rounded(times)} times the time" if times >= 2 else ""
        return best, margin, f"The autoencoder is better than {other} ({figures}){slower}: take it."
    word = "better" if -gain > margin else "as good"
    faster = f" and {_rounded(times)} times faster" if times >= 2 else ""
    return best, margin, f"{other} is {word}{faster} ({figures}): take it, and no autoencoder."


def _rounded(times: float) -> str:
    """Returns a number of times with at most two digits that count."""
    digits = max(0, int(math.log10(times)) - 1)
    return f"{round(times, -digits):,.0f}"


def _with_strangers(model: Autoencoder, train: Array, test: Array, seed: int) -> tuple[Array, dict[str, Array]]:
    """Returns one half of the coded test rows, and strange rows of each kind that are made from the other half."""
    test, source = test[: len(test) // 2], test[len(test) // 2 :]
    flat_train, flat_source = (part.reshape(len(part), -1) for part in (train, source))
    strange = made(flat_train, flat_source, categories(model.schema), seed)
    return test, {kind: part.reshape(source.shape) for kind, part in strange.items()}


def _average_precision(scores: Array, ordinary: int) -> float:
    """Returns the average precision of scores, the first of which are those of ordinary rows."""
    from sklearn.metrics import average_precision_score

    return float(average_precision_score(np.arange(len(scores)) >= ordinary, scores))


def _labels(y: Rows, rows: int) -> Array:
    """Returns which rows are strange, bool `(rows,)`."""
    found = np.asarray(y)
    if found.shape not in ((rows,), (rows, 1)):
        raise AEZooError(
            f"y must be 0 or 1 for each of the {rows} rows, 1 for a strange one; received the shape {found.shape}."
        )
    found = found.reshape(rows)
    wrong = [
        str(value) for value in np.unique(found.astype(str)) if value not in ("0", "1", "0.0", "1.0", "False", "True")
    ]
    if wrong:
        raise AEZooError(f"y must be 0 or 1 for each row, 1 for a strange one; received {short(wrong[0])} too.")
    is_strange = np.isin(found.astype(str), ("1", "1.0", "True"))
    if not 2 <= is_strange.sum() <= rows - 2:
        raise AEZooError(
            f"y must mark at least 2 strange rows and 2 others; {is_strange.sum()} of its {rows} labels are 1. Without "
            "labels, call compare(x)."
        )
    return is_strange


def _known(model: Autoencoder, x: Array) -> Array:
    """Returns the coded rows of which something is known."""
    return x[model.schema.known(x)]
