import numpy as np
import pytest

import ae_zoo
from ae_zoo.schemas import ArraySchema


class Plain(ae_zoo.PCA):
    """A model whose code is the row itself, in a shape of its own: what comes back is what the tools made."""

    def __init__(self, *shape):
        super().__init__()
        self.shape, self._schema = shape, ArraySchema(input_shape=int(np.prod(shape)))

    def encode(self, x, layer=None):
        return np.asarray(x, "float32").reshape(-1, *self.shape)

    def decode(self, code):
        assert code.shape[1:] == self.shape
        return code.reshape(len(code), -1)


@pytest.fixture
def rows():
    random = np.random.default_rng(0)
    return random.normal(size=(500, 4)) @ random.normal(size=(4, 4)) + np.array([3, 0, -1, 2])


@pytest.mark.parametrize("shape", [(4,), (2, 2, 1)])
def test_a_spherical_path_turns_and_grows_evenly(shape):
    a, b = np.array([2.0, 0, 0, 0]), np.array([0, 0, 4.0, 0])
    path = ae_zoo.interpolate(Plain(*shape), a, b, 5, "spherical")
    assert np.allclose(np.linalg.norm(path, axis=1), [2, 2.5, 3, 3.5, 4], atol=1e-6)
    assert np.allclose(np.arctan2(path[:, 2], path[:, 0]), np.arange(5) * np.pi / 8, atol=1e-6)
    straight = ae_zoo.interpolate(Plain(*shape), a, b, 3)
    assert np.allclose(straight, [a, (a + b) / 2, b])


@pytest.mark.parametrize("b", [[-3.0, 0], [4.0, 0], [0.0, 0]], ids=["opposite", "parallel", "zero"])
def test_without_a_single_turn_the_path_is_straight(b):
    path = ae_zoo.interpolate(Plain(2), [1.0, 0], b, 4, "spherical")
    assert np.allclose(path, np.linspace([1.0, 0], b, 4))


@pytest.mark.parametrize("how", ["linear", "spherical"])
def test_a_path_ends_at_the_rows_reconstructions(how, x):
    models = [ae_zoo.PCA(3).fit(x), ae_zoo.build("sparse", 8, code=3, seed=1)]
    models.append(ae_zoo.build("undercomplete", (2, 4), network="convolutional", hidden=[4], kernel=2, code=3, seed=1))
    for model in models:
        some = x.reshape(-1, 2, 4) if getattr(model, "config", None) and model.config.network != "dense" else x
        path = ae_zoo.interpolate(model, some[0], some[1], 6, how)
        assert path.shape == (6, *some.shape[1:])
        assert np.allclose(path[[0, -1]], model.reconstruct(some[:2]), atol=1e-5)


def test_a_walk_changes_one_unit_alone(rows):
    walk = ae_zoo.traverse(Plain(2, 2), rows[0], 2, rows=rows, steps=3)
    assert np.allclose(walk[:, 2], np.quantile(rows[:, 2], [0.01, 0.5, 0.99]))
    assert np.allclose(np.delete(walk, 2, axis=1), np.delete(rows[0], 2))
    assert np.allclose(ae_zoo.traverse(Plain(4), rows[0], 0)[:, 0], np.linspace(-3, 3, 9))
    assert np.allclose(ae_zoo.traverse(Plain(4), rows[0], 0, [5, 6])[:, 0], [5, 6])


def test_a_gaussian_has_the_codes_mean_and_covariance(rows):
    rows[:, 3] = rows[:, 0]  # a singular covariance
    new = ae_zoo.Density(Plain(2, 2)).fit(rows).generate(200_000, seed=1)
    assert np.allclose(new.mean(axis=0), rows.mean(axis=0), atol=0.03)
    assert np.allclose(np.cov(new.T), np.cov(rows.T), rtol=0.05, atol=0.05)
    assert np.allclose(new[:, 3], new[:, 0], atol=1e-4)


