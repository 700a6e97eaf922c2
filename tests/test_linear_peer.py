"""The linear models that networks are compared with: PCA, and of a table a linear network, which has known answers too."""

import numpy as np
import pandas as pd
import pytest

import ae_zoo
from ae_zoo.evaluation.peer import peer_of
from ae_zoo.serving import card
from tests.mixed import table

CODE, HOLES = 2, 0.15


def planted(holes, rows=2000, columns=12):
    """Rows near a plane of two dimensions, as a frame with holes, and without; all in standard deviations of the frame."""
    random = np.random.default_rng(0)
    full = random.normal(size=(rows, CODE)) @ random.normal(size=(CODE, columns))
    full += 0.5 * random.normal(size=full.shape)
    holed = np.where(random.random(full.shape) < holes, np.nan, full)
    center, scale = np.nanmean(holed[:1000], axis=0), np.nanstd(holed[:1000], axis=0)
    names = [f"c{place}" for place in range(columns)]
    return pd.DataFrame((holed - center) / scale, columns=names), (full - center) / scale


def linear_network(frame):
    schema = ae_zoo.schema(frame)
    model = ae_zoo.build("undercomplete", data=frame, schema=schema, code=CODE, hidden=[], corruption="none", seed=1)
    ae_zoo.fit(model, frame, validation=0, epochs=40, batch_size=64, verbose=0)
    return model


def error(x, given, cells):
    """The mean over the rows of the mean squared error of some cells."""
    return float(np.mean((np.where(cells, x - given, 0) ** 2).sum(axis=1) / cells.sum(axis=1)))


def projected(x, kernel, bias):
    """Rows with holes, projected on a plane `bias + code @ kernel` by least squares over their present cells."""
    present = ~np.isnan(x)
    normal = np.einsum("ij,aj,bj->iab", present, kernel, kernel) + 1e-9 * np.eye(len(kernel))
    right = np.einsum("ij,aj->ia", np.where(present, x - bias, 0), kernel)
    return np.linalg.solve(normal, right[..., None])[..., 0] @ kernel + bias


def regressed(x, inputs, present):
    """The best kernel and bias for each column, from inputs `(n, k)`, over its present cells."""
    inputs = np.concatenate([inputs, np.ones((len(x), 1))], axis=1)
    normal = np.einsum("ij,ia,ib->jab", present, inputs, inputs) + 1e-9 * np.eye(inputs.shape[1])
    found = np.linalg.solve(normal, np.einsum("ij,ia->ja", np.where(present, x, 0), inputs)[..., None])[..., 0]
    return found[:, :-1].T, found[:, -1]


def low_rank_plane(x, rounds=60):
    """Kernel and bias of the best low-rank model of rows with holes, by alternating least squares (Udell et al. 2016)."""
    present, kernel = ~np.isnan(x), np.random.default_rng(1).normal(size=(CODE, x.shape[1]))
    bias = np.zeros(x.shape[1])
    for _ in range(rounds):
        normal = np.einsum("ij,aj,bj->iab", present, kernel, kernel) + 1e-9 * np.eye(CODE)
        right = np.einsum("ij,aj->ia", np.where(present, x - bias, 0), kernel)
        kernel, bias = regressed(x, np.linalg.solve(normal, right[..., None])[..., 0], present)
    return kernel, bias


def best_of_one_map(x, rounds=15):
    """The least error of codes that are one linear map of a row's cells, 0 where one is missing, and of its holes."""
    present, (kernel, bias) = ~np.isnan(x), low_rank_plane(x)
    inputs = np.concatenate([np.where(present, x, 0), ~present, np.ones((len(x), 1))], axis=1)
    for _ in range(rounds):
        shape = (CODE, inputs.shape[1])
        normal = np.einsum("ij,aj,bj,ip,iq->apbq", present, kernel, kernel, inputs, inputs, optimize=True)
        right = np.einsum("ij,aj,ip->ap", np.where(present, x - bias, 0), kernel, inputs, optimize=True)
        size = shape[0] * shape[1]
        code = inputs @ np.linalg.lstsq(normal.reshape(size, size), right.ravel(), rcond=1e-9)[0].reshape(shape).T
        kernel, bias = regressed(x, code, present)
    return error(x, code @ kernel + bias, present)


