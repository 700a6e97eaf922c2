"""Tables: what a column is, how its cells are coded, and what is refused."""

import datetime
import decimal

import numpy as np
import pandas as pd
import polars
import pyarrow
import pytest

import ae_zoo
from ae_zoo import data
from ae_zoo.schemas import Schema
from ae_zoo.tables import raw
from ae_zoo.tables.columns import Column
from ae_zoo.tables.schema import TableSchema
from tests.mixed import table

KINDS = {
    "number": [1.5, 2.0, None, 3.0],
    "integer": [1, 2, 3, 5],
    "boolean": [True, False, True, True],
    "category": ["a", "b", "a", None],
    "date": ["2026-01-01", "2026-01-02", None, "2026-03-01"],
}


SAME = {
    "number": [
        pd.Series(KINDS["number"], dtype="Float64"),
        pd.Series([decimal.Decimal("1.5"), None, 2, 3]),
        ["1.5", "2", "3", "4.5"],
    ],
    "integer": [
        pd.Series([1, 2, None, 5], dtype="Int64"),
        pd.Series([1, 2, 3, 5], dtype="int64[pyarrow]"),
        ["1", "2", "3", "5"],
    ],
    "boolean": [[0, 1, 1, 0], pd.Series([True, None, True, False], dtype="boolean"), [0.0, 1.0, None, 1.0]],
    "category": [pd.Series([3, 1, 1, 3], dtype="category"), pd.Series(["a", "b", "a", None], dtype="string[pyarrow]")],
    "date": [
        pd.to_datetime(KINDS["date"]).tz_localize("Europe/Oslo"),
        pd.period_range("2026-01", periods=4, freq="M"),
        [datetime.date(2026, 1, day) for day in (1, 2, 3, 4)],
        [datetime.datetime(2026, 1, 1, hour) for hour in (1, 2, 3, 4)],
    ],
}


@pytest.mark.parametrize(("kind", "cells"), [(kind, cells) for kind in KINDS for cells in (KINDS[kind], *SAME[kind])])
def test_the_kind_of_a_column_is_guessed_by_the_stated_rules(kind, cells):
    (column,) = ae_zoo.schema(pd.DataFrame({"x": cells})).table
    assert column.kind == kind


@pytest.mark.parametrize("library", ["pyarrow", "polars", "dictionaries"])
def test_tables_of_every_library_are_coded_alike(library):
    frame = table(50)
    schema = ae_zoo.schema(frame)
    if library == "polars":
        other = polars.from_pandas(frame)
    elif library == "pyarrow":
        other = pyarrow.Table.from_pandas(frame[reversed(frame.columns)])
    else:
        other = frame.to_dict("records")
    assert np.array_equal(schema.code(other), schema.code(frame), equal_nan=True)


def test_what_is_coded_comes_back_as_it_was():
    frame = pd.DataFrame(
        {
            "time": 1.7e9 + np.arange(4.0),  # which float32 cannot hold without an origin
            "many": pd.Series([2**40 + 1, 2**40 + 3, None, 2**40 + 7], dtype="Int64"),
            "zip": pd.Series(["0150", "75001", None, "0150"], dtype="str"),
            "flag": pd.Series([True, False, None, True], dtype="boolean"),
            "day": pd.to_datetime(["2026-01-01", "1999-12-31", None, "2026-02-03"]),
            "moment": pd.to_datetime(["2026-01-01 12:30", "2026-01-02 01:00", None, "2026-01-03 23:00"]).tz_localize(
                "Europe/Oslo"
            ),
        }
    )
    schema = ae_zoo.schema(frame, zip="category", min_count=1)
    back = schema.rows(schema.code(frame))
    assert np.array_equal(back["time"], frame["time"])
    assert back["many"].equals(frame["many"])
    assert back["flag"].equals(frame["flag"])
    assert back["zip"].fillna("missing").tolist() == ["0150", "75001", "missing", "0150"]
    assert (back["day"].dropna() == frame["day"].dropna()).all()
    assert (back["moment"] - frame["moment"]).abs().max() < pd.Timedelta("1s")
    assert str(back["moment"].dt.tz) == "Europe/Oslo"
    coded = schema.code(frame)
    assert np.array_equal(schema.code(coded), coded, equal_nan=True)


