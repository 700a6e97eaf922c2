"""Robust training against closed forms, a known decomposition and planted outliers."""

import keras
import numpy as np
import pytest

import ae_zoo
from ae_zoo.training.fit_robust import RobustResult
from ae_zoo.training.split import Split, shrink
from tests.mixed import table


def linear(x, code, family="undercomplete", **options):
    return ae_zoo.build(
        family,
        x.shape[1],
        code=code,
        hidden=[],
        code_activation="linear",
        output_activation="linear",
        seed=1,
        **options,
    )


def test_sparse_part_equals_numpy():
    v = np.random.default_rng(0).normal(size=(6, 2, 5)).astype("float32")
    v[2] = 0
    assert np.allclose(shrink(v, 0.4, "elements"), np.sign(v) * np.maximum(np.abs(v) - 0.4, 0), atol=1e-6)
    flat = v.reshape(6, 10)
    norms = np.linalg.norm(flat, axis=1, keepdims=True)
    expected = flat * np.maximum(1 - 0.9 * np.sqrt(10) / np.maximum(norms, 1e-9), 0)
    assert np.allclose(shrink(v, 0.9, "rows").reshape(6, 10), expected, atol=1e-6)
    norms = np.linalg.norm(flat, axis=0)
    expected = flat * np.maximum(1 - 0.9 * np.sqrt(6) / norms, 0)
    assert np.allclose(shrink(v, 0.9, "features").reshape(6, 10), expected, atol=1e-6)


@pytest.mark.parametrize("split", ["elements", "rows", "features"])
def test_sparse_part_minimises_its_objective(split):
    random = np.random.default_rng(1)
    v = random.normal(size=(4, 3))
    axis = {"rows": 1, "features": 0}.get(split)

    def objective(s):
        norm = np.abs(s).sum() if axis is None else np.sqrt(v.shape[axis]) * np.linalg.norm(s, axis=axis).sum()
        return np.square(v - s).sum() / 2 + 0.8 * norm

    best = shrink(v, 0.8, split)
    assert all(objective(best) <= objective(best + size * random.normal(size=v.shape)) for size in (0.01, 0.1) * 50)


def test_a_weight_beyond_every_error_is_plain_training(x):
    robust, plain = linear(x, 3), linear(x, 3)
    result = ae_zoo.fit_robust(robust, x, weight=1e6, rounds=4, epochs=8, verbose=0)
    ae_zoo.fit(plain, x, validation=0, epochs=8, verbose=0)
    assert not result.sparse.any()
    assert not result.scores.any()
    assert all(np.array_equal(a, b) for a, b in zip(robust.get_weights(), plain.get_weights(), strict=True))


@pytest.fixture(scope="module")
def low_rank():
    """400 rows of rank 3 and, apart, gross errors in a twentieth of their elements."""
    random = np.random.default_rng(0)
    low = random.normal(size=(400, 3)) @ random.normal(size=(3, 30))
    gross = np.where(random.uniform(size=low.shape) < 0.05, 10 * random.choice([-1, 1], low.shape), 0)
    return low, gross


@pytest.mark.slow
def test_low_rank_rows_are_recovered_from_gross_errors(low_rank):
    low, gross = low_rank
    x = low + gross
    result = ae_zoo.fit_robust(
        linear(x, 3),
        x,
        split="elements",
        weight=0.2,
        rounds=150,
        epochs=150,
        batch_size=80,
        learning_rate=3e-2,
        verbose=0,
    )
    assert np.abs(x - result.reconstructable - result.sparse).max() < 0.2 + 1e-5
    assert np.linalg.norm(result.sparse - gross) < 0.05 * np.linalg.norm(gross)
    assert np.linalg.norm(result.reconstructable - low) < 0.05 * np.linalg.norm(low)
    assert np.linalg.norm(ae_zoo.PCA(3).fit(x).reconstruct(x) - low) > 0.3 * np.linalg.norm(low)  # no split


