"""What a search has found: the best model, the leaderboard, and the report with its plots."""

import dataclasses
import json
import pathlib
import shutil
from collections.abc import Mapping

import numpy as np
import pandas as pd

from ae_zoo import plots
from ae_zoo._support import files
from ae_zoo.autoencoder import Autoencoder
from ae_zoo.errors import AEZooError, NotFoundError
from ae_zoo.evaluation.peer import Peer
from ae_zoo.factory import load
from ae_zoo.plots.fronts import knee
from ae_zoo.report import page as report
from ae_zoo.tuning.dimensions import Values
from ae_zoo.tuning.trials import Result, Trials

FIGURES = ("mean", "spread", "error", "code", "parameters", "seconds")  # columns of the leaderboard and of the page
COLUMNS = ("place", "trial", *FIGURES, "seeds", "epochs_run", "overhead", "status", "reason")  # that are no options


@dataclasses.dataclass(frozen=True)
class SearchResult:
    """What `ae_zoo.search` returns.

    Attributes:
        model: the best model, trained.
        family: the name of its family.
        config: all of its options; `ae_zoo.build(family, **config)` builds it again.
        training: the arguments that `ae_zoo.fit` got.
        leaderboard: one line for each trial, the best first; trials without a score are last, with the reason.
        objective: the name of the column that ranks.
        stopped: why the search ended: `"all trials done"`, `"time is up"` or `"interrupted"`.
        folder: the folder of the results, the models and the report.
    """

    model: Autoencoder
    family: str
    config: Values
    training: Values
    leaderboard: pd.DataFrame
    objective: str
    stopped: str
    folder: pathlib.Path

    def load(self, place: int) -> Autoencoder:
        """Returns the model at a place of the leaderboard, from 1; the models of the best ten are kept.

        Raises:
            AEZooError: there is no such place.
            NotFoundError: the model of that place was not kept.
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
    """Returns the results with the search's own seed as a ranked table.

    Finalists, which were trained with other seeds too, come first, by the mean over their seeds; `spread` is the largest
    score minus the smallest.
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
    # A lucky score of one seed ranks below a mean.
    order = table.assign(single=table["seeds"] < 2, score=sign * table["mean"].astype(float))
    table = table.loc[order.sort_values(["single", "score", "key"], na_position="last").index]
    if not others:
        table = table.drop(columns=["mean", "spread", "seeds"])
    if objective.name == "reconstruction":
        table = table.drop(columns="error")
    table.insert(0, "place", range(1, len(table) + 1))
    return table


def write(
    folder: pathlib.Path,
    table: pd.DataFrame,
    objective: str,
    peer: Peer,
    linear: Mapping[int, float],
    about: str,
    notes: list[str],
    seconds: float = 0.0,
) -> None:
    """Writes `leaderboard.md`, and `report.html` with the leaderboard and the Pareto fronts.

    Args:
        folder: the folder of the search.
        table: the leaderboard.
        objective: the name of the column that ranks.
        peer: the linear model that networks are compared with.
        linear: its held-out error by the width of the code, drawn beside the front.
        about: the rows and the objective, in a sentence.
        notes: sentences at the top of the report.
        seconds: the duration of the search.
    """
    shown = table.drop(columns=[name for name in table if table[name].isna().all() or (table[name] == "").all()])
    lines = [list(map(str, shown.columns)), ["---"] * len(shown.columns)]
    lines += [[_text(value) for value in row] for row in shown.itertuples(index=False)]
    with files.whole(folder / "leaderboard.md") as sibling:
        sibling.write_text("".join(f"| {' | '.join(line)} |\n" for line in lines))
    section = report.Section("1", "Leaderboard", seconds=seconds)
    columns, cells, same = _page(shown, objective)
    section.table(columns, cells, f"{about}{same} All columns are in leaderboard.csv.")
    fronts = report.Section("2", "Error against size")
    scored = table[table[_error(table)].notna()]
    errors = scored[_error(table)].to_numpy(float)
    reference = (np.array([*linear], float), np.array([*linear.values()])) if linear else None
    for name, what, beside in (("code", "width of the code", reference), ("parameters", "number of weights", None)):
        sizes = scored[name].to_numpy(float)
        if len(np.unique(sizes)) > 1:
            figure = plots.front(
                sizes,
                errors,
                xlabel=what,
                ylabel=f"held-out {peer.unit} (smaller is better)",
                reference=beside,
                beside=peer.name,
            )
            star = "" if knee(sizes, errors) is None else "; the star marks where it bends most"
            caption = (
                f"Each trial by the {what}; {peer.meaning}. No trial is both smaller and better than one on the Pareto "
                f"front{star}."
            )
            fronts.picture(f"front-{name}", figure, caption)
    report.write(folder, "Architecture search", about, [section, *([fronts] if fronts.blocks else [])], notes)


