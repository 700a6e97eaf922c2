"""The adversarial family: who moves whom, the priors, the discrepancy, and labels."""

import math

import keras
import numpy as np
import pytest

import ae_zoo
from ae_zoo.families.adversarial import priors
from ae_zoo.training.batches import Batches
from ae_zoo.training.holdout import Data

RANDOM = np.random.default_rng(0)


@pytest.fixture(autouse=True)
def same_draws(monkeypatch):
    """Each test draws the same, whatever ran before it."""
    monkeypatch.setattr(f"{__name__}.RANDOM", np.random.default_rng(1))


def build(**options):
    return ae_zoo.build("adversarial", 8, **{"code": 2, "hidden": [6], "discriminator": [5], "seed": 1, **options})


def parts(model, x, y=None, training=True):
    return {name: np.asarray(part) for name, part in model.loss_parts(x, y, None, training).items()}


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"n_clusters": 3},
        {"n_classes": 3, "heads": "sum"},
        {"prior": "mixture", "n_classes": 10, "labels": "condition"},
    ],
)
def test_each_part_moves_only_the_weights_it_should(options, x):
    import tensorflow as tf

    model = build(**options)
    labels = np.zeros(64, "int32") if "n_classes" in options else None
    moved = {
        "reconstruction": {"encoder", "decoder"},
        "discriminator": {"discriminator"},
        "generator": {"encoder"},
        "classification": {"encoder"},
        "distance": {"encoder"},
    }
    owners = {}
    for owner, networks in {
        "encoder": [model.encoder],
        "decoder": [model.decoder],
        "discriminator": model.networks[2:],
    }.items():
        owners |= {weight.path: owner for network in networks for weight in network.trainable_weights}
    with tf.GradientTape(persistent=True) as tape:
        losses = model.loss_parts(tf.constant(x), labels, None, True)
    for part in losses:
        gradients = tape.gradient(losses[part], model.trainable_weights)
        touched = {
            owners[weight.path]
            for weight, gradient in zip(model.trainable_weights, gradients, strict=True)
            if gradient is not None and np.any(gradient != 0)
        }
        assert touched == moved[part], part


def test_undecided_discriminator_pays_two_log_two(x):
    model = build(adversarial_weight=0.5)
    output = model.discriminator.layers[-1]
    output.set_weights([np.zeros_like(weight) for weight in output.get_weights()])
    losses = parts(model, x)
    assert np.allclose(losses["discriminator"], 2 * math.log(2))
    assert np.allclose(losses["generator"], 0.5 * math.log(2))


def test_discriminator_s_loss_equals_numpy_s(x):
    model = build()
    sample = RANDOM.normal(size=(64, 2)).astype("float32")
    model._prior_sample = lambda labels: keras.ops.convert_to_tensor(sample)
    real, fake = (model.discriminator.predict(code, verbose=0)[:, 0] for code in (sample, model.encode(x)))
    expected = np.log1p(np.exp(-real)) + np.log1p(np.exp(fake))
    assert np.allclose(parts(model, x)["discriminator"], expected, rtol=1e-4)


def draw(name, modes, code=2):
    return np.asarray(priors.PRIORS[name](np.asarray(modes, "int32"), code, keras.random.SeedGenerator(1)))


def test_priors_lie_where_they_should():
    many = np.repeat(np.arange(10), 4000)
    gaussian = draw("gaussian", many, code=3)
    assert np.allclose(gaussian.mean(axis=0), 0, atol=0.02)
    assert np.allclose(np.cov(gaussian.T), np.eye(3), atol=0.03)
    mixture = draw("mixture", many).reshape(10, 4000, 2)
    for mode, points in enumerate(mixture):
        angle = 2 * math.pi * mode / 10
        outwards = np.array([math.cos(angle), math.sin(angle)])
        assert np.allclose(points.mean(axis=0), 1.5 * outwards, atol=0.03)
        assert (points @ outwards).std() == pytest.approx(0.5, abs=0.03)
        assert (points @ [-outwards[1], outwards[0]]).std() == pytest.approx(0.1, abs=0.01)
    roll = draw("swiss_roll", many).reshape(10, 4000, 2)
    radius = np.linalg.norm(roll, axis=2)
    assert np.all(np.diff(radius.mean(axis=1)) > 0)  # the modes follow each other outwards
    angle = np.arctan2(roll[..., 1], roll[..., 0])
    off = (2 * math.pi * radius - angle + math.pi) % (2 * math.pi) - math.pi  # from the spiral, as an angle
    assert np.std(off[5:] / (2 * math.pi)) == pytest.approx(0.05, abs=0.005)
    length = np.histogram(radius.ravel() ** 2, bins=8, range=(0.3, 3.7))[0]
    assert length.std() < 0.05 * length.mean()  # evenly filled: the square of the radius is uniform