def test_levels_are_the_frequent_ones_and_the_rest_is_other():
    frame = pd.DataFrame({"x": ["a"] * 5 + ["b"] * 3 + ["c", "d"], "y": range(10)})
    (column, _) = ae_zoo.schema(frame).table
    assert (column.levels, column.counts) == (("a", "b"), (2, 5, 3))
    schema = ae_zoo.schema(frame, max_levels=1)
    assert schema.table[0].levels == ("a",)
    assert schema.code(pd.DataFrame({"x": ["a", "b", "new", None], "y": 0}))[:, 0].tolist()[:3] == [1, 0, 0]


def test_a_schema_is_plain_json_and_prints_its_columns():
    import json

    schema = ae_zoo.schema(table(), column_weights={"amount": 2})
    assert Schema.read(json.loads(json.dumps(schema.to_dict()))) == schema
    text = str(schema)
    assert "city      category" in text
    assert "Oslo (" in text
    assert "2020-01-06 to 2022-10-01" in text


WRONG = {
    "an identifier": (pd.DataFrame({"id": [f"c{i}" for i in range(60)]}), {}, r"60 different texts.*id='ignore'"),
    "all ignored": (pd.DataFrame({"a": [1, 2]}), {"a": "ignore"}, "no columns to learn from"),
    "an unknown column": (pd.DataFrame({"a": [1, 2]}), {"b": "category"}, "no column 'b'"),
    "an unknown kind": (pd.DataFrame({"a": [1, 2]}), {"a": "text"}, "no kind of a column 'text'"),
    "two of one name": (pd.DataFrame([[1, 2]], columns=["a", "a"]), {}, "more than one column with the name 'a'"),
    "no columns": (pd.DataFrame(index=[0, 1]), {}, "has no columns"),
    "no rows": (pd.DataFrame({"a": []}), {}, "has no rows"),
    "mixed types": (pd.DataFrame({"a": [1, "x", None]}), {}, "values of type int and str.*a='category'"),
    "lists": (pd.DataFrame({"a": [[1], [2]]}), {}, "values of type list"),
    "halves as whole numbers": (pd.DataFrame({"a": [1.5, 2]}), {"a": "integer"}, "whole numbers; it holds 1.5"),
    "text as a number": (pd.DataFrame({"a": ["1", "x"]}), {"a": "number"}, "row 1 holds 'x'"),
    "no dates": (pd.DataFrame({"a": ["2026-01-01", "soon"]}), {"a": "date"}, "row 1 holds 'soon'.*2026-01-31"),
    "a level that is no text": (
        pd.DataFrame({"a": pd.Series(["\ud800", "b"] * 3, dtype=object)}),
        {},
        "not legal text",
    ),
    "infinite": (pd.DataFrame({"a": [1.5, np.inf]}), {}, "row 1 holds an infinite one"),
    "durations": (pd.DataFrame({"a": pd.to_timedelta([1, 2], "D")}), {}, "durations"),
}


@pytest.mark.parametrize("what", WRONG)
def test_what_is_wrong_with_a_table_is_one_sentence(what):
    frame, kinds, sentence = WRONG[what]
    with pytest.raises(ae_zoo.AEZooError, match=sentence):
        ae_zoo.schema(frame, **kinds)


