"""What a search keeps in its folder, what its report says, and what it refuses."""

import html
import json
import shutil
import socket
import subprocess

import numpy as np
import pandas as pd
import pytest

import ae_zoo
from ae_zoo.evaluation.peer import peer_of
from ae_zoo.report import page
from ae_zoo.schemas import ArraySchema
from ae_zoo.tuning import leaderboard, supervisor
from ae_zoo.tuning.objectives import objective
from ae_zoo.tuning.rows import Rows
from ae_zoo.tuning.trials import Result, Trials

CHROMIUM = shutil.which("chromium") or shutil.which("google-chrome")
GRID = {"space": {"code": [2, 3], "hidden": []}, "tuner": "grid", "epochs": 1, "verbose": False}


def table(errors, **columns):
    """A leaderboard."""
    n = len(errors)
    plain = {"place": range(1, n + 1), "trial": range(n), "family": ["stacked"] * n, **columns}
    plain |= {
        "code": range(1, n + 1),
        "reconstruction": errors,
        "parameters": [10 * place for place in range(1, n + 1)],
    }
    return pd.DataFrame({**plain, "seconds": [1.5] * n, "status": ["done"] * n, "reason": [""] * n})


def written(folder, board, **options):
    peer = peer_of(ArraySchema(input_shape=(8,)))
    leaderboard.write(folder, board, "reconstruction", peer, {}, "9 rows.", [], **options)
    return (folder / "report.html").read_text(), json.loads((folder / "report.json").read_text())


def test_the_report_says_how_long_the_search_took(tmp_path):
    text, figures = written(tmp_path, table([1.0, 0.5]), seconds=754.21)
    assert "754.2 s in all" in text
    assert figures["seconds"] == 754.2
    assert "s in all" not in written(tmp_path, table([1.0, 0.5]))[0]


def test_a_caption_names_a_star_only_where_there_is_one(tmp_path):
    assert "star" not in written(tmp_path, table([1.0, 0.5]))[0]
    assert "star" in written(tmp_path, table([1.0, 0.1, 0.09, 0.08]))[0]


def test_the_page_has_one_column_for_all_options_and_tells_once_what_all_trials_share(tmp_path):
    board = table([1.0, 0.5], activation=["tanh", "selu"], epochs=[3, 3], sparsity=[np.nan, 0.25])
    text, _ = written(tmp_path, board)
    assert '<td class="words">activation=selu sparsity=0.25</td>' in text
    assert "All trials have family=stacked epochs=3." in text
    board["status"], board["reason"] = ["done", "skipped"], ["", "no such thing"]
    assert "skipped: no such thing" in written(tmp_path, board)[0]


@pytest.mark.slow
@pytest.mark.skipif(CHROMIUM is None, reason="needs Chromium")
@pytest.mark.parametrize("width", [375, 1100])
def test_the_table_fits_the_window(width, tmp_path):
    options = {f"option_{place}": [f"{place}.125", "0.000123"] for place in range(12)}
    text, _ = written(tmp_path, table([123.456, 0.5], learning_rate=[0.00123, 0.0045], **options))
    (tmp_path / "frame.html").write_text(
        f'<iframe width={width} height=900 srcdoc="{html.escape(text)}" onload="'
        "const box = this.contentDocument.querySelector('.scroll');"
        "document.title = box.scrollWidth + ' of ' + box.clientWidth\"></iframe>"
    )
    command = [CHROMIUM, "--headless", "--no-sandbox", "--disable-gpu", "--dump-dom", "--window-size=1300,1000"]
    done = subprocess.run([*command, f"file://{tmp_path}/frame.html"], capture_output=True, text=True, check=True)
    needed, there = done.stdout.split("<title>")[1].split("</title>")[0].split(" of ")
    assert int(needed) <= int(there)


def test_columns_of_numbers_are_aligned_right_and_words_left():
    section = page.Section("1", "one")
    section.table(["name", "error", "what"], [["a", "-.5", "3 of 4"], ["b", "", "none"]], "")
    assert section.blocks[0]["words"] == [True, False, True]


@pytest.fixture(scope="module")
def searched(tmp_path_factory):
    """A finished search, and its rows."""
    x = np.random.default_rng(0).random((64, 8), "float32")
    folder = tmp_path_factory.mktemp("searched") / "search"
    ae_zoo.search("undercomplete", x, directory=folder, **GRID)
    return folder, x


