import zipfile

import numpy as np
import pytest
import sklearn.decomposition

import ae_zoo
from ae_zoo import serving
from ae_zoo.schemas import ArraySchema


@pytest.fixture
def pca(x):
    return ae_zoo.PCA(2).fit(x)


def test_pca_equals_scikit_learn(x, pca, tmp_path):
    reference = sklearn.decomposition.PCA(2).fit(x)
    rebuilt = reference.inverse_transform(reference.transform(x))
    assert np.allclose(pca.reconstruct(x), rebuilt, atol=1e-5)
    assert np.allclose(pca.reconstruction_error(x), np.square(x - rebuilt).mean(axis=1), atol=1e-6)
    assert np.allclose(pca.reconstruction_error(x, per_feature=True), np.square(x - rebuilt), atol=1e-6)
    assert np.allclose(np.abs(pca.encode(x)), np.abs(reference.transform(x)), atol=1e-5)
    assert np.allclose(pca.decode(pca.encode(x)), pca.reconstruct(x), atol=1e-6)
    pca.save(tmp_path / "pca.npz")
    assert np.array_equal(ae_zoo.PCA.load(tmp_path / "pca.npz").reconstruct(x), pca.reconstruct(x))


def test_pca_keeps_its_digits_when_the_mean_is_large():
    random = np.random.default_rng(0)
    x = random.normal(size=(500, 20)) * np.linspace(0.1, 1, 20)
    near, far = (ae_zoo.PCA(10).fit(x + mean).reconstruction_error(x + mean).mean() for mean in (0, 1000))
    assert far == pytest.approx(near, rel=1e-3)


def test_pca_of_scaled_images(tmp_path):
    images = np.random.default_rng(0).normal(50, 9, size=(40, 3, 4)).astype("float32")
    pca = ae_zoo.PCA(12, scaling="standard").fit(images)
    assert np.allclose(pca.reconstruct(images), images, atol=1e-3)  # all components
    assert pca.encode(images).shape == (40, 12)
    with pytest.raises(ValueError, match="from 1 to 12"):
        ae_zoo.PCA(13).fit(images)
    with pytest.raises(ValueError, match=r"fit\(x_train\) first"):
        ae_zoo.PCA(2).encode(images)


class Scores(ae_zoo.PCA):
    """A model whose error of a row is the row's first feature."""

    has_learned = True
    schema = ArraySchema(input_shape=1)

    def reconstruction_error(self, x, per_feature=False):
        return np.asarray(x) if per_feature else np.asarray(x)[:, 0]


def test_threshold_is_the_conformal_quantile():
    rows = np.arange(1, 100, dtype="float32")[:, None]  # 99 scores: the 0.99-quantile of 100 is the last
    detector = ae_zoo.Detector(Scores()).calibrate(rows, 0.01)
    assert detector.threshold == pytest.approx(99, rel=2e-4)
    assert detector.calibrate(rows, 0.05).threshold == pytest.approx(95, rel=2e-4)
    assert detector.flag(np.array([[95.0], [95.5]])).tolist() == [False, True]
    with pytest.raises(ValueError, match="needs at least 99 held-out rows; received 98"):
        detector.calibrate(rows[:-1], 0.01)
    with pytest.raises(ValueError, match="between 0 and 1"):
        detector.calibrate(rows, 1.0)
    with pytest.raises(ValueError, match="calibrate"):
        ae_zoo.Detector(Scores()).flag(rows)


def test_the_weighted_threshold_is_that_of_rows_that_come_as_often():
    random = np.random.default_rng(0)
    rows = random.exponential(size=(2000, 1))
    weights = np.where(rows[:, 0] > 1, 3.0, 1.0)  # the new rows are three times as often large
    detector = ae_zoo.Detector(Scores()).calibrate(rows, 0.1, weights=weights)
    assert ae_zoo.Detector(Scores()).calibrate(rows, 0.1, weights=np.full(2000, 7)).threshold == pytest.approx(
        ae_zoo.Detector(Scores()).calibrate(rows, 0.1).threshold
    )
    new = random.choice(random.exponential(size=100_000), 20_000)
    new = random.choice(new, 20_000, p=(share := np.where(new > 1, 3.0, 1.0)) / share.sum())
    assert detector.flag(new[:, None]).mean() == pytest.approx(0.1, abs=0.015)
    assert detector.calibrate(rows[:5], 0.25, weights=[0, 0, 1, 1, 1]).threshold == pytest.approx(
        max(rows[2:5, 0]), rel=2e-4
    )
    with pytest.raises(ValueError, match="weigh as much as 3 held-out rows of the heaviest; received 5"):
        detector.calibrate(rows[:5], 0.25, weights=[0, 0, 0, 1, 1])
    with pytest.raises(ValueError, match="0 or more"):
        detector.calibrate(rows[:5], 0.25, weights=[-1, 0, 0, 1, 1])


def test_false_alarms_of_new_rows_come_at_the_promised_rate():
    random = np.random.default_rng(0)
    rates = []
    for _ in range(200):
        detector = ae_zoo.Detector(Scores()).calibrate(random.exponential(size=(99, 1)), 0.1)
        rates.append(detector.flag(random.exponential(size=(500, 1))).mean())
    assert np.mean(rates) == pytest.approx(0.1, abs=0.01)


