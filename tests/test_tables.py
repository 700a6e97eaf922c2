"""Tables: what a column is, what a cell costs, and what a model says of cells; with known answers."""

import datetime
import decimal
import warnings

import numpy as np
import pandas as pd
import polars
import pyarrow
import pytest

import ae_zoo
from ae_zoo import serving
from ae_zoo.schemas import Schema
from ae_zoo.tables.columns import Column
from ae_zoo.tables.schema import TableSchema
from ae_zoo.tables.verbs import sentences


def table(rows=600, seed=0):
    """A country follows from its city, and an amount from the country; the rest is random. One cell in ten is missing."""
    random = np.random.default_rng(seed)
    city = random.choice(["Oslo", "Bergen", "Paris", "Lyon"], rows, p=[0.4, 0.2, 0.3, 0.1])
    north = np.isin(city, ["Oslo", "Bergen"])
    frame = pd.DataFrame(
        {
            "city": city,
            "country": np.where(north, "NO", "FR"),
            "amount": np.where(north, 100, 20) + random.normal(0, 5, rows),
            "children": random.poisson(2, rows),
            "member": random.random(rows) < 0.3,
            "since": pd.Timestamp("2020-01-06") + pd.to_timedelta(random.integers(0, 1000, rows), "D"),
        }
    )
    frame.loc[random.random(rows) < 0.1, "amount"] = np.nan
    frame.loc[random.random(rows) < 0.1, "city"] = None
    return frame


@pytest.fixture(scope="module")
def trained():
    model = ae_zoo.build("undercomplete", data=table(2000), hidden=[64], code=4, corruption_amount=0.5, seed=1)
    ae_zoo.fit(model, table(2000), epochs=60, verbose=0)
    return model


# What a column is.

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
        (np.zeros((2, 3)), r"coded rows \(n, 6\)"),
        (np.full((2, 6), 9.0), "a level from 0 to 4; received 9"),
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


# What a cell costs.


def test_a_model_that_says_what_is_usual_has_an_error_of_one_in_every_column():
    """Also a category of a thousand levels, beside a boolean."""
    random = np.random.default_rng(0)
    frame = pd.DataFrame(
        {
            "thousand": random.zipf(1.3, 20_000).clip(max=1000).astype(str),
            "flag": random.random(20_000) < 0.2,
            "number": random.normal(7, 3, 20_000),
        }
    )
    schema = ae_zoo.schema(frame, thousand="category", min_count=1)
    assert len(schema.table[0].levels) > 500
    model = ae_zoo.build("undercomplete", data=frame, schema=schema, code=2, seed=1)
    model.adapt(frame)
    errors = model.reconstruction_error(frame, per_feature=True)
    assert np.allclose(errors.mean(axis=0), 1, atol=0.01)
    assert model.reconstruction_error(frame).mean() == pytest.approx(1, abs=0.01)


@pytest.mark.parametrize("loss", ["gaussian", "huber", "quantile"])
def test_the_models_own_loss_is_the_one_that_trains_it(loss):
    """For `quantile` the start is the quantile; for `gaussian` a row's loss is in nats, over all columns."""
    rows = table(200)
    model = ae_zoo.build("undercomplete", data=rows, loss=loss, quantile_alpha=0.9, corruption="none", seed=1)
    model.adapt(rows)
    result = ae_zoo.fit(model, rows, validation=rows, epochs=2, verbose=0)
    assert model.reconstruction_error(rows, unit="loss").mean() == pytest.approx(result.best_error, rel=1e-4)
    if loss == "quantile":
        fresh = ae_zoo.build("undercomplete", data=rows, loss=loss, quantile_alpha=0.9, seed=1)
        fresh.adapt(rows)
        usual = fresh.scaling.expected(np.zeros((1, *fresh.schema.output_shape), "float32") + fresh.likelihood.start(
            np.asarray(fresh.scaling.target(fresh.schema.code(rows)))))[0]  # fmt: skip
        assert float(np.asarray(usual)[0, 2]) == pytest.approx(rows["amount"].quantile(0.9), rel=1e-3)


def test_columns_that_say_nothing_change_no_score():
    frame = table(300)
    weights = []
    with pytest.warns(ae_zoo.AEZooWarning, match="'empty' has no cell that is present"):
        more = ae_zoo.schema(frame.assign(same="a", one=1.0, empty=np.nan))
    for schema in (ae_zoo.schema(frame), more):
        weights.append(schema.weights)
    assert weights[0].tolist() == [1] * 6
    assert weights[1].tolist() == [1] * 6 + [0] * 3
    model = ae_zoo.build(
        "undercomplete", data=frame.assign(same="a", one=1.0, empty=np.nan), schema=more, code=2, seed=1
    )
    model.adapt(frame.assign(same="a", one=1.0, empty=np.nan))
    rows = frame.assign(same="b", one=5.0, empty=3.0)  # strange there, and nowhere else
    errors = model.reconstruction_error(rows, per_feature=True)
    assert np.allclose(model.reconstruction_error(rows), np.nanmean(errors[:, :6], axis=1), rtol=1e-5)


