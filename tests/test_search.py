"""Searching architectures: what is drawn, how it is measured, and that nothing is lost when a process dies."""

import dataclasses
import json
import os
import pathlib
import signal
import subprocess
import sys
import threading
import time

import numpy as np
import pandas as pd
import pytest

import ae_zoo
from ae_zoo.factory import build
from ae_zoo.families import FAMILIES
from ae_zoo.schemas import ArraySchema
from ae_zoo.tuning import supervisor, tuner
from ae_zoo.tuning.dimensions import Choice, Range
from ae_zoo.tuning.objectives import objective
from ae_zoo.tuning.rows import Rows
from ae_zoo.tuning.space import Candidate, Space
from ae_zoo.tuning.trials import Result, Trials

ROOT = pathlib.Path(__file__).parents[1]
BOOK = [
    {"code": 50},
    {"code": 100},
    {"hidden": [300], "code": 100},
    {"hidden": [100], "code": 50},
    {"hidden": [250, 100], "code": 50},
]
TIMES = ["seconds", "overhead"]
EIGHT, PIXELS = ArraySchema(input_shape=(8,)), ArraySchema(input_shape=(784,))
SMALL = {
    "space": {"code": [2, 3], "depth": [0, 1], "width": (4, 8), "activation": "selu", "epochs": 2},
    "verbose": False,
}


def draws(space, number, kind="random"):
    oracle = tuner.oracle(kind, space, "min", 1, number, 9)
    oracle._display.verbose = 0
    values = (oracle.populate_space(f"{place:02d}") for place in range(number))
    return [tuner.candidate(space, drawn["values"]) for drawn in values if drawn["status"] == "RUNNING"]


@pytest.mark.parametrize("family", FAMILIES)
def test_every_draw_is_a_legal_symmetric_network(family):
    images = FAMILIES[family].Config.network == "convolutional"
    shape = (20, 20) if images else (400,)
    found = draws(Space.of([family], None, ArraySchema(input_shape=shape), 6000), 25)
    assert len(found) == 25
    for candidate in found:
        config = FAMILIES[family].Config.make({"input_shape": shape, **candidate.options})
        assert config.hidden == tuple(sorted(config.hidden, reverse=not images))
        assert config.code <= 200 or family == "winner_take_all"  # whose codes are meant to be wide
        assert set(candidate.training) == {"learning_rate", "batch_size"}
    deepest = max(found, key=lambda candidate: len(candidate.options["hidden"]))
    model = build(family, shape, **{**deepest.options, **({} if images else {"hidden": [9, 7, 5]})})
    assert model.output_shape == (None, *shape)
    if not images:
        down, up = (
            [layer.output.shape[1] for layer in half.layers if layer.name.startswith("hidden_")]
            for half in (model.encoder, model.decoder)
        )
        assert down == up[::-1] == [9, 7, 5]


def test_a_space_is_narrowed_by_values_lists_and_pairs():
    assert Space.of(["stacked"], {"depth": (1, 3), "width": 9}, EIGHT, 99).dimensions["stacked"]["depth"] == Choice(
        (1, 2, 3)
    )
    given = {"code": [50, 100], "width": (32, 64), "depth": 2, "activation": "tanh", "learning_rate": (1e-4, 1e-2)}
    space = Space.of(["stacked"], given, PIXELS, 60_000)
    drawn, fixed = space.dimensions["stacked"], space.fixed["stacked"]
    assert drawn["code"] == Choice((50, 100))
    assert drawn["width"] == Range(32, 64, True)
    assert not drawn["width"].log
    assert drawn["learning_rate"].log
    assert fixed == {"depth": 2, "activation": "tanh"}
    for candidate in draws(space, 10):
        first, second = candidate.options["hidden"]
        assert 32 <= first <= 64
        assert second == round(first / 2)
        assert 1e-4 <= candidate.training["learning_rate"] <= 1e-2
    assert Space.from_dict(json.loads(json.dumps(space.to_dict()))).to_dict() == space.to_dict()


