"""Draws: of an output, of new rows, and of missing cells, against the distributions that they come from."""

import keras
import numpy as np
import pandas as pd
import pytest
import scipy.stats

import ae_zoo
from ae_zoo.likelihoods import LIKELIHOODS
from tests.mixed import table

UNIFORM = np.linspace(0.001, 0.999, 999, dtype="float32")[:, None]
RARE = {"x": 0.7, "y": 0.2, "z": 0.1}


def planted(n, seed=0):
    """Two numbers with a correlation of .8, a word that follows from the second, and a word that follows from nothing."""
    random = np.random.default_rng(seed)
    a = random.normal(size=n)
    b = 0.8 * a + 0.6 * random.normal(size=n)
    high = random.random(n) < 1 / (1 + np.exp(-3 * b))
    return pd.DataFrame(
        {
            "a": 50 + 10 * a,
            "b": b,
            "level": np.where(high, "high", "low"),
            "free": random.choice(list(RARE), n, p=list(RARE.values())),
            "wide": random.choice([f"w{number}" for number in range(40)], n, p=np.arange(40, 0, -1) / 820),
        }
    )


@pytest.fixture(scope="module")
def trained():
    rows = planted(4000)
    model = ae_zoo.build("variational", data=rows, hidden=[64], code=4, corruption="none", seed=1)
    ae_zoo.fit(model, rows, epochs=60, verbose=0)
    return model


def test_a_draw_is_the_quantile_of_the_distribution_that_the_output_means():
    output = np.full((999, 1), 0.3, "float32")
    gaussian, bernoulli, squared = LIKELIHOODS["gaussian"](0.25), LIKELIHOODS["bce"](), LIKELIHOODS["mse"]()
    drawn = [keras.ops.convert_to_numpy(one.draw(output, UNIFORM)) for one in (gaussian, bernoulli, squared)]
    assert np.allclose(drawn[0], scipy.stats.norm.ppf(UNIFORM, 0.3, 0.5), atol=1e-4)
    assert np.array_equal(drawn[1], UNIFORM < 0.3)
    assert np.array_equal(drawn[2], output)  # its loss means no distribution
    ends = keras.ops.convert_to_numpy(gaussian.draw(output[:2], np.float32([[0], [1 - 2**-24]])))
    assert np.isfinite(ends).all()


def test_levels_are_drawn_by_their_probabilities_and_other_levels_never():
    """Also of a category whose levels are vectors. The frequencies are those of the training rows, for an output of 0."""
    rows = planted(4000).assign(empty=None)
    rows.loc[:999, "free"] = [f"once {number}" for number in range(1000)]  # a quarter is "other"
    with pytest.warns(ae_zoo.AEZooWarning, match="'empty' has no cell"):
        schema = ae_zoo.schema(rows, empty="category", free="category")
    model = ae_zoo.build("undercomplete", data=rows, schema=schema, code=2, seed=1)
    output = np.zeros((20_000, *model.schema.output_shape), "float32")
    uniform = np.random.default_rng(0).random((20_000, 6), "float32")
    coded = np.asarray(model.scaling.invert(model.likelihood.draw(output, uniform)))
    for place in (2, 3, 4):
        column = model.schema.table[place]
        found = np.bincount(coded[:, place].astype(int), minlength=1 + len(column.levels)) / 20_000
        assert found[0] == 0
        assert np.allclose(found[1:], column.probabilities[1:] / column.probabilities[1:].sum(), atol=0.012)
    assert set(coded[:, 5]) == {0}  # a category without a level
    assert np.corrcoef(coded[:, 3], coded[:, 4])[0, 1] == pytest.approx(0, abs=0.03)


@pytest.mark.slow
def test_generated_rows_have_the_frequencies_and_the_spread_of_the_table(trained):
    """The likeliest level of "free" is nearly always x."""
    rows, drawn = planted(4000), trained.generate(20_000, seed=1)
    for name in ("level", "free", "wide"):
        expected, found = (frame[name].value_counts(normalize=True) for frame in (rows, drawn))
        assert expected.sub(found, fill_value=0).abs().sum() / 2 < 0.04
    for name in ("a", "b"):
        assert drawn[name].std() == pytest.approx(rows[name].std(), rel=0.05)
    assert drawn["a"].corr(drawn["b"]) == pytest.approx(0.8, abs=0.05)
    assert (trained.generate(2000, draw=False, seed=1)["free"] == "x").mean() > 0.8
    assert drawn.equals(trained.generate(20_000, seed=1))
    assert not drawn.equals(trained.generate(20_000, seed=2))
    assert drawn.head(300).equals(trained.generate(300, seed=1))


