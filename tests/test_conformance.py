"""What every family does, by being in the table."""

import json

import keras
import numpy as np
import pytest

import ae_zoo
from ae_zoo.families import FAMILIES


@pytest.fixture(params=sorted(FAMILIES))
def family(request):
    return request.param


def make(family, **options):
    return ae_zoo.build(family, 8, code=3, hidden=[6], seed=1, **options)


def test_shapes_and_names(family, x):
    model = make(family)
    assert model.encode(x).shape == (64, 3)
    assert model.decode(np.zeros((5, 3))).shape == (5, 8)
    assert model.reconstruct(x).shape == x.shape
    assert model.reconstruction_error(x).shape == (64,)
    assert model.reconstruction_error(x, per_feature=True).shape == x.shape
    assert model.encode(x, layer="hidden_0").shape == (64, 6)
    assert model.encode(x, layer="hidden_1").shape == (64, 6)
    assert [model.get_layer(name).name for name in ("hidden_0", "code", "hidden_1", "reconstruction")]


def test_images_keep_their_shape(family):
    images = np.random.default_rng(0).uniform(size=(9, 3, 5)).astype("float32")
    model = ae_zoo.build(family, (3, 5), code=2)
    assert model.reconstruct(images).shape == images.shape
    assert model.fit(images, epochs=1, verbose=0).history["loss"][0] > 0


def test_verbs_agree(family, x):
    model = make(family)
    assert np.allclose(model.decode(model.encode(x)), model.reconstruct(x), atol=1e-6)
    error = np.square(x - model.reconstruct(x))
    assert np.allclose(model.reconstruction_error(x, per_feature=True), error, atol=1e-6)
    assert np.allclose(model.reconstruction_error(x), error.mean(axis=1), atol=1e-6)
    assert np.allclose(model.predict(x, verbose=0), model.reconstruct(x), atol=1e-6)


def test_inference_is_deterministic_and_the_same_at_any_batch_size(family):
    model = make(family)
    many = np.random.default_rng(0).uniform(size=(300, 8)).astype("float32")  # more than are run without compiling
    one_by_one = np.concatenate([model.reconstruct(row[None]) for row in many])
    assert np.array_equal(model.reconstruct(many), model.reconstruct(many))
    for size in (7, 128, 299, 300, 1000):
        assert np.allclose(model.reconstruct(many, batch_size=size), one_by_one, atol=1e-6)
        assert np.allclose(
            model.reconstruction_error(many, batch_size=size), np.square(many - one_by_one).mean(axis=1), atol=1e-6
        )


def test_every_weight_gets_a_gradient(family, x):
    import tensorflow as tf

    model = make(family)
    with tf.GradientTape() as tape:
        loss = model.compute_loss(x=tf.constant(x), y_pred=model(x, training=True))
    for weight, gradient in zip(model.trainable_weights, tape.gradient(loss, model.trainable_weights), strict=True):
        assert np.all(np.isfinite(gradient)), weight.path
        assert np.any(gradient != 0), weight.path


def test_plain_keras_fit_lowers_the_loss(family, x):
    model = make(family)
    history = model.fit(x, validation_data=x, epochs=30, verbose=0).history
    assert history["loss"][-1] < history["loss"][0]
    assert history["val_reconstruction"][-1] < history["val_reconstruction"][0]


def test_loss_is_the_sum_of_its_parts(family, x):
    history = make(family).fit(x, epochs=3, verbose=0).history
    penalty = history.get("penalty", [0.0] * 3)
    assert np.allclose(np.add(history["reconstruction"], penalty), history["loss"], rtol=1e-5)


def test_steps_per_execution_changes_nothing(family, x):
    losses = []
    for steps in (1, 10):
        model = make(family)
        model.compile(optimizer=keras.optimizers.Adam(), steps_per_execution=steps)
        losses.append(model.fit(x, epochs=3, batch_size=8, shuffle=False, verbose=0).history["loss"])
    assert np.allclose(*losses, rtol=1e-5)