@pytest.mark.parametrize("wide", [False, True])
def test_a_mixture_finds_the_clusters(wide, monkeypatch):
    monkeypatch.setattr("ae_zoo.evaluation.density.WIDE", 1 if wide else 256)
    random = np.random.default_rng(0)
    rows = np.concatenate([random.normal([-9, 0], 0.5, (300, 2)), random.normal([9, 5], 0.5, (100, 2))])
    new = ae_zoo.Density(Plain(2), "mixture", components=2).fit(rows).generate(20_000, seed=1)
    left = new[:, 0] < 0
    assert left.mean() == pytest.approx(0.75, abs=0.02)
    assert np.allclose(new[left].mean(axis=0), [-9, 0], atol=0.1)
    assert np.allclose(new[~left].std(axis=0), 0.5, atol=0.1)


def test_neighbours_stay_near(rows):
    new = ae_zoo.Density(Plain(4), "neighbors", neighbors=5).fit(rows).generate(300, seed=1)
    among = np.sort(np.linalg.norm(rows[:, None] - rows[None], axis=-1), axis=1)[:, 5]  # to the fifth nearest
    to_rows = np.linalg.norm(new[:, None] - rows[None], axis=-1)
    assert np.all(to_rows.min(axis=1) <= among.max() / 2)  # on a line between two, so half-way at most
    assert np.mean(to_rows.min(axis=1) > 1e-3) > 0.99  # and new


@pytest.mark.parametrize("kind", ["gaussian", "mixture", "neighbors"])
def test_equal_seeds_give_equal_rows_from_a_file_too(kind, rows, tmp_path):
    density = ae_zoo.Density(Plain(2, 2), kind, components=3).fit(rows)
    density.save(tmp_path / "density.npz")
    loaded = ae_zoo.Density.load(tmp_path / "density.npz", Plain(2, 2))
    first = density.generate(7, seed=3)
    assert np.array_equal(first, density.generate(7, seed=3))
    assert np.array_equal(first, loaded.generate(7, seed=3))
    assert not np.allclose(first, density.generate(7, seed=4))
    assert "after training" in repr(loaded)
    assert first.min(axis=0) == pytest.approx(np.clip(first, rows.min(axis=0), rows.max(axis=0)).min(axis=0), abs=1e-5)


def test_what_is_wrong_is_said(rows, tmp_path):
    plain = Plain(4)
    for call, message in (
        (lambda: ae_zoo.interpolate(plain, rows[0], rows[1], how="sferical"), "did you mean 'spherical'"),
        (lambda: ae_zoo.interpolate(plain, rows[0], rows[1], 1), "at least 2"),
        (lambda: ae_zoo.traverse(plain, rows[0], 4), "from 0 to 3"),
        (lambda: ae_zoo.Density(plain, "gausian"), "did you mean 'gaussian'"),
        (lambda: ae_zoo.Density(plain).generate(3), "call fit"),
        (lambda: ae_zoo.Density(plain).fit(rows).generate(0), "at least 1"),
        (lambda: ae_zoo.Density(plain, "neighbors").fit(rows[:5]), "at least 11 rows"),
    ):
        with pytest.raises(ValueError, match=message):
            call()
    (tmp_path / "no.npz").write_text("no")
    with pytest.raises(ValueError, match="damaged"):
        ae_zoo.Density.load(tmp_path / "no.npz", plain)


@pytest.mark.parametrize("kind", ["gaussian", "neighbors"])
def test_a_density_of_version_0_1_loads(kind, rows, tmp_path):
    """Its file has the option of the neighbors by its old name, whatever the kind."""
    density = ae_zoo.Density(Plain(4), kind=kind).fit(rows)
    density.save(tmp_path / "new.npz")
    arrays = dict(np.load(tmp_path / "new.npz"))
    arrays["options"] = str(arrays["options"]).replace("neighbors", "neighbours")
    np.savez(tmp_path / "old.npz", **arrays)
    loaded = ae_zoo.Density.load(tmp_path / "old.npz", Plain(4))
    assert np.array_equal(loaded.generate(5, seed=1), density.generate(5, seed=1))