def test_a_seed_draws_its_row_whatever_other_seeds_there_are(trained):
    endpoint = trained.endpoints()["generate"]
    many = endpoint.verb(np.arange(60))["generated"]
    assert np.allclose(endpoint.verb(np.array([7]))["generated"][0], many[7], rtol=1e-5)
    assert np.allclose(endpoint.function(keras.ops.arange(60, dtype="int64"))["generated"], many, rtol=1e-5)
    assert (many[:, 3] > 1).mean() == pytest.approx(0.3, abs=0.2)


def test_rows_of_a_density_are_drawn_too(trained):
    density = ae_zoo.Density(trained).fit(planted(2000))
    drawn = density.generate(5000, seed=1)
    assert np.allclose(drawn["free"].value_counts(normalize=True).reindex(RARE), list(RARE.values()), atol=0.06)
    assert drawn.equals(density.generate(5000, seed=1))


def test_images_are_drawn_if_that_is_asked_for(x):
    model = ae_zoo.build("variational", 8, code=2, hidden=[6], seed=1)
    ae_zoo.fit(model, x, epochs=1, verbose=0)
    means, drawn = model.generate(4000, seed=1), model.generate(4000, draw=True, seed=1)
    assert set(np.unique(drawn)) == {0, 1}
    assert np.allclose(drawn.mean(axis=0), means.mean(axis=0), atol=0.03)


def test_draws_of_missing_cells_have_the_conditional_distribution(trained):
    """b given a is normal with mean .8 a and standard deviation .6; the word given b is logistic."""
    rows = planted(1500, seed=1)
    a = (rows["a"].to_numpy() - 50) / 10
    drawn = trained.impute(rows.assign(b=np.nan, level=None), draws=4, seed=1)
    assert drawn.index.names == ["draw", None]
    assert drawn.index.get_level_values("draw").unique().tolist() == [0, 1, 2, 3]
    b = np.stack([drawn.loc[draw, "b"].to_numpy() for draw in range(4)])
    slope, offset = np.polyfit(np.tile(a, 4), b.ravel(), 1)
    assert slope == pytest.approx(0.8, abs=0.08)
    assert offset == pytest.approx(0, abs=0.05)
    assert (b - slope * a).std() == pytest.approx(0.6, rel=0.08)
    assert b.std(axis=0, ddof=1).mean() == pytest.approx(0.6 * 0.921, rel=0.1)  # .921: of four draws of a normal
    high = (drawn["level"] == "high").to_numpy().reshape(4, -1)
    known = 1 / (1 + np.exp(-3 * b))
    for low in (0, 0.25, 0.5, 0.75):
        some = (known >= low) & (known < low + 0.25)
        assert high[some].mean() == pytest.approx(known[some].mean(), abs=0.1)
    assert drawn.loc[2].drop(columns=["b", "level"]).equals(rows.drop(columns=["b", "level"]))


@pytest.mark.slow
def test_draws_follow_from_the_seed_and_full_rows_stay(trained):
    rows = planted(30, seed=2).assign(free=lambda frame: frame["free"].where(frame.index < 20))
    first = trained.impute(rows, draws=3, seed=5)
    assert first.equals(trained.impute(rows, draws=3, seed=5))
    assert not first.equals(trained.impute(rows, draws=3, seed=6))
    assert first.loc[1].head(20).equals(rows.head(20))
    assert first.notna().all(axis=None)
    full = planted(5, seed=3)
    assert trained.impute(full, draws=2, seed=1).loc[1].equals(full)
    with pytest.raises(ae_zoo.AEZooError, match="draws must be a whole number"):
        trained.impute(rows, draws=0)
    plain = ae_zoo.build("undercomplete", data=table(50), seed=1)
    ae_zoo.fit(plain, table(50), epochs=1, verbose=0)
    with pytest.raises(ae_zoo.AEZooError, match="codes of a Undercomplete have no distribution .* build 'variational'"):
        plain.impute(table(50), draws=2)


def test_a_learned_variance_is_one_of_each_column_of_a_table():
    """The first column is the code itself, and the second is noise."""
    random = np.random.default_rng(0)
    known = random.normal(size=2000)
    rows = pd.DataFrame({"known": known, "same": -known, "noise": random.normal(size=2000)})
    schema = ae_zoo.schema(rows)
    model = ae_zoo.build("variational", data=rows, schema=schema, hidden=[16], code=1, corruption="none", seed=1)
    ae_zoo.fit(model, rows, epochs=60, verbose=0)
    variance = np.exp(model.likelihood.number.log_variance())
    assert variance[0] < 0.1
    assert variance[1] < 0.1
    assert variance[2] == pytest.approx(1, abs=0.1)


def test_a_table_of_words_alone_has_draws():
    rows = planted(300)[["free", "level"]]
    model = ae_zoo.build("variational", data=rows, code=2, hidden=[8], seed=1)
    ae_zoo.fit(model, rows, epochs=2, verbose=0)
    assert set(model.generate(200, seed=1)["free"]) == set(RARE)
    assert model.impute(rows.assign(free=None), draws=2, seed=1)["free"].isin(list(RARE)).all()
