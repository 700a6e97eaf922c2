"""Numbers with long tails, scaled by quantiles."""

import json

import numpy as np
import pandas as pd
import pytest
from sklearn.preprocessing import QuantileTransformer

import ae_zoo
from ae_zoo import serving
from ae_zoo.schemas import Schema
from ae_zoo.tables.columns import Column
from ae_zoo.tables.scale import Bent


def tails(rows=4000, seed=0):
    """The second column follows from the first; both have long tails, and each tenth cell of the first is missing."""
    random = np.random.default_rng(seed)
    z = random.normal(size=rows)
    frame = pd.DataFrame(
        {
            "income": np.exp(8 + 1.5 * z),
            "debt": np.exp(5 - z + 0.3 * random.normal(size=rows)),
            "often": np.where(random.random(rows) < 0.6, 0, random.lognormal(3, 1, rows)),
            "count": random.poisson(2, rows),
            "wide": random.standard_cauchy(rows),
            "since": pd.Timestamp("2020-01-06") + pd.to_timedelta(random.integers(0, 1000, rows), "D"),
            "same": 7.5,
            "city": random.choice(["Oslo", "Paris"], rows),
        }
    )
    frame.loc[random.random(rows) < 0.1, "income"] = np.nan
    return frame


@pytest.fixture(scope="module")
def schema():
    return ae_zoo.schema(tails(), scaling="quantile")


@pytest.fixture(scope="module")
def trained(schema):
    model = ae_zoo.build("undercomplete", data=tails(), schema=schema, hidden=[64], code=6, seed=1)
    ae_zoo.fit(model, tails(), epochs=40, verbose=0)
    return model


def test_ranks_are_mapped_to_a_normal_distribution():
    x = np.random.default_rng(0).lognormal(8, 1.5, 20_000)
    (column,) = ae_zoo.schema(pd.DataFrame({"x": x}), scaling="quantile").table
    assert len(column.knots) <= 33
    found = column.scaled(x)
    theirs = QuantileTransformer(n_quantiles=1000, output_distribution="normal", subsample=None).fit_transform(
        x[:, None]
    )
    usual = np.abs(theirs[:, 0]) < 3  # beyond, scikit-learn's own quantiles are too few
    # Between two knots a distance of .25 apart, log x differs from a straight line by at most 1.5 * .25^2 / 8 = .012.
    assert np.abs(found - theirs[:, 0])[usual].max() < 0.035
    assert np.abs(found - (np.log(x) - 8) / 1.5)[usual].max() < 0.1
    assert np.sqrt(np.mean(np.square(found - theirs[:, 0])[usual])) < 0.012


def test_every_number_has_mean_0_and_variance_1_also_where_many_cells_are_equal(schema):
    frame = tails()
    target = np.asarray(schema.layer("scaling").target(schema.code(frame)))[:, :6]
    assert np.allclose(np.nanmean(target, axis=0), 0, atol=1e-5)
    assert np.allclose(np.nanvar(target, axis=0), 1, atol=1e-5)
    assert [bool(column.knots) for column in schema.table] == [True] * 5 + [False] * 3  # a date is standardized
    model = ae_zoo.build("undercomplete", data=frame, schema=schema, code=2, seed=1)
    model.adapt(frame)
    what_is_usual = np.zeros((len(frame), *schema.output_shape), "float32")
    errors = np.asarray(model.likelihood.error(model.scaling.target(schema.code(frame)), what_is_usual))
    assert np.allclose(np.nanmean(errors, axis=0)[[0, 1, 2, 3, 4, 5, 7]], 1, atol=1e-3)


def test_what_is_scaled_comes_back(schema):
    coded = schema.code(tails())
    layer = schema.layer("scaling")
    layer.build((None, 8))
    numbers = np.asarray(layer.target(coded))[:, :7]
    output = np.concatenate([np.nan_to_num(numbers), np.zeros((len(coded), 3), "float32")], axis=1)
    back = np.asarray(layer.invert(output))[:, :7]
    there = ~np.isnan(numbers)
    assert np.array_equal(back[:, 3], coded[:, 3])  # whole numbers
    assert np.allclose(back[there], coded[:, :7][there], rtol=1e-4, atol=1e-5)
    for place, column in enumerate(schema.table[:7]):
        cells = coded[there[:, place], place].astype("float64")
        assert np.allclose(column.scaled(cells), numbers[there[:, place], place], atol=1e-5)
        assert np.allclose(column.unscaled(column.scaled(cells)), cells, rtol=1e-9)


