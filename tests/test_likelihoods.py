"""What an output means: known values, what each loss is the best answer to, and a likelihood of this file's own."""

import keras
import numpy as np
import pytest
import scipy.stats

import ae_zoo
from ae_zoo.likelihoods import LIKELIHOODS, Likelihood

TARGET, OUTPUT = np.array([[0.0, 1.0, 0.25]], "float32"), np.array([[0.5, 0.75, 0.25]], "float32")
d = TARGET - OUTPUT
KNOWN = {
    ("mse",): np.square(d),
    ("bce",): -(TARGET * np.log(OUTPUT) + (1 - TARGET) * np.log(1 - OUTPUT)),
    ("gaussian", "output_variance", 0.3): -scipy.stats.norm.logpdf(TARGET, OUTPUT, 0.3**0.5),
    ("absolute",): np.abs(d),
    ("huber", "huber_delta", 0.3): np.where(np.abs(d) <= 0.3, d**2 / 2, 0.3 * (np.abs(d) - 0.15)),
    ("quantile", "quantile_alpha", 0.9): np.where(d > 0, 0.9 * d, -0.1 * d),
}


def model_of(loss, *option, **more):
    options = {"loss": loss, **dict([option] if option else []), **more}
    return ae_zoo.build("undercomplete", 3, code=1, hidden=[], seed=1, **options)


@pytest.mark.parametrize("case", KNOWN, ids=lambda case: case[0])
def test_losses_have_their_known_values(case):
    model = model_of(*case)
    found = keras.ops.convert_to_numpy(model.likelihood.loss(TARGET, OUTPUT))
    assert np.allclose(found, KNOWN[case], atol=1e-6)
    assert np.allclose(model.row_loss(TARGET, OUTPUT), KNOWN[case].mean(axis=1), atol=1e-6)
    rows = np.random.default_rng(0).random((20, 3), "float32")
    model.adapt(rows)
    expected = keras.ops.convert_to_numpy(model.row_loss(rows, model(rows)))
    assert np.allclose(model.reconstruction_error(rows, unit="loss"), expected, atol=1e-6)
    assert np.allclose(model.reconstruction_error(rows), np.square(rows - model(rows)).mean(axis=1), atol=1e-6)


@pytest.mark.parametrize(
    ("option", "center"),
    [
        ({"loss": "mse"}, np.mean),
        ({"loss": "gaussian"}, np.mean),
        ({"loss": "absolute"}, np.median),
        ({"loss": "quantile", "quantile_alpha": 0.9}, lambda x, axis: np.quantile(x, 0.9, axis=axis)),
    ],
    ids=["mse", "gaussian", "absolute", "quantile"],
)
def test_the_best_constant_output_is_the_statistic_that_the_loss_promises(option, center):
    """A network whose code says nothing (its kernels are 0 and stay so) can learn its output's bias alone."""
    x = np.random.default_rng(0).gamma(0.5, size=(4000, 2)).astype("float32")
    model = ae_zoo.build("undercomplete", 2, code=1, hidden=[], output_activation="linear", seed=1, **option)
    model.scaling.adapted = True  # not `adapt`, which would start the bias there
    for name in ("code", "reconstruction"):
        layer = model.get_layer(name)
        layer.kernel.assign(np.zeros(layer.kernel.shape))
    model.get_layer("code").trainable = False
    model.compile(keras.optimizers.Adam(0.05))
    model.fit(np.tile(x, (250, 1)), batch_size=len(x), shuffle=False, verbose=0)  # each batch is all the rows
    bias = np.asarray(model.get_layer("reconstruction").bias)
    assert np.allclose(bias, center(x, axis=0), atol=0.03)
    started = ae_zoo.build("undercomplete", 2, code=1, hidden=[], output_activation="linear", **option)
    started.adapt(x)
    assert np.allclose(started.get_layer("reconstruction").bias, center(x, axis=0), atol=1e-4)


