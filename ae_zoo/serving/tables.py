"""A table's raw columns in the served graph: to coded rows and back, as `tables/columns.py` does it, number for number.

Raw operations of TensorFlow, and no lookup tables: a level is found by comparing, which needs no resource that a server has
to initialize.
"""

from collections.abc import Mapping, Sequence

import numpy as np
import tensorflow as tf

from ae_zoo.tables.cells import DAY
from ae_zoo.tables.columns import Column
from ae_zoo.tables.raw import SECONDS, keys
from ae_zoo.typing import Tensor

ISO = r"\d{4}-\d\d-\d\d([T ]\d\d:\d\d(:\d\d(\.\d{1,6})?)?)?"


def coded(columns: Sequence[Column], given: Mapping[str, Tensor]) -> Tensor:
    """Returns coded rows `(batch, columns)` for raw columns `(batch,)` by key; refuses what is no cell of its column."""
    names = keys([column.name for column in columns])
    return tf.stack([_coded(column, given[names[column.name]]) for column in columns], axis=1)


def raw(columns: Sequence[Column], rows: Tensor) -> dict[str, Tensor]:
    """Returns raw columns `(batch,)` by key for coded rows `(batch, columns)` without missing cells."""
    names = keys([column.name for column in columns])
    return {names[column.name]: _raw(column, rows[:, place]) for place, column in enumerate(columns)}


def missing(cells: Tensor) -> Tensor:
    """Returns which cells of a raw column are missing."""
    return tf.equal(cells, "") if cells.dtype == tf.string else tf.math.is_nan(cells)


def _coded(column: Column, cells: Tensor) -> Tensor:
    if column.kind == "category":
        same = tf.equal(cells[:, None], tf.constant(["", *column.levels])[None])  # the first, "", is never a level
        number = tf.where(tf.reduce_any(same, axis=1), tf.argmax(same, axis=1), 0)
        return tf.where(missing(cells), np.float32(np.nan), tf.cast(number, tf.float32))
    if column.kind == "boolean":
        legal = tf.reduce_all(tf.math.is_nan(cells) | tf.equal(cells, 0) | tf.equal(cells, 1))
        cells = asserted(cells, legal, f"{column.name} must be 0, 1, or NaN for a missing cell")
        return tf.cast(cells + 1, tf.float32)
    if column.kind == "date":
        days = _days(tf.where(missing(cells), "1970-01-01", cells), column.name)
        return tf.where(missing(cells), np.float32(np.nan), tf.cast(days - column.origin, tf.float32))
    return tf.cast(cells - column.origin, tf.float32)


def _raw(column: Column, coded: Tensor) -> Tensor:
    if column.kind == "category":
        return tf.gather(tf.constant([column.other, *column.levels]), tf.cast(coded, tf.int32))
    wide = tf.cast(coded, tf.float64)
    if column.kind == "boolean":
        return wide - 1
    if column.kind == "date":
        value = wide + column.origin
        seconds = tf.round(value) * SECONDS if column.step else tf.round(value * SECONDS)
        return _iso(tf.cast(seconds, tf.int64), whole=bool(column.step))
    scale = 10.0**column.decimals if column.decimals else 1.0  # as NumPy rounds to decimals
    value = wide + column.origin
    return tf.round(value * scale) / scale if column.kind == "integer" or column.decimals else value


def _days(texts: Tensor, name: str) -> Tensor:
    """Returns days since 1970 in float64 for texts of ISO dates."""
    legal = tf.reduce_all(tf.strings.regex_full_match(texts, ISO))
    texts = asserted(texts, legal, f"{name} must be dates such as 2026-01-31 or 2026-01-31T12:00:00, or empty texts")
    for pattern, full in ((r"^(.{10})$", r"\1T00:00:00"), (r"^(.{16})$", r"\1:00"), (r"^(.{19})$", r"\1.0")):
        texts = tf.strings.regex_replace(texts, pattern, full)
    texts = tf.strings.join([texts, "00000"])

    def number(first: int, length: int) -> Tensor:
        return tf.strings.to_number(tf.strings.substr(texts, first, length), tf.int64)

    year, month, day = number(0, 4), number(5, 2), number(8, 2)
    # Days from the civil calendar in 400-year eras that begin in March, so that a leap day is the last of its year.
    year -= tf.cast(month <= 2, tf.int64)
    era = year // 400
    of_era = year - 400 * era
    of_year = (153 * (month + tf.where(month > 2, np.int64(-3), np.int64(9))) + 2) // 5 + day - 1
    days = 146_097 * era + 365 * of_era + of_era // 4 - of_era // 100 + of_year - 719_468
    same = tf.reduce_all(tf.equal(_iso(SECONDS * days, whole=True), tf.strings.substr(texts, 0, 10)))
    days = asserted(days, same, f"{name} must be dates that there are, unlike 2026-02-30")
    seconds = 3600 * number(11, 2) + 60 * number(14, 2) + number(17, 2)
    micro = 1_000_000 * (SECONDS * days + seconds) + number(20, 6)
    return tf.cast(micro, tf.float64) / DAY


def _iso(seconds: Tensor, whole: bool) -> Tensor:
    """Returns texts of ISO dates, to the day or to the second."""
    days, rest = seconds // SECONDS, seconds % SECONDS
    shifted = days + 719_468
    era = shifted // 146_097
    of_era = shifted - 146_097 * era
    year = (of_era - of_era // 1460 + of_era // 36_524 - of_era // 146_096) // 365
    of_year = of_era - (365 * year + year // 4 - year // 100)
    part = (5 * of_year + 2) // 153
    day = of_year - (153 * part + 2) // 5 + 1
    month = part + tf.where(part < 10, np.int64(3), np.int64(-9))
    year += 400 * era + tf.cast(month <= 2, tf.int64)
    parts = [(year, 4), ("-", 0), (month, 2), ("-", 0), (day, 2)]
    if not whole:
        parts += [("T", 0), (rest // 3600, 2), (":", 0), (rest // 60 % 60, 2), (":", 0), (rest % 60, 2)]
    return tf.strings.join([tf.strings.as_string(p, width=w, fill="0") if w else p for p, w in parts])


def asserted(x: Tensor, condition: Tensor, message: str) -> Tensor:
    """Returns a tensor; the graph refuses the request with the message if the condition does not hold."""
    with tf.control_dependencies([tf.debugging.Assert(condition, [message])]):
        return tf.identity(x)
