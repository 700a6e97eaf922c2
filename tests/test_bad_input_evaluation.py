"""What detectors, densities, paths, PCA, noise and log-likelihoods refuse, in one sentence."""

import json
import threading
import zipfile
from decimal import Decimal

import numpy as np
import pytest

import ae_zoo
from ae_zoo import AEZooError
from ae_zoo._support import checks
from ae_zoo.evaluation.peer import peer_of
from tests.test_schemas import ROWS, Colored

FAR = np.full((1, 6), 3e38)


@pytest.fixture(scope="module")
def rows():
    return np.random.default_rng(0).random((120, 6)).astype("float32")


@pytest.fixture(scope="module")
def pca(rows):
    return ae_zoo.PCA(2, scaling="standard").fit(rows)


@pytest.fixture(scope="module")
def variational():
    return ae_zoo.build("variational", 6, code=2, hidden=[4], loss="gaussian", output_activation="linear", seed=1)


def rewritten(path, **changes):
    """Writes an `.npz` file again with other arrays; None leaves one out."""
    with np.load(path) as file:
        arrays = {**file, **changes}
    np.savez(path, **{name: array for name, array in arrays.items() if array is not None})


# Single arguments.


@pytest.mark.parametrize(
    "value", ["0.05", b"0.05", np.str_("0.05"), True, [0.05], np.array([0.05]), Decimal("sNaN"), 1e39]
)
def test_texts_lists_flags_and_numbers_beyond_float32_are_no_numbers(value):
    with pytest.raises(AEZooError, match="must be a finite number"):
        checks.finite("amount", value)


def test_any_kind_of_real_number_is_a_number(rows, pca):
    assert checks.finite("amount", Decimal("0.25")) == checks.finite("amount", np.array(0.25)) == 0.25
    detector = ae_zoo.Detector(pca)
    assert detector.calibrate(rows, Decimal("0.05")).false_alarm_rate == 0.05
    assert detector.refit(rows, Decimal("0.5")).threshold is None
    for call in (lambda: detector.calibrate(rows, "0.05"), lambda: detector.refit(rows, "0.5")):
        with pytest.raises(AEZooError, match=r"finite number; received '0\.0?5'"):
            call()


def test_a_large_number_is_not_printed_whole():
    for call in (lambda: checks.finite("n", 10**400), lambda: checks.count("n", 10**5000)):
        with pytest.raises(AEZooError) as caught:
            call()
        assert len(str(caught.value)) < 160


def test_labels_of_every_kind_are_read_and_masked_ones_refused():
    assert checks.labels(np.array([0, 1, -1], object), 2).tolist() == [0, 1, -1]
    for y, message in (
        (np.ma.masked_array([0, 1, 1], [1, 0, 0]), "y is a masked array with 1 masked values"),
        ([[0], [1, 2]], "y cannot be read as an array of numbers"),
        (np.array([0, "a"], object), "y must hold numbers"),
        (np.zeros((3, 2)), "a label for each row, 2 classes from 0"),
        ([0, 2], "from -1 .no label. to 1; received 2"),
    ):
        with pytest.raises(AEZooError, match=message):
            checks.labels(y, 2)


# Noise.


@pytest.mark.parametrize(
    ("kind", "amount", "options", "message"),
    [
        ("gaussian", 1e39, {}, "amount must be a finite number in float32"),
        ("gaussian", 3e38, {"seed": 1}, "beyond float32"),
        ("salt_pepper", 0.5, {"low": -1e300}, "low must be a finite number in float32"),
        ("masking", "0.3", {}, "amount must be a finite number; received '0.3'"),
        (np.array(["masking"]), 0.3, {}, "There is no corruption"),
        ([], 0.3, {}, "There is no corruption"),
    ],
)
def test_noise_that_no_float32_holds_is_refused(rows, kind, amount, options, message):
    with pytest.raises(AEZooError, match=message):
        ae_zoo.corrupt(rows, kind, amount, **options)


