"""Bad input at the outer doors: paths, names, frames, files and the command line."""

import decimal
import fractions
import json
import zipfile

import numpy as np
import pandas as pd
import pytest

import ae_zoo
from ae_zoo import data
from ae_zoo._support import archives, files, versions
from ae_zoo.errors import AEZooError, UnwritableError, first_line, short, unknown
from ae_zoo.families.configs import config_of
from ae_zoo.frames import columns_of, numeric
from ae_zoo.tuning import supervisor
from ae_zoo.tuning.objectives import objective

BAD_PATHS = [None, 5, True, b"m.keras", [], "", "a\0b", "\ud800", "a" * 5000]


@pytest.fixture(scope="module")
def model():
    built = ae_zoo.build("undercomplete", 6, code=2, hidden=[4])
    ae_zoo.fit(built, np.random.default_rng(0).random((64, 6)), epochs=1, verbose=0)
    return built


@pytest.fixture(scope="module")
def saved(model, tmp_path_factory):
    path = tmp_path_factory.mktemp("model") / "m.keras"
    model.save(path)
    return path


# Paths.


@pytest.mark.parametrize("path", BAD_PATHS, ids=lambda path: repr(path)[:12])
def test_what_names_no_file_is_one_sentence_at_every_door(path, model):
    doors = [
        files.writable,
        lambda p: files.whole(p).__enter__(),
        versions.found,
        archives.read_arrays,
        ae_zoo.load,
        ae_zoo.Detector.load,
        ae_zoo.PCA.load,
        ae_zoo.Detector(model).save,
        model.save,
        data.read,
        lambda p: next(data.pieces(p)),
        data.writable,
        lambda p: ae_zoo.export(model, p),
        lambda p: ae_zoo.search("undercomplete", np.ones((20, 6)), directory=p),
    ]
    if path is not None:  # None is the default there
        doors += [
            lambda p: ae_zoo.fit(model, np.ones((20, 6)), checkpoint=p, epochs=1, verbose=0),
            data.load_mnist,
        ]
    for door in doors:
        with pytest.raises(
            AEZooError, match=r"^(path|folder|directory) must be the name of a file or folder, as text or"
        ):
            door(path)


def test_a_path_is_a_text_or_a_path(tmp_path):
    assert files.as_path("path", "x/y") == files.as_path("path", files.pathlib.Path("x/y"))
    assert files.as_path("path", tmp_path / "file" / "below").name == "below"
    with pytest.raises(UnwritableError, match="which is too long"):
        files.writable(tmp_path / ("x" * 300))


# Names.


@pytest.mark.parametrize(
    "name", [[], {}, 5, None, np.array(["masking"]), b"sparse", 10**5000], ids=lambda n: type(n).__name__
)
def test_a_name_that_is_no_text_is_unknown(name):
    for lookup in (config_of, lambda n: ae_zoo.build(n, 6), lambda n: objective(n, ("masking", 0.3))):
        with pytest.raises(AEZooError, match=r"^There is no (family|objective) .*; known: "):
            lookup(name)
    assert str(unknown("tuner", name, ["b", "a"])).endswith("; known: a, b.")


@pytest.mark.parametrize("given", [{"family": 5}, {"objective": []}, {"tuner": []}, {"chief": 5}, {"space": 5}])
def test_arguments_of_a_search_are_refused_in_one_sentence(given, tmp_path):
    x = np.random.default_rng(0).random((40, 6))
    arguments = {"family": "undercomplete", "x": x, "directory": tmp_path / "s", "trials": 1, "epochs": 1, **given}
    with pytest.raises(AEZooError, match="received|There is no"):
        ae_zoo.search(**arguments)
    assert not (tmp_path / "s").exists()


def test_an_address_is_a_text():
    with pytest.raises(AEZooError, match="An address is HOST:PORT"):
        supervisor.address(8000)


def test_sentences_hold_any_value_and_whole_lines():
    assert short(10**5000) == "a value of type int"
    assert first_line(ValueError("Two objects:\n\nthe code\nand more")) == "Two objects: the code"
    assert first_line(ValueError("\n")) == "ValueError"


def test_a_limit_is_written_in_full():
    with pytest.raises(AEZooError, match=r"code must be a whole number from 1 to 10,000,000; received 'a'\."):
        ae_zoo.build("undercomplete", 6, code="a")


# Numbers and frames.

HUGE = [10**400, -(10**400), fractions.Fraction(10**400), decimal.Decimal("1e400"), decimal.Decimal("sNaN")]


@pytest.mark.parametrize("value", HUGE, ids=lambda value: repr(value)[:12])
def test_numbers_beyond_float64_are_not_finite(value):
    rows = [[1, 2.5], [3, value]]
    for x in (rows, np.array(rows, dtype=object)):
        with pytest.raises(AEZooError, match="1 of its values are NaN, infinite or beyond float32, the first in row 1"):
            numeric(x)
    with pytest.raises(AEZooError, match="column 'b'|missing values|not numeric: 'b'"):
        numeric(pd.DataFrame(rows, columns=["a", "b"]).astype({"b": object}))


def test_objects_that_are_numbers_are_read():
    rows = [[decimal.Decimal("0.5"), fractions.Fraction(1, 4)], [1, True]]
    assert numeric(rows).tolist() == [[0.5, 0.25], [1, 1]]


class Foreign:
    """A table of another library."""

    def __init__(self, columns, found):
        self.columns, self.found = columns, found

    def to_pandas(self):
        return self.found


