"""Cells that are filled in, or made, are written as the table's own are."""

import datetime
import decimal

import numpy as np
import pandas as pd
import pyarrow
import pytest

import ae_zoo
from ae_zoo.tables import raw
from ae_zoo.tables.columns import Column
from ae_zoo.tables.spelling import filled

DAY = (pd.Timestamp("2026-01-31") - pd.Timestamp(0)).days
FLAG = {"kind": "boolean", "levels": ("False", "True"), "counts": (0, 1, 1)}
WORD = {"kind": "category", "levels": ("150", "75001"), "counts": (0, 1, 1)}
PRICE, WHOLE, DATE = {"kind": "number", "decimals": 2.0}, {"kind": "integer"}, {"kind": "date", "step": 1.0}
TIME = {"kind": "date"}
OSLO = {"kind": "date", "zone": "Europe/Oslo", "step": 1.0}
# The column, a frame's cells, the second of which is missing, its code, and the cell that is written there.
CELLS = {
    "yes": (FLAG, ["yes", None], 1, "no"),
    "YES": (FLAG, ["YES", None], 1, "NO"),
    "False": (FLAG, ["False", None], 2, "True"),
    "zero": (FLAG, pd.Series([0, None], dtype=object), 2, 1),
    "zero, Int64": (FLAG, pd.Series([0, None], dtype="Int64"), 2, 1),
    "boolean": (FLAG, pd.Series([True, None], dtype="boolean"), 1, False),
    "arrow words": (FLAG, pd.Series(["no", None], dtype="string[pyarrow]"), 2, "yes"),
    "categories of booleans": (FLAG, pd.Series(["yes", None], dtype="category"), 1, "no"),
    "words": (WORD, ["150", None], 2, "75001"),
    "numbers as words": (WORD, pd.Series([150, None], dtype="Int64"), 2, 75001),
    "objects as words": (WORD, pd.Series([150, None], dtype=object), 2, 75001),
    "categories of numbers": (WORD, pd.Series([150, None], dtype="category"), 2, 75001),
    "float": (PRICE, [1.5, None], 2.3456, 2.35),
    "float32": (PRICE, pd.Series([1.5, None], dtype="float32"), 2.3456, np.float32(2.35)),
    "texts of numbers": (PRICE, ["1.50", None], 12345.678, "12345.68"),
    "Decimal": (PRICE, pd.Series([decimal.Decimal("1.50"), None]), 2.3, decimal.Decimal("2.30")),
    "arrow decimals": (
        PRICE,
        pd.Series([decimal.Decimal("1.50"), None], dtype=pd.ArrowDtype(pyarrow.decimal128(9, 2))),
        2.25,
        decimal.Decimal("2.25"),
    ),
    "a fraction among whole numbers": (PRICE, pd.Series([1, None], dtype="Int64"), 2.3456, 2.35),
    "texts of whole numbers": (WHOLE, ["1", None], 20_000, "20000"),
    "Int64": (WHOLE, pd.Series([1, None], dtype="Int64"), 2, 2),
    "dates as texts": (DATE, ["2026-01-01", None], DAY, "2026-01-31"),
    "times as texts": (TIME, ["2026-01-01T12:00", None], DAY + 0.25, "2026-01-31T06:00:00"),
    "times as texts, to a frame of days": (TIME, ["2026-01-01", None], DAY + 0.25, "2026-01-31T06:00:00"),
    "texts with a zone": (
        TIME | {"zone": "UTC"}, ["2026-01-01 12:00+02:00", None], DAY + 0.25, "2026-01-31 06:00:00+00:00"),
    "texts in the column's zone": (OSLO, ["2026-01-01", None], DAY, "2026-01-31"),
    "dates": (DATE, pd.Series([datetime.date(2026, 1, 1), None], dtype=object), DAY, datetime.date(2026, 1, 31)),
    "arrow dates": (
        DATE, pd.Series([datetime.date(2026, 1, 1), None], dtype="date32[pyarrow]"), DAY, datetime.date(2026, 1, 31)),
    "nanoseconds": (
        TIME, pd.to_datetime(pd.Series(["2026-01-01", None])).astype("datetime64[ns]"), DAY, pd.Timestamp("2026-01-31")),
    "another zone": (
        OSLO,
        pd.to_datetime(pd.Series(["2026-01-01", None])).dt.tz_localize("America/New_York"),
        DAY,
        pd.Timestamp("2026-01-31", tz="Europe/Oslo"),
    ),
    "months": (DATE, pd.Series(pd.PeriodIndex(["2025-12", None], freq="M")), DAY, pd.Period("2026-01")),
}  # fmt: skip


@pytest.mark.parametrize("kind", CELLS)
def test_a_filled_cell_is_written_as_the_others(kind):
    values, given, code, expected = CELLS[kind]
    cells = given if isinstance(given, pd.Series) else pd.Series(given)
    found = filled(cells, np.array([False, True]), Column(name="a", **values), np.array([1, code], "float64"))
    assert found[1] == expected
    assert found[0] == cells[0]
    assert isinstance(found[1], type(expected)) or isinstance(expected, int | float)
    if kind not in ("a fraction among whole numbers", "categories of booleans", "categories of numbers"):
        assert found.dtype == cells.dtype


def test_numbers_have_the_decimals_of_the_training_cells_in_python_and_on_a_server():
    frame = pd.DataFrame(
        {"price": [0.1, 19.99, 5.0], "exact": [0.1, 1 / 3, 2.0], "said": [1.0, 2.0, 3.0], "tiny": [1e-6, 0.5, 0.25]}
    )
    schema = ae_zoo.schema(frame, said="number")
    assert [column.decimals for column in schema.table] == [2, 0, 0, 6]
    coded = schema.code(frame)
    back = schema.rows(coded)
    assert back["price"].tolist() == [0.1, 19.99, 5.0]
    assert back["exact"].tolist() == coded[:, 1].astype(float).tolist()
    assert schema.rows(coded + np.float32(0.004))["said"].tolist() == (coded[:, 2] + np.float32(0.004)).tolist()
    assert raw.arrays(schema.table, coded)["price"].tolist() == [0.1, 19.99, 5.0]
    with pytest.raises(ae_zoo.AEZooError, match="do not go together"):
        Column.read({"name": "a", "kind": "number", "decimals": 400.0})


def test_the_served_graph_rounds_as_python_does():
    tables = pytest.importorskip("ae_zoo.serving.tables")
    column = Column(name="a", kind="number", origin=1000.0, decimals=3.0)
    coded = np.random.default_rng(0).normal(size=(500, 1)).astype("float32")
    assert np.array_equal(tables.raw([column], coded)["a"], raw.arrays([column], coded)["a"])