def test_the_names_of_levels_and_the_order_of_columns_change_no_error():
    frame = table(300)
    renamed = frame.assign(city=frame["city"].map({"Oslo": "A", "Bergen": "B", "Paris": "C", "Lyon": "D"}))
    errors = []
    for rows in (frame, renamed[reversed(frame.columns)][frame.columns]):
        model = ae_zoo.build("undercomplete", data=rows, code=3, hidden=[16], seed=1)
        ae_zoo.fit(model, rows, epochs=3, verbose=0)
        errors.append(model.reconstruction_error(rows[reversed(frame.columns)]))
    assert np.array_equal(*errors)


def test_missing_cells_have_no_error_and_rows_of_nothing_are_unknown(trained):
    rows = table(20, seed=1)
    errors = trained.reconstruction_error(rows, per_feature=True)
    assert np.array_equal(np.isnan(errors), rows.isna().to_numpy())
    assert np.allclose(trained.reconstruction_error(rows), np.nanmean(errors, axis=1), rtol=1e-5)
    empty = pd.DataFrame(None, rows.index, rows.columns)
    with pytest.warns(ae_zoo.AEZooWarning, match="20 rows, the first 0, have no cell"):
        assert np.isnan(trained.reconstruction_error(empty)).all()
    share = ae_zoo.Detector(trained).share(rows)
    assert np.allclose(share.sum(axis=1), 1, atol=1e-5)
    assert (share[rows.isna().to_numpy()] == 0).all()


@pytest.mark.parametrize(
    "family", ["undercomplete", "denoising", "sparse", "variational", "contractive", "adversarial", "winner_take_all"]
)
def test_every_family_learns_from_a_table(family, tmp_path):
    rows = table(400)
    options = {"threshold": True, "code": 32, "share": 0.3} if family == "winner_take_all" else {}
    model = ae_zoo.build(family, data=rows, seed=1, **options)
    model.adapt(rows)
    before = model.reconstruction_error(rows).mean()
    with warnings.catch_warnings():
        warnings.filterwarnings(
            "ignore", "The (codes|discriminator)", ae_zoo.AEZooWarning
        )  # four epochs are few for a game
        result = ae_zoo.fit(model, rows, epochs=4, verbose=0)
    assert np.isfinite(result.history["loss"]).all()
    if family not in ("adversarial", "winner_take_all"):
        assert model.reconstruction_error(rows).mean() < before
    model.save(tmp_path / "model.keras")
    loaded = ae_zoo.load(tmp_path / "model.keras")
    assert loaded.schema == model.schema
    assert np.array_equal(loaded.reconstruction_error(rows), model.reconstruction_error(rows))
    assert list(loaded.reconstruct(rows)) == list(rows)
    if family == "variational":
        assert set(loaded.generate(50, seed=1)["country"]) <= {"NO", "FR"}


def test_a_wide_category_has_a_vector_a_level_and_learns_what_follows_from_it():
    random = np.random.default_rng(0)
    shop = random.integers(0, 60, 4000)
    frame = pd.DataFrame(
        {"shop": [f"s{number:02}" for number in shop], "region": np.char.add("r", (shop % 4).astype(str))}
    )
    model = ae_zoo.build("undercomplete", data=frame, code=4, hidden=[64], seed=1)
    assert len(model.scaling.vectors) == 1
    ae_zoo.fit(model, frame, epochs=60, verbose=0)
    filled = model.impute(frame.head(500).assign(region=None))
    assert (filled["region"] == frame["region"].head(500)).mean() > 0.95


# What a model says.


def test_a_broken_cell_is_named_first(trained):
    rows = table(400, seed=2).dropna().head(200).reset_index(drop=True)
    broken = rows.copy()
    broken["country"] = np.where(rows["country"] == "NO", "FR", "NO")
    broken.loc[100:, "country"] = rows.loc[100:, "country"]
    broken.loc[100:, "amount"] = 120 - rows.loc[100:, "amount"]
    reasons = trained.explain(broken, top=1)
    assert list(reasons) == ["row", "column", "seen", "expected", "error", "p_value"]
    assert (reasons["column"][:100] == "country").mean() > 0.95
    assert (reasons["column"][100:] == "amount").mean() > 0.95
    assert (reasons["p_value"] <= 0.02).mean() > 0.9
    said = sentences(trained.explain(broken.head(3)), rows=1)[0]
    assert "country" in said
    assert "rarer than 1 in" in said