def test_plain_fit_goes_on_after_the_trainer(family, x):
    model = make(family)
    ae_zoo.fit(model, x, epochs=2, verbose=0)
    before = model.get_weights()
    model.fit(x, epochs=1, verbose=0)
    assert all(np.any(a != b) for a, b in zip(before, model.get_weights(), strict=True))


def test_half_precision_trains(family, x):
    keras.config.set_dtype_policy("mixed_bfloat16")
    try:
        model = make(family, loss="bce")
        history = model.fit(x, epochs=20, verbose=0).history["loss"]
    finally:
        keras.config.set_dtype_policy("float32")
    assert np.all(np.isfinite(history))
    assert history[-1] < history[0]


def test_weights_of_rows_count(family, x):
    weights = np.zeros(64, "float32")
    weights[:32] = 2
    losses = []
    for rows, target in ((x, weights), (x[:32], np.ones(32, "float32")), (x, weights[:, None])):
        model = make(family, corruption="gaussian", corruption_amount=1e-9)
        model.compile(optimizer=keras.optimizers.SGD(0.0), metrics=["mse"])
        history = model.fit(rows, rows, sample_weight=target, batch_size=64, epochs=1, verbose=0).history
        losses.append(history["reconstruction"])
    assert np.allclose(losses[0], losses[1], rtol=1e-5)
    assert np.allclose(losses[0], losses[2], rtol=1e-5)


def test_compiled_metrics_see_the_clean_row(family, x):
    model = make(family, scaling="minmax")
    model.adapt(1000 * x)
    model.compile(optimizer=keras.optimizers.SGD(0.0), metrics=["mse"])
    history = model.fit(1000 * x, batch_size=64, epochs=1, verbose=0).history
    metric = history["mse"] if "mse" in history else history["mean_squared_error"]
    assert np.allclose(metric, history["reconstruction"], rtol=1e-5)


def test_config_survives_json(family):
    model = make(family)
    assert type(model).from_config(json.loads(json.dumps(model.get_config()))).config == model.config


@pytest.mark.parametrize("scaling", ["none", "minmax", "standard"])
def test_file_gives_the_same_model_back(family, scaling, x, tmp_path):
    x = x if scaling == "none" else 100 * x - 30
    model = make(family, scaling=scaling, output_activation="linear" if scaling == "standard" else "sigmoid")
    model.adapt(x)
    model.fit(x, epochs=1, verbose=0)
    model.save(tmp_path / "model.keras")
    loaded = ae_zoo.load(tmp_path / "model.keras")
    assert type(loaded) is type(model)
    assert loaded.config == model.config
    assert np.array_equal(loaded.reconstruct(x), model.reconstruct(x))
    loaded.fit(x, epochs=1, verbose=0)  # compiled and adapted still
    model.encoder.save(tmp_path / "encoder.keras")
    encoder = keras.saving.load_model(tmp_path / "encoder.keras")
    assert np.allclose(encoder.predict(x, verbose=0), model.encode(x), atol=1e-6)


def test_golden_file_loads_for_ever(family):
    """Made by tests/golden/make.py. Make one anew only when a release may break its users' files, and say so there."""
    from tests.golden.make import FOLDER, ROWS, WEIGHTS

    model = ae_zoo.load(FOLDER / f"{family}.keras")
    config = model.config
    activations = [config.activation] * len(config.hidden)
    h = ROWS
    for kernel, bias, activation in zip(
        model.get_weights()[::2],
        model.get_weights()[1::2],
        [*activations, config.code_activation, *activations, config.output_activation],
        strict=True,
    ):
        assert np.array_equal(kernel, WEIGHTS(kernel.shape))
        h = ACTIVATIONS[activation](h @ WEIGHTS(kernel.shape) + WEIGHTS(bias.shape))
    assert np.allclose(model.reconstruct(ROWS), h, atol=1e-6)


ACTIVATIONS = {
    "linear": np.positive,
    "tanh": np.tanh,
    "sigmoid": lambda z: 1 / (1 + np.exp(-z)),
    "selu": lambda z: 1.05070098 * np.where(z > 0, z, 1.67326324 * np.expm1(z)),
}