def test_rows_that_are_not_of_the_table_are_refused():
    frame = table(50)
    schema = ae_zoo.schema(frame)
    for rows, sentence in (
        (frame.drop(columns="city"), "lacks 'city'"),
        (frame.assign(amount="much"), "'amount' holds numbers, but row 0 holds 'much'"),
        (frame.assign(member="maybe"), "'member' holds booleans; received 'maybe'"),
        (np.zeros((2, 3), "float32"), r"coded rows \(n, 6\)"),
        (np.full((2, 6), 9.0, "float32"), "a level from 0 to 4; received 9"),
        ("loans.csv", "must be a table"),
        (frame[:0], "at least one row"),
    ):
        with pytest.raises(ae_zoo.AEZooError, match=sentence):
            schema.code(rows)
    assert schema.code(frame.assign(extra=1)).shape == (50, 6)  # a column that the model does not know is ignored
    with pytest.raises(ae_zoo.AEZooError, match="do not go together"):
        Column.read({"name": "a", "kind": "category", "levels": ["x"], "counts": [1]})
    with pytest.raises(ae_zoo.AEZooError, match="hidden or swapped"):
        ae_zoo.build("denoising", data=frame, corruption="gaussian")
    with pytest.raises(ae_zoo.AEZooError, match="tied=False"):
        ae_zoo.build("undercomplete", data=frame, tied=True)
    with pytest.raises(ae_zoo.AEZooError, match="loss='bce'"):
        ae_zoo.build("undercomplete", data=frame, loss="bce")
    with pytest.raises(ae_zoo.AEZooError, match="explain is for models of tables"):
        ae_zoo.build("undercomplete", data=np.random.default_rng(0).random((50, 3))).explain(np.zeros((1, 3)))


def test_a_table_that_is_all_numbers_stays_an_array():
    frame = pd.DataFrame(np.random.default_rng(0).normal(size=(50, 3)), columns=list("abc"))
    assert not isinstance(ae_zoo.build("undercomplete", data=frame).schema, TableSchema)
    assert isinstance(ae_zoo.build("undercomplete", data=frame.assign(d="x")).schema, TableSchema)


SAME_LEVELS = {
    "floats with holes": pd.Series([150.0, np.nan, 75001.0]),
    "objects": pd.Series([150.0, None, 75001.0], dtype=object),
    "Int64": pd.Series([150, None, 75001], dtype="Int64"),
    "texts": pd.Series(["150", None, "75001"]),
    "Decimal": pd.Series([decimal.Decimal("150.0"), None, decimal.Decimal("75001")]),
    "categories": pd.Series([150, None, 75001], dtype=pd.CategoricalDtype([75001, 150])),
}


@pytest.mark.parametrize("kind", SAME_LEVELS)
def test_equal_levels_are_coded_alike_whatever_holds_them(kind):
    schema = ae_zoo.schema(pd.DataFrame({"zip": ["150"] * 3 + ["75001"] * 2}), zip="category")
    assert np.array_equal(schema.code(pd.DataFrame({"zip": SAME_LEVELS[kind]}))[:, 0], [1, np.nan, 2], equal_nan=True)


def test_dates_are_in_the_time_of_the_columns_zone():
    oslo = pd.DataFrame(
        {"day": pd.date_range("2026-03-27", periods=5, tz="Europe/Oslo")}
    )  # over a change of the clocks
    schema = ae_zoo.schema(oslo)
    assert schema.table[0].step == 1
    coded = schema.code(oslo)
    assert np.array_equal(np.diff(coded[:, 0]), np.ones(4))
    for other in (
        oslo["day"].dt.tz_localize(None),
        oslo["day"].dt.tz_convert("America/New_York"),
        oslo["day"].astype(str),
    ):
        assert np.array_equal(schema.code(pd.DataFrame({"day": other})), coded)
    assert (schema.rows(coded)["day"] == oslo["day"]).all()
    mixed = pd.DataFrame({"at": ["2026-01-01T00:00+01:00", "2026-07-01T00:00+02:00"]})
    assert str(ae_zoo.schema(mixed).rows(ae_zoo.schema(mixed).code(mixed))["at"].dt.tz) == "UTC"
    arrow = oslo.astype("timestamp[us, tz=Europe/Oslo][pyarrow]")
    assert np.array_equal(ae_zoo.schema(arrow).code(arrow), coded)


