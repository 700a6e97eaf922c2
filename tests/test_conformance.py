"""What every family does, by being in the table."""

import json

import keras
import numpy as np
import pytest

import ae_zoo
from ae_zoo.families import FAMILIES

# What suits each kind of network: one hidden layer each way.
OPTIONS = {"dense": {"input_shape": (8,)}, "convolutional": {"input_shape": (2, 4), "dense": []}}


@pytest.fixture(params=sorted(FAMILIES))
def family(request):
    return request.param


@pytest.fixture
def x(family, x):
    """The small rows in the shape that the family's own kind of network takes."""
    return x.reshape(-1, *suited(family)["input_shape"])


def suited(family):
    return OPTIONS[FAMILIES[family].Config.network]


def make(family, **options):
    return ae_zoo.build(family, **{"code": 3, "hidden": [6], "seed": 1, **suited(family), **options})


def compile_eagerly(model, learning_rate=0.0):
    """For a step or two, which are sooner done than compiled. By default they move nothing."""
    model.compile(optimizer=keras.optimizers.SGD(learning_rate), metrics=["mse"], run_eagerly=True)


def test_shapes_and_names(family, x):
    model = make(family)
    codes = model.encode(x)
    assert codes.shape == (64, *model.decoder.input_shape[1:])
    assert model.decode(np.zeros_like(codes[:5])).shape == (5, *x.shape[1:])
    assert model.reconstruct(x).shape == x.shape
    assert model.reconstruction_error(x).shape == (64,)
    assert model.reconstruction_error(x, per_feature=True).shape == x.shape
    for name in ("hidden_0", "hidden_1"):
        h = model.encode(x, layer=name)
        assert (len(h), h.shape[-1]) == (64, 6)
    assert [model.get_layer(name).name for name in ("hidden_0", "code", "hidden_1", "reconstruction")]


def test_images_keep_their_shape(family):
    images = np.random.default_rng(0).uniform(size=(9, 3, 5)).astype("float32")
    model = make(family, input_shape=(3, 5))
    compile_eagerly(model)
    assert model.reconstruct(images).shape == images.shape
    assert model.fit(images, epochs=1, verbose=0).history["loss"][0] > 0


def test_verbs_agree(family, x):
    model = make(family)
    assert np.allclose(model.decode(model.encode(x)), model.reconstruct(x), atol=1e-6)
    error = np.square(x - model.reconstruct(x))
    assert np.allclose(model.reconstruction_error(x, per_feature=True), error, atol=1e-6)
    assert np.allclose(model.reconstruction_error(x), error.reshape(64, -1).mean(axis=1), atol=1e-6)
    assert np.allclose(model.predict(x, verbose=0), model.reconstruct(x), atol=1e-6)


def test_inference_is_deterministic_and_the_same_at_any_batch_size(family):
    model = make(family)
    many = (
        np.random.default_rng(0).uniform(size=(150, *suited(family)["input_shape"])).astype("float32")
    )  # too many not to compile
    one_by_one = np.concatenate([model.reconstruct(row[None]) for row in many])
    error = np.square(many - one_by_one).reshape(150, -1).mean(axis=1)
    assert np.array_equal(model.reconstruct(many), model.reconstruct(many))
    for size in (7, 149, 1000):
        assert np.allclose(model.reconstruct(many, batch_size=size), one_by_one, atol=1e-6)
    assert np.allclose(model.reconstruction_error(many, batch_size=7), error, atol=1e-6)


def test_every_weight_gets_a_gradient(family, x):
    import tensorflow as tf

    model = make(family)
    with tf.GradientTape() as tape:
        loss = model.compute_loss(x=tf.constant(x), y_pred=model(x, training=True))
    for weight, gradient in zip(model.trainable_weights, tape.gradient(loss, model.trainable_weights), strict=True):
        assert np.all(np.isfinite(gradient)), weight.path
        assert np.any(gradient != 0), weight.path


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore::UserWarning")  # two epochs are few, which a family may say
def test_plain_keras_fit_lowers_the_loss_after_the_trainer_too(family, x):
    model = make(family)
    first = ae_zoo.fit(model, x, epochs=2, validation=0, verbose=0).history
    history = model.fit(x, validation_data=x, epochs=12, verbose=0).history
    assert history["reconstruction"][-1] < history["reconstruction"][0] < first["reconstruction"][0]
    if model.config.recipe.monitor is not None:  # elsewhere a lower loss is not a better one
        assert history["loss"][-1] < history["loss"][0]
        assert history[f"val_{model.config.recipe.monitor}"][-1] < history[f"val_{model.config.recipe.monitor}"][0]


def test_loss_is_the_sum_of_its_parts(family, x):
    model = make(family)
    compile_eagerly(model, 0.1)
    history = model.fit(x, epochs=1, verbose=0).history
    parts = [history[name][0] for name in model.PARTS] + history.get("penalty", [])
    assert np.isclose(sum(parts), history["loss"][0], rtol=1e-5)


