"""Whether new rows are still like the held-out ones, against known answers."""

import numpy as np
import pandas as pd
import pytest
import scipy.stats

import ae_zoo
from ae_zoo.detection import drift
from ae_zoo.detection.drift import Spread
from ae_zoo.detection.martingale import EXPONENTS, Earlier, Martingale, keys_of, scores_of
from ae_zoo.schemas import ArraySchema
from ae_zoo.tables.schema import TableSchema
from tests.mixed import table
from tests.test_detection import Scores, rows


def calm(random, n, groups=None):
    return rows(random.exponential(size=n), random.normal(size=n) if groups is None else random.integers(0, groups, n))


def started(random, held_out=200, **options):
    return ae_zoo.Detector(Scores()).calibrate(calm(random, held_out), 0.05).monitor(**options)


class Mixed(Scores):
    """A model of a table whose error is the first number."""

    def __init__(self, frame=None):
        self.schema = TableSchema.of(table() if frame is None else frame)[0]

    def reconstruction_error(self, x, per_feature=False):
        return np.abs(np.nan_to_num(self.schema.code(x)[:, 2])) + 1


# The martingale.


@pytest.mark.parametrize("levels", [None, 4])
def test_p_values_are_uniform_and_independent_also_with_ties_and_groups(levels):
    random = np.random.default_rng(0)
    scores = random.exponential(size=4000) if levels is None else random.integers(1, levels, 4000) * 1.0
    groups = random.integers(0, 3, 4000)
    keys = keys_of(scores * (1 + groups), groups)
    p, every = Earlier.of(keys[:500]).p_values(keys[500:], random)
    assert scipy.stats.kstest(p, "uniform").pvalue > 0.05
    assert abs(np.corrcoef(p[1:], p[:-1])[0, 1]) < 3 / len(p) ** 0.5
    for group in range(3):
        assert scipy.stats.kstest(p[groups[500:] == group], "uniform").pvalue > 0.05
    assert np.array_equal(np.repeat(every.keys, every.counts), np.sort(keys))


def test_p_values_are_the_shares_of_larger_scores():
    scores = np.random.default_rng(1).exponential(size=700).astype("float32")
    keys = keys_of(scores, np.zeros(700, int))
    found, _ = Earlier.of(keys[:100]).p_values(keys[100:], np.random.default_rng(2))
    part = 1 - np.random.default_rng(2).random(600)
    wanted = [
        ((keys[:i] > keys[i]).sum() + part[i - 100] * (keys[: i + 1] == keys[i]).sum()) / (i + 1)
        for i in range(100, 700)
    ]
    assert np.allclose(found, wanted)
    assert np.allclose(scores_of(keys), scores, rtol=1e-3)


def test_the_capital_is_that_of_bets_that_begin_at_each_row():
    p = np.random.default_rng(3).beta(0.7, 1, 60)
    reserve = 1 / (1 + np.log1p(np.arange(61)))
    won = EXPONENTS * p[:, None] ** (EXPONENTS - 1)
    wanted = [
        reserve[t] + sum((reserve[k] - reserve[k + 1]) * won[k:t].prod(axis=0).mean() for k in range(t))
        for t in range(1, 61)
    ]
    _, capital = Martingale().after(p)
    assert np.allclose(np.exp(capital), wanted)
    first, one = Martingale().after(p[:23])
    assert np.allclose(np.concatenate([one, first.after(p[23:])[1]]), capital)
    assert np.isfinite(Martingale().after(np.full(100_000, 1e-9))[1]).all()


def test_the_capital_reaches_a_limit_as_seldom_as_it_should():
    """P(ever 20) <= 1/20 over 2,000 runs of 1,000 rows; the expectation stays 1, so it is not far below."""
    random = np.random.default_rng(4)
    reached = np.mean([Martingale().after(1 - random.random(1000))[1].max() >= np.log(20) for _ in range(2000)])
    assert 0.01 < reached <= 0.05 + 3 * (0.05 * 0.95 / 2000) ** 0.5


# Columns.


@pytest.mark.parametrize(("scale", "shift"), [(1, 0.5), (2, 0), (1, -3)])
def test_the_distance_of_numbers_is_that_of_wasserstein_in_standard_deviations(scale, shift):
    random = np.random.default_rng(5)
    before, now = 7 * random.normal(size=3000) + 100, 7 * (scale * random.normal(size=2000) + shift) + 100
    spread = Spread.of(before.astype("float32"))
    wanted = scipy.stats.wasserstein_distance(before, now) / before.std()
    assert spread.distance(spread.count(now.astype("float32"))) == pytest.approx(wanted, rel=0.02)