def test_share_adds_up_and_finds_the_broken_feature(x, pca):
    broken = x.copy()
    broken[:, 5] += 10
    share = ae_zoo.Detector(pca).share(broken)
    assert np.allclose(share.sum(axis=1), 1, atol=1e-5)
    assert np.all(share[:, 5] == share.max(axis=1))
    assert np.array_equal(ae_zoo.Detector(Scores()).share(np.zeros((2, 3))), np.zeros((2, 3)))


@pytest.mark.parametrize("kind", ["pca", "network"])
def test_file_gives_the_same_detector_back(kind, x, pca, tmp_path):
    model = pca if kind == "pca" else ae_zoo.build("undercomplete", 8, code=2, seed=1)
    if kind == "network":
        model.adapt(x)
    detector = ae_zoo.Detector(model).calibrate(x, 0.1)
    detector.save(tmp_path / "model.keras")
    (tmp_path / "model.keras").rename(tmp_path / "d.zip")
    loaded = ae_zoo.Detector.load(tmp_path / "d.zip")
    assert (loaded.threshold, loaded.false_alarm_rate) == (detector.threshold, 0.1)
    assert np.array_equal(loaded.score(x), detector.score(x))
    (tmp_path / "d.zip").write_bytes(b"no")
    with pytest.raises(ValueError, match="damaged"):
        ae_zoo.Detector.load(tmp_path / "d.zip")
    with pytest.raises(FileNotFoundError):
        ae_zoo.Detector.load(tmp_path / "none.zip")


def test_refit_leaves_the_strangest_rows_out(x):
    rows = np.concatenate([x, np.random.default_rng(1).uniform(size=(10, 8)).astype("float32")])
    plain = ae_zoo.PCA(2).fit(rows)
    refitted = ae_zoo.Detector(plain).refit(rows, 0.75)
    kept = plain.reconstruction_error(rows) <= np.quantile(plain.reconstruction_error(rows), 0.75)
    assert np.allclose(refitted.score(rows), ae_zoo.PCA(2).fit(rows[kept]).reconstruction_error(rows), atol=1e-6)
    network = ae_zoo.build("undercomplete", 8, code=2, hidden=[], seed=1)
    again = ae_zoo.Detector(network).refit(x, 0.5, epochs=2, verbose=0)
    assert again.model.config == network.config
    assert again.model is not network
    assert again.threshold is None


def test_the_rate_is_kept_where_rows_repeat(tmp_path):
    """The threshold is a calibration row's own score, which may be another by a unit in the last place in another batch."""
    random = np.random.default_rng(0)
    kinds = random.random((20, 8)).astype("float32")
    draw = lambda n: kinds[random.integers(20, size=n)]  # noqa: E731
    model = ae_zoo.build("undercomplete", 8, code=2, seed=1)
    ae_zoo.fit(model, draw(300), epochs=2, verbose=0)
    for rate in (0.2, 0.05):
        detector = ae_zoo.Detector(model).calibrate(draw(500), rate)
        scores = detector.score(kinds)
        at = kinds[np.argmin(np.abs(scores - detector.threshold))]  # the kind that the threshold came from
        alone = detector.flag(at[None])[0]
        among = [detector.flag(np.concatenate([draw(n), at[None]]))[-1] for n in (1, 7, 150, 1100)]
        assert not alone
        assert not any(among)
    version = ae_zoo.export(detector, tmp_path / "served", x_test=kinds)
    served = serving.SavedModel(version).run("detect", {"x": kinds})
    assert np.array_equal(served["flagged"], detector.flag(kinds))


def test_a_value_out_of_range_is_an_anomaly_and_no_error(x):
    model = ae_zoo.build("undercomplete", data=x, code=2, seed=1)
    ae_zoo.fit(model, x, epochs=2, verbose=0)
    detector = ae_zoo.Detector(model).calibrate(x, 0.1)
    far = x[:3].copy()
    far[1, 4] = 9.0
    assert detector.flag(far)[1]
    assert detector.share(far)[1].argmax() == 4
    with pytest.raises(ae_zoo.AEZooError, match=r"must be in \[0, 1\]"):
        model.reconstruction_error(far, unit="loss")


@pytest.mark.parametrize("state", ["NaN", "1e999", "[1]", "true", '"x"', "{}"])
def test_a_damaged_threshold_is_refused(state, x, pca, tmp_path):
    ae_zoo.Detector(pca).calibrate(x, 0.1).save(tmp_path / "d.zip")
    with zipfile.ZipFile(tmp_path / "d.zip") as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    members["detector.json"] = f'{{"threshold": {state}, "false_alarm_rate": 0.1}}'.encode()
    with zipfile.ZipFile(tmp_path / "d.zip", "w") as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    with pytest.raises(ae_zoo.AEZooError, match="damaged, or holds no detector"):
        ae_zoo.Detector.load(tmp_path / "d.zip")


@pytest.mark.parametrize("what", [42, "model.keras", None])
def test_what_is_no_model_makes_no_detector(what, pca):
    with pytest.raises(ae_zoo.AEZooError, match="needs a model of ae_zoo or a PCA"):
        ae_zoo.Detector(what)
    with pytest.raises(ae_zoo.AEZooError, match="received a Detector"):
        ae_zoo.Detector(ae_zoo.Detector(pca))