@pytest.mark.slow
def test_steps_per_execution_changes_nothing(family, x):
    losses = []
    for steps in (1, 3):
        model = make(family)
        model.compile(optimizer=keras.optimizers.Adam(), steps_per_execution=steps)
        losses.append(model.fit(x, epochs=2, batch_size=8, shuffle=False, verbose=0).history["loss"])
    assert np.allclose(*losses, rtol=1e-5)


@pytest.mark.slow
def test_half_precision_trains(family, x):
    keras.config.set_dtype_policy("mixed_bfloat16")
    try:
        model = make(family, loss="bce")
        history = model.fit(x, epochs=20, verbose=0).history
    finally:
        keras.config.set_dtype_policy("float32")
    assert np.all(np.isfinite(history["loss"]))
    assert history["reconstruction"][-1] < history["reconstruction"][0]
    assert model.decoder.compute_dtype == "bfloat16"
    assert model.predict(x, verbose=0).dtype == np.float32  # in half precision 0.999 is 1


@pytest.mark.slow
def test_weights_of_rows_count(family, x):
    """Half of the rows and the other half make the whole; the noise of a seed is the same each time."""
    half = np.repeat([2, 0], 32).astype("float32")
    losses = []
    for weights in (half, 2 - half, np.ones(64, "float32"), half[:, None]):
        model = make(family)
        compile_eagerly(model)
        history = model.fit(x, x, sample_weight=weights, batch_size=64, shuffle=False, epochs=1, verbose=0).history
        losses.append(history["reconstruction"][0])
    assert not np.isclose(losses[0], losses[1], rtol=1e-3)
    assert np.isclose(np.mean(losses[:2]), losses[2], rtol=1e-5)
    assert np.isclose(losses[0], losses[3], rtol=1e-5)


def test_compiled_metrics_see_the_clean_row(family, x):
    model = make(family, scaling="minmax", loss=FAMILIES[family].Config.real_loss)
    model.adapt(1000 * x)
    compile_eagerly(model)
    found = model.evaluate(1000 * x, batch_size=64, verbose=0, return_dict=True)
    expected = np.square(model.scaling(1000 * x) - model(1000 * x)).mean()
    assert np.isclose(found["mse"] if "mse" in found else found["mean_squared_error"], expected, rtol=1e-5)


def test_config_survives_json(family):
    model = make(family)
    assert type(model).from_config(json.loads(json.dumps(model.get_config()))).config == model.config


@pytest.mark.parametrize("scaling", ["none", "minmax", "standard"])
def test_file_gives_the_same_model_back(family, scaling, x, tmp_path):
    x = x if scaling == "none" else 100 * x - 30
    output = "linear" if scaling == "standard" else "sigmoid"
    model = make(family, scaling=scaling, output_activation=output, loss=FAMILIES[family].Config.real_loss)
    model.adapt(x)
    compile_eagerly(model, 0.1)
    model.fit(x, epochs=1, verbose=0)
    model.save(tmp_path / "model.keras")
    loaded = ae_zoo.load(tmp_path / "model.keras")
    assert type(loaded) is type(model)
    assert loaded.config == model.config
    assert np.array_equal(loaded.reconstruct(x), model.reconstruct(x))
    for before, after in zip(model.weights, loaded.weights, strict=True):  # those that no reconstruction shows too
        assert np.array_equal(before, after), before.path
    loaded.fit(x, epochs=1, verbose=0)  # compiled and adapted still
    model.encoder.save(tmp_path / "encoder.keras")
    encoder = keras.saving.load_model(tmp_path / "encoder.keras")
    assert np.allclose(encoder(x), model.encode(x), atol=1e-6)


def test_golden_file_loads_for_ever(family):
    """Made by tests/golden/make.py. Make one anew only when a release may break its users' files, and say so there."""
    from tests.golden.make import FOLDER, WEIGHTS, rows

    model = ae_zoo.load(FOLDER / f"{family}.keras")
    assert model.config.network == FAMILIES[family].Config.network
    for weight in model.trainable_weights:
        assert np.array_equal(weight, WEIGHTS(weight.shape)), weight.path
    x = rows(model.config.input_shape)
    expected = dense(model, x) if model.config.network == "dense" else np.load(FOLDER / f"{family}.npy")
    assert np.allclose(model.reconstruct(x), expected, atol=1e-6)


def dense(model, h):
    """The reconstruction by a dense model's layers, found by name."""
    depth, config = len(model.config.hidden), model.config
    hidden = [f"hidden_{index}" for index in range(2 * depth)]
    for name in (*hidden[:depth], "code", *hidden[depth:], "reconstruction"):
        layer = model.get_layer(name)
        kernel = np.asarray(layer.mirror.kernel).T if hasattr(layer, "mirror") else np.asarray(layer.kernel)
        activation = {"code": config.code_activation, "reconstruction": config.output_activation}
        h = ACTIVATIONS[activation.get(name, config.activation)](h @ kernel + np.asarray(layer.bias))
    return h


ACTIVATIONS = {
    "linear": np.positive,
    "tanh": np.tanh,
    "sigmoid": lambda z: 1 / (1 + np.exp(-z)),
    "relu": lambda z: np.maximum(z, 0),
    "selu": lambda z: 1.05070098 * np.where(z > 0, z, 1.67326324 * np.expm1(z)),
}