def test_a_grid_is_the_product_of_lists_and_a_list_is_the_books_grid():
    space = Space.of(["undercomplete"], {"hidden": [[], [300]], "code": [50, 100]}, PIXELS, 60_000, grid=True)
    assert [(c.options["hidden"], c.options["code"]) for c in space.combinations] == [
        ([], 50), ([], 100), ([300], 50), ([300], 100),
    ]  # fmt: skip
    book = Space.of(["undercomplete"], BOOK, PIXELS, 60_000)
    assert draws(book, 9) == [Candidate("undercomplete", options, {}) for options in BOOK]


def test_several_families_are_drawn_each_with_its_own_options():
    space = Space.of(["sparse", "stacked"], {"code": 5}, ArraySchema(input_shape=(40,)), 600)
    found = draws(space, 20)
    assert {candidate.family for candidate in found} == {"sparse", "stacked"}
    assert all(("sparsity" in candidate.options) == (candidate.family == "sparse") for candidate in found)


@pytest.mark.parametrize(
    ("space", "message"),
    [
        ({"cod": 3}, "did you mean 'code'"),
        ({"code": (8,)}, r"pair \(low, high\)"),
        ({"code": (8, 2)}, "the lower first"),
        ({"activation": ["selo"]}, "did you mean 'selu'"),
        ({"hidden": [[1], ["a"]]}, "hidden must be a whole number"),
        ({"code": []}, "no values to choose from"),
        ({"hidden": [[3]], "depth": 1}, "one or the other"),
        ([{"kode": 3}], "did you mean 'code'"),
        ([], "at least one"),
        ([3], "a list of dicts"),
        ([{"depth": 2}], "give both"),
        ([{"hidden": [3], "depth": 2, "width": 4}], "one or the other"),
        ({"learning_rate": 0}, "above 0"),
        ({"batch_size": [[3]]}, "whole number"),
    ],
)
def test_a_space_that_cannot_be_meant_is_refused(space, message):
    with pytest.raises(ValueError, match=message):
        Space.of(["stacked"], space, EIGHT, 100)


def test_a_range_in_a_grid_and_unknown_names_are_refused(x, tmp_path):
    for options, message in (
        ({"family": "stakked"}, "did you mean 'stacked'"),
        ({"family": []}, "name a family"),
        ({"objective": "denoising", "corruption": ("maskin", 0.3)}, "did you mean 'masking'"),
        ({"tuner": "grid", "space": {"width": [3, 4]}}, "give both"),
        ({"tuner": "hyperband", "trials": 4}, "leave trials out"),
        ({"tuner": "gird"}, "did you mean 'grid'"),
        ({"objective": "recall"}, "no objective 'recall'"),
        ({"objective": "linear"}, "needs labels"),
        ({"tuner": "grid", "space": {"code": (1, 3)}}, "a grid takes lists"),
        ({"seed": 0}, "seed must be"),
        ({"trials": 0}, "trials must be"),
    ):
        with pytest.raises(ValueError, match=f"(?i){message}"):
            ae_zoo.search(**{"family": "stacked", "x": x, "directory": tmp_path / "s", **options})
    assert not (tmp_path / "s").exists()


@pytest.mark.slow
def test_errors_are_on_one_scale_whatever_the_models_own(x, tmp_path):
    x = 50 * x - 7
    rows = Rows.split(x, None, 0.25, 1, strange=False)
    measure = objective("reconstruction", ("masking", 0.3))
    errors = {}
    for scaling in ("minmax", "standard"):
        options = {"hidden": [], "code": 3, "scaling": scaling, "output_activation": "linear"}
        trials = Trials(tmp_path / scaling, rows, measure, seed=1)
        result = trials.run(Candidate("undercomplete", options, {"epochs": 3}), 1)
        model = ae_zoo.load(trials.model_path(result.key))
        off = (rows.x_valid - model.reconstruct(rows.x_valid)) / rows.x.std(axis=0)
        assert result.score == pytest.approx(np.mean(off**2), rel=1e-4)
        errors[scaling] = (result.score, model.reconstruction_error(rows.x_valid).mean())
    assert errors["standard"][0] == pytest.approx(errors["standard"][1], rel=1e-4)
    assert errors["minmax"][0] > 2 * errors["minmax"][1]


