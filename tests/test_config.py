import json

import numpy as np
import pytest

from ae_zoo.config import Config
from ae_zoo.families.configs import SparseConfig


def test_values_take_the_field_s_type():
    config = Config.make({"input_shape": 784, "code": np.int64(5), "hidden": [300, 100], "l1": 1})
    assert config.input_shape == (784,)
    assert config.hidden == (300, 100)
    assert type(config.code) is int
    assert type(config.l1) is float


def test_json_round_trip():
    config = SparseConfig.make({"input_shape": (28, 28), "hidden": (9, 8), "sparsity": -0.5})
    assert SparseConfig.read(json.loads(json.dumps(config.to_dict()))) == config


def test_text_round_trip():
    texts = {"hidden": "256,64", "code": "7", "sparsity": "none", "l1": "0.5", "scaling": "minmax"}
    assert Config.parse(texts) == {"hidden": (256, 64), "code": 7, "sparsity": None, "l1": 0.5, "scaling": "minmax"}
    assert Config.parse({"hidden": "()"}) == {"hidden": ()}


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"hiden": [3]}, "did you mean 'hidden'"),
        ({"activation": "tahn"}, "did you mean 'tanh'"),
        ({"code": 0}, "code must be a whole number from 1 to 10,000,000; received 0"),
        ({"code": 2.5}, "whole number"),
        ({"code": "7"}, "whole number"),
        ({"code": True}, "whole number"),
        ({"hidden": [3, -1]}, "from 1"),
        ({"hidden": "12"}, "whole numbers"),
        ({"code": 10**9}, "from 1 to"),
        ({"binarisation": "none"}, "now 'binarization'"),
        ({"l1": float("nan")}, "received nan"),
        ({"sparsity": -0.1}, "code_activation to tanh or sigmoid"),
        ({"sparsity": -0.1, "code_activation": "sigmoid"}, "between 0 and 1"),
        ({"sparsity": 0.1, "code_activation": "tanh", "l1": 0.1}, "one of them"),
        ({"loss": "bce", "output_activation": "linear"}, "output_activation='sigmoid'"),
        ({"loss": "bce", "scaling": "minmax"}, "scaling='none'"),
        ({"scaling": "standard"}, "output_activation to linear"),
        ({"corruption": "masking", "corruption_amount": 1.0}, "below 1"),
    ],
)
def test_bad_options_get_one_sentence(options, message):
    with pytest.raises(ValueError, match=message) as error:
        Config.make({"input_shape": 8, **options})
    assert "\n" not in str(error.value)


@pytest.mark.parametrize("texts", [{"code": "seven"}, {"hidden": "3,x"}, {"hiden": "3"}])
def test_bad_texts_get_one_sentence(texts):
    with pytest.raises(ValueError, match=r"code|hidden"):
        Config.parse(texts)


def test_shape_is_asked_for():
    with pytest.raises(ValueError, match="data=x"):
        Config.make({})
