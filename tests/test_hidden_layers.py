"""Normalization, dropout and bounded weights of the hidden layers, against known answers."""

import keras
import numpy as np
import pytest

import ae_zoo
from ae_zoo.families import FAMILIES
from ae_zoo.layers.dropout import Dropout
from tests.test_conformance import OPTIONS, compile_eagerly, make

IMAGES = {
    "input_shape": (5, 7),
    "network": "convolutional",
    "hidden": [3, 4],
    "code": 2,
}  # odd sides: cut on the way up
DENSE = {"input_shape": (8,), "hidden": [6, 5], "code": 2}
ALL = {"normalization": "batch", "dropout": 0.2, "max_norm": 0.5, "tied": False}


def rows(model, n=256):
    return np.random.default_rng(0).random((n, *model.config.input_shape), "float32")


def outputs(model, x, training):
    """The output of every layer of both halves, by name."""
    found = {}
    h = keras.ops.convert_to_tensor(x)
    for network in (model.encoder, model.decoder):
        layers = network.layers[1:]
        view = keras.Model(network.input, {layer.name: layer.output for layer in layers})
        found |= view(h, training=training)
        h = found[layers[-1].name]
    return {name: np.asarray(value) for name, value in found.items()}


@pytest.mark.parametrize("options", [DENSE, {**DENSE, "tied": True}, IMAGES, {**IMAGES, "dense": [6]}])
@pytest.mark.parametrize("normalization", ["batch", "layer"])
def test_what_enters_an_activation_has_mean_0_and_variance_1(options, normalization):
    model = ae_zoo.build("undercomplete", **options, normalization=normalization, seed=1)
    found = outputs(model, rows(model), training=True)
    hidden = [f"hidden_{index}" for index in range(sum(name.endswith("_normalized") for name in found))]
    assert len(hidden) == 2 * (len(options["hidden"]) + len(options.get("dense", ()))) == len(set(hidden) & set(found))
    for name in hidden:
        z = found[f"{name}_normalized"]
        axes = tuple(range(z.ndim - 1)) if normalization == "batch" else tuple(range(1, z.ndim))
        variance = found.get(f"{name}_linear", z).var(axis=axes)
        assert np.allclose(z.mean(axis=axes), 0, atol=1e-5), name
        assert np.allclose(z.var(axis=axes), variance / (variance + 1e-3), rtol=1e-3), (
            name
        )  # 1, but for Keras's epsilon
        assert np.allclose(keras.activations.selu(z), found[name], atol=1e-6), name
    assert np.allclose(model.encode(rows(model), "hidden_0"), outputs(model, rows(model), False)["hidden_0"], atol=1e-6)


@pytest.mark.parametrize("family", ["undercomplete", "variational", "contractive", "adversarial"])
def test_the_moving_averages_count_each_step_once(family, x):
    """Those of the decoder too, whose codes in the loss are not those of the model's own pass in every family."""
    options = {"beta": 0.0} if family == "variational" else {}
    model = make(family, normalization="batch", **options)
    compile_eagerly(model)
    if family == "variational":  # its codes vary far more than their means
        model.get_layer("code_log_variance").bias.assign(np.full(3, 6.0))
    model.fit(x, batch_size=64, epochs=1, shuffle=False, verbose=0)
    linear = outputs(model, x, training=False)["hidden_0_linear"]
    layer = model.get_layer("hidden_0_normalized")
    assert np.allclose(layer.moving_mean, 0.1 * linear.mean(axis=0), atol=1e-6)
    assert np.allclose(layer.moving_variance, 0.9 + 0.1 * linear.var(axis=0), rtol=1e-5)
    if family == "variational":
        spread = (np.asarray(model.get_layer("hidden_1_normalized").moving_variance) - 0.9) / 0.1
        kernel = np.asarray(model.get_layer("hidden_1_linear").kernel)
        assert np.all(spread > 0.4 * np.exp(6) * np.square(kernel).sum(axis=0))


def test_inference_takes_the_moving_averages(x):
    model = make("undercomplete", normalization="batch")
    layer = model.get_layer("hidden_0_normalized")
    layer.set_weights([np.full(6, value, "float32") for value in (2.0, 0.5, 0.3, 4.0)])
    z = x @ np.asarray(model.get_layer("hidden_0_linear").kernel)
    expected = keras.activations.selu(2 * (z - 0.3) / np.sqrt(4 + 1e-3) + 0.5)
    assert np.allclose(model.encode(x, "hidden_0"), expected, atol=1e-5)
    assert np.allclose(model.encode(x[:1], "hidden_0"), expected[:1], atol=1e-5)


@pytest.mark.parametrize(
    ("activation", "keras_own"), [("relu", keras.layers.Dropout), ("selu", keras.layers.AlphaDropout)]
)
def test_dropout_is_keras_s_own_and_drops_that_share(activation, keras_own):
    h = np.random.default_rng(0).normal(size=(2000, 100)).astype("float32")  # what selu keeps: mean 0, variance 1
    layer = Dropout(0.3, activation)
    dropped = np.asarray(layer(h, training=True))
    (value, share), (keras_value, _) = commonest(dropped), commonest(keras_own(0.3)(h, training=True))
    assert np.isclose(value, keras_value, atol=1e-4)
    assert np.isclose(share, 0.3, atol=0.005)
    assert np.isclose(dropped.mean(), h.mean(), atol=0.01)
    assert np.isclose(dropped.std(), {"relu": 0.7**-0.5, "selu": 1}[activation], atol=0.01)
    assert np.array_equal(np.asarray(layer(h)), h)


def commonest(values):
    """The value that occurs most often, and its share."""
    found, counts = np.unique(np.asarray(values).round(4), return_counts=True)
    return found[counts.argmax()], counts.max() / counts.sum()


