"""PCA keeps what a row is: its shape, its columns and their order, in Python, in files and when served."""

import numpy as np
import pandas as pd
import pytest

import ae_zoo
from ae_zoo import serving

COLUMNS = ["area", "depth", "width", "speed"]


@pytest.fixture(scope="module")
def frame():
    random = np.random.default_rng(0)
    rows = random.normal(size=(300, 2)) @ random.normal(size=(2, 4)) * [1, 10, 100, 1000] + [5, 50, 500, 5000]
    return pd.DataFrame(rows + random.normal(scale=0.1, size=rows.shape), columns=COLUMNS)


@pytest.fixture(scope="module")
def pca(frame):
    return ae_zoo.PCA(2, scaling="standard").fit(frame)


def test_columns_are_put_in_order_and_others_refused(frame, pca, tmp_path):
    error = pca.reconstruction_error(frame)
    pca.save(tmp_path / "pca.npz")
    detector = ae_zoo.Detector(pca).calibrate(frame, 0.1)
    detector.save(tmp_path / "detector.zip")
    for one in (pca, ae_zoo.PCA.load(tmp_path / "pca.npz"), ae_zoo.Detector.load(tmp_path / "detector.zip").model):
        assert np.array_equal(one.reconstruction_error(frame[COLUMNS[::-1]]), error)
        with pytest.raises(ae_zoo.AEZooError, match="lacks 'width' and adds 'weight'"):
            one.reconstruction_error(frame.rename(columns={"width": "weight"}))
    assert np.array_equal(detector.flag(frame[COLUMNS[::-1]]), detector.flag(frame))
    assert detector.refit(frame).schema.columns == tuple(COLUMNS)


def test_a_row_s_names_are_put_in_order_too(frame, pca):
    a, b = frame.iloc[0], frame.iloc[1]
    path = ae_zoo.interpolate(pca, a, b, 5)
    assert np.allclose(ae_zoo.interpolate(pca, a[::-1], b[::-1], 5), path)
    assert np.allclose(ae_zoo.traverse(pca, a[::-1], 0), ae_zoo.traverse(pca, a, 0))


def test_an_exported_pca_knows_its_columns(frame, pca, run, tmp_path):
    ae_zoo.export(ae_zoo.Detector(pca).calibrate(frame, 0.1), tmp_path / "served", x_test=frame)
    assert ae_zoo.load(tmp_path / "served").schema.columns == tuple(COLUMNS)
    for name, columns in (("rows", COLUMNS), ("turned", COLUMNS[::-1])):
        frame[columns].to_csv(tmp_path / f"{name}.csv", index=False)
        out = tmp_path / f"{name}.out.csv"
        assert run("score", "--model", tmp_path / "served", tmp_path / f"{name}.csv", "--out", out)[0] == 0
    first, second = (pd.read_csv(tmp_path / f"{name}.out.csv") for name in ("rows", "turned"))
    assert np.allclose(first["error"], second["error"], rtol=1e-4)
    frame.rename(columns={"width": "weight"}).to_csv(tmp_path / "other.csv", index=False)
    code, _, errors = run("score", "--model", tmp_path / "served", tmp_path / "other.csv", "--out", tmp_path / "o.csv")
    assert code == 2
    assert "lacks 'width' and adds 'weight'" in errors


@pytest.mark.slow
def test_pca_of_images_is_a_model_and_exported(tmp_path):
    images = np.random.default_rng(0).random((40, 3, 4)).astype("float32")
    pca = ae_zoo.PCA(5).fit(images)
    assert np.allclose(pca.to_model().reconstruct(images), pca.reconstruct(images), atol=1e-5)
    assert serving.check(ae_zoo.export(pca, tmp_path / "images")).passed


def test_pca_keeps_its_digits_at_a_mean_of_a_million():
    x = np.random.default_rng(0).normal(size=(500, 8)).astype("float32")
    x = np.round(x * 8)  # whole numbers, which float32 holds beside a million
    near, far = (ae_zoo.PCA(3).fit(x + mean).reconstruction_error(x + mean).mean() for mean in (0, 1_000_000))
    assert far == pytest.approx(near, rel=1e-3)
