"""What a detector promises, and what makes a row strange, against known answers."""

import numpy as np
import pytest
import scipy.stats
import sklearn.neighbors

import ae_zoo
from ae_zoo import serving
from ae_zoo.detection import conformal, stored
from ae_zoo.detection.conformal import Calibration
from ae_zoo.detection.neighbors import Neighbors
from ae_zoo.detection.scores import Combined
from ae_zoo.detection.surprise import knots_of, surprise
from ae_zoo.schemas import ArraySchema
from tests.mixed import table


class Scores(ae_zoo.PCA):
    """A model whose error of a row is the row's first feature."""

    has_learned = True
    schema = ArraySchema(input_shape=2, columns=("score", "group"))

    def reconstruction_error(self, x, per_feature=False):
        return np.asarray(x) if per_feature else np.asarray(x)[:, 0]

    def fresh(self):
        return Scores()

    def fit(self, x, schema=None):
        self.seen = len(x)
        return self


def rows(scores, groups=0.0):
    return np.column_stack([scores, np.broadcast_to(groups, len(scores))]).astype("float32")


# p-values and thresholds.


@pytest.mark.parametrize("levels", [None, 5])
def test_p_values_keep_their_word_also_with_ties(levels):
    """P(p <= a) <= a over new held-out rows each time; without ties it is the largest multiple of 1/100 below a."""
    random = np.random.default_rng(0)
    draw = (lambda n: random.exponential(size=n)) if levels is None else (lambda n: random.integers(1, levels, n) * 1.0)
    p = np.array([Calibration.of(draw(99)).p_value(draw(1))[0] for _ in range(4000)])
    for rate in (0.01, 0.1, 0.5):
        spread = 3 * np.sqrt(rate * (1 - rate) / 4000)
        assert np.mean(p <= rate) <= rate + spread
        if levels is None:
            assert np.mean(p <= rate) >= rate - spread


def test_the_interval_of_the_rate_is_that_of_its_beta_distribution():
    """Of 2,000 sets of 99 held-out rows, nine in ten have a true rate within the interval."""
    random = np.random.default_rng(1)
    low, high = Calibration.of(np.arange(99.0)).interval(0.1)
    true = [np.exp(-Calibration.of(random.exponential(size=99)).threshold(0.1)) for _ in range(2000)]
    assert np.mean([low <= rate <= high for rate in true]) == pytest.approx(0.9, abs=0.02)
    assert np.mean(true) == pytest.approx(0.1, abs=0.003)


def test_p_values_and_flags_agree_and_an_unknown_score_has_none():
    detector = ae_zoo.Detector(Scores()).calibrate(rows(np.arange(1, 100)), 0.05)
    new = rows(np.linspace(1, 120, 500))
    assert np.array_equal(detector.flag(new), detector.p_value(new) <= 0.05)
    assert detector.p_value(rows([1000, 0])).tolist() == [0.01, 1.0]
    assert np.isnan(detector.calibrations.p_values(np.array([np.nan]), np.array([0]))[0])
    assert "0.05 of ordinary rows are flagged" in detector.promise()
    detector.threshold = 3.0
    assert detector.flag(new).sum() == (new[:, 0] > 3).sum()
    with pytest.raises(ae_zoo.AEZooError, match="promises nothing"):
        detector.promise()


def test_a_million_scores_are_thinned_on_the_safe_side():
    random = np.random.default_rng(2)
    scores = random.exponential(size=250_000).astype("float32")
    whole, new = Calibration.of(scores), random.exponential(size=1000)
    assert len(whole.scores) == conformal.KEPT
    assert whole.threshold(1e-5) == Calibration.of(np.sort(scores)[-50_000:]).scores[-2]  # the largest are all there
    exact = (1 + (scores[:, None] * (1 + 1e-4) >= new[:100]).sum(axis=0)) / 250_001
    found = whole.p_value(new[:100])
    assert (found >= exact - 1e-7).all()
    assert np.allclose(found, exact, atol=2e-5)


def test_the_selection_equals_that_of_scipy_and_keeps_its_share():
    """Ordinary rows are exponential and one in ten is shifted; over 300 batches the share of ordinary ones is kept."""
    random = np.random.default_rng(3)
    shares = []
    for _ in range(300):
        calibration = Calibration.of(random.exponential(size=500))
        strange = np.arange(200) < 20
        p = calibration.p_value(random.exponential(size=200) + 8 * strange)
        found = conformal.select(p, 0.2)
        assert np.array_equal(found, scipy.stats.false_discovery_control(p) <= 0.2)
        shares.append((found & ~strange).sum() / max(1, found.sum()))
    assert 0.1 < np.mean(shares) <= 0.2
    assert conformal.select(np.array([np.nan, 0.001]), 0.1).tolist() == [False, True]