def test_a_learned_variance_is_saved_and_served(tmp_path):
    x = np.random.default_rng(0).normal(size=(400, 3)).astype("float32")
    model = model_of("gaussian", scaling="standard", output_activation="linear")
    model.adapt(x)
    model.likelihood.learned.assign(np.log(0.2))
    known = -scipy.stats.norm.logpdf(model.scaling(x), model(x), 0.2**0.5).mean(axis=1)
    assert np.allclose(model.reconstruction_error(x, unit="loss"), known, atol=1e-4)
    model.likelihood.learned.assign(np.log(0.7))  # read anew at each call
    again = -scipy.stats.norm.logpdf(model.scaling(x), model(x), 0.7**0.5).mean(axis=1)
    assert np.allclose(model.reconstruction_error(x, unit="loss"), again, atol=1e-4)
    model.likelihood.learned.assign(np.log(0.2))
    model.save(tmp_path / "model.keras")
    ae_zoo.export(model, tmp_path / "served")
    for path in ("model.keras", "served"):
        loaded = ae_zoo.load(tmp_path / path)
        assert np.allclose(loaded.reconstruction_error(x, unit="loss"), known, atol=1e-4)


@pytest.mark.slow
def test_outliers_pull_an_absolute_or_huber_network_less():
    random = np.random.default_rng(0)
    clean = (random.normal(size=(600, 1)) @ random.normal(size=(1, 6))).astype("float32")
    dirty = clean.copy()
    dirty[random.random(dirty.shape) < 0.05] += 20
    errors = {}
    for loss in ("mse", "absolute", "huber"):
        model = ae_zoo.build("undercomplete", 6, code=1, hidden=[], output_activation="linear", loss=loss, seed=1)
        ae_zoo.fit(model, dirty, epochs=40, learning_rate=0.02, verbose=0)
        errors[loss] = np.median(model.reconstruction_error(clean))
    assert errors["absolute"] < errors["mse"] / 4
    assert errors["huber"] < errors["mse"] / 4


class Cosh(Likelihood):
    """log cosh(target - output): a likelihood that only this file knows."""

    name = "cosh"
    unit = "log cosh"

    def loss(self, target, output):
        size = keras.ops.abs(target - output)  # cosh itself overflows in float32 for differences above 89
        return size + keras.ops.softplus(-2 * size) - np.log(2)


def test_a_likelihood_is_one_class(tmp_path):
    x = np.random.default_rng(0).random((64, 3), "float32")
    model = model_of("cosh")
    assert ae_zoo.fit(model, x, epochs=2, verbose=0).history["reconstruction"][0] > 0
    expected = np.log(np.cosh(x - model(x))).mean(axis=1)
    assert np.allclose(model.reconstruction_error(x, unit="loss"), expected, atol=1e-6)
    model.save(tmp_path / "model.keras")
    assert isinstance(ae_zoo.load(tmp_path / "model.keras").likelihood, Cosh)
    assert "cosh" in model.config.choices("loss")
    far = keras.ops.convert_to_numpy(model.likelihood.loss(np.float32([200]), np.float32([0])))
    assert np.allclose(far, 200 - np.log(2))


def test_the_bound_needs_a_density():
    with pytest.raises(ae_zoo.AEZooError, match=r"loss='mse' is none: give one of bce, gaussian"):
        ae_zoo.build("variational", 8, loss="mse")
    with pytest.raises(ae_zoo.AEZooError, match="did you mean 'absolute'"):
        ae_zoo.build("sparse", 8, loss="absolut")
    assert {"mse", "bce", "gaussian", "absolute", "huber", "quantile"} <= LIKELIHOODS.keys()


class Halved(LIKELIHOODS["huber"]):
    """A likelihood without a word of its own, for others to build on."""


def test_a_likelihood_takes_no_other_s_word():
    assert LIKELIHOODS["huber"] is not Halved
    with pytest.raises(ae_zoo.AEZooError, match="Huber has the name 'huber' already"):

        class Mine(Likelihood):
            name = "huber"


class Poisson(Likelihood):
    """exp(output) events are expected."""

    name = "poisson"
    unit = "nats"
    legal = (0.0, np.inf)
    activations = ("linear",)

    def loss(self, target, output):
        return keras.ops.exp(output) - target * output

    def mean(self, output):
        return keras.ops.exp(output)


def test_targets_and_outputs_are_what_the_likelihood_says():
    counts = np.random.default_rng(0).poisson(3, (64, 3)).astype("float32")
    model = model_of("poisson", output_activation="linear")
    ae_zoo.fit(model, counts, epochs=1, verbose=0)
    assert np.allclose(model.reconstruct(counts), np.exp(model(counts)), rtol=1e-5)
    with pytest.raises(ae_zoo.AEZooError, match=r"must be in \[0, inf\]"):
        ae_zoo.fit(model, counts - 5, epochs=1, verbose=0)
    with pytest.raises(ae_zoo.AEZooError, match="needs output_activation='linear'"):
        model_of("poisson", output_activation="sigmoid")
