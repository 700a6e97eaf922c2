"""The variational family against closed forms: probabilistic PCA is a variational autoencoder whose answers are known."""

import keras
import numpy as np
import pytest
from scipy.stats import multivariate_normal, norm

import ae_zoo

VARIANCE = 0.3
FEATURES, CODE = 5, 2
RANDOM = np.random.default_rng(0)
LOADINGS = np.linalg.qr(RANDOM.normal(size=(FEATURES, CODE)))[0] * [1.5, 0.7]  # orthogonal: a diagonal posterior
OFFSET = RANDOM.normal(size=FEATURES)
EXACT = multivariate_normal(OFFSET, LOADINGS @ LOADINGS.T + VARIANCE * np.eye(FEATURES))


@pytest.fixture(autouse=True)
def same_draws(monkeypatch):
    """Each test draws the same, whatever ran before it."""
    monkeypatch.setattr(f"{__name__}.RANDOM", np.random.default_rng(1))


def linear(**options):
    defaults = {
        "code": CODE,
        "hidden": [],
        "loss": "gaussian",
        "output_activation": "linear",
        "output_variance": VARIANCE,
    }
    return ae_zoo.build("variational", FEATURES, seed=1, **{**defaults, **options})


def probabilistic_pca(error=0.0):
    """Weights that make the decoder's density `EXACT`, and the encoder's its posterior, but for an error."""
    precision = (LOADINGS**2).sum(axis=0) / VARIANCE + 1  # (code,)
    kernel = LOADINGS / VARIANCE / precision
    model = linear()
    model.get_layer("code").set_weights([kernel, -OFFSET @ kernel + error])
    model.get_layer("code_log_variance").set_weights([np.zeros((FEATURES, CODE)), -np.log(precision)])
    model.get_layer("reconstruction").set_weights([LOADINGS.T, OFFSET])
    return model


def parts(model, x, training=False):
    return {name: np.asarray(part) for name, part in model.loss_parts(x, None, None, training).items()}


def test_log_likelihood_equals_the_exact_one():
    x = EXACT.rvs(40, random_state=1).astype("float32")
    # With the true posterior every weight is p(x) itself, so one sample is enough.
    assert np.allclose(ae_zoo.log_likelihood(probabilistic_pca(), x, samples=1), EXACT.logpdf(x), atol=1e-4)
    # With another one, many samples come to the same.
    assert np.allclose(
        ae_zoo.log_likelihood(probabilistic_pca(error=0.3), x, samples=20_000), EXACT.logpdf(x), atol=0.05
    )


def test_bound_is_below_the_log_likelihood_by_the_divergence_from_the_posterior():
    x = EXACT.rvs(2000, random_state=2).astype("float32")
    precision = (LOADINGS**2).sum(axis=0) / VARIANCE + 1
    for error in (0.0, 0.3):
        bound = -FEATURES * sum(part.mean() for part in parts(probabilistic_pca(error), x).values())
        gap = CODE * error**2 / 2 * precision.mean()  # KL between two normals that differ in their mean alone
        assert bound == pytest.approx(EXACT.logpdf(x).mean() - gap, abs=0.06)


def test_kl_equals_a_monte_carlo_estimate():
    model = ae_zoo.build("variational", 8, code=3, hidden=[6], beta=2.0, seed=3)
    x = RANDOM.uniform(size=(4, 8)).astype("float32")
    mean, log_variance = model.encode_distribution(x)
    scale = np.exp(log_variance / 2)
    code = mean + scale * RANDOM.standard_normal((200_000, 4, 3))
    estimate = (norm.logpdf(code, mean, scale) - norm.logpdf(code)).sum(axis=-1).mean(axis=0)  # (4,) nats
    assert np.allclose(8 * parts(model, x)["kl"] / 2.0, estimate, rtol=0.02, atol=0.005)


def test_gaussian_likelihood_equals_scipy_and_its_best_variance_is_the_mean_square():
    target, output = RANDOM.normal(size=(2, 6, FEATURES)).astype("float32")
    expected = -norm.logpdf(target, output, np.sqrt(VARIANCE)).mean(axis=1)
    assert np.allclose(linear().row_loss(target, output), expected, atol=1e-5)
    learned = linear(output_variance=None)
    square = np.square(target - output).mean()
    losses = []
    for factor in (0.8, 1.0, 1.25):
        learned.likelihood.learned.assign(np.log(factor * square))
        losses.append(np.mean(learned.row_loss(target, output)))
    assert losses[1] == min(losses)


def test_learned_variance_is_trained_and_saved(x, tmp_path):
    model = ae_zoo.build("variational", 8, code=2, loss="gaussian", output_activation="linear", seed=1)
    model.fit(x, epochs=5, verbose=0)
    variance = float(model.likelihood.learned)
    assert variance != 0
    model.save(tmp_path / "model.keras")
    assert float(ae_zoo.load(tmp_path / "model.keras").likelihood.learned) == variance


def test_a_learned_variance_can_leave_its_bound_and_a_table_gets_a_normal(x):
    model = ae_zoo.build("variational", data=50 * x, code=2, hidden=[6], seed=1)
    assert model.config.loss == "gaussian"
    model.likelihood.learned.assign(-14.0)  # all but at the bound
    ae_zoo.fit(model, 50 * x, epochs=30, validation=0, verbose=0)
    assert float(model.likelihood.learned) > -13.99


