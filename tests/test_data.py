import os

import numpy as np
import pandas as pd
import pytest

from ae_zoo import data
from ae_zoo.errors import AEZooError

ROWS = np.arange(12, dtype="float32").reshape(4, 3)


@pytest.mark.parametrize("name", ["rows.npy", "rows.csv", "rows.parquet"])
def test_what_is_written_is_read_back(name, tmp_path):
    data.write(tmp_path / name, ROWS, ["a", "b", "c"])
    table = data.read(tmp_path / name)
    assert np.array_equal(table.x, ROWS)
    assert table.columns == (None if name.endswith("npy") else ("a", "b", "c"))
    assert table.source == f"{name}: 4 rows of 3 features"


def test_npz_is_read(tmp_path):
    np.savez(tmp_path / "one.npz", anything=ROWS)
    np.savez(tmp_path / "named.npz", x=ROWS, y=np.arange(4))
    assert np.array_equal(data.read(tmp_path / "one.npz").x, ROWS)
    assert np.array_equal(data.read(tmp_path / "named.npz").x, ROWS)


def write(path, content):
    if isinstance(content, pd.DataFrame):
        content.to_parquet(path)
    elif isinstance(content, dict):
        np.savez(path, **content)
    elif isinstance(content, np.ndarray):
        np.save(path, content)
    else:
        path.write_bytes(content)


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("a.csv", b"a,b\n1,2\n3,x\n", "a column that is not numeric: 'b' .it holds 'x'"),
        ("a.csv", b"a,b\n1,\n3,4\n", "missing values in 1 of 2 columns, most in 'b' .1 of 2 rows"),
        ("a.csv", b"a,b\n1,inf\n3,4\n", "the first in row 0, column 'b'"),
        ("a.csv", b"", "is empty"),
        ("a.csv", b"\n", "is empty"),
        ("a.csv", b"a,b\n", "no rows"),
        ("a.csv", b'a,b\n1,2\n1,"2\n', "never closed"),
        ("a.csv", b"\xff\xfe\x00a", "is not text in UTF-8"),
        ("a.parquet", b"PAR1 and no more", "cannot be read"),
        (
            "a.parquet",
            pd.DataFrame({"when": pd.to_datetime(["2020-01-01"])}),
            "not numeric: 'when' .it holds Timestamp",
        ),
        ("a.npy", b"\x93NUMPY", "cannot be read"),
        ("a.csv", b"1,2\n3,4\n", "must begin with a line of column names"),
        ("a.npy", np.array([["x"]]), "must hold numbers"),
        ("a.npy", np.arange(3.0), "rows of features"),
        ("a.npz", b"PK no zip", "damaged, or no .npz file"),
        ("a.npz", {"a": ROWS, "b": ROWS}, "one array, or one named x; it holds a, b"),
        ("a.xlsx", b"?", "unknown kind"),
        ("a.csv", b"1.5,0.0,0.0\n1,2,3\n", "its first line holds the number '1.5'"),
        ("a.csv", b",a\n0,1\n1,2\n", "The first column of .* has no name"),
    ],
)
def test_bad_files_get_one_sentence(name, content, message, tmp_path):
    write(tmp_path / name, content)
    with pytest.raises(ValueError, match=message) as error:
        data.read(tmp_path / name)
    assert name in str(error.value)
    assert "\n" not in str(error.value)


def test_columns_may_be_counted(tmp_path):
    pd.DataFrame([[5, 6]]).to_csv(tmp_path / "a.csv", index=False)
    assert data.read(tmp_path / "a.csv").x.tolist() == [[5, 6]]
    pd.DataFrame([[5, 6]], columns=["2020.Q1", "2020.Q2"]).to_csv(tmp_path / "b.csv", index=False)
    assert data.read(tmp_path / "b.csv").columns == ("2020.Q1", "2020.Q2")


def test_unpickling_is_refused(tmp_path):
    np.save(tmp_path / "a.npy", np.array([{}]), allow_pickle=True)
    with pytest.raises(ValueError, match="cannot be read as an .npy file of numbers"):
        data.read(tmp_path / "a.npy")


@pytest.mark.parametrize("name", ["images.npy", "images.csv", "images.parquet"])
def test_images_are_written_as_they_are_or_as_columns(name, tmp_path):
    images = np.arange(12, dtype="float64").reshape(2, 3, 2) / 7
    data.write(tmp_path / name, images, list("abcdef"))
    shape = (2, 3, 2) if name.endswith("npy") else (2, 6)
    assert np.array_equal(data.read(tmp_path / name).x, images.reshape(shape).astype("float32"))
    if name.endswith("npy"):
        assert np.load(tmp_path / name).dtype == "float64"


def test_names_that_would_be_lost_are_refused(tmp_path):
    with pytest.raises(ValueError, match="columns must be 3 different names.*received 2"):
        data.write(tmp_path / "a.csv", ROWS, ["a", "b", "a"])
    assert not list(tmp_path.iterdir())


def test_what_is_no_regular_file_is_refused_at_once(tmp_path):
    (tmp_path / "zero.csv").symlink_to("/dev/zero")
    os.mkfifo(tmp_path / "pipe.npy")
    for name in ("zero.csv", "pipe.npy"):
        with pytest.raises(AEZooError, match="not a regular file"):
            data.read(tmp_path / name)
    (tmp_path / "loop.csv").symlink_to("loop.csv")
    with pytest.raises(AEZooError, match="Too many levels of symbolic links"):
        data.read(tmp_path / "loop.csv")
    with pytest.raises(AEZooError, match="null"):
        data.read("a\0b.csv")
