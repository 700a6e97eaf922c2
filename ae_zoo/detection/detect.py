"""From rows to a calibrated detector, in one call."""

import math
from collections.abc import Mapping, Sequence
from typing import Any

import keras
import numpy as np

from ae_zoo._support import checks
from ae_zoo.detection.again import check_options
from ae_zoo.detection.detector import ALL, Detector
from ae_zoo.detection.groups import place_of
from ae_zoo.detection.scores import Part
from ae_zoo.errors import AEZooError, short
from ae_zoo.factory import build
from ae_zoo.frames import columns_of, numeric, take
from ae_zoo.tables.frames import is_table, to_pandas
from ae_zoo.tables.schema import TableSchema
from ae_zoo.training.fit import fit as train
from ae_zoo.training.schedule import Verbose
from ae_zoo.typing import Rows

COMPARED = 0.1  # of the rows are neither trained on nor calibrated with: they choose the epoch, and compare the parts
FOLDS = 5
EPOCHS = 40
WIDEST = 512  # hidden layer
NUMBERS: dict[str, Any] = {
    "scaling": "standard",
    "output_activation": "linear",
    "loss": "mse",
    "corruption": "gaussian",
    "corruption_amount": 1.0,
}
CELLS: dict[str, Any] = {"corruption": "masking", "corruption_amount": 0.5}
PIXELS = 64  # numbers of a row without names, from which on it is taken for an image if they are in [0, 1]
IMAGES: dict[str, Any] = {"hidden": [256], "code": 24}


def detect(
    x: Rows,
    family: str | None = None,
    *,
    false_alarm_rate: float = 0.01,
    held_out: float = 0.2,
    members: int = 1,
    parts: Sequence[Part] = ALL,
    top: int | None = None,
    by: str | None = None,
    seed: int = 1,
    fit: Mapping[str, Any] | None = None,
    verbose: Verbose = "auto",
    **options: Any,
) -> Detector:
    """Returns a detector for rows like these: networks trained on most of them, a threshold from the others.

    The rows should be ordinary ones. A few strange ones among them do little harm: they raise the threshold.

    Args:
        x: rows: an array `(n, ...)`, images, or a frame with texts, dates and holes.
        family: the family of the networks: see `ae_zoo.build`. By default `denoising`, with a code as wide as the row (24 for
            images) and strong noise, which found the most strange rows in the study of docs/detection.md. With a family of
            your own the other options have that family's defaults.
        false_alarm_rate: the share of ordinary rows that may be flagged, in (0, 1).
        held_out: the share of the rows for the threshold, from 0 to below 1. If these are too few for the rate, or 0, the
            threshold comes from five folds of all rows instead, which takes six times as long, and all rows have honest
            scores, `detector.out_of_fold`.
        members: number of networks, with other initial weights, whose scores are averaged.
        parts: what makes a row strange: see `Detector`.
        top: the error of a row is the mean of this number of its largest errors; None for the mean of all.
        by: a column whose values have a threshold each.
        seed: of the choice of rows, the weights and the runs, from 0 to 2^32 - 1.
        fit: arguments of `ae_zoo.fit`, such as `{"epochs": 50}`.
        verbose: of the training, as in `ae_zoo.fit`.
        **options: of the networks: see `ae_zoo.build`.

    Raises:
        AEZooError: an argument is not legal, or there are too few rows for the rate.

    Example:
        >>> detector = ae_zoo.detect(frame, false_alarm_rate=0.001)
        >>> detector.explain(new[detector.flag(new)], top=3)
    """
    rate = checks.share("false_alarm_rate", false_alarm_rate)
    share = checks.share("held_out", held_out) if held_out != 0 else 0.0
    count, seed = checks.count("members", members), checks.seed(seed) or 0
    if fit is not None and not isinstance(fit, Mapping):
        raise AEZooError(f"fit must hold arguments of ae_zoo.fit, such as {{'epochs': 50}}; received {short(fit)}.")
    check_options(fit or {})
    rows = rows_of(x, options)
    if len(rows) < 10:
        raise AEZooError(f"x must hold at least 10 rows; received {len(rows)}.")
    needed = math.ceil(1 / rate) - 1
    if len(rows) < needed:
        raise AEZooError(
            f"A false alarm rate of {rate:g} needs at least {needed} rows; received {len(rows)}: give more, or a higher rate."
        )
    folds = FOLDS if math.ceil(share * len(rows)) < needed else None
    order = np.random.default_rng(seed).permutation(len(rows))
    for_limit = 0 if folds else math.ceil(share * len(rows))
    for_parts = max(2, round(COMPARED * len(rows)))
    if for_limit + for_parts > len(rows) - 2:
        raise AEZooError(
            f"held_out={share:g} leaves too few of the {len(rows)} rows to train on: give a smaller share."
        )
    chosen = (order[:for_limit], order[for_limit : for_limit + for_parts], order[for_limit + for_parts :])
    limit, compared, training = (take(rows, np.sort(places)) for places in chosen)
    if family is None:
        family, suited = _suited(training, options)
        options, fit = {**suited, **options}, {"epochs": EPOCHS, **(fit or {})}
    first = build(family, data=training, seed=seed, **options)
    x_train, x_compared = first.check_rows(training), first.check_rows(compared)
    if by is not None:
        place_of(first.schema, by)  # a misspelt name is refused before the training
    models = [first]
    for index in range(1, count):
        keras.utils.set_random_seed((seed + index) % 2**32)
        models.append(first.fresh())
    for index, model in enumerate(models):
        own = {"validation": x_compared, "seed": (seed + index) % 2**32, "verbose": verbose, **(fit or {})}
        train(model, x_train, **own)
    detector = Detector(models, x_train=x_train, x_held_out=x_compared, parts=parts, top=top, seed=seed)
    if folds:
        own = {"seed": seed, "verbose": verbose, **(fit or {})}
        own.pop("validation", None)  # of other rows than those of the folds
        return detector.calibrate(first.check_rows(rows), rate, by=by, folds=folds, **own)
    return detector.calibrate(first.check_rows(limit), rate, by=by)


def rows_of(x: Rows, options: Mapping[str, Any]) -> Any:
    """Returns rows as a frame of pandas, or as an array of numbers.

    Args:
        x: rows in any form.
        options: of the networks. With the schema of a table an array holds coded cells, some of which may be missing.

    Raises:
        AEZooError: they cannot be read as numbers.
    """
    if columns_of(x) is not None:
        return to_pandas(x, "x")
    return np.asarray(x) if isinstance(options.get("schema"), TableSchema) else numeric(x, "x", learn=True)


def _suited(rows: Any, options: Mapping[str, Any]) -> tuple[str, dict[str, Any]]:
    """Returns the family and the options that suit detection on such rows: see benchmarks/detection."""
    if options.get("network") == "convolutional" or "input_shape" in options:
        return "undercomplete", {}
    if is_table(rows) or isinstance(options.get("schema"), TableSchema):
        schema = options.get("schema") or TableSchema.of(rows)[0]
        return "denoising", {"schema": schema, **CELLS, **_wide(math.prod(schema.output_shape))}
    x = np.asarray(rows)
    wide = x.ndim > 2 or x.shape[-1] >= PIXELS
    if wide and columns_of(rows) is None and "columns" not in options and x.min() >= 0 and x.max() <= 1:
        return "denoising", dict(IMAGES)
    return "denoising", {**NUMBERS, **_wide(math.prod(x.shape[1:]))}


def _wide(numbers: int) -> dict[str, Any]:
    return {"code": max(2, min(numbers, WIDEST)), "hidden": [min(WIDEST, max(16, 2 * numbers))]}
