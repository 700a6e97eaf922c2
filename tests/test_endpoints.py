"""What a model can do is a list: each verb and its tensors agree, and a family adds a verb by adding an entry."""

import keras
import numpy as np
import pytest

import ae_zoo
from ae_zoo import serving
from ae_zoo._support import versions
from ae_zoo.endpoints import Endpoint, shares, shares_of_tensor
from ae_zoo.families.table import FAMILIES
from ae_zoo.families.undercomplete import Undercomplete

OPTIONS = {"convolutional": {"input_shape": (2, 4), "dense": []}, "winner_take_all": {"threshold": True}}


@pytest.mark.parametrize("family", sorted(FAMILIES))
def test_verbs_and_their_tensors_agree(family):
    model = ae_zoo.build(family, **{"input_shape": 8, "code": 3, "hidden": [6], "seed": 1, **OPTIONS.get(family, {})})
    rows = np.random.default_rng(0).random((5, *model.schema.input_shape), "float32")
    given = {"x": rows, "code": model.encode(rows), "seed": np.arange(5)}
    endpoints = model.endpoints()
    assert {"encode", "decode", "reconstruct", "score"} <= endpoints.keys()
    for name, endpoint in endpoints.items():
        assert given[endpoint.input].shape[1:] == endpoint.shape
        in_python = endpoint.verb(given[endpoint.input])
        of_tensors = endpoint.function(keras.ops.convert_to_tensor(given[endpoint.input]))
        assert in_python.keys() == of_tensors.keys()
        for key, value in in_python.items():
            assert np.allclose(value, of_tensors[key], atol=1e-6), (name, key)


class Doubling(Undercomplete):
    """A family with a verb of its own."""

    def double(self, x):
        return 2 * self.reconstruct(x)

    def endpoints(self):
        of_row = super().endpoints()["reconstruct"].function
        double = Endpoint(
            input="x",
            shape=self.schema.input_shape,
            verb=lambda x: {"doubled": self.double(x)},
            function=lambda x: {"doubled": 2 * of_row(x)["reconstruction"]},
            about="twice the row",
        )
        return {**super().endpoints(), "double": double}


def test_a_verb_is_one_entry(tmp_path):
    rows = np.random.default_rng(0).random((20, 8), "float32")
    model = Doubling(input_shape=8, code=2)
    model.adapt(rows)
    version = ae_zoo.export(model, tmp_path / "doubling", x_test=rows)
    assert serving.check(version).differences["double"] <= 1e-5
    assert versions.card(version)["signatures"]["double"]["outputs"] == {"doubled": "float32 (n, 8)"}
    assert np.allclose(serving.SavedModel(version).run("double", {"x": rows})["doubled"], model.double(rows), atol=1e-5)


def test_shares_add_up_whatever_the_size_of_the_error():
    error = np.array([[1.0, 3.0], [0.0, 0.0], [3e38, 1e38], [1e-40, 1e-40]], "float32")
    found = shares(error)
    assert np.allclose(found, [[0.25, 0.75], [0, 0], [0.75, 0.25], [0.5, 0.5]], rtol=1e-2)
    assert np.allclose(shares_of_tensor(keras.ops.convert_to_tensor(error[:3])), found[:3], rtol=1e-5)


def test_a_model_whose_codes_are_denser_than_in_training_does_not_reconstruct():
    model = ae_zoo.build("winner_take_all", 8, code=20)
    assert list(model.endpoints()) == ["encode", "decode"]
