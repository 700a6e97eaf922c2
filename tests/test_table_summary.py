"""What is known of a table that comes in pieces is what is known of the whole."""

import dataclasses
import decimal
import itertools

import numpy as np
import pandas as pd
import pytest

import ae_zoo
from ae_zoo import data
from ae_zoo.tables import histogram
from ae_zoo.tables.histogram import Histogram
from ae_zoo.tables.schema import TableSchema
from ae_zoo.tables.statistics import MOST_LEVELS, SCALINGS, Numbers, Rules
from ae_zoo.tables.summary import TableSummary
from tests.mixed import table


def every_kind(rows=2000):
    random = np.random.default_rng(0)
    frame = table(rows)
    moments = pd.Timestamp("2024-03-01 10:30") + pd.to_timedelta(random.integers(0, 10**8, rows), "s")
    holes = random.random(rows) < 0.1
    return frame.assign(
        tail=random.lognormal(3, 2, rows),
        far=1.7e9 + random.normal(0, 50, rows),
        zero=np.where(random.random(rows) < 0.6, -0.0, random.normal(size=rows)),
        whole=pd.Series(random.integers(-5, 2**40, rows)).astype("Int64").mask(holes),
        flag=random.integers(0, 2, rows),
        price=[decimal.Decimal(int(cents)) / 100 for cents in random.integers(0, 5000, rows)],
        text=np.where(holes, None, random.integers(0, 300, rows).astype(str)),
        real=random.normal(size=rows).round(3).astype(str),
        code=np.char.zfill(random.integers(0, 300, rows).astype(str), 4),
        word=np.where(random.random(rows) < 0.3, "TRUE", "false"),
        day=np.datetime_as_string(moments.to_numpy("datetime64[D]")),
        moment=moments.tz_localize("UTC").tz_convert("Europe/Oslo"),
        sort=pd.Categorical(random.choice(["a", "b", "c"], rows)),
        empty=None,
    )


def merged(parts, random):
    """Returns the parts, merged two by two in a random order."""
    while len(parts) > 1:
        first, second = random.choice(len(parts), 2, replace=False)
        both = parts[first].merge(parts[second])
        parts = [part for place, part in enumerate(parts) if place not in (first, second)] + [both]
    return parts[0]


def check_same(found, whole):
    """All is equal, but for the rounding of sums of floats."""
    for one, other in zip(found, whole, strict=True):
        size = 1e-12 * max(1, abs(other.origin) / other.scale)
        assert one.center == pytest.approx(other.center, rel=1e-12, abs=size * other.scale)
        assert one.scale == pytest.approx(other.scale, rel=size)
        assert dataclasses.replace(one, center=other.center, scale=other.scale) == other


@pytest.mark.parametrize("most", [200, 65_536])  # 2,000 different numbers are counted in ranges, or exactly
@pytest.mark.parametrize("scaling", SCALINGS)
def test_a_table_is_known_alike_however_it_is_cut_and_merged(scaling, most, monkeypatch):
    monkeypatch.setattr(histogram, "MOST", most)
    frame, rules, random = every_kind(), Rules(scaling=scaling), np.random.default_rng(1)
    with pytest.warns(ae_zoo.AEZooWarning, match="'empty' has no cell"):
        whole = TableSummary.of(frame, {}).table(rules)
    kinds = [column.kind for column in whole]
    assert kinds[6:] == [
        *("number", "number", "number", "integer", "boolean", "number", "integer", "number", "category", "boolean"),
        *("date", "date", "category", "number"),
    ]
    for pieces in (2, 7, 40):
        cuts = np.sort(random.choice(len(frame), pieces - 1, replace=False))  # also pieces of a row or two
        parts = [TableSummary.of(frame[a:b], {}) for a, b in itertools.pairwise([0, *cuts, len(frame)])]
        total = merged(parts, random)
        with pytest.warns(ae_zoo.AEZooWarning, match="'empty' has no cell"):
            found = total.table(rules)
        check_same(found, whole)
        sizes = [len(one.numbers.histogram.keys) for one in total.columns.values() if one.numbers]
        assert max(sizes) <= most


def test_means_and_variances_of_pieces_are_those_of_the_whole():
    values = np.random.default_rng(0).normal(1e6, 1, 10_000)
    parts = [Numbers.of(part) for part in np.split(values, [1, 1, 500, 9000])]
    for order in itertools.islice(itertools.permutations(parts), 0, 120, 7):
        total = order[0]
        for part in order[1:]:
            total = total.merge(part)
        assert total.mean == pytest.approx(values.mean(), rel=1e-15)
        assert total.squares / total.count == pytest.approx(values.var(), rel=1e-9)  # of the rounding of 1e6 to float64


@pytest.mark.parametrize("values", [np.r_[-0.0, 0.0, -5, 1e300, 7, 7, -1e-300], np.arange(-50, 51) / 7])
def test_quantiles_of_few_values_are_exact(values):
    shares = np.linspace(0, 1, 41)
    assert np.allclose(Histogram.of(values).quantiles(shares), np.quantile(values, shares), rtol=1e-15)


@pytest.mark.parametrize("center", [0, 1.7e9])
def test_quantiles_of_many_values_are_near(center):
    random = np.random.default_rng(0)
    values = center + np.concatenate([random.standard_cauchy(200_000), -random.lognormal(0, 3, 200_000)])
    random.shuffle(values)
    total = Histogram.of(values[:1000])
    for part in np.split(values[1000:], 5):
        total = total.merge(Histogram.of(part))
    assert total.dropped > 0
    assert total.counts.sum() == len(values)
    shares = np.linspace(0, 1, 1001)
    ranks = np.searchsorted(np.sort(values), total.quantiles(shares)) / len(values)
    assert np.abs(ranks - shares).max() < (0.001 if center else 1e-4)
    assert (total.low, total.high) == (values.min(), values.max())


