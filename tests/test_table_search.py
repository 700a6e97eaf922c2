"""Searching architectures for tables: one schema for all trials, and errors on one scale."""

import json

import numpy as np
import pandas as pd
import pytest

import ae_zoo
from ae_zoo.tables.schema import TableSchema
from ae_zoo.tuning.dimensions import Choice
from ae_zoo.tuning.objectives import objective
from ae_zoo.tuning.rows import Rows
from ae_zoo.tuning.space import Space
from tests.mixed import table

PLAN = {"space": {"code": [2, 3], "hidden": [8]}, "tuner": "grid", "epochs": 2, "verbose": False}


def usual(rows, **options):
    """A model that always says what is usual."""
    model = rows.built("undercomplete", {"code": 2, "hidden": [4], **options}, 1)
    model.adapt(rows.x)
    return model


def test_the_schema_has_the_kinds_that_are_said_and_the_statistics_of_the_training_rows():
    frame = table(200).assign(children=lambda rows: rows["children"].astype(str), since=None)
    said = ae_zoo.schema(frame, children="category", since="ignore", column_weights={"amount": 2})
    rows = Rows.split(frame, None, 0.25, 1, strange=False, schema=said)
    held = np.random.default_rng(1).permutation(200)[:50]
    train = frame.drop(index=held)
    assert rows.schema == said.of_rows(train)
    assert rows.schema.column_weights == said.column_weights
    assert rows.schema != said
    assert np.array_equal(rows.x, rows.schema.code(train), equal_nan=True)
    assert np.array_equal(rows.x_valid, rows.schema.code(frame.loc[np.sort(held)]), equal_nan=True)
    apart = Rows.split(train, None, frame.loc[held], 1, strange=False, schema=said)
    assert apart.schema == rows.schema


def test_rows_without_a_cell_are_left_out_with_their_labels():
    frame = table(60).astype({"member": object, "children": float})
    frame.iloc[:20] = None
    labels = np.arange(60)
    rows = Rows.split(frame, labels, 0.5, 1, strange=False)
    assert sorted([*rows.y, *rows.y_valid]) == list(range(20, 60))
    assert len(rows.x) == len(rows.y)
    with pytest.raises(ae_zoo.AEZooError, match="The held-out rows have no cell"):
        Rows.split(frame, None, frame[:20], 1, strange=False)


@pytest.mark.parametrize("said", [{}, {"children": "category", "since": "ignore"}])
def test_a_model_that_says_what_is_usual_has_an_error_of_one_whatever_the_schema_and_the_noise(said):
    frame = table(3000)
    rows = Rows.split(frame, None, 0.5, 1, strange=False, schema=ae_zoo.schema(frame, said))
    model = usual(rows)
    assert rows.error(model) == pytest.approx(1, abs=0.03)
    assert rows.error(model) == pytest.approx(model.reconstruction_error(rows.x_valid).mean(), rel=1e-5)
    for noise in (("masking", 0.3), ("swap", 0.5)):
        assert objective("denoising", noise).measure(model, rows) == pytest.approx(rows.error(model), rel=1e-3)


def test_noisy_rows_are_held_out_rows_with_cells_hidden_or_of_other_rows_and_the_same_each_time():
    rows = Rows.split(table(1000), None, 0.5, 1, strange=False)
    hidden = rows.noisy("masking", 0.3)
    assert np.array_equal(hidden, rows.noisy("masking", 0.3), equal_nan=True)
    seen = ~np.isnan(hidden)
    assert np.array_equal(hidden[seen], rows.x_valid[seen])
    assert (~seen[~np.isnan(rows.x_valid)]).mean() == pytest.approx(0.3, abs=0.03)
    with pytest.raises(ae_zoo.AEZooError, match="hidden or swapped"):
        objective("denoising", ("gaussian", 0.3)).check(rows)


def test_what_is_drawn_suits_a_table():
    schema = ae_zoo.schema(table(200))
    drawn = Space.of(["denoising", "variational"], None, schema, 200).dimensions
    assert drawn["denoising"]["corruption"] == Choice(("masking",))
    assert drawn["denoising"]["code"].high == schema.output_shape[0] // 2
    assert "activation" in drawn["variational"]


def test_what_a_search_of_a_table_cannot_take_is_one_sentence(x, tmp_path):
    for options, message in (
        ({"schema": ae_zoo.schema(table(50)).to_dict()}, "schema must be that of a table"),
        ({"x": x, "schema": ae_zoo.schema(table(50))}, "x must be a table"),
        ({"objective": "denoising", "corruption": ("salt_pepper", 0.3)}, "hidden or swapped"),
        ({"y": np.full(50, 0.5), "objective": "linear"}, "y must hold a whole number"),
    ):
        with pytest.raises(ae_zoo.AEZooError, match=message):
            ae_zoo.search(**{"family": "stacked", "x": table(50), "directory": tmp_path / "s", **options})
    assert not (tmp_path / "s").exists()


