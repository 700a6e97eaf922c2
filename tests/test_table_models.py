"""Models of tables: what a cell costs, and what they say of cells; with known answers."""

import datetime
import warnings

import numpy as np
import pandas as pd
import pytest

import ae_zoo
from ae_zoo.tables.verbs import sentences
from tests.mixed import table


@pytest.fixture(scope="module")
def trained():
    model = ae_zoo.build("undercomplete", data=table(2000), hidden=[64], code=4, corruption_amount=0.5, seed=1)
    ae_zoo.fit(model, table(2000), epochs=60, verbose=0)
    return model


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


@pytest.mark.slow
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


def test_holes_are_filled_in_the_frame_s_own_spelling(trained):
    rows = table(4, seed=9)
    since = rows["since"].dt.date.where(rows.index < 2)
    holed = rows.assign(country=["NO", None, "NO", None], member=["Yes", None, "Yes", "Yes"], since=since)
    filled = trained.impute(holed)
    assert filled.notna().all(axis=None)
    assert (filled["member"][1], type(filled["since"][3])) in (("Yes", datetime.date), ("No", datetime.date))
    assert trained.impute(rows.assign(country=None, member=np.nan)).notna().all(axis=None)


def test_levels_have_probabilities_and_the_likeliest_is_the_reconstruction(trained):
    rows = table(200, seed=5).assign(country=None).set_index(np.arange(200) + 1000)
    found, back = trained.level_probabilities(rows), trained.reconstruct(rows)
    assert found.index.equals(rows.index)
    assert found.columns.names == ["column", "level"]
    assert list(found.columns.levels[0]) == ["city", "country", "member"]
    for name in ("city", "country", "member"):
        assert np.allclose(found[name].sum(axis=1), 1, atol=1e-5)
        assert np.array_equal(found[name].idxmax(axis=1), back[name])
    oslo = rows["city"] == "Oslo"
    assert found["country"]["NO"][oslo].mean() > 0.95
    numbers = ae_zoo.schema(rows[["amount", "children"]])
    plain = ae_zoo.build("undercomplete", data=rows[["amount", "children"]], schema=numbers, seed=1)
    plain.adapt(rows[["amount", "children"]])
    with pytest.raises(ae_zoo.AEZooError, match="neither categories nor booleans"):
        plain.level_probabilities(rows)


def test_importance_of_what_cannot_be_exchanged_is_unknown(trained):
    with pytest.raises(ae_zoo.AEZooError, match="at least 2 rows; received 1"):
        trained.importance(table(1))
    with pytest.warns(ae_zoo.AEZooWarning, match="The column 'city' of x has no cell that is present"):
        found = trained.importance(table(50, seed=5).assign(city=None))
    assert found.index[-1] == "city"
    assert found.isna().tolist() == [False] * 5 + [True]


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


def test_columns_that_count_for_nothing_are_explained_last(trained):
    rows = table(200).assign(same="a")
    model = ae_zoo.build("undercomplete", data=rows, seed=1)
    ae_zoo.fit(model, rows, epochs=2, verbose=0)
    reasons = model.explain(rows.head(3))
    assert reasons[reasons["column"] == "same"]["p_value"].isna().all()
    assert set(model.explain(rows.dropna().head(3)).groupby("position")["column"].last()) == {"same"}


def test_cells_of_columns_that_say_nothing_change_no_score_of_the_others():
    """Whatever such a column holds later, after a training beside it."""
    rows = table(300).assign(same="a", one=1.0, flag=True, empty=np.nan)
    with pytest.warns(ae_zoo.AEZooWarning, match="'empty' has no cell that is present"):
        model = ae_zoo.build("undercomplete", data=rows, code=3, hidden=[16], seed=1)
    ae_zoo.fit(model, rows, epochs=3, verbose=0)
    others = {"same": "b", "one": -7.0, "flag": False, "empty": 3.0}
    scores = model.reconstruction_error(rows), model.explain(rows, top=3)
    for changed in (rows.assign(**others), rows.assign(**dict.fromkeys(others))):
        assert np.array_equal(model.reconstruction_error(changed), scores[0])
        assert model.explain(changed, top=3).equals(scores[1])


def test_numbers_with_holes_have_the_error_of_a_low_rank_model():
    """By alternating least squares over the cells that are present (Udell et al. 2016, section 2.4, without penalties).

    Its code of a row is the best for that row's holes. A linear encoder has one map for all holes, so one hidden layer is
    needed to come as near.
    """
    random = np.random.default_rng(0)
    full = random.normal(size=(1000, 2)) @ random.normal(size=(2, 8)) + 0.5 * random.normal(size=(1000, 8))
    rows = pd.DataFrame(np.where(random.random(full.shape) < 0.1, np.nan, full)).add_prefix("x")
    model = ae_zoo.build("undercomplete", data=rows, code=2, hidden=[64], corruption="none", seed=1)
    ae_zoo.fit(model, rows, validation=0, verbose=0)
    x = ((rows - rows.mean()) / rows.std(ddof=0)).to_numpy()
    present, filled, right = ~np.isnan(x), np.nan_to_num(x), random.normal(size=(3, 8))
    for _ in range(50):
        code = np.linalg.solve(
            np.einsum("ij,kj,lj->ikl", present, right[:2], right[:2]),
            np.einsum("ij,kj->ik", present * (filled - right[2]), right[:2])[:, :, None],
        )[:, :, 0]
        left = np.column_stack([code, np.ones(len(code))])
        right = np.linalg.solve(
            np.einsum("ij,ik,il->jkl", present, left, left), np.einsum("ij,ik->jk", filled, left)[:, :, None]
        )[:, :, 0].T
    error = np.nanmean(np.square(left @ right - x), axis=1).mean()
    assert model.reconstruction_error(rows).mean() == pytest.approx(error, rel=0.02)


def test_a_broken_number_is_named_before_those_that_it_spoils():
    """Five numbers of one hidden number: from a wild one the model expects wild others, whose errors are large too."""
    random = np.random.default_rng(0)
    hidden = random.normal(size=(1200, 2))
    frame = pd.DataFrame(hidden @ random.normal(size=(2, 5)) + 0.1 * random.normal(size=(1200, 5))).add_prefix("x")
    learn, rows = frame[:1000], frame[1000:].reset_index(drop=True)
    model = ae_zoo.build("undercomplete", data=learn, schema=ae_zoo.schema(learn), hidden=[64], code=4, seed=1)
    ae_zoo.fit(model, learn, verbose=0)
    places = random.integers(5, size=len(rows))
    moved = 6 * rows.std().to_numpy()[places] * random.choice([-1, 1], len(rows))
    for row, place in enumerate(places):
        rows.iloc[row, place] += moved[row]
    assert (model.explain(rows, top=1)["column"] == rows.columns[places]).mean() >= 0.95