def test_a_file_of_numbers_is_read_as_numbers_and_codes_with_a_zero_in_front_are_none(tmp_path):
    numbers = pd.DataFrame({"n": range(12), "x": [1e-05, -0.5] * 6, "flag": [True, False] * 6})
    numbers.to_csv(tmp_path / "numbers.csv", index=False)
    assert np.allclose(data.read_rows(tmp_path / "numbers.csv").x, numbers.astype(float))
    numbers.assign(zip=["0150", "0151", "75001"] * 4).to_csv(tmp_path / "codes.csv", index=False)
    n, x, flag, zips = ae_zoo.schema(data.read_rows(tmp_path / "codes.csv")).table
    assert (zips.kind, zips.levels) == ("category", ("0150", "0151", "75001"))
    assert (n.kind, x.kind, flag.kind) == ("integer", "number", "boolean")
    numbers.assign(x=None).to_csv(tmp_path / "holes.csv", index=False)
    assert isinstance(data.read_rows(tmp_path / "holes.csv"), pd.DataFrame)


MORE_WRONG = {
    "arrays in cells": (lambda: ae_zoo.schema(pd.DataFrame({"a": [np.zeros(2)] * 3})), "values of type ndarray"),
    "lists said to be a category": (
        lambda: ae_zoo.schema(pd.DataFrame({"a": [[1]] * 3}), a="category"),
        "no texts, numbers",
    ),
    "unequal lists": (lambda: ae_zoo.schema({"a": [1, 2, 3], "b": ["x", "y"]}), "equal lengths"),
    "kinds that are a list": (lambda: ae_zoo.schema(table(9), ["city"]), "kinds must be a mapping"),
    "weights that are no numbers": (
        lambda: ae_zoo.schema(table(9), column_weights={"city": "a"}),
        "must be a finite number",
    ),
    "complex numbers": (
        lambda: ae_zoo.schema(pd.DataFrame({"a": [1j, 2j]}), a="number"),
        "received values of type complex128",
    ),
    "numbers that are no booleans": (
        lambda: ae_zoo.schema(pd.DataFrame({"a": [3, 1]}), a="boolean"),
        "1 of its cells are none",
    ),
    "several levels of columns": (
        lambda: ae_zoo.schema(pd.DataFrame([[1, 2]], columns=pd.MultiIndex.from_tuples([("a", 1), ("a", 2)]))),
        "several levels",
    ),
    "a frame that is not computed": (lambda: ae_zoo.schema(polars.DataFrame({"a": [1]}).lazy()), "collect"),
    "two rows for a path": (lambda: ae_zoo.schema(table(9)).row(table(2)), "must be one row; received 2"),
}


@pytest.mark.parametrize("what", MORE_WRONG)
def test_what_else_is_wrong_is_one_sentence_too(what):
    call, sentence = MORE_WRONG[what]
    with pytest.raises(ae_zoo.AEZooError, match=sentence):
        call()


def test_whole_numbers_beyond_float64_are_numbers():
    frame = pd.DataFrame({"k": pd.Series([2**70 + index * 2**60 for index in range(9)], dtype=object)})
    schema = ae_zoo.schema(frame)
    assert schema.table[0].kind == "number"
    assert np.allclose(schema.rows(schema.code(frame))["k"], frame["k"].astype(float))


def test_a_level_that_is_called_other_is_not_the_other_levels():
    frame = pd.DataFrame({"x": ["other", "a"] * 3, "y": range(6)})
    (column, _) = schema = ae_zoo.schema(frame).table
    assert column.other == "other_"
    assert ae_zoo.schema(frame).rows(np.array([[0, 1]], "float32"))["x"][0] == "other_"
    assert raw.arrays(schema, np.array([[0, 1]], "float32"))["x"][0] == "other_"


def test_numbers_that_are_not_coded_are_not_taken_for_coded_ones():
    frame = pd.DataFrame({"time": 1.7e9 + np.arange(20.0), "x": np.arange(20.0), "y": [None, 1.0] * 10})
    schema = ae_zoo.schema(frame)
    with pytest.raises(
        ae_zoo.AEZooError, match=r"float32, from schema.code\(frame\); received an array of type float64"
    ):
        schema.code(frame.to_numpy())


def test_labels_in_a_file_with_texts_are_numbers(tmp_path):
    from ae_zoo.cli.shared import read_labeled

    table(20).assign(kind=np.arange(20) % 3).to_csv(tmp_path / "a.csv", index=False)
    found = read_labeled(tmp_path / "a.csv", "kind")
    assert np.array_equal(found.y, np.arange(20) % 3)
    assert "kind" not in found.x