@pytest.mark.slow
def test_what_cannot_be_is_skipped_with_its_reason_and_no_penalty_is_chosen_for_its_loss(x, tmp_path):
    space = [
        {"code_activation": "linear"},  # a KL divergence needs a bounded code
        {"code": 3, "hidden": [], "sparsity_weight": 0.0, "epochs": 1},
        {"code": 3, "hidden": [], "sparsity_weight": 5.0, "epochs": 8},  # a larger loss, a smaller error
    ]
    found = ae_zoo.search("sparse", x, space=space, directory=tmp_path, verbose=False)
    table = found.leaderboard
    assert table["status"].tolist() == ["done", "done", "skipped"]
    assert table["trial"].tolist() == [3, 2, 1]
    assert "bounded range" in table["reason"].iloc[2]
    assert found.config["sparsity_weight"] == 5.0
    assert found.model.config.sparsity_weight == 5.0
    valid = Rows.split(x, None, 0.1, 1, strange=False).x_valid
    assert table["reconstruction"].iloc[0] == pytest.approx(found.model.reconstruction_error(valid).mean(), rel=1e-5)
    best = json.loads((tmp_path / "best.json").read_text())
    assert found.config == best["options"]
    again = ae_zoo.build(best["family"], **best["options"])
    assert again.config == found.model.config
    report = (tmp_path / "report.html").read_text()
    assert "bounded range" in report
    assert len(pd.read_csv(tmp_path / "leaderboard.csv")) == 3


@pytest.mark.slow
def test_objectives_of_labels_and_noise(x, tmp_path):
    y = (x[:, 0] > np.median(x[:, 0])).astype(int)
    space = [{"code": 3, "hidden": [], "epochs": 4}]
    plan = {"space": space, "verbose": False, "validation": 0.3}
    for name, low in (("neighbors", 0.5), ("linear", 0.5), ("denoising", 0.0)):
        found = ae_zoo.search("undercomplete", x, y, objective=name, directory=tmp_path / name, **plan)
        assert low < found.leaderboard[name].iloc[0] <= 1
    rows = Rows.split(x, y, 0.3, 1, strange=False)
    noisy = ae_zoo.corrupt(rows.x_valid, "masking", 0.3, seed=1)
    wanted = np.mean((rows.x_valid - found.model.reconstruct(noisy)) ** 2)
    assert found.leaderboard["denoising"].iloc[0] == pytest.approx(wanted, rel=1e-5)

    strange = np.zeros(len(x), int)
    strange[:5] = 1
    wild = x.copy()
    wild[:5] = 1 - np.round(x[:5])
    found = ae_zoo.search(
        "undercomplete", wild, strange, objective="average_precision", directory=tmp_path / "strange", **plan
    )
    assert found.leaderboard["average_precision"].iloc[0] > 0.5
    rows = Rows.split(wild, strange, 0.3, 1, strange=True)
    assert rows.y.sum() == 0
    assert rows.y_valid.sum() == 5


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["bayesian", "hyperband"])
def test_other_tuners_come_to_an_end_and_repeat_themselves(kind, x, tmp_path):
    space = {"code": [2, 3], "hidden": [[], [4]], "activation": "selu", "batch_size": 16}
    plan = {"space": space, "tuner": kind, "verbose": False}
    plan |= {"epochs": 3} if kind == "hyperband" else {"epochs": 1, "trials": 8}  # the last two by a Gaussian process
    found = ae_zoo.search("undercomplete", x, directory=tmp_path / "a", **plan)
    if kind == "hyperband":
        assert {1, 3} <= set(found.leaderboard["epochs"])
    else:
        again = ae_zoo.search("undercomplete", x, directory=tmp_path / "b", **plan)
        assert_same(found.leaderboard, again.leaderboard)