def test_free_bits_cost_the_same_used_or_not():
    x = RANDOM.uniform(size=(32, 8)).astype("float32")
    model = ae_zoo.build("variational", 8, code=3, hidden=[], free_bits=0.5, seed=1)
    for name in ("code", "code_log_variance"):  # the posterior is the prior: no unit says anything
        model.get_layer(name).set_weights([np.zeros((8, 3)), np.zeros(3)])
    assert np.allclose(8 * parts(model, x)["kl"], 3 * 0.5)
    model.get_layer("code").set_weights([np.zeros((8, 3)), np.array([2.0, 0, 0])])  # one unit spends 2^2 / 2 nats
    assert np.allclose(8 * parts(model, x)["kl"], 2.0 + 2 * 0.5)


def test_warm_up_raises_the_weight_with_the_rows_seen(x):
    model = ae_zoo.build("variational", 8, code=3, warmup=4 * 64, seed=1)
    full = parts(model, x)["kl"]
    for step in range(6):
        assert np.allclose(parts(model, x, training=True)["kl"], min(step / 4, 1) * full, rtol=1e-5)
    assert np.allclose(parts(model, x)["kl"], full)  # validation compares at the full weight


def test_early_stopping_waits_for_the_warm_up(x):
    model = ae_zoo.build("variational", 8, code=2, warmup=20 * 56, seed=1)
    model.trainable = False  # so no epoch is much better than another
    with pytest.warns(UserWarning, match="trainable weights"):
        result = ae_zoo.fit(model, x, epochs=60, batch_size=56, patience=2, validation=8 / 64, verbose=0)
    assert 22 < result.epochs < 60
    assert model.warmup_left == 0  # it is over, and a second run has none
    fresh = ae_zoo.build("variational", 8, code=2, warmup=20 * 56, seed=1)
    with pytest.raises(ValueError, match=r"warm-up of 1,120 rows would not end within 20 epochs of 56"):
        ae_zoo.fit(fresh, x, epochs=20, batch_size=56, validation=8 / 64, verbose=0)


def test_binarization_is_stated_and_grays_are_refused():
    model = ae_zoo.build("variational", 8, code=2, hidden=[], seed=1)
    for name in ("code", "code_log_variance"):  # the prior: a proposal that covers what it is to be weighed against
        model.get_layer(name).set_weights([np.zeros((8, 2)), np.zeros(2)])
    grays = RANDOM.uniform(size=(6, 8)).astype("float32")
    with pytest.raises(
        ValueError, match=r"100.0% of its values lie elsewhere: give binarization='dynamic', for example"
    ):
        ae_zoo.log_likelihood(model, grays, 10)
    static = [ae_zoo.log_likelihood(model, grays, 2000, binarization="static", seed=seed) for seed in (1, 2)]
    assert np.allclose(*static, atol=0.1)  # the same pixels; only the codes differ
    alone = ae_zoo.log_likelihood(model, grays[3:4], 2000, binarization="static")
    assert np.allclose(static[0][3], alone, atol=0.1)  # whatever the other rows are
    dynamic = [ae_zoo.log_likelihood(model, grays, 2000, binarization="dynamic", seed=seed) for seed in (1, 2)]
    assert np.abs(dynamic[0] - dynamic[1]).max() > 0.1
    assert np.array_equal(dynamic[0], ae_zoo.log_likelihood(model, grays, 2000, binarization="dynamic", seed=1))
    with pytest.raises(ValueError, match="for a Bernoulli likelihood"):
        ae_zoo.log_likelihood(linear(), RANDOM.normal(size=(3, FEATURES)), 10, binarization="dynamic")


def test_generated_rows_have_the_decoder_s_moments():
    rows = probabilistic_pca().generate(20_000, seed=1)
    assert np.allclose(rows.mean(axis=0), OFFSET, atol=0.05)
    assert np.allclose(np.cov(rows.T), LOADINGS @ LOADINGS.T, atol=0.1)  # the means: without the output's variance
    assert np.array_equal(rows, probabilistic_pca().generate(20_000, seed=1))


def test_active_units_are_those_that_tell_rows_apart():
    model = probabilistic_pca()
    kernel, bias = model.get_layer("code").get_weights()
    model.get_layer("code").set_weights([kernel * [1, 0], bias])
    assert model.active_units(EXACT.rvs(500, random_state=3)).tolist() == [True, False]


def test_dynamic_binarization_feeds_and_wants_the_same_zeros_and_ones():
    class Spy(keras.layers.Layer):
        seen = None

        def call(self, x):
            Spy.seen = np.asarray(x)
            return x

    grays = np.full((500, 8), 0.3, "float32")
    model = ae_zoo.build("variational", 8, code=2, binarization="dynamic", seed=1)
    model.target = lambda x, y: Spy()(keras.ops.convert_to_tensor(x if y is None else y))
    model.loss_parts(grays, None, None, training=True)
    assert set(np.unique(Spy.seen)) == {0.0, 1.0}
    assert Spy.seen.mean() == pytest.approx(0.3, abs=0.02)
