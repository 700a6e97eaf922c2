"""What a search found: the model, the leaderboard, and the report with its plots."""

import dataclasses
import json
import pathlib
import shutil
from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np
import pandas as pd

from ae_zoo import plots
from ae_zoo._support import files
from ae_zoo.autoencoder import Autoencoder
from ae_zoo.errors import AEZooError
from ae_zoo.evaluation.pca import PCA
from ae_zoo.factory import load
from ae_zoo.report import page as report
from ae_zoo.tuning.rows import Rows
from ae_zoo.tuning.trials import Result, Trials

MOST_PCA = 12  # code sizes at which PCA is shown


@dataclasses.dataclass(frozen=True)
class SearchResult:
    """What `ae_zoo.search` gives back.

    Attributes:
        model: the best one, trained.
        family: its name.
        config: all of its options; `ae_zoo.build(family, **config)` makes it again.
        training: what `ae_zoo.fit` was given beside its defaults.
        leaderboard: a line a trial, the best first; trials without a score are last, with the reason.
        objective: the name of the column that ranks.
        stopped: why the search ended: `"all trials done"`, `"time is up"` or `"interrupted"`.
        folder: of the results, the models and the report.
    """

    model: Autoencoder
    family: str
    config: dict[str, Any]
    training: dict[str, Any]
    leaderboard: pd.DataFrame
    objective: str
    stopped: str
    folder: pathlib.Path

    def load(self, place: int) -> Autoencoder:
        """The model at a place of the leaderboard, from 1; those of the best ten are kept.

        Raises:
            ValueError: there is no such place.
            FileNotFoundError: it is not among those.
        """
        if not 1 <= place <= len(self.leaderboard):
            raise AEZooError(f"place must be from 1 to {len(self.leaderboard)}; received {place!r}.")
        key = self.leaderboard.index[place - 1]
        return load(self.folder / "models" / f"{key}.keras")

    def __str__(self) -> str:
        best = self.leaderboard.iloc[0]
        tried = int(self.leaderboard["status"].isin(["done", "cut"]).sum())
        shown = ("family", "hidden", "code", *self.training)
        options = ", ".join(f"{name} {_text(best[name])}" for name in shown if name in best and _text(best[name]))
        return f"{self.stopped}: {tried} trials; best {self.objective} {best[self.objective]:.5f}: {options}"


def leaderboard(trials: Trials, seed: int) -> pd.DataFrame:
    """The results as a table, ranked: of the search's own seed, joined with those of the finalists' other seeds.

    A finalist's `mean` and `spread` (largest less smallest) are over its seeds. Finalists come first, by their means.
    """
    objective, results = trials.objective, trials.all()
    own = [result for result in results if result.seed == seed]
    others: dict[str, list[float]] = {}
    for result in results:
        if result.seed != seed and result.score is not None:
            others.setdefault(_name(result), []).append(result.score)
    if not own:
        return pd.DataFrame()
    lines = []
    for result in own:
        scores = [score for score in (result.score, *others.get(_name(result), [])) if score is not None]
        lines.append(
            {
                "key": result.key,
                "trial": result.number,
                "family": result.family,
                **{name: _cell(value) for name, value in result.options.items() if name != "code"},
                "code": result.code or result.options.get("code"),
                **result.training,
                objective.name: result.score,
                "mean": float(np.mean(scores)) if scores else None,
                "spread": max(scores) - min(scores) if len(scores) > 1 else None,
                "seeds": len(scores),
                "error": result.error,
                "parameters": result.parameters,
                "epochs_run": result.epochs,
                "seconds": round(result.seconds, 2),
                "overhead": round(result.overhead, 2),
                "status": result.status,
                "reason": result.reason,
            }
        )
    table = pd.DataFrame(lines).set_index("key")
    sign = 1 if objective.direction == "min" else -1
    # One seed's luck ranks below a mean.
    order = table.assign(single=table["seeds"] < 2, score=sign * table["mean"].astype(float))
    table = table.loc[order.sort_values(["single", "score", "key"], na_position="last").index]
    if not others:
        table = table.drop(columns=["mean", "spread", "seeds"])
    if objective.name == "reconstruction":
        table = table.drop(columns="error")
    table.insert(0, "place", range(1, len(table) + 1))
    return table


