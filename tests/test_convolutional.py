"""Convolutional networks: what goes down comes up the same, in every family."""

import keras
import numpy as np
import pytest

import ae_zoo
from ae_zoo.families import FAMILIES
from ae_zoo.training import steps


@pytest.mark.parametrize("shape", [(28, 28), (27, 29), (5, 3), (1, 7), (6, 5, 3)])
@pytest.mark.parametrize("kernel", [1, 2, 3, 4, 5])
def test_decoder_s_layer_is_the_transpose_of_its_mirror(shape, kernel):
    """<down(x), h> = <x, up(h)> for equal kernels, whatever the sides."""
    rows, columns = -(-shape[0] // 2), -(-shape[1] // 2)
    linear = {"activation": "linear", "output_activation": "linear"}
    model = ae_zoo.build(
        "convolutional", shape, hidden=[4], dense=[], code=4 * rows * columns, kernel=kernel, seed=1, **linear
    )
    model.get_layer("hidden_1_flat").set_weights([np.eye(model.config.code), np.zeros(model.config.code)])
    last = next(layer for layer in reversed(model.decoder.layers) if layer.weights)
    last.set_weights([model.get_layer("hidden_0").kernel, np.zeros(shape[2:] or (1,))])
    random = np.random.default_rng(0)
    x = random.normal(size=(3, *shape)).astype("float32")
    h = random.normal(size=(3, rows, columns, 4)).astype("float32")
    down, up = model.encode(x, layer="hidden_0"), model.decode(h.reshape(3, -1))
    assert (down.shape, up.shape) == (h.shape, x.shape)
    for row in range(3):
        assert np.sum(down[row] * h[row]) == pytest.approx(np.sum(x[row] * up[row]), abs=1e-3)


def test_signal_keeps_its_size_through_the_layers():
    for activation in ("relu", "selu"):
        model = ae_zoo.build("convolutional", (32, 32), hidden=[32, 64, 64], dense=[], activation=activation, seed=1)
        code = np.random.default_rng(0).normal(size=(200, 32)).astype("float32")
        run = keras.Model(model.decoder.input, [model.get_layer(f"hidden_{index}").output for index in (3, 4, 5)])
        for h in run(code):
            assert 0.6 < np.sqrt(np.mean(np.square(h))) < 1.6


def test_dense_layers_stand_between_the_maps_and_the_code():
    model = ae_zoo.build("convolutional", (9, 6), hidden=[4, 5], dense=[8, 7], code=3)
    x = np.random.default_rng(0).uniform(size=(2, 9, 6))
    shapes = [(5, 3, 4), (3, 2, 5), (8,), (7,), (7,), (8,), (3, 2, 5), (5, 3, 4)]  # of hidden_0, hidden_1, ...
    for index, shape in enumerate(shapes):
        assert model.encode(x, layer=f"hidden_{index}").shape == (2, *shape)


@pytest.mark.slow
@pytest.mark.parametrize("name", sorted(FAMILIES))
def test_every_family_can_have_these_networks(name, tmp_path):
    x = np.random.default_rng(0).uniform(size=(20, 9, 6)).astype("float32")
    options = {"network": "convolutional", "hidden": [4, 5], "code": 3}
    if FAMILIES[name].Config.tied:
        with pytest.raises(ValueError, match="give tied=False"):
            ae_zoo.build(name, (9, 6), **options)
        options["tied"] = False
    model = ae_zoo.build(name, (9, 6), **options, corruption="masking", loss="bce", seed=1, dense=[])
    assert type(model.get_layer("hidden_1")).__name__ == "Conv2D"
    model.compile(optimizer=keras.optimizers.SGD(0.01), run_eagerly=True)
    history = model.fit(x, epochs=1, verbose=0).history
    assert np.isfinite(history["loss"][0])
    assert ("penalty" in history) == (name == "sparse")
    model.save(tmp_path / "model.keras")
    loaded = ae_zoo.load(tmp_path / "model.keras")
    assert type(loaded) is type(model)
    assert np.array_equal(loaded.reconstruct(x), model.reconstruct(x))


@pytest.mark.slow
def test_learns_digits_by_the_trainer_without_xla(digits, monkeypatch):
    images = digits.x_train[:1500].reshape(-1, 28, 28)
    model = ae_zoo.build("convolutional", data=images, hidden=[8, 16], seed=1)
    assert (model.config.input_shape, model.config.scaling) == ((28, 28), "none")
    makes = []
    program = steps.program
    monkeypatch.setattr(steps, "program", lambda model, make: (makes.append(make), program(model, make))[1])
    ae_zoo.fit(model, images, epochs=10, verbose=0)
    assert {make.kind: make.compiled for make in makes} == {"train": False, "test": False}
    test = digits.x_test.reshape(-1, 28, 28)
    assert model.reconstruction_error(test).mean() < 0.5 * test.var(axis=0).mean()


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"input_shape": 784}, r"received rows of shape \(784,\): reshape them first"),
        ({"data": np.zeros((4, 784))}, r"received rows of shape \(784,\): reshape them first"),
        ({"input_shape": (3, 32, 32)}, r"channels first; channels come last here: give \(32, 32, 3\).*np\.moveaxis"),
        ({"input_shape": (1, 28, 28)}, r"channels first; channels come last here: give \(28, 28, 1\)"),
        ({"input_shape": 784, "network": "dense"}, r"has all its layers in hidden"),
        ({"input_shape": (28, 28), "hidden": []}, r"at least one hidden layer"),
        ({"input_shape": (28, 28), "tied": True}, r"with a convolutional network give tied=False"),
        ({"input_shape": (28, 28), "network": "dense", "dense": []}, r"for a dense network, build 'stacked'"),
    ],
)
def test_what_it_cannot_take_is_refused_with_the_remedy(options, message):
    with pytest.raises(ValueError, match=message):
        ae_zoo.build("convolutional", **options)


def test_other_refusals():
    model = ae_zoo.build("convolutional", (4, 6), hidden=[2], code=2)
    with pytest.raises(ValueError, match=r"received rows of 24\. Give x\.reshape\(-1, 4, 6\)"):
        model.encode(np.zeros((3, 24)))
    with pytest.raises(ValueError, match="for dense layers; the model's network is 'convolutional'"):
        ae_zoo.pretrain(model, np.zeros((3, 4, 6)))