@pytest.mark.slow
def test_seeds_rank_finalists_by_their_means(x, tmp_path):
    found = ae_zoo.search("undercomplete", x, trials=4, seeds=3, finalists=2, directory=tmp_path, **SMALL)
    table = found.leaderboard
    again = ae_zoo.search("undercomplete", x, trials=4, seeds=3, finalists=2, directory=tmp_path, **SMALL)
    pd.testing.assert_frame_equal(table, again.leaderboard)
    assert table["seeds"].tolist() == [3, 3, 1, 1]
    assert table["mean"].iloc[0] <= table["mean"].iloc[1]
    assert (table["spread"].iloc[:2] > 0).all()


@pytest.mark.slow
def test_models_are_kept_by_the_scores_of_the_searchs_own_seed(x, tmp_path):
    rows = Rows.split(x, None, 0.1, 1, strange=False)
    trials = Trials(tmp_path, rows, objective("reconstruction", ("masking", 0.3)), seed=1, kept=2)
    scores = {
        (1, 1): 0.3,
        (2, 1): 0.1,
        (3, 1): 0.2,
        (1, 2): 0.01,
        (2, 2): 0.02,
    }  # (code, seed): those of seed 2 are luckier
    keys = {}
    for (code, seed), score in scores.items():
        candidate = Candidate("undercomplete", {"code": code}, {})
        key = keys[code, seed] = trials.key(candidate, seed)
        identity = {"key": key, "number": code, "seed": seed, **dataclasses.asdict(candidate)}
        trials.write(Result(**identity, status="done", score=score))
        trials.model_path(key).parent.mkdir(exist_ok=True)
        trials.model_path(key).touch()
    assert [result.number for result in trials.ranked()] == [2, 3, 1]
    trials.prune()
    assert {path.stem for path in (tmp_path / "models").iterdir()} == {keys[2, 1], keys[3, 1]}


@pytest.mark.slow
def test_a_folder_of_another_search_is_refused_and_more_trials_are_not(x, tmp_path):
    first = ae_zoo.search("undercomplete", x, trials=2, directory=tmp_path / "s", **SMALL)
    more = ae_zoo.search("undercomplete", x, trials=3, directory=tmp_path / "s", **SMALL)
    assert set(first.leaderboard.index) < set(more.leaderboard.index)
    assert more.leaderboard.loc[first.leaderboard.index, "seconds"].equals(first.leaderboard["seconds"])
    for changed, what in (({"seed": 2}, "seed"), ({"x": x[:-1]}, "data"), ({"family": "sparse"}, "families")):
        with pytest.raises(ValueError, match=f"belongs to another search: .*{what}"):
            ae_zoo.search(
                **{"family": "undercomplete", "x": x, "trials": 2, "directory": tmp_path / "s", **SMALL, **changed}
            )
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "thesis.txt").write_text("")
    with pytest.raises(ValueError, match="holds other files"):
        ae_zoo.search("undercomplete", x, directory=tmp_path / "other", **SMALL)


@pytest.mark.slow
def test_time_that_is_up_keeps_the_best_so_far(x, tmp_path):
    plan = {**SMALL, "space": {**SMALL["space"], "epochs": 100_000}, "directory": tmp_path}
    found = ae_zoo.search("undercomplete", x, minutes=0.05, **plan)
    assert found.stopped == "time is up"
    assert found.leaderboard["status"].tolist() == ["cut"]


def assert_same(a, b):
    pd.testing.assert_frame_equal(a.drop(columns=TIMES), b.drop(columns=TIMES))


# Real processes, killed.

SCRIPT = """
import sys, numpy as np, ae_zoo
x = np.load(sys.argv[1])
space = {"code": [2, 3], "depth": [0, 1], "width": (4, 8), "activation": "selu", "epochs": 15}
ae_zoo.search("undercomplete", x, space=space, trials=6, workers=int(sys.argv[3]), directory=sys.argv[2], verbose=False)
"""