DIFFER = {
    "decimals later": ([[1, 2], [2.5]], "number"),
    "holes first": ([[None, None], [1, 2]], "integer"),
    "holes of floats, then texts": ([[np.nan, np.nan], ["a", "b"]], "category"),
    "spaces, then numbers": ([["", "  "], [1.0, 2.5]], "number"),
    "0 and 1, then 2": ([[0, 1, 1], [2]], "integer"),
    "0, then 1": ([[0, 0], [1]], "boolean"),
    "texts of 0, then of 1.00": ([["0", "0"], ["1.00"]], "boolean"),
    "numbers, then a text": ([["1", "2"], ["x", "1"]], "category"),
    "numbers, then a code": ([["1", "2"], ["0150"]], "category"),
    "dates, then a text": ([["2026-01-01"], ["soon"]], "category"),
    "dates, then with a zone": ([["2026-01-01T12:00"], ["2026-01-01T12:00+02:00"]], "date"),
    "true, then false": ([["True"], ["FALSE"]], "boolean"),
    "true, then yes": ([["true"], ["yes"]], "category"),
    "categories, then texts": ([pd.Categorical(["a"]), ["b"]], "category"),
    "whole, then Decimal": ([pd.Series([1], dtype=object), [decimal.Decimal("2.5")]], "number"),
}


@pytest.mark.parametrize("what", DIFFER)
@pytest.mark.parametrize("turn", [1, -1])
def test_a_kind_is_that_of_all_pieces(what, turn):
    cells, kind = DIFFER[what]
    pieces = [pd.DataFrame({"x": each}) for each in cells]
    (column,) = found = ae_zoo.schema(pieces[::turn]).table
    assert column.kind == kind
    check_same(found, ae_zoo.schema(pd.DataFrame({"x": list(itertools.chain(*cells))})).table)


REFUSED = {
    "an identifier": ([[f"c{row}" for row in range(40)], [f"d{row}" for row in range(40)]], "80 different texts in 80"),
    "a text among numbers": (
        [[f"{row}.5" for row in range(60)], ["n/a?", *"12345"]],
        "'x' holds numbers, but 1 of its 66 texts are none, such as 'n/a\\?': correct them, or give x='ignore'",
    ),
    "numbers and texts": ([[1, 2], ["much"]], "values of type int64 and str, such as 'much'"),
    "booleans and numbers": ([[True, False], [1, 2]], "values of type bool_? and int64"),
    "dates of two zones": (
        [pd.to_datetime(["2026-01-01"]).tz_localize(zone) for zone in ("Europe/Oslo", "Asia/Tokyo")],
        "'x' holds dates of the time zones Europe/Oslo and Asia/Tokyo: convert them to one",
    ),
    "a range beyond float32": ([[3e38], [-3e38]], "numbers within float32; it has -3e\\+38 to 3e\\+38"),
    "a number beyond float32": ([[1e300], [1e300]], "numbers within float32; it has 1e\\+300 to 1e\\+300"),
    "no rows": ([[], []], "frame has no rows"),
}


@pytest.mark.parametrize("what", REFUSED)
def test_what_is_wrong_with_all_pieces_together_is_one_sentence(what):
    cells, sentence = REFUSED[what]
    with pytest.raises(ae_zoo.AEZooError, match=sentence):
        ae_zoo.schema(pd.DataFrame({"x": each}) for each in cells)


def test_a_cell_that_is_not_what_is_said_is_named_with_its_row_in_the_whole():
    pieces = [pd.DataFrame({"x": each}) for each in (["1", "2"], ["3", "much"])]
    with pytest.raises(ae_zoo.AEZooError, match="'x' holds numbers, but row 3 holds 'much'"):
        ae_zoo.schema(iter(pieces), x="number")
    with pytest.raises(ae_zoo.AEZooError, match="'x' holds dates, but row 3 holds 'much'"):
        ae_zoo.schema([pd.DataFrame({"x": ["2026-01-01"] * 2}), pieces[1].replace("3", "2026-01-02")], x="date")


def test_more_than_200_000_levels_are_refused():
    levels = [f"level {number}" for number in range(MOST_LEVELS + 1)]
    pieces = [pd.DataFrame({"x": [*part, *part]}) for part in (levels[:120_000], levels[120_000:])]
    with pytest.raises(
        ae_zoo.AEZooError, match="holds more than 200,000 different texts in 400,002 rows, such as 'level 0'"
    ):
        ae_zoo.schema(pieces)
    with pytest.raises(ae_zoo.AEZooError, match="more than 200,000 different levels.*x='ignore'"):
        ae_zoo.schema(pieces, x="category")


def test_pieces_have_the_same_columns():
    with pytest.raises(ae_zoo.AEZooError, match="the same columns; 'country' is in some of them alone"):
        ae_zoo.schema([table(50), table(50).drop(columns="country")])


def test_a_file_is_known_alike_in_pieces_and_as_a_whole(tmp_path):
    every_kind().drop(columns="empty").to_csv(tmp_path / "rows.csv", index=False)
    whole = ae_zoo.schema(data.read_frame(tmp_path / "rows.csv"))
    pieces = ae_zoo.schema(data.pieces(tmp_path / "rows.csv", 300, as_they_are=True))
    assert isinstance(pieces, TableSchema)
    check_same(pieces.table, whole.table)
    again = whole.of_rows(data.pieces(tmp_path / "rows.csv", 700, as_they_are=True))
    check_same(again.table, whole.table)