def test_rarities_of_ordinary_cells_are_uniform(trained):
    """So one cell in twenty has a p-value of at most .05."""
    p = trained.explain(table(1000, seed=3))["p_value"].dropna()
    assert (p <= 0.05).mean() == pytest.approx(0.05, abs=0.02)
    assert (p <= 0.5).mean() == pytest.approx(0.5, abs=0.05)


def test_holes_are_filled_better_than_by_mean_and_mode_and_cells_stay(trained):
    rows = table(500, seed=4).dropna()
    holed = rows.copy()
    holed.loc[holed.index[::2], "country"] = None
    holed.loc[holed.index[1::2], "amount"] = np.nan
    filled = trained.impute(holed)
    present = holed.notna()
    assert filled.where(present).equals(holed.where(present))
    assert filled.notna().all(axis=None)
    assert (filled["country"] == rows["country"]).mean() > 0.98
    error = (filled["amount"] - rows["amount"])[1::2].pow(2).mean() ** 0.5
    assert error < 0.25 * rows["amount"].std()  # a mean has .9 to 1 of it
    assert filled.dtypes.equals(holed.dtypes)


def test_columns_that_tell_of_others_matter(trained):
    found = trained.importance(table(300, seed=5))
    assert set(found.index[:3]) == {"city", "country", "amount"}
    assert abs(found["children"]) < 0.05 * found["country"]


@pytest.mark.slow
def test_a_served_table_takes_raw_columns_and_codes_them_as_python_does(tmp_path):
    """Also levels that are new, holes, and dates of several forms; what is no cell is refused."""
    random = np.random.default_rng(0)
    rows = table(400).assign(
        moment=pd.Timestamp("2020-01-06 10:30") + pd.to_timedelta(random.integers(0, 10**7, 400), "s"),
        **{"zip code": random.choice(["0150", "75001"], 400), "big": 1.7e9 + random.normal(0, 50, 400)},
    )
    schema = ae_zoo.schema(rows, **{"zip code": "category"})
    model = ae_zoo.build("variational", data=rows, schema=schema, seed=1)
    ae_zoo.fit(model, rows, epochs=3, verbose=0)
    detector = ae_zoo.Detector(model).calibrate(rows, 0.1)
    version = ae_zoo.export(detector, tmp_path / "served", x_test=rows, x_train=rows[:200])
    assert serving.check(version).passed
    again = ae_zoo.load(tmp_path / "served")
    assert again.explain(rows.head(2)).equals(model.explain(rows.head(2)))

    served = serving.SavedModel(version)
    raw = {
        "city": ["Oslo", "Nowhere", ""],
        "country": ["NO", "", "FR"],
        "amount": [100.25, np.nan, -3],
        "children": [2.0, 1, np.nan],
        "member": [1.0, 0, np.nan],
        "since": ["2020-05-05", "2000-02-29T12:00", ""],
        "moment": ["2020-05-05T01:02:03.25", "", "1969-12-31 23:59:59"],
        "zip_code": ["0150", "x", ""],
        "big": [1.7e9 + 1, np.nan, 1.7e9 - 60.5],
    }
    frame = pd.DataFrame(raw).rename(columns={"zip_code": "zip code"}).replace({"": None})
    frame["member"] = frame["member"].astype("boolean")
    answers = served.run("detect", raw)
    assert np.allclose(answers["score"], model.reconstruction_error(frame), rtol=1e-5)
    back = served.run("reconstruct", raw)
    assert back["city"].astype(str).tolist() == model.reconstruct(frame)["city"].tolist()
    assert np.allclose(back["amount"], model.reconstruct(frame)["amount"], rtol=1e-5)
    for wrong, sentence in (
        ({"since": ["soon", "", ""]}, "since must be dates such as"),
        ({"member": [2.0, 0, 0]}, "member must be 0, 1, or NaN"),
        ({"amount": [np.inf, 0, 0]}, "must be finite"),
        (
            {key: ["" if isinstance(cells[0], str) else np.nan] * 3 for key, cells in raw.items()},
            "a cell that is present",
        ),
    ):
        with pytest.raises(ValueError, match=sentence):
            served.run("score", raw | wrong)