# PCA.


def test_a_pca_refuses_what_it_cannot_answer(rows):
    line = np.repeat(rows[:, :1], 6, axis=1)
    narrow, wide = (ae_zoo.PCA(1, scaling="standard").fit(spread * line) for spread in (1e-3, 1e3))
    for call, what in (
        (lambda: wide.decode([[3e38]]), "reconstruction"),
        (lambda: narrow.encode(FAR), "code"),
        (lambda: narrow.reconstruct(FAR), "code"),
        (lambda: narrow.reconstruction_error(FAR), "error"),
    ):
        with pytest.raises(AEZooError, match=f"its {what} is beyond float32"):
            call()
    with pytest.raises(AEZooError, match="only the layer 'code'"):
        wide.encode(FAR, layer=np.zeros(3))
    with pytest.raises(AEZooError, match="There is no scaling"):
        ae_zoo.PCA(2, scaling=[])


def test_an_unfitted_pca_says_so_in_every_verb(rows):
    pca = ae_zoo.PCA(2)
    for call in (
        lambda: pca.encode(rows),
        lambda: pca.decode(rows[:, :2]),
        lambda: pca.reconstruct(rows),
        lambda: pca.reconstruction_error(rows),
        lambda: pca.schema,
        pca.to_model,
        pca.endpoints,
        pca.summary,
        lambda: ae_zoo.interpolate(pca, rows[0], rows[1]),
    ):
        with pytest.raises(AEZooError, match=r"call fit\(x_train\) first"):
            call()


def test_both_units_of_a_pca_are_the_squared_error(rows, pca):
    assert np.array_equal(pca.reconstruction_error(rows, unit="loss"), pca.reconstruction_error(rows))
    with pytest.raises(AEZooError, match="no unit 'los'"):
        pca.reconstruction_error(rows, unit="los")


@pytest.mark.parametrize(
    "changes",
    [
        {"_scale": np.zeros(6)},
        {"_scale": -np.ones(6)},
        {"components": np.ones((2, 6), complex)},
        {"components": np.ones((2, 6), "int64")},
        {"mean": np.ones(6, bool)},
        {"options": np.array("[" * 99_999)},
        {"options": np.array("null")},
    ],
)
def test_a_damaged_pca_is_refused(pca, tmp_path, changes):
    pca.save(tmp_path / "pca.npz")
    rewritten(tmp_path / "pca.npz", **changes)
    with pytest.raises(AEZooError, match="damaged, or holds no PCA"):
        ae_zoo.PCA.load(tmp_path / "pca.npz")


def test_pca_beside_a_model_is_on_the_models_scale(rows):
    peer = peer_of(ae_zoo.PCA(2).fit(rows).schema)
    model = ae_zoo.build("undercomplete", 6, code=2, scaling="standard", output_activation="linear", seed=1)
    model.adapt(rows)
    alone = ae_zoo.PCA(2, scaling="standard").fit(rows).reconstruction_error(rows[:30]).mean()
    assert peer.beside(model, rows, rows[:30]) == (2, pytest.approx(alone, rel=1e-4))
    colored = ae_zoo.build("undercomplete", schema=Colored(), data=ROWS, code=2, output_activation="sigmoid", seed=1)
    seen = np.asarray(colored.scaling(Colored().code(ROWS)))  # four numbers a row, not two
    coded = Colored().code(ROWS)
    assert peer.beside(colored, coded, coded) == (
        2,
        pytest.approx(ae_zoo.PCA(2).fit(seen).reconstruction_error(seen).mean()),
    )


# Detectors.


@pytest.mark.parametrize("threshold", [float("nan"), float("inf"), 1e300, -5, "0.1", True])
def test_a_threshold_is_none_or_a_number_that_errors_compare_with(pca, threshold):
    detector = ae_zoo.Detector(pca)
    with pytest.raises(AEZooError, match="threshold must be"):
        detector.threshold = threshold
    detector.threshold = 0.25
    assert detector.threshold == 0.25
    detector.threshold = None


