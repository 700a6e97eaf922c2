"""Whether a model is sound: models made by hand with known faults, and figures with known answers."""

import numpy as np
import pytest

import ae_zoo
from ae_zoo._support import versions
from ae_zoo.evaluation.copies import copies
from ae_zoo.evaluation.findings import Subject
from ae_zoo.evaluation.units import Units
from tests.mixed import table

NAMES = {"dead units", "duplicate units", "active dimensions"}


def draw(rows, seed):
    """Rows of 12 features that vary in 4 directions, with some noise."""
    axes = np.random.default_rng(0).normal(size=(4, 12))
    random = np.random.default_rng(seed)
    return (random.normal(size=(rows, 4)) @ axes + 0.3 * random.normal(size=(rows, 12))).astype("float32")


@pytest.fixture(scope="module")
def x_train():
    return draw(600, 1)


@pytest.fixture(scope="module")
def x():
    return draw(300, 2)


@pytest.fixture
def linear(x_train):
    """The linear network that is PCA with six components."""
    return ae_zoo.PCA(6).fit(x_train).to_model()


def line(found, check):
    return found.table.loc[check]


# Errors.


def test_a_linear_network_that_is_pca_is_sound(linear, x, x_train):
    found = ae_zoo.health(linear, x, x_train)
    assert found.verdict == "ok"
    assert (found.table["verdict"] == "ok").all()
    pca = ae_zoo.PCA(6).fit(x_train)
    explained = 1 - pca.reconstruction_error(x).mean() / np.square(x - x_train.mean(axis=0)).mean()
    assert line(found, "share explained")["value"] == pytest.approx(explained, abs=1e-4)
    assert line(found, "error beside PCA")["value"] == pytest.approx(1, abs=1e-3)
    assert line(found, "overfit")["value"] == pytest.approx(
        pca.reconstruction_error(x).mean() / pca.reconstruction_error(x_train).mean(), rel=0.01
    )
    variances = np.linalg.eigvalsh(np.cov(pca.encode(x), rowvar=False))
    expected = variances.sum() ** 2 / np.square(variances).sum()
    assert line(found, "active dimensions")["value"] == pytest.approx(expected, rel=1e-4)
    assert str(found).startswith("undercomplete, 300 held-out rows, 600 training rows: ok\n")
    same = ae_zoo.health(pca, x, x_train).table
    assert np.allclose(same["value"], found.table["value"], rtol=1e-3)


def test_a_network_that_says_the_mean_explains_nothing_and_is_worse_than_pca(linear, x, x_train):
    linear.get_layer("reconstruction").kernel.assign(np.zeros((6, 12)))
    found = ae_zoo.health(linear, x, x_train)
    assert line(found, "share explained")["value"] == pytest.approx(0, abs=1e-3)
    assert line(found, "error beside PCA")["verdict"] == "bad"
    assert "take the linear model" in line(found, "error beside PCA")["advice"]
    assert found.verdict == "bad"


def test_an_identity_copies(x, x_train):
    every = ae_zoo.health(ae_zoo.PCA(12).fit(x_train), x)
    assert line(every, "copies what it sees")["value"] == pytest.approx(1, abs=1e-5)
    assert line(every, "copies what it sees")["verdict"] == "look"
    assert "error beside PCA" not in every.table.index  # which loses nothing either
    four = line(ae_zoo.health(ae_zoo.PCA(4).fit(x_train), x), "copies what it sees")
    assert four["verdict"] == "ok"
    assert four["value"] < 0.6


def test_what_knows_ten_rows_by_heart_is_overfit():
    random = np.random.default_rng(3)
    few, new = random.normal(size=(10, 20)).astype("float32"), random.normal(size=(200, 20)).astype("float32")
    found = line(ae_zoo.health(ae_zoo.PCA(9).fit(few), new, few), "overfit")
    assert found["verdict"] == "bad"
    assert found["value"] > 1000
    assert "by heart" in found["advice"]


# The units of a code.


def test_dead_and_duplicate_units_are_found(linear, x):
    kernel = np.array(linear.get_layer("code").kernel)
    kernel[:, 1] = 0
    kernel[:, 4] = -2 * kernel[:, 0]
    kernel[:, 5] = kernel[:, 2]
    linear.get_layer("code").kernel.assign(kernel)
    linear.get_layer("code").bias.assign([0, 3, 0, 0, 0, 0])
    found = ae_zoo.health(linear, x)
    assert list(found.units["state"]) == ["", "dead", "", "", "as unit 0", "as unit 2"]
    assert (line(found, "dead units")["value"], line(found, "duplicate units")["value"]) == (1, 2)
    assert line(found, "dead units")["advice"].startswith(
        "1 unit is the same for every row, of 6: 1. Build with code=5"
    )
    assert "Build with code=3" in line(found, "duplicate units")["advice"]
    assert line(found, "dead units")["verdict"] == "look"
    assert "- dead units: 1 unit is the same for every row" in str(found)
    linear.get_layer("code").kernel.assign(0 * kernel)
    found = ae_zoo.health(linear, x)
    assert (line(found, "dead units")["verdict"], line(found, "active dimensions")["value"]) == ("bad", 0)


