"""Each part's own claim against an answer that is known from elsewhere."""

import keras
import numpy as np
import pytest

import ae_zoo
from ae_zoo.autoencoder import Autoencoder
from ae_zoo.layers import noise
from ae_zoo.layers.corruption import KINDS, Corruption, corrupt
from ae_zoo.layers.scaling import Scaling
from ae_zoo.layers.sparsity import KLSparsity, L1Sparsity

ROWS = np.random.default_rng(1).uniform(-0.9, 0.9, size=(100, 6)).astype("float32")


def linear(code, features):
    return ae_zoo.build(
        "undercomplete", features, code=code, hidden=[], code_activation="linear", output_activation="linear", seed=1
    )


@pytest.mark.slow
def test_linear_network_with_pca_s_loadings_has_pca_s_error(digits):
    pca = ae_zoo.PCA(10).fit(digits.x_train)
    model = linear(10, 784)
    model.get_layer("code").set_weights([pca.components.T, -pca.mean @ pca.components.T])
    model.get_layer("reconstruction").set_weights([pca.components, pca.mean])
    assert np.allclose(model.reconstruction_error(digits.x_test), pca.reconstruction_error(digits.x_test), atol=1e-6)


def test_trained_linear_network_reaches_pca_s_error():
    random = np.random.default_rng(0)
    x = random.normal(size=(2000, 4)) @ random.normal(size=(4, 10)) + 0.3 * random.normal(size=(2000, 10))
    x = x.astype("float32")
    model = linear(3, 10)
    ae_zoo.fit(model, x, validation=0, learning_rate=1e-2, epochs=60, verbose=0)
    pca = ae_zoo.PCA(3).fit(x).reconstruction_error(x).mean()
    assert pca <= model.reconstruction_error(x).mean() * (1 + 1e-6)  # no linear network is better on these rows
    assert model.reconstruction_error(x).mean() < 1.01 * pca


@pytest.mark.slow
def test_default_beats_pca_on_digits(digits):
    model = ae_zoo.build("undercomplete", data=digits.x_train, code=20, seed=1)
    ae_zoo.fit(model, digits.x_train, epochs=30, verbose=0)
    pca = ae_zoo.PCA(20).fit(digits.x_train)
    assert model.reconstruction_error(digits.x_test).mean() < 0.7 * pca.reconstruction_error(digits.x_test).mean()


@pytest.mark.slow
def test_default_beats_pca_on_standardised_data():
    from sklearn.datasets import load_digits

    x = load_digits().data - 5.0  # outside [0, 1]: standardised, linear output
    train, test = x[:1400], x[1400:]
    model = ae_zoo.build("undercomplete", data=train, code=8, seed=1)
    assert (model.config.scaling, model.config.output_activation) == ("standard", "linear")
    ae_zoo.fit(model, train, epochs=40, verbose=0)
    pca = ae_zoo.PCA(8, scaling="standard").fit(train)
    assert model.reconstruction_error(test).mean() < pca.reconstruction_error(test).mean()


@pytest.mark.parametrize(("activation", "low", "target"), [("tanh", -1, -0.1), ("sigmoid", 0, 0.3)])
def test_kl_penalty_equals_numpy_at_any_batch_size(activation, low, target):
    code = np.abs(ROWS) if activation == "sigmoid" else ROWS
    q = (code.mean(axis=0, dtype="float64") - low) / (1 - low)
    p = (target - low) / (1 - low)
    expected = 0.7 * np.mean(p * np.log(p / q) + (1 - p) * np.log((1 - p) / (1 - q)))
    layer = keras.layers.Activation("linear", activity_regularizer=KLSparsity(target, 0.7, activation))
    for repeats in (1, 3, 10):  # the same mean activation in batches of 100, 300 and 1,000
        layer(np.tile(code, (repeats, 1)))
        assert float(layer.losses[0]) == pytest.approx(expected, rel=1e-4)


def test_kl_penalty_is_zero_at_its_target_and_finite_at_the_ends():
    for value, expected in ((-0.1, 0.0), (-1.0, None), (1.0, None)):
        penalty = float(KLSparsity(-0.1, 1.0, "tanh")(np.full((4, 2), value, "float32")))
        assert np.isfinite(penalty)
        assert expected is None or penalty == pytest.approx(expected, abs=1e-5)


def test_l1_penalty_is_the_mean_absolute_activation_at_any_batch_size():
    layer = keras.layers.Activation("linear", activity_regularizer=L1Sparsity(0.5))
    for repeats in (1, 10):
        layer(np.tile(ROWS, (repeats, 1)))
        assert float(layer.losses[0]) == pytest.approx(0.5 * np.abs(ROWS).mean(), rel=1e-5)


