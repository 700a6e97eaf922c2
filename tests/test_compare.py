"""Whether rows need an autoencoder: the rivals, the made-up strangers and the rule, against known answers."""

import numpy as np
import pytest
from sklearn.metrics import average_precision_score, roc_auc_score

import ae_zoo
from ae_zoo.detection import strangers
from ae_zoo.detection.compare import OURS, judged
from ae_zoo.detection.ecod import ecod
from ae_zoo.detection.judge import Area
from ae_zoo.detection.rivals import RIVALS
from ae_zoo.evaluation.plain import plain
from tests.mixed import table

BRIEF = {"fit": {"epochs": 2}, "hidden": [], "verbose": 0}


@pytest.fixture(scope="module")
def plane():
    """Rows near a plane of 3 of 12 dimensions, on which PCA is exactly right."""
    random = np.random.default_rng(0)
    axes = np.linalg.qr(random.normal(size=(12, 3)))[0].T
    return (random.normal(size=(300, 3)) @ axes + 0.02 * random.normal(size=(300, 12))).astype("float32")


@pytest.fixture(scope="module")
def compared(plane):
    return ae_zoo.compare(plane, **BRIEF)


# The rivals.


def test_ecod_equals_values_by_hand():
    """Of four training rows, each column's larger -log of the share as far out, with the row itself among them."""
    score = ecod(np.array([[1.0, 0.0], [2.0, 0.0], [3.0, 0.0], [4.0, 9.0]]))
    found = score(np.array([[5.0, 0.0], [2.0, 9.0], [2.5, 4.0]]))
    by_hand = [
        -np.log(1 / 5) - np.log(4 / 5),  # alone above; the tie of three zeros counts, and the row itself
        -np.log(3 / 5) - np.log(2 / 5),
        -np.log(3 / 5) - np.log(2 / 5),
    ]
    assert np.allclose(found, by_hand)


def test_pca_is_right_on_a_plane_and_neighbors_are_on_clusters(plane):
    random = np.random.default_rng(1)
    off = plane[200:] + random.normal(size=(100, 12))
    areas = {
        name: Area.of(score(plane[100:200]), score(off)[None]).value
        for name, score in ((name, fit(plane[:100].astype("float64"), 1)) for name, fit in RIVALS.items())
    }
    assert max(areas, key=areas.get) == "PCA"
    assert areas["PCA"] > 0.99
    # Between four clusters each cell is usual, so no column tells.
    centers = np.array([[-5, -5], [-5, 5], [5, -5], [5, 5.0]])
    x = centers[random.integers(4, size=400)] + 0.3 * random.normal(size=(400, 2))
    between = 0.3 * random.normal(size=(50, 2)) + np.array([0.0, 5.0])
    near, tails = (
        Area.of(score(x[200:]), score(between)[None]).value
        for score in (RIVALS["kNN"](x[:200], 1), RIVALS["ECOD"](x[:200], 1))
    )
    assert near > 0.99 > 0.6 > tails


def test_rows_that_do_not_vary_are_scored():
    for fit in RIVALS.values():
        assert np.isfinite(fit(np.ones((20, 3)), 1)(np.zeros((2, 3)))).all()


def test_plain_rows_are_one_hot_and_imputed():
    frame = table(200)
    model = ae_zoo.build("undercomplete", data=frame, hidden=[], code=2)
    model.adapt(frame)
    found = plain(model, model.check_rows(frame))
    one_hot = sum(1 + len(column.levels) for column in model.schema.table if column.discrete)
    assert found.shape == (200, one_hot + 3)
    amount = frame["amount"].to_numpy()
    place = 2 + sum(len(column.levels) for column in model.schema.table[:2])
    standard = np.nan_to_num((amount - np.nanmean(amount)) / np.nanstd(amount))
    assert np.allclose(found[:, place], standard, atol=1e-3)
    assert (found[frame["city"].isna(), : 1 + len(model.schema.table[0].levels)] == 0).all()


# The judge.


def test_areas_and_their_errors_equal_those_of_scikit_learn_and_of_many_draws():
    random = np.random.default_rng(2)

    def draw():
        ordinary, strange = np.round(random.normal(size=(2, 60)), 1)
        other = np.round(ordinary + random.normal(size=60)), np.round(strange + 1 + random.normal(size=60))
        return Area.of(ordinary, strange[None] + 1), Area.of(other[0], other[1][None])

    many = [draw() for _ in range(400)]
    labels = np.repeat([0, 1], 60)
    ordinary, strange = random.integers(5, size=(2, 60))
    expected = roc_auc_score(labels, np.r_[ordinary, strange])
    assert Area.of(ordinary, strange[None]).value == pytest.approx(expected)
    for error, values in (
        (np.mean([one.error for one, _ in many]), [one.value for one, _ in many]),
        (np.mean([one.error_of_difference(two) for one, two in many]), [one.value - two.value for one, two in many]),
    ):
        assert error == pytest.approx(np.std(values), rel=0.12)


@pytest.mark.parametrize(
    ("ours", "theirs", "best", "words"),
    [
        (0.99, 0.9, OURS, "better than kNN"),
        (0.905, 0.9, "kNN", "kNN is as good and 40 times faster"),
        (0.8, 0.9, "kNN", "kNN is better and 40 times faster"),
        (0.5, 0.49, "kNN", "no help here"),
    ],
)
def test_the_rule(ours, theirs, best, words):
    def area(value):
        return Area(np.full(100, value), np.full((1, 100), value))

    found = judged({OURS: area(ours), "kNN": area(theirs)}, {OURS: 4.0, "kNN": 0.1})
    assert found[0] == best
    assert found[1] == 0.01
    assert words in found[2]


# The made-up strangers.