def test_a_linear_network_of_numbers_without_holes_is_pca():
    """Baldi and Hornik 1989."""
    frame, _ = planted(0)
    train, test = frame[:1000], frame[1000:]
    model, pca = linear_network(train), ae_zoo.PCA(CODE, scaling="standard").fit(train)
    for rows in (train, test):
        theirs = pca.reconstruction_error(rows).mean()
        assert model.reconstruction_error(rows).mean() == pytest.approx(theirs, rel=0.02)


def test_a_linear_network_of_numbers_with_holes_learns_the_plane_of_the_low_rank_model():
    """The plane is the same. The codes are not: one linear map for all patterns of holes is not least squares for each.

    So the network's own error is that of the best such map, which is 7 % more here.
    """
    frame, full = planted(HOLES)
    train, test = frame[:1000], frame[1000:]
    model = linear_network(train)
    x, new, hidden = train.to_numpy(), test.to_numpy(), test.isna().to_numpy()
    plane, own = low_rank_plane(x), [np.asarray(w, "float64") for w in model.get_layer("reconstruction").get_weights()]
    for rows, truth, cells in ((x, x, ~np.isnan(x)), (new, new, ~hidden), (new, full[1000:], hidden)):
        some = cells.any(axis=1)
        wanted = error(truth[some], projected(rows, *plane)[some], cells[some])
        assert error(truth[some], projected(rows, *own)[some], cells[some]) == pytest.approx(wanted, rel=0.02)
    ours = model.reconstruction_error(train).mean()
    assert ours == pytest.approx(best_of_one_map(x), rel=0.02)
    assert 1.02 < ours / error(x, projected(x, *plane), ~np.isnan(x)) < 1.12


def test_the_peer_of_a_table_is_the_network_that_pca_names(tmp_path):
    rows, test = table(120), table(100, seed=1)
    with pytest.raises(ae_zoo.AEZooError, match=r"PCA takes numbers .* code=3, hidden=\[\]\), then ae_zoo.fit"):
        ae_zoo.PCA(3).fit(rows)
    model = ae_zoo.build("undercomplete", data=rows, hidden=[8], code=3, corruption_amount=0.3, seed=1)
    model.adapt(rows)
    with pytest.raises(ae_zoo.AEZooError, match="PCA takes numbers without holes"):
        ae_zoo.PCA(3).fit(rows, model.schema)
    named = ae_zoo.build("undercomplete", data=rows, code=3, hidden=[], corruption_amount=0.3, seed=1)
    ae_zoo.fit(named, rows, verbose=0)
    x, x_test = model.check_rows(rows), model.check_rows(test)
    theirs = named.reconstruction_error(test).mean()
    peer = peer_of(model.schema)
    assert peer.called(3) == "a linear network with 3 code units"
    assert peer.beside(model, x, x_test) == (3, pytest.approx(theirs, rel=1e-6))
    found = card.metrics(model, model.reconstruction_error(test), x, x_test)
    assert found["test error"] == pytest.approx(1, abs=0.1)
    assert found["linear test error"] == pytest.approx(theirs, rel=1e-6)


@pytest.mark.slow
def test_the_last_line_of_a_training_compares_a_table_too(run, tmp_path):
    table(300).to_csv(tmp_path / "rows.csv", index=False)
    options = ("--set", "hidden=[]", "--set", "code=3", "--quiet")
    code, out, _ = run("train", "undercomplete", "--data", "rows.csv", *options, "--out", "m.keras")
    assert code == 0
    said = out.splitlines()[-1]
    assert "a linear network with 3 code units" in said
    assert said.endswith("an error of 1 is that of always saying what is usual")
    ours, theirs = (float(said.split(before)[1].split()[0].rstrip(";")) for before in ("held-out error ", "units "))
    assert ours == pytest.approx(theirs, rel=0.1)  # it is a linear network itself, with other held-out rows
