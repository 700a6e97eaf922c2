"""The contractive penalty against a finite-difference oracle, in closed form and as an estimate; and tied kernels."""

import keras
import numpy as np
import pytest

import ae_zoo
from ae_zoo.families.contractive import jacobian

SMOOTH = {"activation": "tanh", "output_activation": "linear"}  # finite differences want no kinks


def build(**options):
    return ae_zoo.build("contractive", **{"input_shape": 8, "code": 3, "hidden": [], "seed": 1, **SMOOTH, **options})


def squared_norms(model, x, step=1e-2):
    """Central differences of the code by each scaled feature."""
    scale = model.scaling.scale.numpy() if model.config.scaling != "none" else np.ones(x.shape[1:])
    total = np.zeros(len(x))
    for feature in np.ndindex(x.shape[1:]):
        nudge = np.zeros(x.shape[1:])
        nudge[feature] = step * scale[feature]
        total += np.square((model.encode(x + nudge) - model.encode(x - nudge)) / (2 * step)).sum(axis=1)
    return total


def parts(model, x, training=False):
    rows = keras.ops.convert_to_tensor(x)
    return {name: np.asarray(part) for name, part in model.loss_parts(rows, None, None, training).items()}


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"code_activation": "tanh", "tied": False},
        {"code_activation": "linear", "corruption": "masking"},
        {"code_activation": "softplus"},
        {"hidden": [6], "scaling": "standard"},
        {"input_shape": (4, 4), "network": "convolutional", "hidden": [2], "tied": False},
    ],
    ids=str,
)
def test_norm_equals_finite_differences(options, x):
    model = build(**options)
    if "network" in options:
        x = x.reshape(-1, 4, 4)
    if "scaling" in options:
        x = 100 * x - 30
        model.adapt(x)
    expected = squared_norms(model, x)
    assert np.allclose(model.jacobian_norm(x), expected, rtol=2e-3)
    share = model.config.contraction / x[0].size
    if model.is_one_layer:
        assert np.allclose(parts(model, x, training=True)["contraction"], share * expected, rtol=2e-3)
    else:
        many = np.tile(x[:4], (2000, *[1] * (x.ndim - 1)))
        draws = parts(model, many)["contraction"].reshape(2000, 4)
        assert np.ptp(draws[:, 0]) > 0
        error = draws.std(axis=0) / np.sqrt(2000)
        assert np.all(np.abs(draws.mean(axis=0) - share * expected[:4]) < 4 * error)


@pytest.mark.parametrize("options", [{}, {"hidden": [5], "code": 1}], ids=str)
def test_gradient_of_the_penalty_equals_finite_differences(options, x):
    import tensorflow as tf

    model = build(**options)  # with one code unit the estimate has no noise: |-g|^2 = |g|^2

    @tf.function(jit_compile=True)
    def penalty():
        with tf.GradientTape() as tape:
            value = tf.reduce_mean(model.loss_parts(tf.constant(x), None, None, True)["contraction"])
        return value, tape.gradient(value, model.trainable_weights[:2])

    for variable, gradient in zip(model.trainable_weights[:2], penalty()[1], strict=True):
        start, direction = variable.numpy(), np.sin(np.arange(gradient.numpy().size)).reshape(gradient.shape)
        ends = []
        for step in (1e-2, -1e-2):
            variable.assign(start + step * direction)
            ends.append(float(penalty()[0]))
        variable.assign(start)
        assert np.sum(gradient * direction) == pytest.approx((ends[0] - ends[1]) / 2e-2, rel=5e-3)


@pytest.mark.parametrize("hidden", [[], [6]], ids=str)
def test_norm_is_that_of_the_weights_at_the_time(hidden, x):
    model = build(hidden=hidden)
    before = model.jacobian_norm(x)
    model.set_weights([2 * weight for weight in model.get_weights()])
    after = model.jacobian_norm(x)
    assert np.allclose(after, squared_norms(model, x), rtol=2e-3)
    assert not np.allclose(after, before, rtol=0.1)


def test_exact_norm_is_that_of_a_known_jacobian():
    matrix = np.random.default_rng(0).normal(size=(5, 3)).astype("float32")
    x = keras.ops.convert_to_tensor(np.ones((7, 5), "float32"))
    norm = jacobian.exact(lambda rows: keras.ops.matmul(rows, matrix), x, 3)
    assert np.allclose(norm, np.square(matrix).sum(), rtol=1e-5)


@pytest.mark.slow
def test_training_shrinks_the_norm_and_plain_training_does_not(x):
    norms = []
    for contraction in (0.0, 1.0):
        model = build(contraction=contraction, code=6)
        ae_zoo.fit(model, x, epochs=30, validation=0, learning_rate=0.03, verbose=0)
        norms.append(model.jacobian_norm(x).mean())
    assert norms[1] < norms[0] / 3


@pytest.mark.parametrize("hidden", [[], [6]], ids=str)
def test_tied_decoder_shares_its_kernels_for_good(hidden, x, tmp_path):
    model = build(hidden=hidden, contraction=0.0)
    assert len(model.get_weights()) == 3 * (len(hidden) + 1)  # one kernel a pair of layers, a bias for each
    ae_zoo.fit(model, x, epochs=3, verbose=0)
    model.save(tmp_path / "model.keras")
    loaded = ae_zoo.load(tmp_path / "model.keras")
    loaded.fit(x, epochs=1, verbose=0)
    code, bias = loaded.get_layer("code"), loaded.get_layer("hidden_1" if hidden else "reconstruction").bias
    h = loaded.encode(x)
    expected = h @ code.kernel.numpy().T + bias.numpy()
    found = loaded.encode(x, "hidden_1" if hidden else "reconstruction")
    assert np.allclose(found, np.tanh(expected) if hidden else expected, atol=1e-5)
    model.decoder.save(tmp_path / "decoder.keras")
    alone = keras.saving.load_model(tmp_path / "decoder.keras")
    assert np.allclose(alone.predict(h, verbose=0), model.decode(h), atol=1e-6)


@pytest.mark.slow
def test_tied_network_can_be_pretrained(x):
    model = build(hidden=[6], contraction=0.0)
    before = model.reconstruction_error(x).mean()
    ae_zoo.pretrain(model, x, epochs=20, verbose=0)
    assert model.reconstruction_error(x).mean() < before / 2
    assert model.get_layer("hidden_1").kernel is model.get_layer("code").kernel


def test_sparsity_goes_with_tied_kernels_and_contraction(x):
    for options in ({}, {"hidden": [6]}, {"corruption": "masking"}):
        model = build(l1=0.1, **options)
        model(x)
        assert float(model.losses[0]) > 0
        penalty = 0.1 * np.abs(model.encode(x)).mean()
        history = model.fit(x, epochs=1, batch_size=64, verbose=0).history
        assert history["penalty"][0] == pytest.approx(penalty, rel=0.2 if "corruption" in options else 1e-4)
