"""Defects of models, training and evaluation that were found once: each test failed before its defect was corrected."""

import warnings

import keras
import numpy as np
import pandas as pd
import pytest

import ae_zoo
from ae_zoo.evaluation.paths import _turn
from ae_zoo.families.adversarial import priors
from ae_zoo.schemas import fit_scaling

RANDOM = np.random.default_rng(0)


@pytest.fixture
def half(request):
    """Mixed precision, for one test."""
    keras.config.set_dtype_policy(request.param)
    yield request.param
    keras.config.set_dtype_policy("float32")


@pytest.fixture(scope="module")
def rows():
    return np.random.default_rng(0).random((200, 8), "float32")


def trained(family, x, **options):
    model = ae_zoo.build(family, data=x, seed=1, **{"code": 2, "hidden": [6], **options})
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ae_zoo.AEZooWarning)  # two epochs are too few for some
        ae_zoo.fit(model, x, epochs=2, verbose=0)
    return model


# Half precision (B2, B3).


@pytest.mark.parametrize("half", ["mixed_bfloat16", "mixed_float16"], indirect=True)
def test_codes_in_half_precision_can_be_decoded_changed_and_drawn(half, rows):
    model = trained("undercomplete", rows)
    code = model.encode(rows)
    assert code.dtype == np.float32
    assert model.decode(code).shape == rows.shape
    assert ae_zoo.traverse(model, rows[0], 0, rows=rows).shape == (9, 8)
    assert ae_zoo.interpolate(model, rows[0], rows[1], how="spherical").shape == (10, 8)
    for kind in ("gaussian", "mixture", "neighbors"):
        assert ae_zoo.Density(model, kind, components=2).fit(rows).generate(3, seed=1).shape == (3, 8)


@pytest.mark.parametrize("half", ["mixed_bfloat16"], indirect=True)
def test_a_model_in_half_precision_is_exported(half, rows, tmp_path):
    model = trained("undercomplete", rows)
    version = ae_zoo.export(model, tmp_path / "half", x_test=rows)
    assert np.allclose(ae_zoo.load(version).reconstruct(rows), model.reconstruct(rows), atol=0.02)


@pytest.mark.slow
@pytest.mark.parametrize("half", ["mixed_float16"], indirect=True)
def test_a_run_in_half_precision_is_resumed(half, rows, tmp_path):
    """Its optimizer is wrapped in another, whose name Keras counts up."""

    class Interrupt(keras.callbacks.Callback):
        def on_epoch_begin(self, epoch, logs=None):
            if epoch == 2:
                raise KeyboardInterrupt

    def run(path, *callbacks):
        model = ae_zoo.build("undercomplete", data=rows, code=2, hidden=[6], seed=1)
        ae_zoo.fit(model, rows, epochs=4, checkpoint=path, callbacks=callbacks, verbose=0)
        return model.get_weights()

    whole = run(tmp_path / "a.npz")
    with pytest.raises(KeyboardInterrupt):
        run(tmp_path / "b.npz", Interrupt())
    for a, b in zip(whole, run(tmp_path / "b.npz"), strict=True):
        assert np.array_equal(a, b)


# Weights that become NaN in an epoch's last step, whose loss is still finite (B4).


class Poison(keras.optimizers.schedules.LearningRateSchedule):
    """A rate that is NaN in one step alone."""

    def __init__(self, step):
        self.step = step

    def __call__(self, step):
        return keras.ops.where(keras.ops.equal(step, self.step), np.nan, 1e-3)