@pytest.mark.slow
def test_the_client_sends_frames_and_returns_frames(trained, tmp_path):
    pytest.importorskip("tensorflow_serving")
    from tests import serving_double

    rows = table(30, seed=8)
    version = ae_zoo.export(
        ae_zoo.Detector(trained).calibrate(table(300, seed=6), 0.1), tmp_path / "served", x_test=rows
    )
    served, expected = serving.SavedModel(version), trained.reconstruction_error(rows)
    for server in (serving_double.rest_server, serving_double.grpc_server):
        with (
            server(served, serving_double.Plan()) as address,
            ae_zoo.client.connect(address, "digits", batch_size=20) as client,
        ):
            assert np.allclose(client.score(rows), expected, rtol=1e-5)
            back = client.reconstruct(rows[reversed(rows.columns)])
            assert back["city"].tolist() == trained.reconstruct(rows)["city"].tolist()
            assert client.encode(rows).shape == (30, 4)
            with pytest.raises(ae_zoo.AEZooError, match="it lacks 'city'"):
                client.score(rows.drop(columns="city"))
            with pytest.raises(ae_zoo.AEZooError, match="'amount' must hold numbers"):
                client.score(rows.assign(amount="much"))


@pytest.mark.slow
@pytest.mark.parametrize("suffix", ["onnx", "tflite"])
def test_other_formats_take_coded_rows(suffix, trained, tmp_path):
    ae_zoo.export(trained, tmp_path / f"model.{suffix}", x_test=table(50, seed=6))
    assert (tmp_path / f"model.{suffix}").is_file()


@pytest.mark.slow
def test_a_killed_run_on_a_table_resumes(tmp_path):
    rows = table(200)

    def run(**options):
        model = ae_zoo.build("undercomplete", data=rows, seed=1)
        ae_zoo.fit(model, rows, epochs=4, verbose=0, **options)
        return model.reconstruction_error(rows)

    class Stop(Exception):
        pass

    import keras

    class Kill(keras.callbacks.Callback):
        def on_epoch_begin(self, epoch, logs=None):
            if epoch == 2:
                raise Stop

    with pytest.raises(Stop):
        run(checkpoint=tmp_path / "run.npz", callbacks=[Kill()])
    assert np.array_equal(run(checkpoint=tmp_path / "run.npz"), run())


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


def test_codes_with_a_zero_in_front_are_no_numbers(tmp_path):
    from ae_zoo.data import read_frame

    pd.DataFrame({"zip": ["0150", "0151", "75001"] * 4, "n": range(12)}).to_csv(tmp_path / "a.csv", index=False)
    zips, n = ae_zoo.schema(read_frame(tmp_path / "a.csv")).table
    assert (zips.kind, zips.levels) == ("category", ("0150", "0151", "75001"))
    assert n.kind == "integer"


HOLED = {
    "all missing": (pd.Series([None, None, None], dtype=object), "country"),
    "all NaN": (pd.Series([np.nan] * 3), "country"),
    "boolean": (pd.Series([True, None, False], dtype="boolean"), "member"),
    "yes and no": (pd.Series(["yes", None, "no"]), "member"),
    "texts of numbers": (pd.Series(["1", None, "2"]), "children"),
    "categories": (pd.Series(["NO", None, "NO"], dtype="category"), "country"),
    "zoned": (pd.to_datetime(["2020-05-05", None, "2020-06-06"]).tz_localize("Europe/Oslo").to_series(), "since"),
    "dates": (pd.Series([datetime.date(2020, 5, 5), None, datetime.date(2020, 6, 6)]), "since"),
}


@pytest.mark.parametrize("kind", HOLED)
def test_holes_of_every_type_are_filled(kind, trained):
    cells, name = HOLED[kind]
    rows = table(3, seed=9).assign(**{name: cells.to_numpy() if kind == "dates" else cells.array})
    filled = trained.impute(rows)[name]
    assert filled.notna().all()
    if kind == "categories":
        assert filled.dtype == cells.dtype or "FR" in filled.cat.categories
    elif not kind.startswith("all"):
        assert filled.dtype == rows[name].dtype


def test_rarities_are_unknown_without_a_training_of_ours():
    rows = table(100)
    model = ae_zoo.build("undercomplete", data=rows, seed=1)
    model.adapt(rows)
    assert model.explain(rows)["p_value"].isna().all()


def test_rows_of_one_label_are_told_apart(trained):
    rows = table(4, seed=7).dropna()
    twice = pd.concat([rows, rows])
    reasons = trained.explain(twice, top=2)
    assert reasons.index.tolist() == np.repeat(np.arange(len(twice)), 2).tolist()
    assert len(sentences(reasons, rows=10)) == len(twice)