def test_each_group_has_the_rate():
    """A group whose scores are ten times as large is always flagged by one threshold, and at the rate by its own."""
    random = np.random.default_rng(4)

    def draw(n):
        groups = random.integers(0, 2, n)
        return rows(random.exponential(size=n) * np.where(groups, 10, 1), groups)

    held_out, new = draw(4000), draw(20_000)
    one = ae_zoo.Detector(Scores()).calibrate(held_out, 0.1).flag(new)
    each = ae_zoo.Detector(Scores()).calibrate(held_out, 0.1, by="group")
    for group in (0, 1):
        assert each.flag(new)[new[:, 1] == group].mean() == pytest.approx(0.1, abs=0.02)
    assert one[new[:, 1] == 1].mean() > 0.19
    assert each.flag(rows([1e6, 0], 7)).tolist() == [True, False]  # a group of no held-out row has the threshold of all
    with pytest.raises(ae_zoo.AEZooError, match="no column 'grup'; did you mean 'group'"):
        each.calibrate(held_out, 0.1, by="grup")
    with pytest.raises(ae_zoo.AEZooError, match="too many for groups"):
        each.calibrate(held_out, 0.1, by="score")
    few = np.concatenate([held_out, rows([1, 2, 3], 2)])
    with pytest.raises(ae_zoo.AEZooError, match="at least 9 held-out rows; received 3. In the group group = 2"):
        each.calibrate(few, 0.1, by="group")


def test_folds_score_each_row_by_a_model_that_has_not_seen_it():
    random = np.random.default_rng(5)
    x = random.normal(size=(60, 3)) @ random.normal(size=(3, 6)) + 0.1 * random.normal(size=(60, 6))
    detector = ae_zoo.Detector(ae_zoo.PCA(3).fit(x)).calibrate(x, 0.1, folds=5, seed=7)
    fold = np.random.default_rng(7).permutation(60) % 5
    for index in range(5):
        own = ae_zoo.PCA(3).fit(x[fold != index]).reconstruction_error(x[fold == index])
        assert np.allclose(detector.out_of_fold[fold == index], own, rtol=1e-4)
    assert detector.out_of_fold.mean() > detector.score(x).mean()
    with pytest.raises(ae_zoo.AEZooError, match="from 2 to 30"):
        detector.calibrate(x, 0.1, folds=31)
    with pytest.raises(ae_zoo.AEZooError, match="give folds"):
        detector.calibrate(x, 0.1, epochs=3)


# What makes a row strange.


def test_surprise_is_the_logarithm_of_the_share_and_goes_on_as_the_tail():
    """Of values with a Pareto tail of exponent 3, P(v > t) = t^-3 from 1 on."""
    values = np.random.default_rng(6).pareto(3, 20_000) + 1
    asked = np.array([1.2, 1.5, 2, 3, 30, 300], "float32")
    found = np.asarray(surprise(asked, *knots_of(values)))
    assert np.allclose(found[:4], 3 * np.log(asked[:4]), rtol=0.06)
    assert np.allclose(found[4:], 3 * np.log(asked[4:]), rtol=0.15)
    assert np.all(np.diff(found) > 0)
    assert np.allclose(np.asarray(surprise(np.zeros(1, "float32"), *knots_of(values))), 0, atol=0.06)


def test_of_values_that_never_vary_the_farther_one_is_the_more_surprising():
    found = np.asarray(surprise(np.array([1, 2, 1e6], "float32"), *knots_of(np.ones(100))))
    assert found[0] < 0.06
    assert np.all(np.diff(found) > 0.5)
    zeros = np.asarray(
        surprise(np.array([0, 10, 1e6], "float32"), *knots_of(np.repeat([0.0, 1, 2, 4], [950, 20, 20, 10])))
    )
    assert np.all(np.diff(zeros) > 1)


def test_rows_that_repeat_have_no_distance_in_whatever_runtime():
    import tensorflow as tf

    random = np.random.default_rng(0)
    kinds = (random.random((200, 100)) < 0.3).astype("float32")
    near = Neighbors.of(np.repeat(kinds, 10, axis=0), 5, 2000, 1, 0.01)
    assert np.asarray(near.distance(kinds)).max() == 0
    assert np.asarray(tf.function(near.distance, jit_compile=True)(kinds)).max() == 0


def test_the_distance_equals_that_of_scikit_learn():
    random = np.random.default_rng(7)
    points = (random.normal(size=(500, 4)) @ random.normal(size=(4, 4)) + 3).astype("float32")
    new = (3 + 5 * random.normal(size=(50, 4))).astype("float32")
    for ridge in (None, 0.0, 0.3):
        near = Neighbors.of(points, 5, 500, 1, ridge)
        covariance = np.cov(points.T, bias=True)
        covariance += (ridge or 0) * np.trace(covariance) / 4 * np.eye(4)
        kernel = np.eye(4) if ridge is None else np.linalg.inv(covariance)
        model = sklearn.neighbors.NearestNeighbors(
            metric="mahalanobis", metric_params={"VI": kernel}, algorithm="brute"
        )
        distance = model.fit(points).kneighbors(new, 5)[0].mean(axis=1)
        assert np.allclose(np.asarray(near.distance(new)), distance, rtol=1e-3)