@pytest.mark.parametrize(
    ("file", "content", "message"),
    [
        ("results/KEY.json", "{", "results/KEY.json is damaged: delete it, and the same search runs that trial again"),
        ("results/KEY.json", "[]", "results/KEY.json is damaged"),
        ("results/KEY.json", '{"key": "KEY"}', "results/KEY.json is damaged"),
        ("clock.json", "null", "clock.json is damaged: delete it, and the same search counts its minutes from 0"),
        ("clock.json", '{"seconds": NaN, "finished": true}', "clock.json is damaged"),
        ("clock.json", '{"seconds": "3", "finished": true}', "clock.json is damaged"),
        ("search.json", "{", "search.json is damaged: delete the folder"),
        ("search.json", "{}", "search.json is damaged"),
    ],
)
def test_a_damaged_file_is_named_with_its_remedy(searched, tmp_path, file, content, message):
    folder = shutil.copytree(searched[0], tmp_path / "search")
    key = next((folder / "results").iterdir()).stem
    (folder / file.replace("KEY", key)).write_text(content.replace("KEY", key))
    with pytest.raises(ae_zoo.AEZooError, match=message.replace("KEY", key)):
        ae_zoo.search("undercomplete", searched[1], directory=folder, **GRID)


def test_a_field_of_another_type_and_another_trials_result_are_damage(tmp_path, x):
    trials = Trials(tmp_path, Rows.split(x, None, 0.1, 1, strange=False), objective("linear", ("masking", 0.3)), seed=1)
    plain = {"key": "a", "number": 1, "family": "stacked", "options": {}, "training": {}, "seed": 1, "status": "done"}
    trials.write(Result(**plain))
    assert trials.read("a") == Result(**plain)
    for wrong in ({"score": "0.5"}, {"options": []}, {"number": True}, {"key": "b"}, {"more": 1}):
        (tmp_path / "results" / "a.json").write_text(json.dumps({**plain, **wrong}))
        with pytest.raises(ae_zoo.AEZooError, match=r"results/a\.json is damaged"):
            trials.find("a")


def test_a_best_model_that_is_gone_is_named(searched, tmp_path):
    folder = shutil.copytree(searched[0], tmp_path / "search")
    shutil.rmtree(folder / "models")
    (folder / "best.json").write_text("not JSON, and written anew")
    with pytest.raises(FileNotFoundError, match=r"There is no .*\.keras; delete .*results.*\.json to train it again"):
        ae_zoo.search("undercomplete", searched[1], directory=folder, **GRID)


def test_joining_a_chief_that_is_gone_is_refused_before_any_worker_starts(searched, monkeypatch):
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    monkeypatch.setattr(supervisor, "ARRIVAL", 0.0)
    monkeypatch.setattr(supervisor.Crew, "start", lambda crew: pytest.fail("a worker was started"))
    with pytest.raises(ae_zoo.AEZooError, match=f"No chief answers at 127.0.0.1:{port}; start the search there first"):
        supervisor.join(searched[0], f"127.0.0.1:{port}", 1)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"objective": "neighbours"}, "The objective 'neighbours' is now 'neighbors'"),
        ({"corruption": ("masking", float("nan"))}, "amount must be a finite number; received nan"),
        ({"corruption": ("masking", 1.0)}, r"amount must be in \[0, 1\)"),
        ({"corruption": 3}, "corruption must be a kind and an amount"),
        ({"minutes": float("inf")}, "minutes must be a finite number"),
        ({"minutes": "3 h"}, "minutes must be a finite number"),
        ({"workers": 2000}, "workers must be at most 1,024"),
        ({"seeds": 10**12}, "seeds must be at most 2,147,483,647"),
        ({"space": 3}, "space must be a dict of options, or a list of dicts"),
        ({"space": {"depth": (1, 10**12)}}, "depth must be a whole number from 0 to 100"),
        ({"space": {"width": float("inf")}}, "width must be a whole number from 1"),
        ({"validation": "half"}, "validation must be a finite number"),
    ],
)
def test_arguments_that_cannot_be_meant_are_refused_at_once(options, message, x, tmp_path):
    with pytest.raises(ae_zoo.AEZooError, match=message):
        ae_zoo.search("stacked", x, directory=tmp_path / "s", **options)
    assert not (tmp_path / "s").exists()


def test_any_number_of_seeds_and_finalists_is_gone_through_one_by_one(searched, tmp_path):
    folder = shutil.copytree(searched[0], tmp_path / "search")
    plan = {**GRID, "minutes": 1e-6, "seeds": 2**31 - 1, "finalists": 2**31 - 1}
    assert ae_zoo.search("undercomplete", searched[1], directory=folder, **plan).stopped == "time is up"