def test_a_cell_beyond_the_training_rows_has_an_error_that_grows_straight_on(schema, trained):
    column = schema.table[0]
    beyond = column.high + (column.high - column.low) * np.arange(4.0)
    steps = np.diff(column.scaled(beyond))
    assert (steps > 0.1).all()
    assert np.allclose(steps, steps[0])
    last = np.diff(column.scores)[-1] / np.diff(column.knots)[-1]
    assert steps[0] == pytest.approx(last * (column.high - column.low))
    rows = tails(1).assign(city="Oslo").loc[[0] * 3].assign(income=beyond[1:] + column.origin)
    assert (np.diff(trained.reconstruction_error(rows)) > 0).all()


def test_increasing_functions_of_straight_pieces_are_those_of_numpy():
    random = np.random.default_rng(0)
    x = [np.sort(random.normal(size=size)) * 10.0**size for size in (2, 3, 5, 8)]
    y = [np.sort(random.normal(size=len(each))) for each in x]
    there = np.array([np.linspace(each[0], each[-1], 101) for each in x]).T
    expected = np.array([np.interp(there[:, column], x[column], y[column]) for column in range(4)]).T
    assert np.allclose(Bent(x, y)(there), expected)
    assert np.allclose(Bent(y, x)(expected), there)


def test_an_expected_range_holds_nine_in_ten_cells(trained):
    rows = tails(1000, seed=1)
    reasons = trained.explain(rows)
    for name in ("income", "debt", "wide"):
        said = reasons[reasons["column"] == name]
        ends = said["expected"].str.replace(",", "").str.split(" to ")
        low, high = ends.str[0].astype(float), ends.str[-1].astype(float)
        seen = rows[name].loc[said["row"]].to_numpy()
        assert ((low <= seen) & (seen <= high))[~np.isnan(seen)].mean() == pytest.approx(0.9, abs=0.05)


def test_knots_are_plain_values_that_are_checked(schema):
    assert Schema.read(json.loads(json.dumps(schema.to_dict()))) == schema
    plain = schema.table[0].to_dict()
    for wrong in (
        {"knots": plain["knots"][:-1]},
        {"knots": plain["knots"][::-1]},
        {"scores": [0.0] * len(plain["scores"])},
        {"knots": [1.0], "scores": [0.0]},
        {"scores": [*plain["scores"][:-1], np.inf]},
    ):
        with pytest.raises(ae_zoo.AEZooError, match="do not go together"):
            Column.read(plain | wrong)
    with pytest.raises(ae_zoo.AEZooError, match="knots of the column 'income' must be a list"):
        Column.read(plain | {"knots": ["a"]})
    with pytest.raises(ae_zoo.AEZooError, match="no scaling of a table 'quantiles'; did you mean 'quantile'"):
        ae_zoo.schema(tails(50), scaling="quantiles")


@pytest.mark.slow
def test_a_served_model_scales_alike(trained, tmp_path):
    rows = tails(300, seed=2)
    version = ae_zoo.export(trained, tmp_path / "served", x_test=rows)
    assert serving.check(version).passed
    assert np.allclose(ae_zoo.load(tmp_path / "served").reconstruction_error(rows), trained.reconstruction_error(rows))
    for suffix in ("onnx", "tflite"):  # which are compared with the model while they are written
        ae_zoo.export(trained, tmp_path / f"model.{suffix}", x_test=rows)


@pytest.mark.slow
def test_the_command_line_scales_a_table_by_quantiles(run, tmp_path):
    tails(300).to_csv(tmp_path / "tails.csv", index=False)
    train = ("train", "undercomplete", "--out", "tails.keras", "--set", "scaling=quantile", "--epochs", "2", "--quiet")
    assert run(*train, "--data", "tails.csv")[0] == 0
    assert ae_zoo.load(tmp_path / "tails.keras").schema.scaling == "quantile"
    pd.DataFrame(np.random.default_rng(0).random((50, 3)), columns=list("abc")).to_csv(
        tmp_path / "array.csv", index=False
    )
    code, _, err = run(*train, "--data", "array.csv")
    assert code == 2
    assert "scaling='quantile' is for tables" in err