@pytest.mark.slow
def test_sparse_codes_come_to_their_target(digits):
    model = ae_zoo.build("sparse", 784, code=30, sparsity=-0.5, sparsity_weight=1.0, seed=1)
    ae_zoo.fit(model, digits.x_train, epochs=15, verbose=0)
    means = model.encode(digits.x_test).mean(axis=0)
    assert means.mean() == pytest.approx(-0.5, abs=0.05)
    assert np.ptp(means) < 0.3


CORRUPTED = np.full((400, 500), 0.5, "float32")


def test_masking_zeroes_a_share_and_leaves_the_rest():
    noisy = corrupt(CORRUPTED, "masking", 0.3, seed=1)
    assert set(np.unique(noisy)) == {0.0, 0.5}
    assert np.mean(noisy == 0) == pytest.approx(0.3, abs=0.01)


def test_dropout_zeroes_a_share_and_scales_the_rest():
    noisy = corrupt(CORRUPTED, "dropout", 0.2, seed=1)
    assert set(np.unique(noisy)) == {0.0, np.float32(0.5) / np.float32(0.8)}
    assert noisy.mean() == pytest.approx(0.5, abs=0.01)


def test_salt_and_pepper_are_equally_many():
    noisy = corrupt(CORRUPTED, "salt_pepper", 0.4, low=-2, high=2, seed=1)
    shares = [np.mean(noisy == value) for value in (-2, 2, 0.5)]
    assert shares == pytest.approx([0.2, 0.2, 0.6], abs=0.01)


def test_gaussian_noise_has_its_moments():
    added = corrupt(CORRUPTED, "gaussian", 1.5, seed=1) - CORRUPTED
    assert added.mean() == pytest.approx(0, abs=0.02)
    assert added.std() == pytest.approx(1.5, abs=0.02)
    assert np.mean(np.abs(added) < 1.5) == pytest.approx(0.6827, abs=0.01)


@pytest.mark.parametrize("kind", sorted(KINDS))
def test_noise_is_fresh_at_each_call_repeats_with_its_seed_and_rests_at_inference(kind):
    layer, rows = Corruption(kind, 0.3, seed=1), np.random.default_rng(0).random(CORRUPTED.shape, "float32")
    first, second = np.asarray(layer(rows, training=True)), np.asarray(layer(rows, training=True))
    assert not np.array_equal(first, second)
    assert np.array_equal(first, corrupt(rows, kind, 0.3, seed=1))
    assert np.array_equal(np.asarray(layer(rows, training=False)), rows)


@pytest.mark.parametrize("compiled", [False, True])
def test_random_numbers_have_their_moments_compiled_or_not(compiled):
    import tensorflow as tf

    seed = keras.random.SeedGenerator(3)
    uniform = tf.function(lambda: noise.uniform((200, 500), seed), jit_compile=compiled)
    normal = tf.function(lambda: noise.normal((200, 500), seed), jit_compile=compiled)
    first, second = uniform().numpy(), uniform().numpy()
    assert first.min() >= 0
    assert first.max() < 1
    assert [np.mean(first), np.var(first)] == pytest.approx([1 / 2, 1 / 12], abs=0.005)
    assert abs(np.corrcoef(first.ravel(), second.ravel())[0, 1]) < 0.02
    draws = normal().numpy()
    assert [np.mean(draws), np.var(draws), np.mean(draws**4)] == pytest.approx([0, 1, 3], abs=0.1)


@pytest.mark.slow
def test_denoiser_is_better_than_its_input(digits):
    model = ae_zoo.build("denoising", 784, corruption="gaussian", seed=1)
    ae_zoo.fit(model, digits.x_train, epochs=15, verbose=0)
    noisy = model.corrupt(digits.x_test, seed=1)
    before, after = (np.mean(np.square(rows - digits.x_test)) for rows in (noisy, model.reconstruct(noisy)))
    assert before == pytest.approx(0.09, rel=0.02)  # the noise's variance
    assert after < before / 3


def test_scaling_equals_scikit_learn_and_inverts():
    from sklearn.preprocessing import MinMaxScaler, StandardScaler

    x = (ROWS * [1, 10, 100, 1e-3, 1, 1] + [0, 5, -1000, 0, 1, 7]).astype("float32")
    x[:, 4] = 3.3  # a constant feature is only shifted
    for mode, reference in (("minmax", MinMaxScaler()), ("standard", StandardScaler())):
        layer = Scaling(mode)
        layer.build(x.shape)
        layer.adapt(x)
        scaled = np.asarray(layer(x))
        assert np.allclose(scaled, reference.fit_transform(x.astype("float64")), atol=1e-4)
        assert np.allclose(layer.invert(scaled), x, rtol=1e-5, atol=1e-4)


