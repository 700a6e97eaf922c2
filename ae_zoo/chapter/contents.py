"""The chapter's sections in order, and the report of them. The families of 19.6 are run where they are asked for."""

import pathlib
import sys
import time
from collections.abc import Sequence

from ae_zoo.chapter import (
    activations,
    architectures,
    intruders,
    new_digits,
    noisy_digits,
    reconstructions,
    shaped_codes,
    sliding_filters,
    still_codes,
    strange_digits,
    stroke_dictionary,
    two_codes,
)
from ae_zoo.chapter.run import Run
from ae_zoo.data import Digits
from ae_zoo.errors import unknown
from ae_zoo.report import page as report

SECTIONS = {
    "19.2.1": two_codes.section,
    "19.2.2": architectures.section,
    "19.2.3": reconstructions.section,
    "19.3": activations.section,
    "19.4": noisy_digits.section,
    "19.5": strange_digits.section,
    "19.6.1": new_digits.section,
    "19.6.2": still_codes.section,
    "19.6.3": sliding_filters.section,
    "19.6.4": stroke_dictionary.section,
    "19.6.5": shaped_codes.section,
    "19.6.6": intruders.section,
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
    if any(_within(number, "19.6") for number in numbers):
        notes.append(
            f"Section 19.6 is of short runs on {len(digits.x_train):,} training and {len(digits.x_test):,} test digits; "
            "`python -m benchmarks NAME`, with the name of a family, takes longer, and comes nearer to the papers' figures."
        )
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
