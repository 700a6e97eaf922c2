"""The verbs that are not methods of a model, on tables: frames go in, and frames come out."""

import keras
import numpy as np
import pandas as pd
import pytest

import ae_zoo
from tests.mixed import table


def with_an_empty_row(rows):
    return pd.concat([rows, pd.DataFrame(None, [len(rows)], rows.columns, object)])


@pytest.fixture(scope="module")
def trained():
    model = ae_zoo.build("undercomplete", data=table(2000), hidden=[64], code=4, seed=1)
    ae_zoo.fit(model, table(2000), epochs=40, verbose=0)
    return model


def go_together(frame):
    """The share of the rows whose country and city belong together."""
    north = frame["city"].isin(["Oslo", "Bergen"])
    return ((frame["country"] == "NO") == north).mean()


@pytest.mark.parametrize("kind", ["gaussian", "mixture", "neighbors"])
def test_a_density_draws_rows_whose_cells_go_together(kind, trained):
    rows = table(1000)
    drawn = ae_zoo.Density(trained, kind=kind).fit(rows).generate(500, seed=1)
    assert list(drawn) == list(rows)
    assert drawn["since"].dtype.kind == "M"
    assert set(drawn["city"]) <= set(rows["city"].dropna())
    assert go_together(drawn) > {"gaussian": 0.6, "mixture": 0.8, "neighbors": 0.9}[kind]


def test_a_path_is_a_frame_from_one_reconstruction_to_the_other(trained):
    rows = table(50, seed=1).dropna().reset_index(drop=True)
    ends = trained.reconstruct(rows.head(2))
    for a, b in ((rows.iloc[0], rows.iloc[1]), (rows.head(1), rows[1:2]), (dict(rows.iloc[0]), dict(rows.iloc[1]))):
        path = ae_zoo.interpolate(trained, a, b, 5)
        pd.testing.assert_frame_equal(path.iloc[[0, 4]].reset_index(drop=True), ends)
    code = trained.encode(rows.head(1))[0]
    walk = ae_zoo.traverse(trained, rows.iloc[0], unit=2, values=[code[2], 9])
    assert list(walk) == list(rows)
    pd.testing.assert_frame_equal(walk.head(1), ends.head(1))
    assert len(ae_zoo.traverse(trained, rows.iloc[0], unit=2, rows=rows, steps=4)) == 4


def test_a_detector_keeps_its_promise_and_takes_rows_without_a_cell_for_unknown(trained, tmp_path):
    detector = ae_zoo.Detector(trained).calibrate(table(2000, seed=2), false_alarm_rate=0.05)
    new = table(2000, seed=3)
    assert detector.flag(new).mean() == pytest.approx(0.05, abs=0.02)
    broken = new.assign(country=np.where(new["country"] == "NO", "FR", "NO"))
    assert detector.flag(broken).mean() > 0.9
    detector.save(tmp_path / "detector.zip")
    again = ae_zoo.Detector.load(tmp_path / "detector.zip")
    assert np.array_equal(again.flag(new), detector.flag(new))
    with pytest.warns(ae_zoo.AEZooWarning, match="no cell"):
        assert not detector.flag(with_an_empty_row(new))[-1]
    with pytest.warns(ae_zoo.AEZooWarning, match="no cell"):
        refitted = detector.refit(with_an_empty_row(table(200)), 0.5, epochs=1, verbose=0)
    assert refitted.model.schema == trained.schema


def test_a_classifier_takes_frames_as_they_are(trained, tmp_path):
    rows = table(400, seed=4)
    y = (rows["country"] == "NO").to_numpy().astype(int)
    hidden = rows.assign(country=None)  # what the labels are is to be told from the other columns
    classifier = ae_zoo.supervise(trained, hidden, y, freeze=True, epochs=8, batch_size=64, verbose=0)
    known = rows["city"].notna().to_numpy()
    found = classifier.predict(hidden, verbose=0)
    assert (found.argmax(axis=1) == y)[known].mean() > 0.97
    assert np.array_equal(found, classifier.predict(trained.schema.code(hidden), verbose=0))
    assert classifier.evaluate(hidden, y, verbose=0)[1] == pytest.approx((found.argmax(axis=1) == y).mean())
    classifier.fit(hidden, y, epochs=1, verbose=0)
    classifier.save(tmp_path / "classifier.keras")
    again = keras.models.load_model(tmp_path / "classifier.keras")
    assert np.array_equal(again.predict(hidden, verbose=0), classifier.predict(hidden, verbose=0))


@pytest.mark.slow
def test_a_regressor_has_the_units_of_its_target(trained):
    rows = table(400, seed=5).dropna()
    hidden, y = rows.assign(amount=None), rows["amount"].to_numpy()
    regressor = ae_zoo.supervise(trained, hidden, y, learning_rate=0.03, epochs=10, batch_size=32, verbose=0)
    found = regressor.predict(hidden, verbose=0)[:, 0]
    assert np.sqrt(np.mean((found - y) ** 2)) < 0.3 * y.std()


@pytest.mark.slow
def test_pretraining_trains_the_outermost_layer_as_a_model_of_the_table():
    """With the table's schema, its losses and their options, and its noise."""
    rows = table(200)
    loss = {"loss": "huber", "huber_delta": 0.01}
    model = ae_zoo.build("stacked", data=rows, hidden=[16, 8], code=3, seed=1, **loss)
    results = ae_zoo.pretrain(model, rows, epochs=2, seed=1, verbose=0)
    alone = ae_zoo.build("undercomplete", data=rows, hidden=[], code=16, code_activation="selu", seed=1, **loss)
    assert alone.config.corruption == model.config.corruption == "masking"
    alone.adapt(rows)
    assert ae_zoo.fit(alone, rows, epochs=2, seed=1, verbose=0).best_error == pytest.approx(results[0].best_error)
    assert np.array_equal(model.get_layer("hidden_0").kernel, alone.get_layer("code").kernel)
    assert len(results) == 3


def test_the_likelihood_of_a_model_that_says_what_is_usual_is_that_of_the_columns():
    """Missing cells have no part in it, and a row of nothing has the likelihood 1."""
    rows = table(500)
    model = ae_zoo.build("variational", data=rows, code=2, output_variance=1.0, seed=1)
    model.adapt(rows)
    # Each code is a draw from the prior, and the decoder does not look at it.
    for layer in (
        model.get_layer("code"),
        model.get_layer("reconstruction"),
        model.posterior.get_layer("code_log_variance"),
    ):
        layer.kernel.assign(0 * layer.kernel)
    some = with_an_empty_row(table(20, seed=1))
    wanted = np.zeros(len(some))
    for column in model.schema.table:
        cells, here = some[column.name], some[column.name].notna().to_numpy()
        coded = column.code(cells)
        if column.discrete:
            wanted[here] += np.log(column.probabilities[coded[here].astype(int)])
        else:
            z = (coded[here] - column.center) / column.scale
            wanted[here] -= (z**2 + np.log(2 * np.pi)) / 2
    found = ae_zoo.log_likelihood(model, some, samples=20)
    assert np.allclose(found, wanted, atol=1e-4)