def test_planted_outliers_rank_first_and_a_detector_ranks_them_so(low_rank):
    low, _ = low_rank
    random = np.random.default_rng(2)
    x = np.concatenate([5 + low + 0.1 * random.normal(size=low.shape), 5 + 3 * random.normal(size=(40, 30))])
    model = ae_zoo.build("robust", data=x, code=3, hidden=[], split_weight=0.05, seed=1)
    result = ae_zoo.fit(model, x, epochs=60, learning_rate=2e-2, validation=0, verbose=0)
    assert isinstance(result, RobustResult)
    assert set(np.argsort(-result.scores)[:40]) == set(range(400, 440))
    assert set(np.argsort(-ae_zoo.Detector(model).score(x))[:40]) == set(range(400, 440))
    rms = np.sqrt(np.square(result.sparse / model.scaling.scale.numpy()).mean(axis=1))
    assert np.allclose(result.scores, rms, rtol=1e-4)
    assert result.changes[-1] < result.changes[1]


def test_a_model_brings_its_own_split(x):
    results, weights = [], []
    for fit in (ae_zoo.fit, ae_zoo.fit_robust):
        model = ae_zoo.build("robust", 8, code=3, hidden=[], split="elements", split_weight=0.05, seed=1)
        results.append(fit(model, x, validation=0.25, epochs=6, verbose=0))
        weights.append(model.get_weights())
    assert results[0].weight == results[1].weight == 0.05
    assert np.array_equal(results[0].sparse, results[1].sparse)
    assert 0 < np.mean(results[0].sparse != 0) < 1  # elements, and not rows as a whole
    assert all(np.array_equal(a, b) for a, b in zip(*weights, strict=True))


@pytest.mark.parametrize("validation", [0, 0.25])
def test_no_error_chooses_the_epoch_of_changing_rows(validation, x):
    class Spoil(keras.callbacks.Callback):
        def on_epoch_begin(self, epoch, logs=None):
            self.model.set_weights([2 * weight for weight in self.model.get_weights()])

    model = linear(x, 3)
    options = {"optimizer": keras.optimizers.SGD(1e-6), "callbacks": [Spoil()], "epochs": 6, "patience": 1}
    result = ae_zoo.fit_robust(model, x, weight=1e6, rounds=3, validation=validation, verbose=0, **options)
    assert result.history[result.monitor][0] < result.history[result.monitor][-1]
    assert result.best_epoch == result.epochs == 6


def test_held_out_rows_leave_the_scaling_alone(x):
    valid = x.copy()
    valid[:16] += 100
    model = linear(x, 3, scaling="standard")
    ae_zoo.fit_robust(model, valid, validation=0.25, seed=1, epochs=1, verbose=0)
    kept = np.sort(np.random.default_rng(1).permutation(64)[16:])
    assert np.allclose(model.scaling.offset, valid[kept].mean(axis=0), rtol=1e-5)


def test_rows_stay_in_the_range_of_the_output(x):
    model = ae_zoo.build("denoising", 8, code=3, hidden=[6], loss="bce", seed=1)
    result = ae_zoo.fit_robust(model, np.round(x), weight=0.05, rounds=5, epochs=5, validation=x, verbose=0)
    assert result.sparse.any()
    assert len(result.residuals) == 5
    assert result.validation_rows == 64


def test_a_model_whose_reconstructions_say_nothing_is_refused(x):
    model = ae_zoo.build("winner_take_all", 8, seed=1)
    with pytest.raises(ValueError, match="threshold=True"):
        ae_zoo.fit_robust(model, x)
    with pytest.raises(ValueError, match="threshold=True"):
        ae_zoo.Detector(model)