@pytest.mark.slow
def test_a_csv_file_goes_from_training_to_reasons_and_a_served_model_with_the_same_numbers(run, tmp_path):
    rows = table(500, seed=10)
    rows.insert(0, "id", [f"L{number:04}" for number in range(500)])
    rows["zip"] = np.random.default_rng(0).choice(["0150", "5003", "75001"], 500)
    rows.loc[12, "country"] = "FR" if rows.loc[12, "country"] == "NO" else "NO"
    rows.to_csv(tmp_path / "loans.csv", index=False)
    train = ("train", "undercomplete", "--data", "loans.csv", "--out", "loans.keras", "--epochs", "60", "--quiet")
    code, _, err = run(*train)
    assert code == 2
    assert "id='ignore'" in err
    code, out, _ = run(*train, "--columns", "id=ignore", "--set", "scaling=robust", "--set", "hidden=64")
    assert code == 0
    assert "zip       category" in out
    assert "where 1 is that of always saying what is usual" in out
    code, out, _ = run("explain", "loans.keras", "loans.csv", "--rows", "5", "--out", "reasons.csv")
    assert code == 0
    assert "row 12: country" in out
    assert len(pd.read_csv("reasons.csv")) == 500 * 7
    code, out, _ = run(
        "export", "loans.keras", "served/loans", "--calibrate", "loans.csv", "--false-alarm-rate", "0.05"
    )
    assert code == 0, out
    assert run("check", "served/loans")[0] == 0
    assert run("card", "served/loans", "--html", "card.html")[0] == 0
    assert "0150" in (tmp_path / "card.html").read_text() or "5003" in (tmp_path / "card.html").read_text()
    for model, out in (("loans.keras", "ours.csv"), ("served/loans", "served.csv")):
        assert run("score", "--model", model, "loans.csv", "--out", out, "--per-feature")[0] == 0
    ours, served = pd.read_csv("ours.csv"), pd.read_csv("served.csv")
    assert np.allclose(ours["error"], served["error"], rtol=1e-4)
    assert np.allclose(ours["error_amount"], served["error_amount"], rtol=1e-3, atol=1e-6, equal_nan=True)
    assert run("generate", "loans.keras", "--data", "loans.csv", "--n", "3", "--out", "new.csv")[0] == 0
    assert set(pd.read_csv("new.csv", dtype=str)["zip"]) <= {"0150", "5003", "75001"}


def test_rows_without_a_cell_count_neither_in_training_nor_as_held_out(trained):
    rows, empty = table(100), pd.DataFrame(None, range(20), table(1).columns)
    model = ae_zoo.build("undercomplete", data=rows, seed=1)
    result = ae_zoo.fit(model, rows, validation=pd.concat([rows[:20], empty], ignore_index=True), epochs=2, verbose=0)
    assert result.validation_rows == 20
    assert model.reconstruction_error(rows[:20]).mean() == pytest.approx(result.best_error, rel=1e-4)
    with pytest.raises(ae_zoo.AEZooError, match="No row of validation has a cell"):
        ae_zoo.fit(model, rows, validation=empty, epochs=1, verbose=0)
    with pytest.raises(ae_zoo.AEZooError, match="No held-out row has a cell"), pytest.warns(ae_zoo.AEZooWarning):
        ae_zoo.Detector(trained).calibrate(empty)


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


def test_columns_that_count_for_nothing_are_explained_last(trained):
    rows = table(200).assign(same="a")
    model = ae_zoo.build("undercomplete", data=rows, seed=1)
    ae_zoo.fit(model, rows, epochs=2, verbose=0)
    reasons = model.explain(rows.head(3))
    assert reasons[reasons["column"] == "same"]["p_value"].isna().all()
    assert set(model.explain(rows.dropna().head(3)).groupby("position")["column"].last()) == {"same"}


def test_two_columns_of_one_name_on_a_server_are_refused():
    from ae_zoo.tables import raw

    with pytest.raises(ae_zoo.AEZooError, match="'a b' and 'a_b' would both be called 'a_b'"):
        raw.keys(["a b", "a_b"])
    frame = pd.DataFrame({"a b": [1.0], "a-b": [2.0]})
    with pytest.raises(ae_zoo.AEZooError, match="several columns for 'a_b'"):
        raw.of_frame({"a_b": "float64"}, frame)
    zoned = pd.DataFrame({"at": pd.to_datetime(["2026-01-01"]).tz_localize("Asia/Tokyo")})
    with pytest.raises(ae_zoo.AEZooError, match="has a time zone"):
        raw.of_frame({"at": "string"}, zoned)