@pytest.mark.parametrize("threshold", ["1e300", "-5", '"0.1"', "1" + "0" * 400])
def test_a_file_with_such_a_threshold_is_refused(rows, pca, tmp_path, threshold):
    path = tmp_path / "d.zip"
    ae_zoo.Detector(pca).calibrate(rows, 0.1).save(path)
    with zipfile.ZipFile(path) as archive:
        model = archive.read("model.npz")
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("model.npz", model)
        archive.writestr("detector.json", f'{{"threshold": {threshold}, "false_alarm_rate": 0.1}}')
    with pytest.raises(AEZooError, match="threshold must be") as caught:
        ae_zoo.Detector.load(path)
    assert len(str(caught.value)) < 300 + len(str(path))


def test_a_refit_says_which_argument_is_wrong(rows, pca):
    with pytest.raises(AEZooError, match="quantile=1e-09 keeps 1 of the 120 rows"):
        ae_zoo.Detector(pca).refit(rows, 1e-9)
    with pytest.raises(AEZooError, match="without options of ae_zoo.fit: leave out epochs"):
        ae_zoo.Detector(pca).refit(rows, epochs=3)


# Paths and densities.


def test_what_is_no_model_has_no_codes(rows, pca, tmp_path):
    ae_zoo.Density(pca).fit(rows).save(tmp_path / "d.npz")
    for what in (5, ae_zoo.Detector(pca), ae_zoo.PCA):
        for call in (
            lambda what=what: ae_zoo.Density(what),
            lambda what=what: ae_zoo.Density.load(tmp_path / "d.npz", what),
            lambda what=what: ae_zoo.interpolate(what, rows[0], rows[1]),
            lambda what=what: ae_zoo.traverse(what, rows[0], 0),
        ):
            with pytest.raises(AEZooError, match="needs a model of ae_zoo or a PCA; received a"):
                call()
    with pytest.raises(AEZooError, match=r"call fit\(x_train\) first"):
        ae_zoo.Density(ae_zoo.PCA(2)).fit(rows)


@pytest.mark.parametrize("unit", [0.5, "a", None, [0], True, 2])
def test_a_unit_is_an_index(rows, pca, unit):
    with pytest.raises(AEZooError, match="unit must be a whole number from 0 to 1"):
        ae_zoo.traverse(pca, rows[0], unit)


@pytest.mark.parametrize(
    "values", ["abc", [[1, 2]], 5, [1j], [], np.ma.masked_array([1.0, 2.0], [0, 1]), [float("nan")]]
)
def test_values_are_a_list_of_finite_numbers(rows, pca, values):
    with pytest.raises(AEZooError, match="^values "):
        ae_zoo.traverse(pca, rows[0], 0, values)


@pytest.mark.parametrize("steps", ["a", 2.5, None, -1, 10**13, 2**31 - 1])
def test_steps_are_as_many_as_memory_holds(rows, pca, steps):
    for call in (
        lambda: ae_zoo.traverse(pca, rows[0], 0, steps=steps),
        lambda: ae_zoo.interpolate(pca, rows[0], rows[1], steps),
    ):
        with pytest.raises(AEZooError, match="steps must be"):
            call()


def test_rows_beyond_memory_are_not_drawn(rows, pca):
    density = ae_zoo.Density(pca).fit(rows)
    for call in (
        lambda: density.generate(2**31 - 1),
        lambda: density.sample(2**31 - 1),
        lambda: density.generate(10**8),
    ):
        with pytest.raises(AEZooError, match="n must be at most .* because of the memory"):
            call()


SOUND = {"kind": "gaussian", "components": 3, "neighbors": 10, "code_shape": [2]}


