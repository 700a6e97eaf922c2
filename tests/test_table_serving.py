"""Models of tables, served: by raw columns, to the client, in other formats, and from a file on the command line."""

import numpy as np
import pandas as pd
import pytest

import ae_zoo
from ae_zoo import serving
from ae_zoo._support import cards, versions
from ae_zoo.serving import card
from tests.mixed import table


@pytest.fixture(scope="module")
def trained():
    model = ae_zoo.build("undercomplete", data=table(2000), hidden=[64], code=4, corruption_amount=0.5, seed=1)
    ae_zoo.fit(model, table(2000), epochs=60, verbose=0)
    return model


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
    page = serving.write_page(tmp_path / "served", tmp_path / "card.html").read_text()
    holes = f"category, {model.schema.table[0].missing:.1%} missing"
    for words in ("test error", holes, "zip_code string (n)", "the 9 columns", "seed 0", ">False<"):
        assert words in page

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
    drawn = served.run("generate", {"seed": np.arange(200)})
    assert set(drawn["city"].astype(str)) == {"Oslo", "Bergen", "Paris", "Lyon"}  # also the one in ten
    assert np.array_equal(served.run("generate", {"seed": [7]})["city"][0], drawn["city"][7])
    frame = pd.DataFrame(raw).rename(columns={"zip_code": "zip code"}).replace({"": None})
    frame["member"] = frame["member"].astype("boolean")
    answers = served.run("detect", raw)
    assert np.allclose(answers["score"], model.reconstruction_error(frame), rtol=1e-5)
    back = served.run("reconstruct", raw)
    assert back["city"].astype(str).tolist() == model.reconstruct(frame)["city"].tolist()
    assert np.allclose(back["amount"], model.reconstruct(frame)["amount"], rtol=1e-5)
    full = served.run("impute", raw)
    filled = model.impute(frame)
    assert full["city"].astype(str).tolist() == filled["city"].tolist()  # also "Nowhere", as it was given
    assert full["moment"][[0, 2]].astype(str).tolist() == ["2020-05-05T01:02:03.25", "1969-12-31 23:59:59"]
    assert np.allclose(full["amount"], filled["amount"], rtol=1e-5)
    told, reasons = served.run("explain", raw), model.explain(frame).sort_values(["position", "column"])
    by_name = np.argsort(model.schema.columns)
    for name, unknown in (("error", 0), ("p_value", 1)):
        answers = told["cell_error" if name == "error" else name][:, by_name].ravel()
        assert np.allclose(answers, reasons[name].fillna(unknown), rtol=1e-4, atol=1e-6)
    for wrong, sentence in (
        ({"since": ["soon", "", ""]}, "since must be dates such as"),
        ({"since": ["2020-02-31", "", ""]}, "since must be dates that there are"),
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
def test_a_row_without_a_cell_is_no_example_and_no_part_of_the_card(trained, tmp_path):
    rows = trained.schema.code(table(30, seed=8))
    rows[0] = np.nan
    with pytest.warns(ae_zoo.AEZooWarning, match="have no cell that is present"):
        version = ae_zoo.export(trained, tmp_path / "served", x_test=rows)
    assert serving.check(version).passed
    known = trained.reconstruction_error(rows[1:]).mean()
    assert versions.card(version)["metrics"]["test error"] == pytest.approx(known, rel=1e-5)
    assert serving.write_page(version, tmp_path / "card.html").is_file()
    with pytest.raises(ae_zoo.AEZooError, match="x_test has no row with a cell that is present"):
        ae_zoo.export(trained, tmp_path / "served", x_test=rows[:1])


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
            assert client.impute(rows)["city"].tolist() == trained.impute(rows)["city"].tolist()
            with pytest.raises(ae_zoo.AEZooError, match="explain needs the schema"):
                client.explain(rows)
            client.schema = trained.schema
            ours, theirs = client.explain(rows, top=2), trained.explain(rows, top=2)
            pd.testing.assert_frame_equal(ours, theirs, check_exact=False, rtol=1e-4)
            client.schema = None
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
    assert "an error of 1 is that of always saying what is usual" in out
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


def test_a_table_s_card_has_an_error_that_is_no_mse_and_lists_its_columns_once():
    frame = table(60)
    model = ae_zoo.build("undercomplete", data=frame, code=2, hidden=[4], seed=1)
    model.adapt(frame)
    coded = model.schema.code(frame)
    figures = card.metrics(model, np.array([0.5, np.nan, 1.0]), coded, coded)
    assert figures["test error"] == 0.75
    assert "test mse" not in figures
    columns = {"city": "string (n)", "amount": "float64 (n)", "t": "float64 (n)"}
    about = {"config": model.config.to_dict(), "signatures": {"encode": {"inputs": columns}}}
    assert cards.raw_columns(about) == columns
    assert cards.told(dict(reversed(columns.items())), columns) == "the 3 columns"
    explained = {"p_value": "float32 (n, 3)", **{f"expected_{name}": kind for name, kind in columns.items()}}
    ranges = {f"low_{name}": "float64 (n)" for name in ("amount", "t")}
    told = "p_value float32 (n, 3), expected_... for the 3 columns, low_... for 2 columns"
    assert cards.told(explained | ranges, columns) == told
    assert cards.told({"code": "float32 (n, 2)"}, columns) == "code float32 (n, 2)"
