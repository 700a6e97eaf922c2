"""Layers trained one after another, before the whole."""

import importlib

import numpy as np
import pytest

import ae_zoo


def test_pretraining_puts_each_layer_in_its_place(x, monkeypatch):
    """With a trainer that only notes what it is given and sets each pair of layers to known weights."""
    seen = []

    def fake_fit(layer, rows, **options):
        seen.append(rows)
        layer.set_weights([np.full(weight.shape, 0.1 * len(seen)) for weight in layer.get_weights()])

    monkeypatch.setattr(importlib.import_module("ae_zoo.training.pretrain"), "fit", fake_fit)
    model = ae_zoo.build("stacked", 8, code=2, hidden=[7, 5], code_activation="tanh")
    ae_zoo.pretrain(model, x)
    shapes = {"hidden_0": (8, 7), "hidden_1": (7, 5), "code": (5, 2)}
    shapes |= {"hidden_2": (2, 5), "hidden_3": (5, 7), "reconstruction": (7, 8)}
    for (name, shape), value in zip(shapes.items(), (0.1, 0.2, 0.3, 0.3, 0.2, 0.1), strict=True):
        kernel, _ = model.get_layer(name).get_weights()
        assert kernel.shape == shape
        assert np.allclose(kernel, value), name
    assert np.array_equal(seen[0], x)  # each level sees what the model's own layers below give
    assert np.allclose(seen[1], model.encode(x, layer="hidden_0"), atol=1e-5)
    assert np.allclose(seen[2], model.encode(x, layer="hidden_1"), atol=1e-5)


@pytest.mark.slow
def test_pretraining_takes_images_scaling_and_noise(x):
    images = (100 * x).reshape(64, 2, 4)
    model = ae_zoo.build("denoising", data=images, code=2, hidden=[5], seed=1)
    model.adapt(images)
    before = model.reconstruction_error(images).mean()
    ae_zoo.pretrain(model, images, epochs=30, learning_rate=0.02, verbose=0)
    assert model.reconstruction_error(images).mean() < before


@pytest.mark.parametrize(
    ("family", "options"),
    [
        ("winner_take_all", {}),
        ("adversarial", {"n_clusters": 2}),
        ("convolutional", {"input_shape": (2, 4), "dense": []}),
        ("undercomplete", {"normalization": "batch"}),
        ("undercomplete", {"max_norm": 1.0}),
    ],
)
def test_pretraining_refuses_other_layers_before_it_begins(family, options, x, monkeypatch):
    monkeypatch.setattr(importlib.import_module("ae_zoo.training.pretrain"), "fit", None)
    model = ae_zoo.build(family, **{"input_shape": 8, "code": 2, "hidden": [6], **options})
    with pytest.raises(ValueError, match=r"train (it|the model) with ae_zoo\.fit alone"):
        ae_zoo.pretrain(model, x.reshape(-1, *model.config.input_shape))