def test_the_distance_of_levels_is_the_share_that_must_change():
    before, now = np.repeat([1.0, 2.0, 3.0], [50, 30, 20]), np.repeat([0.0, 1.0, 2.0], [10, 50, 40])
    spread = Spread.of(before.astype("float32"), 4)
    assert spread.distance(spread.count(now.astype("float32"))) == pytest.approx(0.2)
    nothing = spread.count(np.full(3, np.nan, "float32"))
    assert np.isnan(spread.distance(nothing))
    assert nothing.missing_share == 1


def test_a_constant_that_stays_has_the_distance_0():
    spread = Spread.of(np.full(100, 3, "float32"))
    assert spread.distance(spread.count(np.full(9, 3, "float32"))) == 0
    assert spread.distance(spread.count(np.full(9, 4, "float32"))) == np.inf
    (change,) = drift.changes([spread], [spread.count(np.full(9, 4, "float32"))])
    assert (change.before, change.now) == (0, 1)
    assert change.p_value < 1e-9


def test_p_values_of_tables_are_those_of_scipy():
    tables = np.array([[3, 17, 9, 11], [40, 2, 20, 5], [0, 50, 0, 9]])
    for table_, p in zip(tables, drift._fisher(tables), strict=True):
        sides = [scipy.stats.fisher_exact(table_.reshape(2, 2), side).pvalue for side in ("less", "greater")]
        assert p == pytest.approx(min(1, 2 * min(sides)))


@pytest.mark.parametrize("sizes", [(80, 40), (60, 1), (30, 300)])
@pytest.mark.parametrize("kind", ["normal", "poisson", "level"])
def test_a_column_that_has_not_changed_seldom_has_a_small_p_value(kind, sizes):
    random = np.random.default_rng(6)
    draw = {
        "normal": lambda n: random.normal(size=n),
        "poisson": lambda n: np.where(random.random(n) < 0.1, np.nan, random.poisson(2, n)),
        "level": lambda n: random.choice(5, n, p=[0, 0.6, 0.2, 0.15, 0.05]),
    }[kind]
    before = [Spread.of(draw(sizes[0]).astype("float32"), 5 if kind == "level" else None) for _ in range(1000)]
    p = np.array(
        [
            each.p_value
            for each in drift.changes(before, [each.count(draw(sizes[1]).astype("float32")) for each in before])
        ]
    )
    for rate in (0.02, 0.2):
        assert np.mean(p <= rate) <= rate + 3 * (rate * (1 - rate) / 1000) ** 0.5


def test_holm_refuses_as_its_steps_say():
    p = np.array([0.04, 0.001, 0.02, 0.013])  # with .05: .05/4, .05/3, .05/2, .05
    assert drift.holm(p, 0.05).all()
    assert drift.holm(np.array([0.04, 0.001, 0.03, 0.013]), 0.05).tolist() == [False, True, False, True]


# The monitor.


def test_a_monitor_keeps_its_word_over_all_its_batches():
    """300 monitors of .2 and held-out rows of their own; both halves are used, so more than nothing is found."""
    random = np.random.default_rng(7)
    ever, by_score = [], []
    for _ in range(300):
        monitor = started(random, 100, false_alarm=0.2)
        reports = [monitor.update(calm(random, n)) for n in (60, 1, 120)]
        ever.append(any(report.drifted for report in reports))
        by_score.append(monitor.alarm_row is not None)
    assert np.mean(ever) <= 0.2 + 3 * (0.2 * 0.8 / 300) ** 0.5
    assert 0 < np.mean(by_score) <= 0.1 + 3 * (0.1 * 0.9 / 300) ** 0.5


def test_each_batch_has_its_share_of_the_probability():
    """The same batch again and again, with one p-value: found in the first batches, but not in all."""
    random = np.random.default_rng(16)
    monitor, batch = started(random), calm(random, 200) + np.float32([0, 0.35])
    reports = [monitor.update(batch) for _ in range(30)]
    (p,) = {report.changes[1].p_value for report in reports}
    found = [bool(report.drifts[1]) for report in reports]
    assert found == [p <= 0.005 / (k * (k + 1)) / 2 for k in range(1, 31)]
    assert sum(found) == 7


def test_larger_scores_are_found_soon_also_after_a_long_calm():
    """Scores of twice the size have p-values of Beta(1/2, 1): .19 nats a row for the best bet, of ln 200 and the start's."""
    random = np.random.default_rng(8)
    delays = []
    for _ in range(10):
        monitor = started(random, 1000)
        assert not monitor.update(calm(random, 3000)).drifted
        report = monitor.update(calm(random, 300) * np.float32([2, 1]))
        delays.append(report.alarm_row - 3000)
        assert "the scores have become larger" in report.sentence
    assert max(delays) < 200
    assert np.median(delays) < 100


def test_smaller_scores_break_no_promise():
    random = np.random.default_rng(9)
    monitor = started(random)
    assert monitor.update(calm(random, 1000) * np.float32([0.5, 1])).alarm_row is None