def test_units_at_a_bound_are_saturated():
    random = np.random.default_rng(4)
    codes = np.tanh(random.normal(size=(500, 3)) * [0.5, 0.5, 1000])
    codes = np.column_stack([codes, np.ones(500)])
    units = Units.of(codes, "tanh")
    assert units.saturated.tolist() == [False, False, True, False]
    assert units.dead.tolist() == [False, False, False, True]
    assert not Units.of(codes, "linear").saturated.any()
    assert Units.of(random.normal(size=(20_000, 5)), "linear").active_dimensions == pytest.approx(5, abs=0.02)
    assert Units.of(random.normal(size=(10, 50)), "linear").active_dimensions < 9.5  # fewer rows than units


def test_the_advice_names_what_the_model_has(x_train, x):
    model = ae_zoo.build("sparse", data=x_train, code=4, hidden=[8], activation="relu", seed=1)
    model.adapt(x_train)
    model.get_layer("code").kernel.assign(np.zeros((8, 4)))
    advice = line(ae_zoo.health(model, x), "dead units")["advice"]
    assert advice.endswith("Build with activation='elu' or a weaker penalty.")  # KL needs a tanh code


# Priors.


def test_collapsed_dimensions_of_a_variational_model(x_train, x):
    model = ae_zoo.build("variational", data=x_train, code=3, hidden=[], seed=1)
    model.adapt(x_train)
    mean, head = model.get_layer("code"), model.get_layer("code_log_variance")
    kernel = np.zeros((12, 3))
    kernel[0, 0], kernel[1, 1] = 1, 0.5
    mean.kernel.assign(kernel)
    head.kernel.assign(np.zeros((12, 3)))
    head.bias.assign(np.log([0.25, 0.25, 1]))
    found = ae_zoo.health(model, x)
    scaled = (x - x_train.mean(axis=0)) / x_train.std(axis=0)
    expected = [
        (np.square(scaled[:, 0]).mean() + 0.25 - 1 - np.log(0.25)) / 2,
        (np.square(scaled[:, 1] / 2).mean() + 0.25 - 1 - np.log(0.25)) / 2,
        0,
    ]
    assert np.allclose(found.units["kl"], expected, atol=1e-4)
    assert line(found, "KL divergence")["value"] == pytest.approx(sum(expected), rel=1e-4)
    active = line(found, "active units")
    assert (active["value"], active["verdict"]) == (2, "look")
    assert "The others, 2, follow the prior" in active["advice"]
    assert "code=2" in active["advice"]
    mean.kernel.assign(0 * kernel)
    found = ae_zoo.health(model, x)
    assert (line(found, "active units")["verdict"], line(found, "KL divergence")["verdict"]) == ("bad", "bad")


@pytest.mark.parametrize("options", [{}, {"n_clusters": 3}])
def test_codes_far_from_the_prior_are_told_by_the_discriminator(x_train, x, options):
    """Codes near 100, and a discriminator that takes what is below 5 for a sample of the prior."""
    model = ae_zoo.build("adversarial", data=x_train, code=2, hidden=[], discriminator=[1], seed=1, **options)
    model.adapt(x_train)
    style = model.get_layer(model.STYLE)
    style.bias.assign([100, 0])
    hidden, logit = model.get_layer("style_discriminator_0"), model.get_layer("style_discriminator")
    hidden.kernel.assign([[-1.0], [0.0]])
    hidden.bias.assign([5.0])
    logit.kernel.assign([[1.0]])
    found = ae_zoo.health(model, x)
    assert line(found, "discriminator")["value"] == 1
    assert [line(found, check)["verdict"] for check in ("discriminator", "distance from prior")] == ["bad", "bad"]
    # Standard normal codes match; to a discriminator that always says "sample" it is chance.
    style.kernel.assign(np.eye(12)[:, :2] if not options else np.linalg.pinv(np.eye(12))[:, :2])
    style.bias.assign([0, 0])
    random = np.random.default_rng(5)
    model.adapt(random.normal(size=(2000, 12)))
    accuracy, discrepancy = model.beside_prior(random.normal(size=(2000, 12)))
    assert accuracy == pytest.approx(0.5, abs=0.01)
    assert abs(discrepancy) < 0.01