def _page(shown: pd.DataFrame, objective: str) -> tuple[list[str], list[list[str]], str]:
    """Returns columns and cells of the leaderboard on a page, and a sentence on what all trials share.

    All options stand in one column, whose words are wrapped: so the table fits a narrow window, however many options there
    are.
    """
    names = [str(name) for name in shown.columns]
    options = [name for name in names if name not in (objective, *COLUMNS)]
    shared = [name for name in options if len(shown) > 1 and shown[name].nunique(dropna=False) == 1]
    figures = [name for name in ("place", objective, *FIGURES) if name in names]
    failed = bool((shown["status"] != "done").any())
    cells = []
    for _, row in shown.iterrows():
        told = _told({name: row[name] for name in options if name not in shared})
        outcome = [": ".join(filter(None, (row["status"], row.get("reason"))))] if failed else []
        cells.append([*(_text(row[name]) for name in figures), told, *outcome])
    same = f" All trials have {_told({name: shown[name].iloc[0] for name in shared})}." if shared else ""
    return [*figures, "options", *(["outcome"] if failed else [])], cells, same


def _told(values: Values) -> str:
    """Returns options as words; an option that a trial does not have is left out."""
    texts = {name: _text(value) for name, value in values.items()}
    return " ".join(f"{name}={text}" for name, text in texts.items() if text)


def keep_best(trials: Trials, seed: int) -> None:
    """Writes what has been found so far: `leaderboard.csv`, `best.keras`, and `best.json` with its options and seed.

    Raises:
        AEZooError: a result's file is damaged, or the best model is gone.
    """
    table, folder = leaderboard(trials, seed), trials.folder
    with files.whole(folder / "leaderboard.csv") as sibling:
        table.to_csv(sibling)
    if table.empty or table[trials.objective.name].isna().iloc[0]:
        return
    result = trials.read(table.index[0])
    path, model = folder / "best.json", trials.model_path(result.key)
    plain = {"family": result.family, "options": result.config, "training": result.training, "seed": result.seed}
    text = json.dumps({**plain, "key": result.key, trials.objective.name: result.score}, indent=1) + "\n"
    if path.exists() and path.read_bytes() == text.encode():
        return
    if not model.exists():
        raise NotFoundError(
            f"There is no {model}; delete {folder / 'results' / f'{result.key}.json'} to train it again."
        )
    with files.whole(folder / "best.keras") as sibling:
        shutil.copyfile(model, sibling)
    with files.whole(path) as sibling:
        sibling.write_text(text)


def some_codes(table: pd.DataFrame, best: int | None, most: int) -> list[int]:
    """Returns some of the code sizes in a leaderboard, from the smallest to the largest, and that of the best model."""
    sizes = np.unique(table["code"].dropna().to_numpy(int))
    places = np.linspace(0, len(sizes) - 1, min(len(sizes), most)).round().astype(int)
    return [*sizes[places].tolist(), *([] if best is None else [best])]


def _error(table: pd.DataFrame) -> str:
    return "error" if "error" in table else "reconstruction"


def _name(result: Result) -> str:
    """Returns a name of what was tried, without the seed."""
    return json.dumps([result.family, result.options, result.training], sort_keys=True)


def _cell(value: object) -> object:
    return "-".join(map(str, value)) or "none" if isinstance(value, list) else value


def _text(value: object) -> str:
    if isinstance(value, float):
        if np.isnan(value):
            return ""
        return f"{value:,.0f}" if np.isfinite(value) and value == int(value) and abs(value) >= 1 else f"{value:.4g}"
    return "" if value is None else str(value)
