"""CSV files: the first line, separators and decimal marks; no value moves to another column."""

import pandas as pd
import pytest

from ae_zoo import data
from ae_zoo.errors import AEZooError


def written(tmp_path, text):
    path = tmp_path / "a.csv"
    path.write_bytes(text.encode())
    return path


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a,b,c\n1,2,3,4\n", "Line 2 of .* has 4 fields, but the first line has 3 column names"),
        ("a,b,c\n0,2,3,4\n1,5,6,7\n", "Line 2 of .* has 4 fields"),  # the first fields look like pandas's own index
        ("a,b,c\n1,2,3\n1,2,3\n1,2,3,4\n", "Line 4 of .* has 4 fields"),
        ("a,b,c\n1,2,3,\n1,2,3,\n", "Line 2 of .* has 4 fields"),
        ("a;b\n1;2;3\n", "Line 2 of .* has 3 fields, but the first line has 2"),
        ("a;b\n1.234;2,5\n", "not numeric: 'a' .it holds '1.234'"),
        ("a;b,c\n1,5;2,5\n", "Line 2 of .* has 3 fields, but the first line has 2"),
        ("1.5,,3\n4,5,6\n7,8,9\n", "its first line holds the number '1.5'"),
        ("1.5,x,3\n4,5,6\n7,8,9\n", "its first line holds the number '1.5'"),
        ("x,7,3\n4,5,6\n7,8,9\n", "its first line holds the number '7'"),
        (",7,3\n4,5,6\n7,8,9\n", "its first line holds the number '7'"),
        ("1,5;x\n4,5;6\n", "its first line holds the number '1'"),
        ("a,,c\n1,2,3\n", "Column 2 of .* has no name"),
        ("a,b,a\n1,2,3\n", "more than one column with the name 'a'"),
        ("a,b,c\n1,2\n", "missing values in 1 of 3 columns, most in 'c'"),
        ("a,b\n1,True\n2,\n", "missing values in 1 of 2 columns, most in 'b'"),
    ],
)
def test_what_could_shift_or_lose_values_is_refused(text, message, tmp_path):
    path = written(tmp_path, text)
    for rows in (1, 10):
        with pytest.raises(AEZooError, match=message) as error:
            list(data.pieces(path, rows))
    with pytest.raises(AEZooError, match=message) as error:
        data.read(path)
    assert len(str(error.value)) < 500


@pytest.mark.parametrize(
    ("text", "rows"),
    [
        ("a;b\n1,5;2,25\n3;4\n", [[1.5, 2.25], [3, 4]]),
        ("a;b\n1.5;2\n3;4\n", [[1.5, 2], [3, 4]]),
        ('\n"a;1";b\n1;2\n', [[1, 2]]),
        ("\ufeffa,b\r\n1,2\r\n", [[1, 2]]),
        ("a,b\nTrue,1.5\nFalse,2\n", [[1, 1.5], [0, 2]]),
        ("0,1,label\n5,6,7\n", [[5, 6, 7]]),  # pandas counts columns without names
        ("p0_0,0_1\n5,6\n", [[5, 6]]),
    ],
)
def test_what_is_clear_is_read(text, rows, tmp_path):
    path = written(tmp_path, text)
    assert data.read(path).x.tolist() == rows
    assert pd.concat(data.pieces(path, 1)).to_numpy().tolist() == rows


def test_text_columns_are_named_at_once_and_briefly(tmp_path):
    names = [f"n{index}" for index in range(12)]
    path = written(tmp_path, ",".join([*names, "ok"]) + "\n" + ",".join(["x" * 200_000] * 12 + ["1"]) + "\n")
    with pytest.raises(AEZooError, match="12 columns that are not numeric: 'n0', 'n1', .*'n4' and 7 more") as error:
        data.read(path)
    assert len(str(error.value)) < 500
    path = written(tmp_path, "a\n" + "9" * 200_000 + "\n")
    with pytest.raises(AEZooError) as error:
        data.read(path)
    assert len(str(error.value)) < 500
    path = written(tmp_path, "9" * 200_000 + "\n1\n")
    with pytest.raises(AEZooError, match="its first line") as error:
        data.read(path)
    assert len(str(error.value)) < 500
