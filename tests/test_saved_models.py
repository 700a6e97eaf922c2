"""The trained models of the repository still load, answer as they did, and are as good as their cards say."""

import numpy as np
import pytest

import ae_zoo
from ae_zoo import serving
from ae_zoo._support import versions
from ae_zoo.families import FAMILIES


@pytest.mark.slow
@pytest.mark.parametrize("family", sorted(FAMILIES))
def test_a_trained_model_is_what_its_card_says(family, digits):
    version = versions.newest(versions.ZOO / f"digits-{family}")
    assert sum(path.stat().st_size for path in version.rglob("*") if path.is_file()) <= 1.5e6
    found = serving.check(version)
    assert found.passed, str(found)
    model, card = ae_zoo.load(f"digits-{family}"), versions.card(version)
    assert isinstance(model, FAMILIES[family])
    # The tests' own digits are 1,000 of MNIST's 60,000 training digits, on which the error is about the same.
    x = digits.x_test.reshape(-1, *model.config.input_shape)
    if model.config.reconstructs:
        assert model.reconstruction_error(x).mean() == pytest.approx(card["metrics"]["test mse"], rel=0.15)
        assert 0.001 < np.mean(model.reconstruction_error(x) > card["threshold"]) < 0.03
    if family == "adversarial":
        error = card["metrics"]["test error of classes"]
        assert np.mean(model.classify(x) != digits.y_test) == pytest.approx(error, abs=0.02)
        assert error < 0.05