@pytest.mark.parametrize("epoch", [1, 2], ids=["middle", "last"])
@pytest.mark.parametrize(
    ("family", "options", "validation"),
    [
        ("adversarial", {}, 0.1),
        ("robust", {}, 0),
        ("winner_take_all", {"code": 20}, 0.1),
        ("undercomplete", {}, 0),
        ("undercomplete", {}, 0.1),
    ],
)
def test_weights_that_become_nan_in_the_last_step_of_an_epoch_are_not_kept(family, options, validation, epoch, rows):
    model = ae_zoo.build(family, data=rows, seed=1, **{"code": 2, "hidden": [6], **options})
    batch = 20
    steps = round(len(rows) * (1 - validation)) // batch
    optimizer = keras.optimizers.SGD(Poison((epoch + 1) * steps - 1))
    with pytest.raises(FloatingPointError, match=f"last step of epoch {epoch + 1}"):
        ae_zoo.fit(
            model, rows, validation=validation, epochs=3, batch_size=batch, patience=3, optimizer=optimizer, verbose=0
        )
    assert all(np.isfinite(weight).all() for weight in model.get_weights() if weight.dtype.kind == "f")


def test_a_file_whose_weights_are_nan_is_refused(rows, tmp_path):
    model = ae_zoo.build("undercomplete", 8, code=2, hidden=[6])
    model.get_layer("code").set_weights([np.full((6, 2), np.nan), np.zeros(2)])
    model.save(tmp_path / "m.keras")
    with pytest.raises(ae_zoo.AEZooError, match="weights that are NaN or infinite"):
        ae_zoo.load(tmp_path / "m.keras")


# A row by its names (A5).


@pytest.mark.parametrize("make", [lambda x: ae_zoo.PCA(2).fit(x), lambda x: trained("undercomplete", x)])
def test_a_series_is_read_by_its_names(make, rows):
    frame = pd.DataFrame(rows, columns=list("abcdefgh"))
    model = make(frame)
    a, b = frame.iloc[0], frame.iloc[1]
    right = ae_zoo.interpolate(model, a, b, 4)
    assert np.array_equal(ae_zoo.interpolate(model, a[::-1], b[::-1], 4), right)
    assert np.array_equal(ae_zoo.traverse(model, a[::-1], 0), ae_zoo.traverse(model, a, 0))
    with pytest.raises(ae_zoo.AEZooError, match=r"lacks 'h'.*adds 'i'"):
        ae_zoo.traverse(model, a.rename({"h": "i"}), 0)


# Numbers at the edges.


def test_shares_of_a_huge_row_add_up_to_one(rows):
    row = rows[:1].copy()
    row[0, 3] = 1e19
    detector = ae_zoo.Detector(ae_zoo.PCA(2).fit(rows))
    share = detector.share(row)[0]
    assert np.isclose(share.sum(), 1)
    assert share.max() > 0.5


@pytest.mark.parametrize("seed", [2**32, 2**40, -1, 1.5, "a", True])
def test_a_seed_that_is_none_gets_one_sentence(seed, rows, tmp_path):
    model = ae_zoo.build("undercomplete", 8, code=2, hidden=[6])
    variational = ae_zoo.build("variational", 8, code=2, hidden=[6])
    calls = [
        lambda: ae_zoo.build("undercomplete", 8, seed=seed),
        lambda: ae_zoo.fit(model, rows, seed=seed, verbose=0),
        lambda: ae_zoo.pretrain(model, rows, seed=seed, verbose=0),
        lambda: ae_zoo.Density(model).fit(rows, seed=seed),
        lambda: ae_zoo.Density(model).fit(rows).sample(1, seed=seed),
        lambda: ae_zoo.Detector(model).refit(rows, seed=seed),
        lambda: variational.generate(1, seed=seed),
        lambda: ae_zoo.build("adversarial", 8, code=2, hidden=[6]).generate(1, seed=seed),
        lambda: ae_zoo.log_likelihood(variational, rows, seed=seed),
    ]
    for call in calls:
        with pytest.raises(ae_zoo.AEZooError, match="seed must be a whole number"):
            call()