@pytest.fixture(scope="module")
def line():
    """Rows on a piece of a line: a network extends it to far rows, and reconstructs them well."""
    random = np.random.default_rng(8)
    x = random.uniform(-1, 1, size=(1500, 1)) @ np.ones((1, 6)) + 0.05 * random.normal(size=(1500, 6))
    return ae_zoo.detect(x, "undercomplete", code=1, hidden=[], false_alarm_rate=0.05, verbose=0, fit={"epochs": 60})


def test_far_rows_cannot_pass(line):
    far = np.linspace(3, 30, 20)[:, None] @ np.ones((1, 6))
    alone = ae_zoo.Detector(line.model)
    ordinary = np.linspace(-1, 1, 200)[:, None] @ np.ones((1, 6)) + 0.05 * np.random.default_rng(1).normal(
        size=(200, 6)
    )
    alone.calibrate(ordinary, 0.05)
    assert not alone.flag(far[:2]).any()
    assert line.flag(far).all()
    assert line.flag(ordinary).mean() < 0.12
    assert np.all(np.diff(line.score(far)) > 0)  # the farther, the stranger
    assert list(line.score_parts(far)) == ["reconstruction", "code", "row"]
    assert np.allclose(line.score_parts(far).mean(axis=1), line.score(far))


def test_top_finds_one_broken_sensor_among_many():
    random = np.random.default_rng(9)
    x = (random.normal(size=(400, 5)) @ random.normal(size=(5, 200)) + random.normal(size=(400, 200))).astype("float32")
    pca = ae_zoo.PCA(5).fit(x[:200])
    broken = x[300:].copy()
    broken[np.arange(100), random.integers(0, 200, 100)] += 6
    found = {top: ae_zoo.Detector(pca, top=top).calibrate(x[200:300], 0.05).flag(broken).mean() for top in (None, 1)}
    assert found[1] > 0.6
    assert found[None] < found[1] - 0.15


@pytest.mark.slow
def test_a_detector_of_several_networks_of_a_table_is_the_same_in_a_file_and_served(tmp_path):
    frame = table(800)
    detector = ae_zoo.detect(
        frame, members=2, by="member", false_alarm_rate=0.1, hidden=[16], code=3, verbose=0, fit={"epochs": 3}
    )
    new = table(60, seed=3)
    detector.save(tmp_path / "d.zip")
    ae_zoo.export(detector, tmp_path / "served")  # with random rows as examples
    assert serving.check(tmp_path / "served").passed
    ae_zoo.export(detector, tmp_path / "served", x_test=new)
    assert serving.check(tmp_path / "served").passed
    for path in ("d.zip", "served"):
        again = ae_zoo.Detector.load(tmp_path / path)
        assert np.allclose(again.score(new), detector.score(new), rtol=1e-5)
        assert np.array_equal(again.flag(new), detector.flag(new))
        assert np.allclose(again.p_value(new), detector.p_value(new))
        assert (again.false_alarm_rate, again.promise()) == (0.1, detector.promise())
    reasons = detector.explain(new, top=2)
    assert reasons.shape == (120, 6)


# Bad input.


def test_what_spoils_the_promise_is_said(x):
    model = ae_zoo.PCA(2).fit(x)
    with pytest.raises(ae_zoo.AEZooError, match="need both x_train and x_held_out"):
        ae_zoo.Detector([model, model])
    with pytest.raises(ae_zoo.AEZooError, match="at least one model"):
        ae_zoo.Detector([])
    random = np.random.default_rng(0)
    held_out = random.random((40, 8))
    detector = ae_zoo.Detector(model, x_train=x, x_held_out=held_out)
    with pytest.warns(ae_zoo.AEZooWarning, match="100% of the rows of x are also among the rows that"):
        detector.calibrate(x, 0.1)
    with pytest.warns(ae_zoo.AEZooWarning, match="All held-out rows have the same score"):
        ae_zoo.Detector(Scores()).calibrate(rows(np.ones(50)), 0.1)
    with pytest.raises(ae_zoo.AEZooError, match="no part 'kode'; did you mean 'code'"):
        ae_zoo.Detector(model, x_train=x, x_held_out=held_out, parts=["kode"])
    with pytest.raises(ae_zoo.AEZooError, match="at least 99 rows; received 64"):
        ae_zoo.detect(x)
    assert isinstance(detector.score_, Combined)