@pytest.mark.parametrize(
    ("kind", "damage"),
    [
        ("gaussian", lambda a: {"low": a["low"][:1]}),
        ("gaussian", lambda a: {"low": a["high"] + 1}),
        ("gaussian", lambda a: {"factors": a["factors"][:, :1]}),
        ("gaussian", lambda a: {"factors": a["factors"].astype(complex)}),
        ("gaussian", lambda a: {"factors": a["factors"] * np.nan}),
        ("gaussian", lambda a: {"means": None}),
        ("gaussian", lambda a: {"factors": None}),
        ("gaussian", lambda a: {"codes": a["means"]}),
        ("gaussian", lambda a: {"weights": a["weights"] * 2}),
        ("mixture", lambda a: {"weights": np.array([-1.0, 1, 1])}),
        ("neighbors", lambda a: {"codes": None}),
        ("neighbors", lambda a: {"codes": a["codes"][:10]}),
        ("gaussian", lambda a: {"options": json.dumps({**SOUND, "kind": "mixture"})}),
        ("gaussian", lambda a: {"options": json.dumps({**SOUND, "kind": "neighbors"})}),
        ("gaussian", lambda a: {"options": "null"}),
        ("gaussian", lambda a: {"options": "[" * 99_999}),
        *[
            ("gaussian", lambda a, shape=shape: {"options": json.dumps({**SOUND, "code_shape": shape})})
            for shape in ([3], [], "2", ["a"], [-1, -2], None)
        ],
    ],
)
def test_a_damaged_density_is_refused_when_it_is_read(rows, pca, tmp_path, kind, damage):
    path = tmp_path / "density.npz"
    ae_zoo.Density(pca, kind, components=3).fit(rows).save(path)
    with np.load(path) as file:
        changes = damage(dict(file))
    rewritten(path, **changes)
    with pytest.raises(AEZooError, match="damaged, or holds no density"):
        ae_zoo.Density.load(path, pca)


# Log-likelihoods.


def test_an_untrained_model_has_no_log_likelihood(rows, variational):
    scaled = ae_zoo.build("variational", 6, scaling="standard", loss="gaussian", output_activation="linear", seed=1)
    with pytest.raises(AEZooError, match="its scaling has seen no rows"):
        ae_zoo.log_likelihood(scaled, rows, 10)
    variational._warned = False
    with pytest.warns(ae_zoo.AEZooWarning, match="has not been trained") as warned:
        ae_zoo.log_likelihood(variational, rows[:2], 10)
    assert warned[0].filename == __file__


def test_a_log_likelihood_that_is_no_number_is_refused(rows, variational):
    with pytest.raises(AEZooError, match="its log-likelihood is beyond float32"):
        ae_zoo.log_likelihood(variational, np.full((1, 6), 1e30), 10)
    with pytest.raises(AEZooError, match="samples must be at most 1,000,000"):
        ae_zoo.log_likelihood(variational, rows, 10**9)


def test_a_log_likelihood_counts_what_the_networks_see():
    """The decoder is zero, so each of the four numbers has a standard normal density around the output, whatever the code."""
    model = ae_zoo.build(
        "variational", schema=Colored(), data=ROWS, code=2, loss="gaussian", output_variance=1.0, seed=1
    )
    for network in (model.decoder, model.posterior):
        for variable in network.trainable_variables:
            variable.assign(np.zeros(variable.shape))
    target = np.asarray(model.scaling(Colored().code(ROWS)))
    output = model.decoder.predict(np.zeros((1, 2)), verbose=0)
    exact = -(np.square(target - output) + np.log(2 * np.pi)).sum(axis=1) / 2
    assert np.allclose(ae_zoo.log_likelihood(model, ROWS, 20), exact, atol=1e-4)


def test_calls_at_the_same_time_do_not_share_a_seed(rows, variational):
    alone = [ae_zoo.log_likelihood(variational, rows, 3000, seed=seed) for seed in range(4)]
    found = [None] * 4

    def call(seed):
        found[seed] = ae_zoo.log_likelihood(variational, rows, 3000, seed=seed)

    threads = [threading.Thread(target=call, args=[seed]) for seed in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert all(map(np.array_equal, alone, found))
