"""Columns of every numeric type in a Parquet file are numbers; what is not is named."""

import decimal

import numpy as np
import pandas as pd
import pyarrow
import pyarrow.parquet
import pytest

from ae_zoo import data
from ae_zoo.errors import AEZooError

ONES = [1, 0, 1]


@pytest.mark.parametrize(
    "column",
    [
        pd.Series(ONES, dtype="bool"),
        pd.Series(ONES, dtype="uint8"),
        pd.Series(ONES, dtype="float16"),
        pd.Series(ONES, dtype="Int64"),
        pd.Series(ONES, dtype="Float64"),
        pd.Series(ONES, dtype="boolean"),
        pd.Series(ONES, dtype="int64[pyarrow]"),
        pd.Series(ONES, dtype="double[pyarrow]"),
        pd.Series(ONES, dtype="bool[pyarrow]"),
        pd.Series([decimal.Decimal(value) for value in ONES]),
        pd.Series(ONES, dtype=pd.ArrowDtype(pyarrow.decimal128(5, 2))),
    ],
    ids=lambda column: str(column.dtype),
)
def test_every_type_of_number_is_read(column, tmp_path):
    path = tmp_path / "a.parquet"
    pd.DataFrame({"a": column, "b": [0.5, 0.25, 0.125]}).to_parquet(path)
    table = data.read(path)
    assert table.columns == ("a", "b")
    assert np.array_equal(table.x, np.column_stack([ONES, [0.5, 0.25, 0.125]]))
    assert np.array_equal(pd.concat(data.pieces(path, 2)), table.x)
    pd.DataFrame({"a": column.where([True, False, True], None), "b": 0.5}).to_parquet(path)
    with pytest.raises(
        AEZooError, match=r"missing values in 1 of 2 columns, most in 'a' .1 of 3 rows., the first in row 1"
    ):
        data.read(path)
    with pytest.raises(AEZooError, match=r"'a' .1 of rows 1 to 1., the first in row 1"):
        list(data.pieces(path, 1))


def test_names_that_stand_twice_are_refused(tmp_path):
    table = pyarrow.table([[1.0], [2.0], [3.0]], names=["a", "b", "a"])
    pyarrow.parquet.write_table(table, tmp_path / "a.parquet")
    with pytest.raises(AEZooError, match="more than one column with the name 'a'"):
        data.read(tmp_path / "a.parquet")


def test_columns_that_are_not_numeric_are_named_at_once(tmp_path):
    frame = pd.DataFrame(
        {"n": [1.0], "text": ["x"], "when": pd.to_datetime(["2020-01-01"]), "kind": pd.Categorical(["u"])}
    )
    frame.to_parquet(tmp_path / "a.parquet")
    with pytest.raises(AEZooError, match="3 columns that are not numeric: 'text', 'when', 'kind' .it holds 'x'"):
        data.read(tmp_path / "a.parquet")