def test_the_shifted_column_is_found_and_no_other():
    random = np.random.default_rng(10)
    frame = pd.DataFrame(random.normal(size=(1500, 12)), columns=list("abcdefghijkl"))
    detector = ae_zoo.Detector(ae_zoo.PCA(3).fit(frame[:500])).calibrate(frame[500:1000], 0.05)
    assert not detector.monitor().update(frame[1000:]).drifted
    report = detector.monitor().update(frame[1000:].assign(g=frame["g"] + 0.5))
    columns = report.columns
    assert columns["column"][columns["drifted"]].tolist() == ["g"]
    assert columns["distance"][0] == pytest.approx(0.5, abs=0.1)
    assert report.drifted
    assert "'g' is spread differently" in str(report)


def test_a_table_with_holes_and_new_levels():
    frame, new = table(), table(seed=1)
    detector = ae_zoo.Detector(Mixed(frame)).calibrate(table(seed=2), 0.05)
    assert not detector.monitor().update(new).drifted
    new.loc[:60, "city"] = "Atlantis"
    new.loc[new.index % 2 == 0, "amount"] = np.nan
    new["since"] += pd.Timedelta("400D")
    found = detector.monitor().update(new).columns.set_index("column")
    assert found.index[found["drifted"]].tolist() == ["since", "amount", "city"]
    assert found.loc["city", "others"] == "Atlantis (61)"
    assert found.loc["city", "change"].startswith("other: 0.0% -> 11")
    assert found.loc["city", "unit"] == "share"
    assert found.loc["amount", "change"].startswith("missing: ")
    assert found.loc["amount", "missing"] > 0.5
    assert found.loc["since", "change"].startswith("above 2022-")


def test_batches_pieces_and_a_saved_state_make_no_difference(tmp_path):
    random = np.random.default_rng(11)
    held_out, new = calm(random, 300, groups=2), calm(random, 700, groups=2)
    detector = ae_zoo.Detector(Scores()).calibrate(held_out, 0.1, by="group")
    whole, parts, single = (detector.monitor(seed=5) for _ in range(3))
    report = whole.update(new)
    pieces = parts.update_pieces(new[start : start + 90] for start in range(0, 700, 90))
    assert pieces.columns.equals(report.columns)
    p_values = []
    for start, end in ((0, 600), *((row, row + 1) for row in range(600, 700))):
        one = single.update(new[start:end], score=detector.score(new[start:end]))
        p_values.append(one.p_values)
        if start % 20 == 0:
            single.save(tmp_path / "night.npz")
            single = ae_zoo.Monitor.load(tmp_path / "night.npz", detector)
    assert np.array_equal(np.concatenate(p_values), report.p_values)
    assert np.array_equal(pieces.p_values, report.p_values)
    assert [one.martingale, pieces.martingale] == pytest.approx([report.martingale] * 2)
    assert (one.total, one.batch, one.highest) == (700, 101, pytest.approx(report.highest))


def test_what_is_compared_travels_with_the_detector(x, tmp_path):
    detector = ae_zoo.Detector(ae_zoo.PCA(2).fit(x[:30])).calibrate(x[30:], 0.1)
    new = np.random.default_rng(12).random((50, 8))
    wanted = detector.monitor().update(new)
    detector.save(tmp_path / "d.zip")
    again = ae_zoo.Detector.load(tmp_path / "d.zip").monitor().update(new)
    assert again.columns.equals(wanted.columns)
    assert np.array_equal(again.p_values, wanted.p_values)


def test_images_have_one_column_and_folds_compare_scores_with_new_ones():
    class Images(Scores):
        schema = ArraySchema(input_shape=(4, 4))

        def reconstruction_error(self, x, per_feature=False):
            return np.asarray(x).mean(axis=(1, 2))

    random = np.random.default_rng(13)
    detector = ae_zoo.Detector(Images()).calibrate(random.random((300, 4, 4)), 0.1)
    dark = detector.monitor().update(0.3 * random.random((100, 4, 4)))
    assert dark.columns["column"].tolist() == ["mean"]
    assert dark.drifted
    assert dark.alarm_row is None
    monitor = ae_zoo.Detector(Scores()).calibrate(calm(random, 300), 0.1, folds=3).monitor()
    assert not len(monitor.reference.earlier.keys)
    assert monitor.reference.columns[0].present == 300
    assert not monitor.update(calm(random, 200)).drifted
    assert monitor.update(calm(random, 300) * np.float32([3, 1])).alarm_row > 200