@pytest.mark.slow
def test_the_largest_seed_is_legal_everywhere(rows):
    seed = 2**32 - 1
    model = ae_zoo.build("variational", data=rows, code=2, hidden=[6], corruption="gaussian", seed=seed)
    ae_zoo.fit(model, rows, epochs=1, seed=seed, verbose=0)
    x = (rows > 0.5).astype("float32")
    assert np.isfinite(ae_zoo.log_likelihood(model, x, 10, seed=seed)).all()
    dense = ae_zoo.build("stacked", 8, code=2, hidden=[6, 4])
    assert len(ae_zoo.pretrain(dense, rows, epochs=1, seed=seed, verbose=0)) == 3


def test_pca_of_rows_with_a_large_mean_is_exact():
    x = (1e6 + RANDOM.normal(size=(500, 5)) * [3, 2, 1, 1, 1]).astype("float32")
    exact = x.astype("float64")
    _, vectors = np.linalg.eigh(np.cov(exact, rowvar=False))
    rest = vectors[:, :-2]
    error = np.square((exact - exact.mean(axis=0)) @ rest).sum(axis=1) / 5
    assert ae_zoo.PCA(2).fit(x).reconstruction_error(x).mean() == pytest.approx(error.mean(), rel=1e-3)


def test_pca_of_constant_rows_explains_all_of_nothing(capsys):
    pca = ae_zoo.PCA(2).fit(np.full((20, 4), 3.0))
    pca.summary()
    assert "100.0%" in capsys.readouterr().out
    assert "100.0%" in repr(pca)
    assert np.array_equal(pca.reconstruct(np.full((2, 4), 3.0)), np.full((2, 4), 3.0))


@pytest.mark.parametrize("scaling", ["minmax", "standard", "robust"])
def test_features_with_denormal_values_are_finite(scaling, rows):
    x = rows.copy()
    x[:, 0] *= 1e-41
    model = trained("undercomplete", x, scaling=scaling, output_activation="linear")
    assert np.isfinite(model.encode(x)).all()
    assert np.isfinite(ae_zoo.PCA(2, scaling=scaling).fit(x).reconstruct(x)).all()


@pytest.mark.parametrize("scaling", ["minmax", "standard", "robust"])
def test_a_range_beyond_float32_is_refused(scaling, rows):
    x = rows.copy()
    x[0, 0], x[1, 0] = -3e38, 3e38
    with pytest.raises(ae_zoo.AEZooError, match=r"a range of 6e\+38"):
        fit_scaling(scaling, x)


def test_weights_count_without_a_target_too(rows):
    """Keras passes them on only beside a target."""
    weights = np.repeat([2, 0], 100).astype("float32")

    def losses(**given):
        model = ae_zoo.build("undercomplete", 8, code=2, hidden=[6], seed=1)
        fitted = model.fit(rows, batch_size=200, verbose=0, **given).history["loss"][0]
        return fitted, model.evaluate(rows, batch_size=200, verbose=0, return_dict=True, **given)["loss"]

    weighted = losses(sample_weight=weights)
    assert weighted == losses(y=rows, sample_weight=weights)
    assert weighted != losses()


def test_salt_and_pepper_of_0_and_1_are_for_rows_in_that_range(rows):
    options = {"corruption": "salt_pepper", "output_activation": "linear", "code": 2}
    with pytest.raises(ae_zoo.AEZooError, match="salt-and-pepper noise sets features to 0 and 1"):
        ae_zoo.build("denoising", data=100 * rows, scaling="none", **options)
    model = ae_zoo.build("denoising", 8, scaling="none", **options)
    with pytest.raises(ae_zoo.AEZooError, match="salt-and-pepper noise sets features to 0 and 1"):
        ae_zoo.fit(model, 100 * rows, verbose=0)
    ae_zoo.build("denoising", data=100 * rows, **options)  # is standardized