def test_labels_of_a_file_of_numbers_are_whole_numbers(x):
    rows = Rows.split(x, np.arange(64, dtype="float32") % 3, 0.5, 1, strange=False)
    assert rows.y.dtype == "int64"
    assert set(rows.y) == {0, 1, 2}


@pytest.mark.slow
def test_a_search_of_a_table_goes_on_and_its_models_explain(tmp_path):
    frame = table(300)
    schema = ae_zoo.schema(frame, since="ignore")
    found = ae_zoo.search("undercomplete", frame, schema=schema, directory=tmp_path / "s", **PLAN)
    assert found.leaderboard["status"].tolist() == ["done", "done"]
    valid = Rows.split(frame, None, 0.1, 1, strange=False, schema=schema)
    error = found.model.reconstruction_error(valid.x_valid).mean()
    assert found.leaderboard["reconstruction"].iloc[0] == pytest.approx(error, rel=1e-5)
    assert isinstance(found.model.schema, TableSchema)
    assert "since" not in found.model.schema.columns
    assert found.load(2).schema == found.model.schema == valid.schema
    assert found.model.explain(frame.head(3))["p_value"].notna().any()
    linear = json.loads((tmp_path / "s" / "linear.json").read_text())["errors"]
    assert linear.keys() == {"2", "3"}
    assert 0 < linear["3"] < linear["2"] < 1
    report = (tmp_path / "s" / "report.html").read_text()
    assert "an error of 1 is that of always saying what is usual" in report
    log = (tmp_path / "s" / "search.log").read_text()
    assert (
        f"that of a linear network with {found.config['code']} code units {linear[str(found.config['code'])]:.5f}"
        in log
    )
    again = ae_zoo.search("undercomplete", frame, schema=schema, directory=tmp_path / "s", **PLAN)
    pd.testing.assert_frame_equal(again.leaderboard, found.leaderboard)  # seconds too: looked up
    with pytest.raises(ae_zoo.AEZooError, match="belongs to another search: its .*schema"):
        ae_zoo.search("undercomplete", frame, directory=tmp_path / "s", **PLAN)
    two = ae_zoo.search("undercomplete", frame, schema=schema, workers=2, directory=tmp_path / "two", **PLAN)
    assert two.leaderboard["reconstruction"].equals(found.leaderboard["reconstruction"])


@pytest.mark.slow
@pytest.mark.parametrize("name", ["denoising", "linear", "neighbors", "average_precision"])
def test_every_objective_ranks_models_of_tables(name, tmp_path):
    frame = table(300)
    strange = np.arange(300) < 20
    y = strange.astype(int) if name == "average_precision" else (frame["country"] == "NO").to_numpy().astype(int)
    if name == "average_precision":
        frame["country"] = frame["country"].mask(strange, frame["country"].map({"NO": "FR", "FR": "NO"}))
    plan = {**PLAN, "space": {"code": 3, "hidden": [16]}, "epochs": 20}
    found = ae_zoo.search("undercomplete", frame, y, objective=name, directory=tmp_path / "s", **plan)
    score = found.leaderboard[name].iloc[0]
    low, high = {"denoising": (0.1, 0.9), "average_precision": (0.5, 1)}.get(name, (0.9, 1))
    assert low < score <= high
    assert found.leaderboard["error"].iloc[0] < 1


@pytest.mark.slow
def test_a_search_of_a_file_takes_the_kinds_of_columns(run, tmp_path):
    frame = table(200).assign(id=[f"L{place}" for place in range(200)], zip=np.arange(200) % 5, kind=np.arange(200) % 2)
    frame.to_csv(tmp_path / "loans.csv", index=False)
    plan = ("--tuner", "grid", "--space", "code=2", "--space", "hidden=[]", "--epochs", 1)
    code, out, err = run("search", "undercomplete", "--data", "loans.csv", *plan)
    assert (code, "an identifier or free text" in err) == (2, True)
    columns = ("--columns", "zip=category,id=ignore", "--labels", "kind", "--objective", "linear")
    code, out, err = run("search", "undercomplete", "--data", "loans.csv", *columns, *plan)
    assert (code, err) == (0, "")
    assert out.startswith("column    kind")
    best = ae_zoo.load("search/best.keras")
    assert {column.name: column.kind for column in best.schema.table}["zip"] == "category"
    assert not {"id", "kind"} & set(best.schema.columns)
