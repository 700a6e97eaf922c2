"""The trained models of the repository still load, answer as they did, and are as good as their cards say."""

import numpy as np
import pandas as pd
import pytest

import ae_zoo
from ae_zoo import serving
from ae_zoo._support import versions
from ae_zoo.families import FAMILIES


def sound(name):
    """Returns a model's newest version, after a look at its size and at its answers in another runtime."""
    version = versions.newest(versions.ZOO / name)
    assert sum(path.stat().st_size for path in version.rglob("*") if path.is_file()) <= 1.5e6
    found = serving.check(version)
    assert found.passed, str(found)
    return version


@pytest.mark.slow
@pytest.mark.parametrize("family", sorted(FAMILIES))
def test_a_trained_model_is_what_its_card_says(family, digits):
    version = sound(f"digits-{family}")
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


def test_the_name_of_the_penguins_is_known_where_they_are_not(monkeypatch, tmp_path):
    monkeypatch.setattr(versions, "ZOO", tmp_path / "nowhere")
    with pytest.raises(FileNotFoundError, match="come with a checkout of the repository"):
        ae_zoo.load("penguins")


@pytest.mark.slow
def test_the_model_of_penguins_knows_a_bird_of_each_species_and_sex():
    """The mean birds of the published table, typed in: ordinary as they are, strange with another species."""
    version = sound("penguins")
    birds = pd.DataFrame(
        {
            "species": ["Adelie", "Adelie", "Chinstrap", "Chinstrap", "Gentoo", "Gentoo"],
            "island": ["Torgersen", "Dream", "Dream", "Dream", "Biscoe", "Biscoe"],
            "bill_length_mm": [40.4, 37.3, 51.1, 46.6, 49.5, 45.6],
            "bill_depth_mm": [19.1, 17.6, 19.3, 17.6, 15.7, 14.2],
            "flipper_length_mm": [192, 188, 200, 192, 222, 213],
            "body_mass_g": [4043, 3369, 3939, 3527, 5485, 4680],
            "sex": ["male", "female"] * 3,
            "year": 2008,
        }
    )
    detector = ae_zoo.Detector.load("penguins")
    model, others = detector.model, birds["species"].iloc[[2, 3, 4, 5, 0, 1]].to_numpy()
    assert not detector.flag(birds).any()
    wrong = birds.assign(species=others)
    assert detector.flag(wrong).all()
    assert (model.explain(wrong, top=1)["column"] == "species").mean() >= 5 / 6
    for name in ("species", "sex"):
        assert (model.impute(birds.assign(**{name: None}))[name] == birds[name]).all()
    raw = {name: cells.to_numpy() for name, cells in wrong.assign(island="Nowhere", body_mass_g=np.nan).items()}
    answers = serving.SavedModel(version).run("detect", raw)
    assert np.allclose(answers["score"], detector.score(pd.DataFrame(raw)), rtol=1e-5)
    assert answers["flagged"].all()