def test_verbs_take_and_give_the_data_s_units(x):
    big = 1000 * x - 400
    model = ae_zoo.build("undercomplete", data=big, code=6, hidden=[], seed=1)
    ae_zoo.fit(model, big, epochs=200, validation=0, learning_rate=1e-2, verbose=0)
    assert np.abs(model.reconstruct(big) - big).mean() < 0.2 * big.std()
    scaled = (big - big.mean(axis=0)) / big.std(axis=0)
    rebuilt = (model.reconstruct(big) - big.mean(axis=0)) / big.std(axis=0)
    assert np.allclose(model.reconstruction_error(big), np.square(scaled - rebuilt).mean(axis=1), atol=1e-4)


def test_a_penalty_added_by_a_layer_is_part_of_the_loss(x):
    class Penalised(keras.layers.Layer):
        def call(self, code):
            self.add_loss(7.0 + 0.0 * keras.ops.sum(code))
            return code

    class Toy(Autoencoder):
        @classmethod
        def make_encoder(cls, config):
            encoder = super().make_encoder(config)
            return keras.Model(encoder.input, Penalised()(encoder.output), name="encoder")

    model = Toy(input_shape=8, code=2)
    model.compile(optimizer="sgd")
    history = model.fit(x, epochs=1, verbose=0).history
    assert history["loss"][0] - history["reconstruction"][0] == pytest.approx(7.0, rel=1e-5)


def test_output_starts_at_the_mean_of_the_rows(x):
    model = ae_zoo.build("undercomplete", 8, code=2, seed=1)
    model.adapt(x)
    bias = model.get_layer("reconstruction").bias
    assert np.allclose(1 / (1 + np.exp(-np.asarray(bias))), x.mean(axis=0), atol=1e-5)
    model.fit(x, epochs=1, verbose=0)
    trained = np.array(bias)
    model.adapt(x)
    assert np.array_equal(trained, bias)  # a trained output is left alone


@pytest.mark.parametrize(
    ("options", "chosen"),
    [
        ({}, ("standard", "linear")),
        ({"output_activation": "sigmoid"}, ("minmax", "sigmoid")),
        ({"scaling": "minmax"}, ("minmax", "sigmoid")),
        ({"output_activation": "linear"}, ("standard", "linear")),
    ],
)
def test_scaling_and_output_suit_the_data_and_the_options(options, chosen, x):
    config = ae_zoo.build("undercomplete", data=10 * x, **options).config
    assert (config.scaling, config.output_activation) == chosen
    assert config.code == 4  # the default of 32 would not be narrower than 8 features
    within = ae_zoo.build("undercomplete", data=x, scaling="standard").config
    assert within.output_activation == "linear"
    with pytest.raises(ValueError, match="loss='bce' is defined only there"):
        ae_zoo.build("undercomplete", data=10 * x, loss="bce")


def test_bad_rows_get_one_sentence(x, tmp_path):
    model = ae_zoo.build("undercomplete", 8, code=2)
    hole = x.copy()
    hole[3, 2] = np.nan
    for rows, message in (
        (x[:, :7], "rows of 8 features; received rows of 7"),
        (x[0], r"give x\[None\]"),
        (hole, "1 of its values are NaN, infinite or beyond float32, the first in row 3, feature 2"),
        (x[:0], "at least one row"),
        ([["a"] * 8], "must hold numbers"),
    ):
        with pytest.raises(ValueError, match=message):
            model.encode(rows)
    with pytest.raises(ValueError, match=r"\[0, 1\]: the model's output is a sigmoid"):
        ae_zoo.fit(model, 255 * x)
    with pytest.raises(ValueError, match="call model"):
        ae_zoo.build("undercomplete", 8, scaling="minmax").fit(x, verbose=0)
    with pytest.raises(ValueError, match="needs no labels"):
        model.fit(x, np.zeros((64, 1)), verbose=0)
    with pytest.raises(ValueError, match="did you mean 'hidden_0'"):
        ae_zoo.build("undercomplete", 8, code=2).encode(x, layer="hiden_0")
    with pytest.raises(ValueError, match="did you mean 'sparse'"):
        ae_zoo.build("sparce", 8)
    with pytest.raises(FileNotFoundError, match="no model file"):
        ae_zoo.load(tmp_path / "none.keras")
    model.save(tmp_path / "model.keras")
    whole = (tmp_path / "model.keras").read_bytes()
    (tmp_path / "cut.keras").write_bytes(whole[: len(whole) // 2])
    with pytest.raises(ValueError, match="cut short"):
        ae_zoo.load(tmp_path / "cut.keras")
    keras.Sequential([keras.Input((2,)), keras.layers.Dense(1)]).save(tmp_path / "other.keras")
    with pytest.raises(ValueError, match="not a model of ae_zoo"):
        ae_zoo.load(tmp_path / "other.keras")