def write(folder: pathlib.Path, table: pd.DataFrame, linear: Mapping[int, float], about: str, notes: list[str]) -> None:
    """Writes `leaderboard.md`, and `report.html` with the fronts, and with PCA's errors by code size beside them."""
    shown = table.drop(columns=[name for name in table if table[name].isna().all() or (table[name] == "").all()])
    lines = [list(map(str, shown.columns)), ["---"] * len(shown.columns)]
    lines += [[_text(value) for value in row] for row in shown.itertuples(index=False)]
    with files.whole(folder / "leaderboard.md") as sibling:
        sibling.write_text("".join(f"| {' | '.join(line)} |\n" for line in lines))
    section = report.Section("1", "Leaderboard")
    columns = [name for name in shown.columns if name not in ("family", "reason") or shown[name].nunique() > 1]
    section.table(columns, [[_text(row[name]) for name in columns] for _, row in shown.iterrows()], about)
    fronts = report.Section("2", "Error against size")
    scored = table[table[_error(table)].notna()]
    if len(scored) > 1:
        errors = scored[_error(table)].to_numpy(float)
        label = "held-out mean squared error (smaller is better)"
        pca = np.array(list(linear.items())).T if linear else None  # sizes and errors
        for name, what, beside in (("code", "width of the code", pca), ("parameters", "weights", None)):
            sizes = scored[name].to_numpy(float)
            if len(np.unique(sizes)) > 1:
                fronts.picture(
                    f"front-{name}",
                    plots.front(sizes, errors, xlabel=what, ylabel=label, reference=beside),
                    f"Each trial by the {what}. Nothing is both smaller and better than a trial on the line; the star is "
                    "where the line bends most.",
                )
    report.write(folder, "Architecture search", about, [section, *([fronts] if fronts.blocks else [])], notes)


def keep_best(trials: Trials, seed: int) -> None:
    """Writes what has been found so far: `leaderboard.csv`, `best.keras`, and `best.json` with all that made it."""
    table, folder = leaderboard(trials, seed), trials.folder
    with files.whole(folder / "leaderboard.csv") as sibling:
        table.to_csv(sibling)
    if table.empty or table[trials.objective.name].isna().iloc[0]:
        return
    result = trials.read(table.index[0])
    path = folder / "best.json"
    plain = {"family": result.family, "options": result.config, "training": result.training, "seed": result.seed}
    plain |= {"key": result.key, trials.objective.name: result.score}
    if path.exists() and json.loads(path.read_text()) == plain:
        return
    with files.whole(folder / "best.keras") as sibling:
        shutil.copyfile(trials.model_path(result.key), sibling)
    with files.whole(path) as sibling:
        sibling.write_text(json.dumps(plain, indent=1) + "\n")


def pca_errors(rows: Rows, codes: Iterable[int]) -> dict[int, float]:
    """PCA's held-out error at those of the code sizes that there is a PCA of. A smaller PCA is the start of a larger one."""
    sizes = [size for size in sorted(set(codes)) if size <= min(len(rows.x), rows.x[0].size)]
    if not sizes:
        return {}
    pca = PCA(sizes[-1], scaling=rows.scaling).fit(rows.x)
    code, place = pca.encode(rows.x_valid), np.arange(sizes[-1])
    return {size: rows.error(pca.decode(np.where(place < size, code, 0))) for size in sizes}


def some_codes(table: pd.DataFrame, best: int) -> list[int]:
    """Some of the code sizes in a leaderboard, from the smallest to the largest, the best one's among them."""
    sizes = np.unique(table["code"].dropna().to_numpy(int))
    places = np.linspace(0, len(sizes) - 1, min(len(sizes), MOST_PCA)).round().astype(int)
    return [*sizes[places].tolist(), best]


def _error(table: pd.DataFrame) -> str:
    return "error" if "error" in table else "reconstruction"


def _name(result: Result) -> str:
    """What is tried, whatever the seed."""
    return json.dumps([result.family, result.options, result.training], sort_keys=True)


def _cell(value: Any) -> Any:
    return "-".join(map(str, value)) or "none" if isinstance(value, list) else value


def _text(value: Any) -> str:
    if isinstance(value, float):
        if np.isnan(value):
            return ""
        return f"{value:,.0f}" if np.isfinite(value) and value == int(value) and abs(value) >= 1 else f"{value:.4g}"
    return "" if value is None else str(value)