@pytest.mark.parametrize(
    ("rows", "said"),
    [([["a", "b"]] * 20, "x must hold numbers"), ([[1, 2], [3]] * 20, "cannot be read"), (None, "must hold numbers")],
)
def test_rows_that_are_no_numbers_are_refused(rows, said):
    for verb in (ae_zoo.detect, ae_zoo.compare):
        with pytest.raises(ae_zoo.AEZooError, match=said):
            verb(rows)


@pytest.mark.parametrize("parts", [[], "row", 5, ["row", "row"], ["error"], [None]])
def test_parts_are_named_once(x, parts):
    with pytest.raises(ae_zoo.AEZooError, match="part"):
        ae_zoo.Detector(ae_zoo.PCA(2).fit(x), x_train=x, x_held_out=x + 1, parts=parts)


@pytest.mark.parametrize("fit", [{"nope": 1}, {"x": 1}, {1: 2}, [1], "epochs"])
def test_options_that_fit_does_not_have_are_refused_before_the_training(x, fit):
    with pytest.raises(ae_zoo.AEZooError, match="ae_zoo.fit"):
        ae_zoo.detect(x, false_alarm_rate=0.1, fit=fit)


def test_a_share_that_leaves_no_training_rows_is_refused(x):
    with pytest.raises(ae_zoo.AEZooError, match="leaves too few of the 64 rows"):
        ae_zoo.detect(x, false_alarm_rate=0.1, held_out=0.95)


@pytest.mark.parametrize("seed", [None, 2**32 - 1])
def test_folds_take_every_seed(x, seed):
    detector = ae_zoo.Detector(ae_zoo.PCA(2).fit(x)).calibrate(x, 0.1, folds=3, seed=seed)
    assert np.isfinite(detector.out_of_fold).all()
    assert detector.refit(x, seed=seed).score(x).shape == (64,)


@pytest.mark.parametrize("scale", [1e308, 1e-320])
def test_only_the_proportions_of_weights_matter(scale):
    scores = np.arange(99.0)
    assert np.array_equal(Calibration.of(scores, np.full(99, scale)).above, Calibration.of(scores).above)


@pytest.mark.parametrize(
    ("name", "change"),
    [
        ("row/bank", lambda value: np.float32(1)),
        ("row/center", lambda value: value[:-1]),
        ("row/knots", lambda value: value * np.nan),
        ("row/knots", lambda value: value[::-1]),
        ("row/slopes", lambda value: -value),
        ("reconstruction/emphasis", lambda value: -value),
        ("limits", lambda value: -value),
        ("seen", lambda value: np.array("none")),
        ("reference/cuts", lambda value: np.float32(1)),
    ],
)
def test_a_file_with_a_changed_array_is_refused(x, tmp_path, monkeypatch, name, change):
    detector = ae_zoo.Detector(ae_zoo.PCA(2).fit(x), x_train=x, x_held_out=x + 1, parts=["reconstruction", "row"])
    detector.calibrate(x + 2, 0.1).save(tmp_path / "d.zip")
    models, state, arrays = stored.read(tmp_path / "d.zip")
    for changed in ((models, state, arrays | {name: change(arrays[name])}), (models, state | {"parts": []}, arrays)):
        monkeypatch.setattr(stored, "read", lambda path, found=changed: found)
        with pytest.raises(ae_zoo.AEZooError, match="d.zip is damaged"):
            ae_zoo.Detector.load("d.zip")


def test_held_out_rows_need_cells_and_a_seed_a_whole_number(x):
    model = ae_zoo.PCA(2).fit(x)
    with pytest.raises(ae_zoo.AEZooError, match="at least 2 rows with a cell; received 1"):
        ae_zoo.Detector(model, x_train=x, x_held_out=x[:1] + 1)
    with pytest.raises(ae_zoo.AEZooError, match="seed must be"):
        ae_zoo.Detector(model, x_train=x, x_held_out=x + 1, seed=-1)


def test_no_command_writes_over_a_file_that_it_reads(run, x, tmp_path):
    np.save(tmp_path / "x.npy", x)
    ae_zoo.Detector(ae_zoo.PCA(2).fit(x)).calibrate(x, 0.1).save(tmp_path / "d.zip")
    (tmp_path / "x.csv").write_text("a,b\n1,2\n")
    for command in (
        ["detect", "x.csv", "--out", "x.csv"],
        ["detect", "x.npy", "--new", "x.csv", "--out", "x.csv"],
        ["detect", "x.npy", "--save", "x.npy"],
        ["monitor", "d.zip", "x.npy", "--page", "d.zip"],
        ["health", "d.zip", "x.npy", "--page", "x.npy"],
    ):
        code, _, said = run(*command)
        assert (code, "would be lost" in said) == (2, True)
