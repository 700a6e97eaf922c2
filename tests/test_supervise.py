"""A classifier or a regressor on a trained encoder."""

import subprocess
import sys

import keras
import numpy as np
import pytest

import ae_zoo
from ae_zoo.families import FAMILIES
from ae_zoo.training.targets import Classes, task_of
from tests.test_conformance import make

FULL = {"freeze": True, "learning_rate": 0.2, "batch_size": 64, "validation": 0, "epochs": 40, "verbose": 0}
QUICK = {"batch_size": 64, "epochs": 2, "verbose": 0, "learning_rate": 0.05}


# TensorFlow says so of the batches' own functions, which are compiled nevertheless.
pytestmark = pytest.mark.filterwarnings("ignore:Even though the `tf.config")


@pytest.fixture(autouse=True)
def eagerly(request):
    """For steps that are sooner done than compiled; a slow test compiles."""
    import tensorflow as tf

    tf.config.run_functions_eagerly(request.node.get_closest_marker("slow") is None)
    yield
    tf.config.run_functions_eagerly(False)


@pytest.fixture
def model(x):
    """A model in units of its own whose code is the row itself, scaled: what a head can learn is known."""
    x = 100 * x - 30
    model = ae_zoo.build("undercomplete", data=x, code=8, hidden=[], seed=1)
    model.adapt(x)
    model.get_layer("code").set_weights([np.eye(8), np.zeros(8)])
    return model


@pytest.fixture
def labels(x):
    return (x[:, 0] > np.median(x[:, 0])).astype(int)


@pytest.mark.slow
@pytest.mark.parametrize("family", [*sorted(FAMILIES), "maps", "k_sparse", "layers"])
def test_every_family_gives_a_classifier_and_stays_as_it_is(family, x, labels, tmp_path):
    options = {
        "maps": {"input_shape": (2, 4), "network": "convolutional"},
        "k_sparse": {"winners": "k_sparse", "share": 0.5},
        "layers": {"normalization": "batch", "dropout": 0.1, "max_norm": 1.0, "corruption": "masking"},
    }.get(family, {})
    known = {"maps": "winner_take_all", "k_sparse": "winner_take_all", "layers": "sparse"}
    model = make(known.get(family, family), **options)
    x = x.reshape(-1, *model.config.input_shape)
    model.adapt(x)
    before, codes = model.get_weights(), model.encode(x)
    classifier = ae_zoo.supervise(model, x, labels, **QUICK)
    for one, other in zip(before, model.get_weights(), strict=True):
        assert np.array_equal(one, other)
    assert model.encoder.trainable
    answers = np.asarray(classifier(x))
    assert answers.shape == (64, 2)
    assert np.allclose(answers.sum(axis=1), 1, atol=1e-5)
    classifier.save(tmp_path / "classifier.keras")
    loaded = keras.models.load_model(tmp_path / "classifier.keras")
    assert np.array_equal(loaded(x), answers)
    loaded.fit(x, labels, epochs=1, verbose=0)  # compiled still
    frozen = ae_zoo.supervise(model, x, labels, freeze=True, **{**QUICK, "epochs": 1})
    assert np.allclose(frozen.get_layer("encoder")(x), codes, atol=1e-6)
    assert [weight.path for weight in frozen.trainable_weights] == ["head/kernel", "head/bias"]


@pytest.mark.parametrize("family", ["denoising", "winner_take_all", "sparse"])
def test_what_served_the_autoencoder_alone_is_left_out(family, x, labels):
    model = make(family)
    model.adapt(x)
    classifier = ae_zoo.supervise(model, x, labels, **QUICK)
    answers = [np.asarray(classifier(x, training=training)) for training in (True, False)]
    assert np.array_equal(*answers)
    assert classifier.losses == []
    model(x)
    assert model.losses or family != "sparse"


@pytest.mark.slow
def test_a_linear_rule_is_learned(model, x, labels):
    classifier = ae_zoo.supervise(model, 100 * x - 30, labels, **FULL)
    assert (np.asarray(classifier(100 * x - 30)).argmax(axis=1) == labels).mean() >= 0.98


@pytest.mark.slow
def test_numbers_come_in_their_own_units(model):
    """A linear map of the rows, which least squares finds without an error; one number is large and one is small."""
    rows = np.random.default_rng(0).uniform(-30, 70, (64, 8)).astype("float32")
    y = rows @ np.random.default_rng(1).normal(size=(8, 2)) * [1e5, 1e-3] + [3e6, 7]
    regressor = ae_zoo.supervise(model, rows, y, **FULL)
    error = np.abs(np.asarray(regressor(rows)) - y).mean(axis=0)
    assert np.all(error < 0.1 * y.std(axis=0)), error / y.std(axis=0)
    assert ae_zoo.supervise(model, rows, y[:, 0], **{**FULL, "epochs": 1}).output_shape == (None, 1)