@pytest.mark.parametrize("options", [DENSE, {**DENSE, "tied": True}, {**IMAGES, "dense": [6]}])
def test_dropout_follows_every_hidden_layer_in_training_alone(options):
    model = ae_zoo.build("undercomplete", **options, dropout=0.5, activation="relu", seed=1)
    plain = ae_zoo.build("undercomplete", **options, activation="relu", seed=1)
    plain.set_weights(model.get_weights())
    x = rows(model)
    assert np.array_equal(model.reconstruct(x), plain.reconstruct(x))
    found = outputs(model, x, training=True)
    hidden = [name for name in found if name.endswith("_dropout")]
    assert len(hidden) == 2 * (len(options["hidden"]) + len(options.get("dense", ())))
    for name in hidden:
        before, after = found[name.removesuffix("_dropout")], found[name]
        kept = after[before > 0] > 0
        assert np.isclose(kept.mean(), 0.5, atol=0.05), name
        assert np.allclose(after[before > 0][kept], 2 * before[before > 0][kept], rtol=1e-5), name


@pytest.mark.parametrize("options", [DENSE, {**IMAGES, "dense": [6]}])
def test_max_norm_bounds_the_weights_that_enter_a_hidden_unit(options, x):
    model = ae_zoo.build("undercomplete", **options, max_norm=0.25, seed=1)
    ae_zoo.fit(model, rows(model), epochs=2, learning_rate=0.05, validation=0, verbose=0)
    kernels = {layer.name: layer for layer in model.encoder.layers + model.decoder.layers if layer.weights}
    for name, layer in kernels.items():
        kernel = np.asarray(layer.kernel)
        if isinstance(layer, keras.layers.Conv2DTranspose):
            kernel = kernel.swapaxes(2, 3)
        norm = np.sqrt(np.square(kernel).reshape(-1, kernel.shape[-1]).sum(axis=0))  # (units,)
        if name.startswith("hidden"):
            assert norm.max() <= 0.25 + 1e-6, name
            assert norm.max() > 0.2, name  # it is what holds them
    assert np.linalg.norm(model.get_layer("code").kernel, axis=0).max() > 0.3


@pytest.mark.parametrize("family", sorted(FAMILIES))
def test_every_family_trains_with_them_and_comes_back_from_its_file(family, x, tmp_path):
    model = make(family, **ALL)
    x = x.reshape(-1, *model.config.input_shape)
    model.adapt(x)
    compile_eagerly(model, 0.01)
    before = model.get_weights()
    model.fit(x, epochs=1, verbose=0)
    assert all(np.isfinite(weight).all() for weight in model.get_weights())
    assert any(not np.array_equal(*pair) for pair in zip(before, model.get_weights(), strict=True))
    model.save(tmp_path / "model.keras")
    loaded = ae_zoo.load(tmp_path / "model.keras")
    assert loaded.config == model.config
    assert np.array_equal(loaded.reconstruct(x), model.reconstruct(x))
    for one, other in zip(model.weights, loaded.weights, strict=True):
        assert np.array_equal(one, other), one.path


@pytest.mark.filterwarnings("ignore::UserWarning")  # one epoch is few, which a family may say
@pytest.mark.slow
@pytest.mark.parametrize("network", sorted(OPTIONS))
@pytest.mark.parametrize("family", sorted(FAMILIES))
def test_every_family_is_fitted_with_every_network(family, network, x):
    if family == "convolutional" and network == "dense":
        pytest.skip("it has no dense network")
    model = make(family, **{**ALL, **OPTIONS[network], "network": network, "normalization": "layer"})
    x = x.reshape(-1, *model.config.input_shape)
    result = ae_zoo.fit(model, x, epochs=1, verbose=0)
    assert np.isfinite(result.history["loss"]).all()
    assert np.array_equal(model.encode(x), model.encode(x))


@pytest.mark.slow
@pytest.mark.parametrize("suffix", ["", ".onnx", ".tflite"])
@pytest.mark.parametrize("options", [DENSE, IMAGES], ids=["dense", "convolutional"])
@pytest.mark.parametrize("normalization", ["batch", "layer"])
def test_an_export_normalizes_as_inference_does_and_drops_nothing(suffix, options, normalization, tmp_path):
    """`export` itself compares the answers with Python's."""
    model = ae_zoo.build("undercomplete", **options, normalization=normalization, dropout=0.3, seed=1)
    x = rows(model, 64)
    ae_zoo.fit(model, x, epochs=2, verbose=0)
    path = ae_zoo.export(model, tmp_path / f"model{suffix}")
    if not suffix:
        assert np.allclose(ae_zoo.load(path).reconstruct(x), model.reconstruct(x), atol=1e-6)


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"hidden": [], "dropout": 0.1}, r"dropout is of the hidden layers, and there are none: give hidden="),
        ({"hidden": [], "normalization": "batch"}, "normalization is of the hidden layers"),
        ({"hidden": [], "max_norm": 1}, "max_norm is of the hidden layers"),
        ({"tied": True, "max_norm": 1}, "give tied=False, or leave max_norm out"),
        (
            {"hidden": [3, 1], "normalization": "layer"},
            r"a constant: give wider layers, .*; received widths of \[3, 1\]",
        ),
        ({"dropout": 1}, r"dropout must be a number from 0 to 0.99; received 1"),
        ({"max_norm": 0}, "max_norm must be a number of at least 1e-06"),
        ({"normalization": "bach"}, "did you mean 'batch'"),
    ],
)
def test_what_does_not_go_together_is_refused(options, words):
    with pytest.raises(ae_zoo.AEZooError, match=words):
        ae_zoo.build("undercomplete", **{**DENSE, **options})