@pytest.mark.parametrize("away", [1e-1, 1e-3, 1e-4, 1e-5])
def test_a_spherical_path_keeps_its_length_near_opposite_ends(away):
    p, q = np.array([1, 0, 0], "float32"), np.array([-np.cos(away), np.sin(away), 0], "float32")
    path = _turn(p, 2 * q, np.linspace(0, 1, 11)[:, None])
    assert np.allclose(np.linalg.norm(path, axis=1), np.linspace(1, 2, 11), rtol=1e-6)


@pytest.mark.slow
def test_huge_values_are_refused_and_not_nan(rows):
    huge = np.full((1, 8), 3e38, "float32")
    model = trained("adversarial", rows, n_clusters=3)
    for verb in (
        model.encode,
        model.reconstruct,
        model.classify,
        model.class_probabilities,
        model.reconstruction_error,
    ):
        with pytest.raises(ae_zoo.AEZooError, match="beyond float32"):
            verb(huge)
    model = trained("undercomplete", 100 * rows)
    with pytest.raises(ae_zoo.AEZooError, match="beyond float32"):
        model.decode(np.full((1, 2), 3e38, "float32"))


@pytest.mark.slow
def test_mmd_has_no_bias_where_labels_condition():
    """A code and its sample of the prior have one label, so as pairs they are no two independent draws."""

    found = []
    for _ in range(100):
        centers = 2 * np.eye(10)[RANDOM.integers(10, size=40)]
        a, b = centers + 0.1 * RANDOM.normal(size=(2, 40, 10))
        found.append([float(priors.mmd(a, b, paired=True)), float(priors.mmd(a, b))])
    mean, error = np.mean(found, axis=0), np.std(found, axis=0) / 10
    assert abs(mean[0]) < 3 * error[0]
    assert mean[1] < -5 * error[1]


# Arguments in each other's places, and numbers that are none.


@pytest.mark.parametrize("train", [ae_zoo.fit, ae_zoo.fit_robust, ae_zoo.pretrain])
def test_what_is_no_model_cannot_be_trained(train, rows):
    model = ae_zoo.build("undercomplete", 8, code=2)
    for first, second in ((ae_zoo.PCA(2), rows), (rows, model), ("m.keras", rows), (model, model)):
        with pytest.raises(ae_zoo.AEZooError):
            train(first, second)
    with pytest.raises(ae_zoo.AEZooError, match=r"received a PCA as the first.*pca\.fit\(x\)"):
        train(ae_zoo.PCA(2), rows)


def test_options_of_an_absurd_size_are_refused_before_anything_is_built():
    for options in ({"input_shape": ()}, {"input_shape": 784, "code": 10**9}, {"input_shape": (10**6, 10**6)}):
        with pytest.raises(ae_zoo.AEZooError, match="input_shape must|code must"):
            ae_zoo.build("undercomplete", **options)


def test_the_old_word_for_neighbors_is_answered_and_old_files_are_read(rows, tmp_path):
    model = ae_zoo.PCA(2).fit(rows)
    with pytest.raises(ae_zoo.AEZooError, match="did you mean 'neighbors'"):
        ae_zoo.Density(model, "neighbours")
    density = ae_zoo.Density(model, "neighbors", neighbors=3).fit(rows)
    density.save(tmp_path / "d.npz")
    with np.load(tmp_path / "d.npz") as file:
        arrays = dict(file)
    arrays["options"] = np.array(str(arrays["options"]).replace("neighbors", "neighbours"))
    np.savez(tmp_path / "old.npz", **arrays)
    old = ae_zoo.Density.load(tmp_path / "old.npz", model)
    assert (old.kind, old.neighbors) == ("neighbors", 3)
    assert np.array_equal(old.sample(5, seed=1), density.sample(5, seed=1))


def test_only_layers_that_rows_lead_to_can_be_named(rows):
    model = ae_zoo.build("adversarial", 8, code=2, hidden=[6])
    with pytest.raises(ae_zoo.AEZooError, match="There is no layer 'style_discriminator_0'"):
        model.encode(rows, "style_discriminator_0")