def test_bad_calls_get_one_sentence(x):
    model = linear(x, 3)
    for options, message in (
        ({"split": "row"}, "did you mean 'rows'"),
        ({"weight": 0}, "weight must be above 0"),
        ({"rounds": 0}, "rounds must be a whole number"),
        ({"checkpoint": "file"}, "no checkpoints"),
        ({"y": x}, "y can only be labels"),
    ):
        with pytest.raises(ValueError, match=message):
            ae_zoo.fit_robust(model, x, **options)
    with pytest.raises(ValueError, match="must be finite"):
        ae_zoo.fit_robust(model, x * np.nan)
    with pytest.raises(ValueError, match="takes no y"):
        ae_zoo.fit(ae_zoo.build("robust", 8, code=3), x, x)
    with pytest.raises(ValueError, match="split_weight must be above 0"):
        ae_zoo.build("robust", 8, split_weight=0)


# Of tables the numbers are split.


@pytest.fixture(scope="module")
def broken_table():
    """600 rows, some with holes; of the first 30 amount and number of children are wild."""
    random, rows = np.random.default_rng(1), table(600).astype({"children": float})
    rows.loc[:29, "amount"] = random.normal(60, 800, 30)
    rows.loc[:29, "children"] = np.round(random.normal(2, 20, 30))
    return rows


@pytest.mark.parametrize("split", ["elements", "rows", "features"])
def test_the_numbers_of_a_table_that_are_present_are_split_as_numpy_splits_them(split, broken_table):
    model = ae_zoo.build("undercomplete", data=broken_table, code=3, hidden=[8], seed=1)
    ae_zoo.fit(model, broken_table, epochs=1, verbose=0)
    x, schema = model.check_rows(broken_table), model.schema
    splitter = Split(model, x, split, 0.3, 1)
    splitter.begin(None)
    splitter.step()
    numbers = np.array([not column.discrete for column in schema.table])
    scale = np.array([column.scale for column in schema.table])
    residual = ((x - model.reconstructed(x)) / scale)[:, numbers]
    if split == "elements":
        size = np.abs(residual)
    else:
        size = np.sqrt(np.nanmean(residual**2, axis=1 if split == "rows" else 0, keepdims=True))
    expected = np.nan_to_num(residual * np.maximum(1 - 0.3 / np.maximum(size, 1e-9), 0))
    assert expected.any()
    assert np.allclose(splitter.sparse[:, numbers], expected, atol=1e-4)
    assert not splitter.sparse[:, ~numbers].any()
    assert not splitter.sparse[np.isnan(x)].any()
    assert np.allclose(splitter.left, x - splitter.sparse * np.where(numbers, scale, 0), atol=1e-2, equal_nan=True)


@pytest.mark.slow
def test_wild_numbers_of_a_table_rank_first_and_hardly_change_the_model(broken_table):
    models = [
        ae_zoo.build(family, data=broken_table, code=3, hidden=[], seed=1) for family in ("robust", "undercomplete")
    ]
    results = [ae_zoo.fit(model, broken_table, validation=0, epochs=30, verbose=0) for model in models]
    assert np.isin(np.argsort(-results[0].scores)[:30], range(30)).mean() > 0.9
    assert list(results[0].reconstructable) == list(broken_table)
    robust, plain = (model.reconstruction_error(broken_table)[30:].mean() for model in models)
    assert robust < 0.6 * plain


def test_a_table_that_robust_training_cannot_split_is_refused(broken_table):
    words = broken_table[["city", "country"]]
    model = ae_zoo.build("undercomplete", data=words, code=2, seed=1)
    with pytest.raises(ae_zoo.AEZooError, match="numbers that are scaled by a straight line, and these rows have none"):
        ae_zoo.fit_robust(model, words)
    model = ae_zoo.build("robust", data=broken_table, code=3, seed=1)
    holed = broken_table.astype({"member": object})
    holed.iloc[7] = None
    with pytest.raises(ae_zoo.AEZooError, match="Row 7 has no cell"):
        ae_zoo.fit(model, holed)