def test_strangers_are_what_they_say():
    random = np.random.default_rng(3)
    x = np.column_stack([random.normal(size=500), random.integers(0, 3, 500), random.normal(size=(500, 8)).round(3)])
    x[:50, 0] = np.nan
    source = x[:200]
    made = strangers.made(x, source, np.arange(10) == 1, seed=1)
    exchanged, broken, uniform = (made[kind] for kind in ("exchanged", "broken", "uniform"))
    for column in range(10):
        assert set(exchanged[:, column][~np.isnan(exchanged[:, column])]) <= set(source[:, column].astype("float32"))
    same = (exchanged == source.astype("float32")) | np.isnan(source)
    assert 1.3 < (~same).sum(axis=1).mean() <= 2
    moved = np.nan_to_num(broken - source)
    assert ((np.abs(moved) > 1e-5).sum(axis=1) == 1).all()
    steps = np.abs(moved) / np.nanstd(x, axis=0)
    numbers = np.arange(10) != 1
    assert np.allclose(steps[:, numbers][steps[:, numbers] > 1e-3], 3, atol=1e-3)
    assert set(broken[:, 1]) == set(uniform[:, 1]) == {0, 1, 2}
    low, high = np.nanmin(x, axis=0), np.nanmax(x, axis=0)
    assert (uniform[:, numbers] >= (low - 0.11 * (high - low))[numbers]).all()
    assert (uniform[:, numbers] > high[numbers]).any()


# All of it.


def test_pca_or_a_tie_wins_where_pca_is_right(compared):
    assert compared.best == "PCA"
    assert not compared.needs_autoencoder
    assert compared.table.loc["PCA", "auroc"] > 0.95
    assert compared.table.loc["PCA", "auroc"] > compared.table.loc["ECOD", "auroc"] + 0.1
    kinds = compared.table[["exchanged", "broken", "uniform"]]
    assert np.allclose(kinds.mean(axis=1), compared.table["auroc"])
    text = str(compared)
    assert text.endswith("take it, and no autoencoder.")
    assert (
        "Trained on 150 ordinary rows, tested on 75 other ordinary rows and 75 strange rows of each of three kinds, made up"
        in text
    )


def test_with_labels_each_method_is_tested_on_the_same_rows(plane):
    random = np.random.default_rng(4)
    x, y = plane.copy(), np.arange(300) >= 240
    x[y] += random.normal(size=(60, 12))
    found = ae_zoo.compare(x, y, seed=5, **BRIEF)
    assert "Trained on 120 ordinary rows, tested on 120 other ordinary rows and 60 strange rows by the labels" in str(
        found
    )
    ordinary = np.random.default_rng(5).permutation(240)
    train, test = x[ordinary[:120]].astype("float64"), x[np.r_[ordinary[120:], 240:300]]
    score = ecod(train)(test)  # its ranks do not depend on the scale
    labels = np.repeat([0, 1], [120, 60])
    assert found.table.loc["ECOD", "auroc"] == pytest.approx(roc_auc_score(labels, score), abs=1e-6)
    expected = average_precision_score(labels, score)
    assert found.table.loc["ECOD", "average_precision"] == pytest.approx(expected, abs=1e-6)


@pytest.mark.parametrize("rows", ["images", "table"])
def test_images_and_tables(rows):
    x = np.random.default_rng(6).random((60, 6, 6), "float32") if rows == "images" else table(80)
    found = ae_zoo.compare(x, **BRIEF)
    assert list(found.table.index.sort_values()) == ["ECOD", "IsolationForest", "PCA", "autoencoder", "kNN"]
    assert found.table.notna().all(axis=None)
    assert found.table["uniform"].max() > 0.8


@pytest.mark.parametrize(
    ("rows", "y", "options", "message"),
    [
        (39, None, {}, "at least 40 ordinary rows; received 39"),
        (100, np.zeros(100), {}, "at least 2 strange rows and 2 others; 0 of its 100 labels are 1"),
        (100, np.ones(100), {}, "100 of its 100 labels are 1"),
        (100, np.arange(100), {}, "y must be 0 or 1 for each row, 1 for a strange one; received '10' too"),
        (100, ["no"] * 50 + ["yes"] * 50, {}, "received 'no' too"),
        (100, ["True"] * 100, {}, "100 of its 100 labels are 1"),
        (100, np.zeros(99), {}, r"for each of the 100 rows, 1 for a strange one; received the shape (99,)"),
        (100, None, {"held_out": 0.1}, "held_out is for a threshold"),
        (100, None, {"famly": "sparse"}, "There is no option 'famly'"),
    ],
)
def test_bad_input(rows, y, options, message):
    with pytest.raises(ae_zoo.AEZooError) as caught:
        ae_zoo.compare(np.random.default_rng(0).random((rows, 3)), y, **options)
    assert message in str(caught.value)


def test_the_command(run, plane, tmp_path):
    import pandas as pd

    frame = pd.DataFrame(plane[:120], columns=[f"sensor_{index}" for index in range(12)])
    frame["broken"] = (np.arange(120) >= 100).astype(int)
    frame.loc[100:, "sensor_3"] += 5
    frame.to_csv(tmp_path / "sensors.csv", index=False)
    code, out, _ = run("compare", "sensors.csv", "--labels", "broken")
    assert code == 0
    assert "tested on 50 other ordinary rows and 20 strange rows by the labels" in out
    assert "take it" in out
    for args, message in (
        (("none.csv",), "There is no file or folder none.csv"),
        (("sensors.csv", "--labels", "sensor_1"), "y must be 0 or 1"),
        (("sensors.csv", "--labels", "brokn"), "must name a column"),
    ):
        code, _, err = run("compare", *args)
        assert (code, message in err) == (2, True), err