@pytest.mark.parametrize("found", [np.ones((3, 2)), None, 5, pd.DataFrame({"a": [1.0]}), pd.Series([1.0, 2.0])])
def test_a_table_that_converts_to_something_else_is_refused(found):
    with pytest.raises(
        AEZooError, match=r"x is a Foreign of 2 columns, whose to_pandas\(\) gives no DataFrame with as many"
    ):
        numeric(Foreign(["a", "b"], found))
    assert numeric(Foreign(["a", "b"], pd.DataFrame({"a": [1.0], "b": [2.0]}))).tolist() == [[1, 2]]


def test_columns_that_are_no_list_are_no_names():
    assert columns_of(Foreign(5, None)) is None
    with pytest.raises(AEZooError, match="x must hold numbers; received values of type object"):
        numeric(Foreign(5, None))


# Files.


def changed(saved, path, change):
    """Writes a copy of a model's file with another config.json."""
    with zipfile.ZipFile(saved) as old, zipfile.ZipFile(path, "w") as new:
        for name in old.namelist():
            content = old.read(name)
            new.writestr(name, json.dumps(change(json.loads(content))) if name == "config.json" else content)
    return path


@pytest.mark.filterwarnings("ignore:Skipping nested container")
@pytest.mark.parametrize(
    ("change", "said"),
    [
        (
            lambda c: {**c, "config": {**c["config"], "code": 3}},
            r"object <Dense name=code, built=True>: Layer 'code' expe",
        ),
        (lambda c: {**c, "config": None}, "its config.json does not describe a model"),
        (lambda c: {**c, "config": []}, "its config.json does not describe a model"),
        (lambda c: None, "its config.json does not describe a model"),
        (lambda c: 5, "its config.json does not describe a model"),
    ],
)
def test_a_model_file_with_another_config_says_what_is_wrong(change, said, saved, tmp_path):
    with pytest.raises(AEZooError, match=said) as caught:
        ae_zoo.load(changed(saved, tmp_path / "c.keras", change))
    assert not str(caught.value).endswith((":", ","))


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b'a,b\n1,"2\n3,4\n', "has a quotation mark near line 2 that is never closed; close it, or remove it"),
        ("a,b\n1,2\n".encode("utf-16"), "is not text in UTF-8; save it"),
        ("a,b\n1,2\n".encode("utf-16-le"), "is not text in UTF-8; save it"),
        ("größe,b\n1,2\n".encode("latin-1"), "is not text in UTF-8; save it"),
        (b"a\tb\n1\t2\n", "are separated by tabs; save it with commas"),
    ],
)
def test_a_csv_file_of_another_kind_says_what_to_do(content, said, tmp_path):
    path = tmp_path / "t.csv"
    path.write_bytes(content)
    with pytest.raises(AEZooError, match=said):
        data.read(path)


def digits_file(path, **parts):
    x, y = np.full((4, 28, 28), 255.0), np.arange(4.0)
    np.savez(path, **{"x_train": x, "y_train": y, "x_test": x, "y_test": y, **parts})
    return path


def test_damaged_digits_say_what_was_received(tmp_path):
    x = np.full((4, 28, 28), 255.0)
    x[1, 2, 3] = np.nan
    with pytest.raises(AEZooError, match="x_test in .* must hold pixels from 0 to 255; it has values that are NaN"):
        data.load_mnist(digits_file(tmp_path / "a.npz", x_test=x))
    with pytest.raises(AEZooError, match="y_train in .* must hold whole numbers from 0 to 9; received 12.0"):
        data.load_mnist(digits_file(tmp_path / "b.npz", y_train=np.array([0, 12.0, 1, 13])))
    with pytest.raises(AEZooError, match="whole numbers from 0 to 9; received 'three'"):
        data.load_mnist(digits_file(tmp_path / "c.npz", y_train=np.array(["three"] * 4)))
    assert len(data.load_mnist(digits_file(tmp_path / "d.npz")).x_train) == 4


# The command line.


@pytest.fixture
def table(tmp_path):
    path = tmp_path / "rows.csv"
    pd.DataFrame(np.random.default_rng(0).random((40, 6)), columns=list("abcdef")).to_csv(path, index=False)
    return path


@pytest.mark.parametrize(
    ("option", "value"), [("--validation", "nan"), ("--minutes", "nan"), ("--learning-rate", "NaN")]
)
def test_nan_lies_in_no_range(run, table, tmp_path, option, value):
    code, _, err = run("train", "undercomplete", "--data", table, "--out", tmp_path / "m.keras", option, value)
    assert code == 2
    assert "is not in the range" in err


@pytest.mark.parametrize(
    "args",
    [
        ("train", "undercomplete", "--out", ""),
        ("train", "undercomplete", "--data", "", "--out", "m.keras"),
        ("score", "--model", "", "rows.csv"),
        ("export", "m.keras", ""),
        ("notebooks", ""),
    ],
)
def test_an_empty_name_is_not_the_current_folder(run, args):
    code, _, err = run(*args)
    assert code == 2
    assert "a name must not be empty" in err


def test_rows_that_do_not_fit_are_named_by_their_file(run, saved, tmp_path):
    path = tmp_path / "other.csv"
    pd.DataFrame(np.ones((3, 4))).to_csv(path, index=False)
    code, _, err = run("score", "--model", saved, path, "--out", tmp_path / "e.csv")
    assert code == 2
    assert err.startswith(f"Error: {path}: x must have rows of 6 features")


def test_notebooks_want_a_folder(run, table):
    assert run("notebooks", table)[::2] == (2, f"Error: {table} is a file; give the name of a folder.\n")