@pytest.fixture(scope="module")
def rows_file(tmp_path_factory):
    path = tmp_path_factory.mktemp("rows") / "x.npy"
    np.save(path, np.random.default_rng(0).uniform(size=(2000, 8)).astype("float32"))
    return path


@pytest.fixture(scope="module")
def through(rows_file, tmp_path_factory):
    """The leaderboard of a search that nobody killed."""
    folder = tmp_path_factory.mktemp("through") / "search"
    finish(start(rows_file, folder, 1))
    return read(folder)


def start(rows_file, folder, workers):
    return subprocess.Popen(
        [sys.executable, "-c", SCRIPT, str(rows_file), str(folder), str(workers)],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


def results(folder):
    return len(list((folder / "results").glob("*.json")))


def wait_for(condition, process, seconds=120):
    """Waits for what another process does; not for a time."""
    end = time.monotonic() + seconds
    while not condition():
        assert process.poll() is None, process.stdout.read()
        assert time.monotonic() < end, "too slow"
        threading.Event().wait(0.02)


def finish(process):
    output, _ = process.communicate(timeout=240)
    assert process.returncode == 0, output


def read(folder):
    return pd.read_csv(folder / "leaderboard.csv", index_col="key")


def pids(folder, name):
    """The processes of the search in a folder whose name begins so."""
    found = []
    for path in pathlib.Path("/proc").glob("[0-9]*/cmdline"):
        try:
            command = path.read_bytes().decode().split("\0")
        except OSError:
            continue
        place = command.index(str(folder)) + 1 if str(folder) in command else 0
        if place and "ae_zoo.tuning.worker" in command and command[place].startswith(name):
            found.append(int(path.parent.name))
    return found


@pytest.mark.slow
def test_a_killed_search_ends_with_the_leaderboard_of_one_that_was_not(rows_file, through, tmp_path):
    killed = tmp_path / "killed"
    process = start(rows_file, killed, 1)
    wait_for(lambda: results(killed) >= 2, process)
    process.kill()
    process.communicate()
    there = {path.name: path.stat().st_mtime_ns for path in (killed / "results").iterdir()}
    assert 2 <= len(there) < 6
    finish(start(rows_file, killed, 1))
    assert_same(through, read(killed))
    for name, time_ns in there.items():  # not done again
        assert (killed / "results" / name).stat().st_mtime_ns == time_ns


def kill_with_children(process, folder):
    process.kill()
    process.communicate()
    end = time.monotonic() + 20
    while pids(folder, ""):
        assert time.monotonic() < end, "orphans"
        threading.Event().wait(0.1)


@pytest.mark.slow
@pytest.mark.skipif(not os.path.isdir("/proc"), reason="finds the processes by /proc")
def test_dead_workers_a_dead_chief_and_a_dead_main_process_lose_nothing(rows_file, through, tmp_path):
    killed = tmp_path / "killed"
    process = start(rows_file, killed, 2)
    wait_for(lambda: (killed / "logs" / "chief.log").exists(), process)
    kill_with_children(process, killed)  # as they start
    process = start(rows_file, killed, 2)
    wait_for(lambda: list((killed / "running").glob("*.json")), process)
    os.kill(pids(killed, "worker")[0], signal.SIGKILL)
    wait_for(lambda: results(killed) >= 1, process)
    os.kill(pids(killed, "chief")[0], signal.SIGKILL)
    wait_for(lambda: results(killed) >= 3, process)
    kill_with_children(process, killed)
    finish(start(rows_file, killed, 2))
    assert_same(through, read(killed))


@pytest.mark.slow
def test_processes_that_die_again_and_again_end_the_search(tmp_path):
    crew = supervisor.Crew(tmp_path, "127.0.0.1", 1, workers=1, leads=False)  # there is no search in that folder
    crew.patience = 1
    crew.start()

    def until_it_ends():
        while not crew.finished:
            crew.processes[crew.names[0]].wait()
            crew.mend()

    with pytest.raises(RuntimeError, match=r"die again and again.*There is no search in the folder"):
        until_it_ends()
    crew.stop()