def test_the_served_place_is_that_among_the_held_out_cells():
    held_out = table(seed=2)
    detector = ae_zoo.Detector(Mixed()).calibrate(held_out, 0.05)
    coded = detector.schema.code(held_out)
    (endpoint,) = detector.reference.endpoint(detector.schema).values()
    place = endpoint.verb(coded)["place"]
    assert np.array_equal(place < 0, np.isnan(coded))
    assert np.allclose(np.nanmean(np.where(place < 0, np.nan, place), axis=0), 0.5, atol=1e-6)
    amount = coded[:, 2]
    ranks = scipy.stats.rankdata(amount, nan_policy="omit") / np.sum(~np.isnan(amount))
    assert np.nanmax(np.abs(place[:, 2] - ranks)[~np.isnan(amount)]) < 0.03
    assert np.allclose(endpoint.function(coded)["place"], place)


def test_the_command_says_so_by_its_exit_code(run, x, tmp_path):
    random = np.random.default_rng(14)
    mixing = random.normal(size=(3, 8))

    def draw(n):
        return pd.DataFrame(
            random.normal(size=(n, 3)) @ mixing + 0.1 * random.normal(size=(n, 8)), columns=list("abcdefgh")
        )

    ae_zoo.Detector(ae_zoo.PCA(3).fit(draw(300))).calibrate(draw(300), 0.05).save(tmp_path / "d.zip")
    draw(300).to_csv("same.csv", index=False)
    (draw(300) + 2 * np.eye(8)[3]).to_csv("other.csv", index=False)
    code, out, err = run("monitor", "d.zip", "same.csv", "--state", "night.npz")
    assert (code, err) == (0, "")
    assert "Nothing says that these rows differ" in out
    code, out, _ = run("monitor", "d.zip", "other.csv", "--state", "night.npz", "--page", "drift.html")
    assert code == 3
    assert "Batch 2: 300 rows, 600 so far" in out
    assert "'d' is spread differently" in out
    page = (tmp_path / "drift.html").read_text()
    assert page.count("data:image/png") == 3
    assert run("monitor", "d.zip", "same.csv")[0] == 0
    code, _, err = run("monitor", "d.zip", "same.csv", "--state", "night.npz", "--false-alarm", "0.1")
    assert code == 2
    assert "was begun with --false-alarm 0.01" in err
    draw(9)[list("abc")].to_csv("few.csv", index=False)
    assert run("monitor", "d.zip", "few.csv")[0] == 2
    ae_zoo.PCA(3).fit(draw(9)).save(tmp_path / "pca.npz")
    assert "needs a calibrated detector" in run("monitor", "pca.npz", "same.csv")[2]


# Bad input.


def test_what_cannot_be_monitored_is_said(tmp_path):
    random = np.random.default_rng(15)
    with pytest.raises(ae_zoo.AEZooError, match=r"has not been calibrated: call calibrate"):
        ae_zoo.Detector(Scores()).monitor()
    held_out = calm(random, 100)
    weighted = ae_zoo.Detector(Scores()).calibrate(held_out, 0.1, weights=np.ones(100))
    with pytest.raises(ae_zoo.AEZooError, match="calibrated with weights.*give x_reference"):
        weighted.monitor()
    assert not weighted.monitor(held_out).update(calm(random, 50)).drifted
    monitor = started(random)
    with pytest.raises(ae_zoo.AEZooError, match="must have the 2 columns"):
        monitor.update(pd.DataFrame({"score": [1.0]}))
    with pytest.raises(ae_zoo.AEZooError, match="one number for each of the 3 rows"):
        monitor.update(held_out[:3], score=np.ones(2))
    with pytest.raises(ae_zoo.AEZooError, match="at least one row"):
        monitor.update_pieces([])
    with pytest.raises(ae_zoo.AEZooError, match="must be finite"):
        monitor.update_pieces([held_out, held_out * np.nan])
    assert (monitor.rows, monitor.batches, monitor.martingale.rows) == (0, 0, 0)
    with pytest.raises(ae_zoo.AEZooError, match="false_alarm must lie between 0 and 1"):
        started(random, false_alarm=1)
    monitor.save(tmp_path / "night.npz")
    with pytest.raises(ae_zoo.AEZooError, match="belongs to another detector"):
        ae_zoo.Monitor.load(tmp_path / "night.npz", weighted)
    arrays = dict(np.load(tmp_path / "night.npz"))
    np.savez(tmp_path / "night.npz", **arrays | {"bets": arrays["bets"] * np.nan})
    with pytest.raises(ae_zoo.AEZooError, match="numbers do not go together"):
        ae_zoo.Monitor.load(tmp_path / "night.npz", monitor.detector)
    np.savez(tmp_path / "night.npz", **arrays | {"reference/counts": arrays["reference/counts"][1:]})
    with pytest.raises(ae_zoo.AEZooError, match="does not go together"):
        ae_zoo.Monitor.load(tmp_path / "night.npz", monitor.detector)