def test_mmd_equals_numpy_and_is_zero_on_average_for_one_distribution():
    a, b = RANDOM.normal(size=(30, 2)), RANDOM.normal(size=(40, 2)) + 0.5

    def kernel(p, q):
        distance = np.square(p[:, None] - q[None]).sum(axis=-1)
        return np.mean([4 * s / (4 * s + distance) for s in (0.02, 0.1, 0.5)], axis=0)

    within = [(kernel(s, s).sum() - len(s)) / (len(s) * (len(s) - 1)) for s in (a, b)]
    assert float(priors.mmd(a, b)) == pytest.approx(sum(within) - 2 * kernel(a, b).mean(), abs=1e-5)
    same = [float(priors.mmd(*RANDOM.normal(size=(2, 100, 2)))) for _ in range(100)]
    assert abs(np.mean(same)) < 3 * np.std(same) / 10
    assert float(priors.mmd(RANDOM.normal(size=(100, 2)), 0.3 * RANDOM.normal(size=(100, 2)))) > 10 * np.std(same)


def test_classification_equals_numpy_s_mean_over_the_labelled_rows(x):
    model = build(n_classes=3, classification_weight=0.2)
    y = RANDOM.integers(-1, 3, size=64)
    logits = model.encode(x, "class_logits").astype("float64")
    entropy = np.log(np.exp(logits).sum(axis=1)) - logits[np.arange(64), y]
    losses = parts(model, x, y)["classification"]
    assert losses.mean() == pytest.approx(0.2 * entropy[y >= 0].mean(), rel=1e-4)
    assert np.all(losses[y < 0] == 0)
    assert np.all(parts(model, x, np.full(64, -1))["classification"] == 0)
    assert np.array_equal(model.classify(x), logits.argmax(axis=1))


def test_labels_are_checked(x):
    model = build(n_classes=3)
    for y, message in (
        (np.full(64, 3), r"from -1 \(no label\) to 2; received 3"),
        (np.zeros(63), "one entry for each of the 64 rows of x; received 63"),
        (np.zeros((64, 3)), "a label for each row, 3 classes from 0"),
    ):
        with pytest.raises(ValueError, match=message):
            ae_zoo.fit(model, x, y, verbose=0)
    with pytest.raises(ValueError, match=r"call fit\(x, y\) with -1"):
        model.fit(x, verbose=0)
    with pytest.raises(ValueError, match="no class head"):
        build().classify(x)
    with pytest.raises(ValueError, match="two dimensions"):
        build(prior="mixture", code=3)


def test_few_labels_fill_a_quarter_of_each_batch():
    y = np.full(1000, -1, "int32")
    y[::100] = 4
    batches = Batches(Data(np.zeros((1000, 1), "float32"), y), np.arange(1000), 100, seed=1, labels=True)
    order = batches.order(0)
    known = y[order] >= 0
    assert np.all(known[:, :25])
    assert np.all(np.bincount(order[:, :25].ravel())[::100] == 25)  # each as often as the others


def test_points_of_classes_are_pushed_apart_as_numpy_says(x):
    model = build(n_clusters=3, heads="sum", heads_distance=2.0)
    points = np.array([[0, 0], [1, 0], [0, 3]], "float32")  # 1, 3 and root 10 apart
    model.get_layer("class_points").set_weights([points])
    assert np.allclose(parts(model, x)["distance"], (2 - 1) / 3)


