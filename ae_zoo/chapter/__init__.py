"""Chapter 19, run in the book's order on real digits and written as a report.

Each module is one section of the book: a function from a `Run` to a `Section`. The families of 19.6, which the book only
names, are run where they are asked for.
"""

import pathlib
import sys
import time
from collections.abc import Sequence

from ae_zoo.chapter import anomaly, denoising, sparse, undercomplete, zoo
from ae_zoo.chapter.run import Run
from ae_zoo.data import Digits
from ae_zoo.errors import unknown
from ae_zoo.report import page as report

SECTIONS = {
    "19.2.1": undercomplete.two_codes,
    "19.2.2": undercomplete.architectures,
    "19.2.3": undercomplete.reconstructions,
    "19.3": sparse.sparsity,
    "19.4": denoising.denoising,
    "19.5": anomaly.anomalies,
    "19.6.1": zoo.variational,
    "19.6.2": zoo.contractive,
    "19.6.3": zoo.convolutional,
    "19.6.4": zoo.winner_take_all,
    "19.6.5": zoo.adversarial,
    "19.6.6": zoo.robust,
}
BOOK = ("19.2", "19.3", "19.4", "19.5")  # what the book itself runs
QUICK_TRAINING, QUICK_TEST = 4000, 1000


def chapter(
    digits: Digits, folder: pathlib.Path, *, only: Sequence[str] = (), seed: int = 1, quick: bool = False
) -> list[report.Section]:
    """Runs the chapter, or some of its sections, and writes `report.html`, `report.json`, PNGs and models.

    Args:
        digits: what to run it on; their source is printed beside every result.
        folder: where the report goes; made if missing.
        only: section numbers; a number stands for its subsections too ("19.2"). Default: what the book runs, 19.2 to
            19.5; "19" is everything.
        seed: of everything.
        quick: on 5,000 of the digits.

    Raises:
        ValueError: for a section that is not there.
    """
    sections, numbers = [], chosen(only)
    if quick and len(digits.x_train) > QUICK_TRAINING:
        digits = digits.first(QUICK_TRAINING, QUICK_TEST, f"{QUICK_TRAINING + QUICK_TEST:,} digits of {digits.source}")
    run = Run(digits, folder, seed, quick)
    print(f"Data: {digits}")
    for place, number in enumerate(numbers, start=1):
        print(f"[{place}/{len(numbers)}] {number}", flush=True)
        begin = time.perf_counter()
        section = SECTIONS[number](run)
        section.seconds = time.perf_counter() - begin
        sections.append(section)
    notes = [
        "Networks have a sigmoid output and, where nothing else is said, a linear code, and are trained by Adam with a "
        "warm-up and a cosine decay. The book uses H2O, and tanh everywhere; 19.2.2 tries that too.",
        "Errors are mean squared errors a pixel on pixels in [0, 1], on test digits that nothing was trained on.",
    ]
    if not digits.full:
        notes.insert(0, "These are not MNIST's 60,000 digits: the figures are weaker than those that full MNIST gives.")
    report.write(folder, "Chapter 19 again: autoencoders on handwritten digits", str(digits), sections, notes)
    print(f"Report: {folder / 'report.html'}", file=sys.stdout)
    return sections


def chosen(only: Sequence[str]) -> list[str]:
    """The numbers of the wanted sections in the book's order; those that the book runs if none is named.

    Raises:
        ValueError: for a section that is not there.
    """
    for number in only:
        if not any(_within(known, number) for known in SECTIONS):
            raise unknown("section", number, SECTIONS)
    return [known for known in SECTIONS if any(_within(known, number) for number in only or BOOK)]


def _within(number: str, wanted: str) -> bool:
    return number == wanted or number.startswith(f"{wanted}.")