@pytest.mark.slow
def test_rows_without_a_label_and_held_out_rows_are_not_trained_on(model, x, labels):
    rows, some = 100 * x - 30, np.where(np.arange(64) < 40, labels, -1)
    plan = {"validation": (rows[50:], labels[50:]), **QUICK}
    with_all, alone = (ae_zoo.supervise(model, *given, **plan) for given in ((rows, some), (rows[:40], labels[:40])))
    for one, other in zip(with_all.get_weights(), alone.get_weights(), strict=True):
        assert np.array_equal(one, other)


def test_a_second_training_that_does_harm_is_taken_back(model, x, labels):
    """The held-out labels are the wrong ones: what the whole network learns can only make them less likely."""
    rows = 100 * x - 30
    plan = {"validation": (rows, 1 - labels), **QUICK}
    frozen, whole = (ae_zoo.supervise(model, rows, labels, freeze=freeze, **plan) for freeze in (True, False))
    for one, other in zip(frozen.get_weights(), whole.get_weights(), strict=True):
        assert np.array_equal(one, other)


@pytest.mark.parametrize("kind", ["int8", "uint8", "int64", "bool", "object"])
def test_whole_numbers_are_labels(labels, kind):
    assert task_of(labels.astype(kind), None) == Classes(2)
    assert task_of(labels.astype("float16"), None).width == 1


def test_classes_that_do_not_occur_have_a_probability_too(model, x, labels):
    assert ae_zoo.supervise(model, 100 * x - 30, labels, classes=5, **QUICK).output_shape == (None, 5)


@pytest.mark.parametrize(
    ("y", "options", "words"),
    [
        (np.array(["a", "b"] * 32), {}, r"values of type <U1: number classes with names by names, y = np\.unique"),
        (np.array([3, 7] * 32), {}, r"labels from 0 without gaps; received \[3, 7\]: give classes="),
        (np.full(64, -1), {}, "y has no label"),
        (np.zeros(64, int), {}, "at least two classes"),
        (np.array([0, 5] * 32), {"classes": 3}, r"from -1 \(no label\) to 2; received 5"),
        (np.zeros((64, 2), int), {"classes": 2}, r"an array of shape \(64, 2\)"),
        (np.zeros((64, 2, 2)), {}, r"numbers of shape \(n,\) or \(n, k\)"),
        (np.full(64, np.nan), {}, "y must be finite"),
        (np.zeros(64), {"classes": 2}, r"give y\.astype\(int\)"),
        (np.zeros(63), {}, "one entry for each of the 64 rows of x; received 63"),
        (np.array([0, 1] * 32), {"validation": np.zeros((4, 8))}, "a pair of rows and their y"),
        (np.array([0, 1] * 32), {"validation": 1.5}, "validation must be a share"),
        (np.array([0, 1] * 32), {"validation": (np.zeros((2, 8)), [-1, -1])}, "held-out rows have no label"),
        (np.array([0, 1] * 32), {"epochs": 0}, "epochs must be a whole number of at least 1"),
        (np.array([0, 1] * 32), {"learning_rate": 0}, "learning_rate must be above 0"),
        (np.array([0, 1] * 32), {"seed": None}, "seed must be a whole number"),
    ],
)
def test_what_cannot_be_used_is_refused_in_a_sentence(model, x, y, options, words):
    with pytest.raises(ae_zoo.AEZooError, match=words):
        ae_zoo.supervise(model, 100 * x - 30, y, **options)


def test_an_untrained_model_is_refused(x, labels):
    with pytest.raises(ae_zoo.AEZooError, match=r"call ae_zoo\.fit\(model, x\) first"):
        ae_zoo.supervise(make("sparse"), x, labels)


@pytest.mark.slow
def test_another_process_loads_it_by_keras(x, labels, tmp_path):
    model = make("winner_take_all", corruption="masking", scaling="minmax", dropout=0.1, winners="k_sparse")
    model.adapt(x)
    classifier = ae_zoo.supervise(model, x, labels, **QUICK)
    classifier.save(tmp_path / "classifier.keras")
    np.save(tmp_path / "x.npy", x)
    code = (
        "import keras, numpy as np\n"
        "from ae_zoo import supervise\n"
        "classifier = keras.models.load_model('classifier.keras')\n"
        "np.save('answers.npy', classifier(np.load('x.npy')))"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert np.allclose(np.load(tmp_path / "answers.npy"), classifier(x), atol=1e-6)