def test_one_row_and_a_wild_label_and_a_frozen_discriminator(x):
    model = build(n_classes=3)
    model.compile(optimizer="sgd", run_eagerly=True)
    history = model.fit(x[:33], np.zeros(33), batch_size=32, epochs=1, verbose=0).history
    assert np.isfinite(history["mmd"][0])
    assert np.isnan(parts(model, x, np.full(64, 3))["reconstruction"]).all()
    model.discriminator.trainable = False
    assert np.isfinite(parts(model, x, np.zeros(64))["generator"]).all()


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"n_classes": 3, "tied": True}, "has two layers"),
        ({"sparsity": 0.1}, "give l1 instead"),
        ({"prior": "swiss_roll", "n_classes": 3, "labels": "condition"}, "n_classes=10"),
        ({"heads": "sum"}, "give n_classes or n_clusters"),
    ],
)
def test_options_that_do_not_go_together_are_refused(options, message):
    with pytest.raises(ValueError, match=message):
        build(**options)


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore:The .*prior:UserWarning")  # too short a run for the styles, which are not asked for
def test_few_labels_name_the_other_rows():
    y = RANDOM.integers(3, size=3000)
    centres = RANDOM.uniform(0.2, 0.8, size=(3, 8))
    rows = np.clip(centres[y] + 0.05 * RANDOM.normal(size=(3000, 8)), 0, 1).astype("float32")
    shown = np.where(np.arange(3000) < 12, y, -1)
    model = build(hidden=[32], discriminator=[32], n_classes=3)
    ae_zoo.fit(model, rows, shown, epochs=10, validation=0, batch_size=100, learning_rate=3e-3, verbose=0)
    assert np.mean(model.classify(rows) == y) > 0.95


@pytest.mark.parametrize("heads", ["concat", "sum"])
def test_generated_rows_are_of_the_class_asked_for(heads, x):
    model = build(n_clusters=3, heads=heads)
    for label in (0, 2):
        rows = model.generate(4, label=label, seed=1)
        assert np.array_equal(rows, model.generate(4, label=label, seed=1))
        assert not np.allclose(rows, model.generate(4, label=1, seed=1))
    assert model.generate(5, seed=1).shape == (5, 8)
    with pytest.raises(ValueError, match="neither classes nor a prior with modes"):
        build().generate(1, label=0)
    with pytest.raises(ValueError, match="from 0 to 2; received 3"):
        model.generate(1, label=3)


def test_codes_come_to_follow_the_prior():
    rows = (1 / (1 + np.exp(-RANDOM.normal(size=(4000, 2)) @ RANDOM.normal(size=(2, 8))))).astype("float32")
    model = build(hidden=[64], discriminator=[64])
    ae_zoo.fit(model, rows, epochs=20, validation=0, batch_size=100, learning_rate=2e-3, verbose=0)
    codes = model.encode(rows)
    assert np.allclose(codes.mean(axis=0), 0, atol=0.15)
    assert np.allclose(np.cov(codes.T), np.eye(2), atol=0.25)


def test_a_game_gone_wrong_is_said():
    model = build()
    fine = {"style_game": [1.38], "class_game": [1.38], "mmd": [0.001], "class_entropy": [1.09]}
    assert model.diagnose(fine) == []
    model = build(n_clusters=3)
    assert model.diagnose(fine) == []
    for change, message in (
        ({"style_game": [0.1], "mmd": [0.5]}, "style game almost always tells codes from the prior"),
        ({"class_game": [0.1]}, "class game almost always tells codes from the prior"),
        ({"style_game": [1.386], "mmd": [0.5]}, "is dead"),
        ({"style_game": [1.0], "mmd": [0.2]}, "do not follow the prior"),
        ({"style_game": [1.0], "mmd": [math.nan]}, "do not follow the prior"),
        ({"class_entropy": [0.1]}, "Few classes are used"),
    ):
        (sentence,) = model.diagnose(fine | change)
        assert message in sentence