def test_generated_copies_are_found_and_smooth_rows_are_none(x_train, x):
    model = ae_zoo.build("variational", data=x_train, code=3, hidden=[], seed=1)
    model.adapt(x_train)

    def generating(rows):
        model.generate = lambda n, seed: np.resize(rows, (n, 12))
        return {one.check: one for one in copies(Subject(model, x, x_train, model.encode(x), 1))}

    noise = 0.01 * np.random.default_rng(6).normal(size=x_train.shape).astype("float32")
    copied = generating(x_train + noise)
    assert [one.verdict for one in copied.values()] == ["bad", "bad"]
    assert [one.value for one in copied.values()] == [1, 1]
    fresh = generating(draw(500, 7))
    assert [one.verdict for one in fresh.values()] == ["ok", "ok"]
    assert fresh["copies of training rows"].value == pytest.approx(0, abs=0.15)
    some = generating(np.concatenate([x_train[:250], draw(250, 7)]))
    assert some["copies of training rows"].value == pytest.approx(0.5, abs=0.08)
    smooth = generating(0.5 * draw(500, 8))
    assert smooth["close to training rows"].value > 0.05  # nearer to all rows, and yet no copies
    assert [one.verdict for one in smooth.values()] == ["ok", "ok"]
    one = generating(x_train[:1])  # by chance: a generator of one row says nothing
    assert one["copies of training rows"].verdict == "ok"
    assert copies(Subject(model, x, None, model.encode(x), 1)) == []


def test_a_model_with_a_prior_is_asked_for_rows(x_train, x):
    model = ae_zoo.build("variational", data=x_train, code=3, hidden=[], seed=1)
    model.adapt(x_train)
    assert line(ae_zoo.health(model, x, x_train), "copies of training rows")["value"] <= 1


# Kinds of rows, pages, files.


def test_a_table_of_what_is_usual_explains_nothing(tmp_path):
    """A new model of a table says what is usual: its outputs are near 0."""
    frame = table(300)
    model = ae_zoo.build("undercomplete", data=frame, hidden=[], code=4, seed=1)
    model.adapt(frame)
    found = ae_zoo.health(model, table(200, seed=1), frame)
    assert line(found, "share explained")["value"] == pytest.approx(0, abs=0.02)
    assert "error beside PCA" not in found.table.index
    assert line(found, "overfit")["value"] == pytest.approx(1, abs=0.1)


def test_images_and_a_page(tmp_path):
    images = np.random.default_rng(8).random((40, 8, 8), "float32")
    model = ae_zoo.build("convolutional", data=images, hidden=[2], code=3, seed=1)
    model.adapt(images)
    found = ae_zoo.health(model, images[:20], images[20:])
    page = found.page(tmp_path / "health.html").read_text()
    for check in found.table.index:
        assert check in page
    assert "<img" in page
    assert set(found.table.index) >= NAMES | {"share explained", "overfit"}


def test_a_model_whose_reconstructions_say_nothing_is_examined_by_its_code(x_train, x):
    model = ae_zoo.build("winner_take_all", data=x_train, code=8, threshold=False, seed=1)
    model.adapt(x_train)
    found = ae_zoo.health(model, x)
    assert line(found, "reconstruction")["verdict"] == "look"
    assert set(found.table.index) == NAMES | {"reconstruction"}
    assert found.errors == {}


def test_bad_input(linear, x, x_train):
    new = ae_zoo.build("undercomplete", data=x_train)
    for model, rows, training, message in (
        (new, x, None, "has not been trained"),
        (linear, x[:9], None, "at least 10 rows as x; received 9"),
        (linear, x, x_train[:9], "at least 10 rows as x_train; received 9"),
        (linear, x, x, "are the same rows"),
        (linear, x[:, :3], None, "received rows of 3"),
        ("model.keras", x, None, "health needs a model of ae_zoo or a PCA; received a str"),
    ):
        with pytest.raises(ae_zoo.AEZooError, match=message):
            ae_zoo.health(model, rows, training)


def test_the_command(run, linear, x, x_train, tmp_path):
    linear.save(tmp_path / "model.keras")
    np.save(tmp_path / "x.npy", x)
    np.save(tmp_path / "train.npy", x_train)
    code, out, _ = run("health", "model.keras", "x.npy", "--train", "train.npy", "--page", "health.html")
    assert code == 0
    assert "share explained" in out
    assert (tmp_path / "health.html").is_file()
    for args, message in (
        (("none.keras", "x.npy"), "There is no model file none.keras"),
        (("model.keras", "none.npy"), "There is no file or folder none.npy"),
        (("model.keras", "x.npy", "--train", "x.npy"), "the same rows"),
    ):
        code, _, err = run("health", *args)
        assert (code, message in err) == (2, True), err


def test_the_card_has_a_few_figures(linear, x, tmp_path):
    version = ae_zoo.export(linear, tmp_path / "linear", x_test=x)
    metrics, whole = versions.card(version)["metrics"], ae_zoo.health(linear, x)
    for check in ("share explained", "active dimensions"):
        assert metrics[check] == pytest.approx(line(whole, check)["value"], rel=1e-6)
    assert metrics["share of dead units"] == 0
