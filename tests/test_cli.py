import dataclasses
import json
import os
import pathlib
import re
import subprocess
import sys
import types
import zipfile

import numpy as np
import pandas as pd
import pytest

from ae_zoo import cli

ROOT = pathlib.Path(__file__).parents[1]
PAGES = [page for page in sorted((ROOT / "docs").glob("*.md")) if "```python" in page.read_text()]


@pytest.fixture
def table(x, tmp_path):
    path = tmp_path / "rows.csv"
    pd.DataFrame(50 * x, columns=list("abcdefgh")).to_csv(path, index=False)
    return path


def test_from_training_to_scores(run, table, x, tmp_path):
    code, out, err = run(
        "train",
        "sparse",
        "--data",
        table,
        "--set",
        "code=3",
        "--set",
        "hidden=6,5",
        "--epochs",
        2,
        "--out",
        "m.keras",
        "--quiet",
    )
    assert (code, err) == (0, "")
    assert "held-out MSE" in out
    assert "PCA with 3 components" in out
    assert run("encode", "--model", "m.keras", table, "--out", "codes.npy")[0] == 0
    assert np.load(tmp_path / "codes.npy").shape == (64, 3)
    assert run("encode", "--model", "m.keras", table, "--out", "h.csv", "--layer", "hidden_1")[0] == 0
    assert list(pd.read_csv(tmp_path / "h.csv").columns) == [f"hidden_1_{index}" for index in range(5)]
    assert run("score", "--model", "m.keras", table, "--out", "errors.parquet", "--per-feature")[0] == 0
    errors = pd.read_parquet(tmp_path / "errors.parquet")
    assert list(errors.columns) == ["error", *(f"error_{name}" for name in "abcdefgh")]
    assert np.allclose(errors["error"], errors.iloc[:, 1:].mean(axis=1), rtol=1e-5)


def test_columns_in_another_order_are_put_right_and_other_columns_refused(run, table, tmp_path):
    assert run("train", "sparse", "--data", table, "--epochs", 1, "--out", "m.keras", "--quiet")[0] == 0
    frame = pd.read_csv(table)
    frame[list("hgfedcba")].to_csv(tmp_path / "turned.csv", index=False)
    frame.rename(columns={"b": "z"}).to_csv(tmp_path / "renamed.csv", index=False)
    for name in ("rows", "turned"):
        assert run("score", "--model", "m.keras", f"{name}.csv", "--out", f"{name}.npy", "--per-feature")[0] == 0
    assert np.allclose(np.load(tmp_path / "rows.npy"), np.load(tmp_path / "turned.npy"), rtol=1e-5)
    code, _, err = run("score", "--model", "m.keras", "renamed.csv", "--out", "e.npy")
    assert code == 2
    assert "lacks 'b' and adds 'z'" in err


def test_a_detector_s_file_is_scored_and_flagged(run, table, x, tmp_path):
    import ae_zoo

    ae_zoo.Detector(ae_zoo.PCA(2).fit(50 * x)).calibrate(50 * x, 0.1).save(tmp_path / "d.zip")
    assert run("score", "--model", "d.zip", table, "--out", "errors.csv")[0] == 0
    frame = pd.read_csv(tmp_path / "errors.csv")
    assert list(frame.columns) == ["error", "score", "p_value", "flagged"]
    assert frame["flagged"].sum() == 5  # 64 rows: the threshold is the 59th score, ceil(65 x 0.9)


def test_families_are_listed_with_their_papers_and_options(run):
    from ae_zoo.families.configs import CONFIGS

    code, out, _ = run("families")
    assert code == 0
    assert max(map(len, out.splitlines())) <= 100
    for name, config in CONFIGS.items():
        assert name in out
        assert config.paper.split()[0] in out
        assert config.good_for, f"{name} does not say what it is good for"
    for word in ("corruption_amount", "salt_pepper", "sparsity=-0.1", "beta=1.0"):
        assert word in out
    code, out, _ = run("families", "variational")
    assert "free_bits=0.0" in out
    assert "nats that each code unit may use" in out


@pytest.mark.slow
def test_images_are_trained_on_by_an_option_and_drawn(run, digits, tmp_path, monkeypatch):
    import ae_zoo.data

    def load(path=None, *, flat=True):
        shape = (-1, 784) if flat else (-1, 28, 28)
        return dataclasses.replace(digits, x_train=digits.x_train[:300].reshape(shape))

    monkeypatch.setattr(ae_zoo.data, "load_mnist", load)
    settings = ["--set", "network=convolutional", "--set", "hidden=4", "--set", "code=5", "--epochs", 1, "--quiet"]
    code, out, err = run("train", "undercomplete", *settings, "--out", "m.keras")
    assert (code, err) == (0, "")
    assert "PCA with 5 components" in out
    code, out, _ = run("generate", "m.keras", "--n", 9, "--out", "s.png")
    assert code == 0
    assert "9 rows from Density(one normal distribution" in out
    assert (tmp_path / "s.png").read_bytes().startswith(b"\x89PNG")
    for seed in (1, 1, 2):
        assert run("generate", "m.keras", "--density", "neighbors", "--seed", seed, "--out", f"{seed}.npy")[0] == 0
    assert np.load(tmp_path / "1.npy").shape == (64, 28, 28)
    assert not np.allclose(np.load(tmp_path / "1.npy"), np.load(tmp_path / "2.npy"))


def test_a_density_of_codes_draws_only_where_it_is_asked_for(run, table, tmp_path):
    import ae_zoo
    from ae_zoo.cli import generate, search
    from ae_zoo.evaluation.density import KINDS
    from ae_zoo.tuning.objectives import objective

    assert KINDS == generate.DENSITIES
    assert [objective(name, ("masking", 0.3)).name for name in search.OBJECTIVES] == [*search.OBJECTIVES]
    frame = pd.read_csv(table)
    model = ae_zoo.build("variational", data=frame, code=2, hidden=[4], seed=1)
    model.adapt(frame)
    model.save(tmp_path / "v.keras")
    code, _, err = run("generate", "v.keras", "--out", "s.csv", "--data", table)
    assert (code, "draws from its own prior, for which --data is not used" in err) == (2, True)
    code, out, _ = run("generate", "v.keras", "--out", "s.csv", "--data", table, "--density", "neighbors")
    assert (code, "nearest neighbors" in out) == (0, True)


@pytest.mark.slow
def test_a_pca_s_own_file_and_its_detector_s_do_all_that_a_model_s_does(run, table, tmp_path):
    import ae_zoo

    frame = pd.read_csv(table)
    pca = ae_zoo.PCA(2).fit(frame)
    pca.save(tmp_path / "pca.npz")
    ae_zoo.Detector(pca).calibrate(frame, 0.1).save(tmp_path / "detector.zip")
    for name in ("pca.npz", "detector.zip"):
        for args in (
            ("encode", "--model", name, table, "--out", f"{name}.npy"),
            ("score", "--model", name, table, "--out", "errors.csv", "--per-feature"),
            ("generate", name, "--data", table, "--out", "new.csv"),
            ("export", name, f"served/{name}", "--test", table),
            ("export", name, f"calibrated/{name}", "--calibrate", table, "--false-alarm-rate", 0.1),
        ):
            code, _, err = run(*args)
            assert (code, err) == (0, ""), args
        assert np.array_equal(np.load(tmp_path / f"{name}.npy"), pca.encode(frame))
        assert list(pd.read_csv(tmp_path / "new.csv").columns) == list("abcdefgh")
    code, _, err = run("encode", "--model", "pca.npz", table, "--out", "c.npy", "--layer", "hidden_0")
    assert (code, "PCA has only the layer 'code'" in err) == (2, True)


WRONG = [
    (["train", "sparce", "--data", "rows.csv", "--out", "m.keras"], "did you mean 'sparse'"),
    (["train", "sparse", "--data", "rows.csv", "--out", "m.keras", "--set", "coed=3"], "did you mean 'code'"),
    (["train", "sparse", "--data", "none.csv", "--out", "m.keras"], "no file or folder none.csv"),
    (
        ["train", "sparse", "--data", "rows.csv", "--out", "m.keras", "--set", "input_shape=3"],
        "from the rows of --data",
    ),
    (["train", "adversarial", "--out", "m.keras", "--labels", "name"], "--labels digit"),
    (["search", "stakked", "--data", "rows.csv"], "did you mean 'stacked'"),
    (["search", "stacked", "--data", "rows.csv", "--space", "kode=3"], "did you mean 'code'"),
    (["search", "stacked", "--data", "none.csv"], "no file or folder none.csv"),
    (["search", "stacked", "--data", "rows.csv", "--space-file", "none.json"], "no file or folder none.json"),
    (["search", "stacked", "--data", "rows.csv", "--corruption", "maskin", "0.3"], "did you mean 'masking'"),
    (["score", "--model", "none.keras", "rows.csv", "--out", "e.csv"], "no model file none.keras"),
    (["score", "--model", "m.zip", "none.csv", "--out", "e.csv"], "no file or folder none.csv"),
    (["score", "--model", "rows.csv", "rows.csv", "--out", "e.csv"], "not a file that a model's save has written"),
    (["encode", "--model", "digits-sparse", "rows.csv", "--out", "c.npy"], "come with a checkout of the repository"),
    (["encode", "--model", "m.zip", "rows.csv", "--out", "c.xls"], "must end in .npy, .csv or .parquet"),
    (["encode", "--model", "m.zip", "none.csv", "--out", "c.npy"], "no file or folder none.csv"),
    (["generate", "none.keras", "--out", "s.png"], "no model file none.keras"),
    (["generate", "m.zip", "--out", "s.png", "--data", "none.csv"], "no file or folder none.csv"),
    (["generate", "m.zip", "--out", "s.h5"], "must end in .png for a picture, or in .npy, .csv or .parquet for rows"),
    (["generate", "m.zip", "--out", "s.png", "--density", "gausian"], "'gausian' is not one of 'gaussian'"),
    (["export", "none.keras", "served/m"], "no model file none.keras"),
    (["export", "m.zip", "served/m", "--test", "none.csv"], "no file or folder none.csv"),
    (["export", "m.zip", "served/m", "--calibrate", "none.csv"], "no file or folder none.csv"),
    (["check", "m.zip"], "m.zip is a file; expected the folder of an exported model"),
    (["card", "digits-sparse"], "come with a checkout of the repository"),
    (["families", "sparce"], "did you mean 'sparse'"),
]


def test_what_is_wrong_is_told_before_keras_is_loaded(table, tmp_path):
    """In one process of its own, where nothing else has loaded Keras."""
    with zipfile.ZipFile(tmp_path / "m.zip", "w") as archive:
        archive.writestr("config.json", "{}")
    code = (
        "import contextlib, io, json, pathlib, sys\n"
        "from ae_zoo import cli\n"
        "from ae_zoo._support import versions\n"
        "versions.ZOO = pathlib.Path('nowhere')\n"  # as in an installed package
        "def call(args):\n"
        "    sys.argv = ['ae-zoo', *args]\n"
        "    with contextlib.redirect_stderr(io.StringIO()) as err, contextlib.redirect_stdout(io.StringIO()):\n"
        "        try:\n"
        "            cli.main()\n"
        "            code = 0\n"
        "        except SystemExit as done:\n"
        "            code = done.code\n"
        "    return code, err.getvalue(), sorted({'keras', 'tensorflow'} & sys.modules.keys())\n"
        "print(json.dumps([call(args) for args in json.load(sys.stdin)]))\n"
    )
    fine = [["families"], ["families", "variational"]]
    done = subprocess.run(
        [sys.executable, "-c", code],
        input=json.dumps([*fine, *(args for args, _ in WRONG)]),
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=True,
    )
    found = json.loads(done.stdout)
    assert found[: len(fine)] == [[0, "", []]] * len(fine)
    for (args, message), (status, err, loaded) in zip(WRONG, found[len(fine) :], strict=True):
        assert (status, loaded) == (2, []), (args, err)
        assert message in " ".join(err.split()), args
        assert "data=x" not in err


def test_labels_come_from_a_column_or_a_file(run, table, tmp_path, monkeypatch):
    import ae_zoo

    frame = pd.read_csv(table)
    frame.insert(2, "kind", np.arange(64) % 3 - 1)
    frame.to_csv(tmp_path / "labeled.csv", index=False)
    np.save(tmp_path / "kinds.npy", frame["kind"].to_numpy())
    x, y, columns, _ = cli.shared.read_labeled(tmp_path / "labeled.csv", "kind")
    assert columns == tuple("abcdefgh")
    frame[["kind"]].to_csv(tmp_path / "kinds.csv", index=False)
    for name in ("kinds.npy", "kinds.csv"):
        same = cli.shared.read_labeled(table, str(tmp_path / name))
        assert np.array_equal(same[0], x)
        assert np.array_equal(same[1], y)
    given = []

    def fit(model, x, y, validation, **plan):
        given.append((x, y, *validation))
        model.adapt(x)

    monkeypatch.setattr(ae_zoo, "fit", fit)
    small = ["--set", "n_classes=2", "--set", "hidden=6", "--set", "discriminator=8"]
    labeled = ["--data", "labeled.csv", "--labels", "kind"]
    assert run("train", "adversarial", *labeled, *small, "--out", "a.keras")[0] == 0
    for rows, labels in (given[0][:2], given[0][2:]):  # each row has its own label still
        places = [np.flatnonzero((x == row).all(axis=1))[0] for row in rows]
        assert np.array_equal(y[places], labels)
    assert run("generate", "a.keras", "--label", 1, "--out", "a.csv")[0] == 0
    assert list(pd.read_csv(tmp_path / "a.csv").columns) == list("abcdefgh")  # without the label


@pytest.mark.parametrize(
    ("args", "message"),
    [
        (["train", "sparse", "--data", "rows.csv", "--out", "m.h5"], "must end in .keras"),
        (["train", "sparse", "--data", "rows.csv", "--out", "m.keras", "--set", "code"], "NAME=VALUE"),
        (["train", "sparse", "--data", "rows.csv", "--out", "m.keras", "--set", "code=x"], "whole number"),
        (["train", "sparse", "--data", "rows.csv"], "Missing option '--out'"),
        (["train", "sparse", "--data", "rows.csv", "--labels", "a", "--out", "m.keras"], "takes no labels"),
        (
            ["train", "adversarial", "--data", "rows.csv", "--labels", "z", "--out", "m.keras"],
            "a column of the data or a",
        ),
        (["chapter", "--only", "19.9"], "no section '19.9'"),
        (["trian"], "No such command 'trian'"),
    ],
)
def test_bad_input_is_one_sentence_and_exit_code_2(run, table, args, message):
    code, _, err = run(*args)
    assert code == 2
    assert message in err
    assert "Traceback" not in err


@pytest.mark.slow
def test_chapter_writes_a_self_contained_report(digits, tmp_path, monkeypatch, capsys):
    from ae_zoo.chapter import run as shared
    from ae_zoo.chapter.contents import chapter, chosen

    monkeypatch.setattr(shared, "SUBSET_EPOCHS", 2)
    chapter(digits, tmp_path)
    report = json.loads((tmp_path / "report.json").read_text())
    assert report["data"] == str(digits)
    assert list(report["sections"]) == chosen(()) == ["19.2.1", "19.2.2", "19.2.3", "19.3", "19.4", "19.5"]
    grid = {name: row for name, row in report["sections"]["19.2.2"].items() if "-" in name or name.isdigit()}
    assert [row["parameters"] for row in grid.values()] == [79234, 157684, 531884, 167834, 453534]
    assert grid["100"]["pca_test_mse"] == pytest.approx(0.0055, rel=0.1)
    detected = report["sections"]["19.5"]
    for flagged in (detected["shuffled pixels"]["flagged"], detected["inverted digits"]["flagged"]):
        assert flagged["100 codes"] > 0.9
    assert detected["real digits"]["flagged"]["100 codes"] < 0.05
    page = (tmp_path / "report.html").read_text()
    assert str(digits) in page
    assert "These are not MNIST's 60,000 digits" in page
    assert page.count("<img ") == len(list((tmp_path / "figures").glob("*.png"))) > 8
    assert 'src="data:image/png' in page
    assert "http" not in page.replace("http-equiv", "")
    models = {path.name for path in (tmp_path / "models").iterdir()}
    assert {"undercomplete-100.keras", "denoising-gaussian.keras", "detector.zip"} <= models
    assert capsys.readouterr().out.startswith(f"Data: {digits}")


@pytest.mark.slow
def test_the_zoo_s_page_is_run_where_it_is_named(digits, tmp_path, monkeypatch):
    """Every section writes its pictures and figures; nothing is trained, which others test."""
    from ae_zoo.chapter import contents
    from ae_zoo.chapter import run as shared

    def untrained(model, x, y=None, **plan):
        model.adapt(x)
        return types.SimpleNamespace(scores=np.linspace(0, 1, len(x)))

    monkeypatch.setattr(shared, "fit", untrained)
    monkeypatch.setattr(contents, "QUICK_TRAINING", 400)
    monkeypatch.setattr(contents, "QUICK_TEST", 100)
    sections = contents.chapter(digits, tmp_path, only=["19.6"], quick=True)
    assert [section.title.lower() for section in sections] == [
        "variational", "contractive", "convolutional", "winner-take-all", "adversarial", "robust",
    ]  # fmt: skip
    page = (tmp_path / "report.html").read_text()
    assert "500 digits of 5,000 digits of MNIST" in page
    for paper in ("-86.8", "1.20%", "1.60%", "0.64"):
        assert paper in page
    for section in sections:
        assert section.results
        assert any(block["kind"] == "picture" for block in section.blocks)


def test_a_model_for_features_gets_no_error(run, table):
    plan = ("--data", table, "--set", "code=4", "--epochs", 1, "--out", "m.keras", "--quiet")
    code, out, _ = run("train", "winner_take_all", *plan)
    assert (code, "for features alone" in out, "PCA" in out) == (0, True, False)
    code, out, _ = run("train", "winner_take_all", "--set", "threshold=true", *plan)
    assert (code, "held-out MSE" in out, "PCA" in out) == (0, True, True)


@pytest.mark.slow
def test_a_search_writes_a_model_and_a_report_and_goes_on(run, table, tmp_path):
    grid = ("--tuner", "grid", "--space", "hidden=[[],[5]]", "--space", "code=2", "--epochs", 1)
    code, out, err = run("search", "undercomplete", "--data", table, *grid)
    assert (code, err) == (0, "")
    assert "all trials done: 2 trials" in out
    assert {"best.keras", "best.json", "leaderboard.csv", "leaderboard.md", "report.html", "search.log"} <= {
        path.name for path in (tmp_path / "search").iterdir()
    }
    assert set(pd.read_csv(tmp_path / "search" / "leaderboard.csv")["epochs_run"]) == {1}
    assert run("score", "--model", "search/best.keras", table, "--out", "e.csv")[0] == 0
    code, again, _ = run("search", "undercomplete", "--data", table, *grid)
    assert again.splitlines()[:2] == out.splitlines()[:2]  # the same results, seconds too: looked up


@pytest.mark.parametrize(
    ("args", "message"),
    [
        ((), "Name a family"),
        (("stacked", "--space", "code"), "NAME=VALUES"),
        (("stacked", "--space", "hidden=[[3"), "JSON list"),
        (("stacked", "--space", "code=9..3"), "the lower first"),
        (("--join", "nowhere", "--out", "s"), "no search in the folder"),
    ],
)
def test_a_search_that_cannot_be_is_refused(args, message, run, table):
    code, _, err = run("search", *args, *(() if "--join" in args else ("--data", table)))
    assert code == 2
    assert message in err
    assert len(err.strip().splitlines()) == 1


@pytest.mark.slow
def test_readme_blocks_run(digits, tmp_path, monkeypatch):
    """The README's Python blocks, one after another in one namespace, on few epochs."""
    import ae_zoo

    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(ae_zoo, "load_mnist", lambda *args, **kwargs: digits, raising=False)
    fit = ae_zoo.fit
    monkeypatch.setattr(ae_zoo, "fit", lambda *args, **kwargs: fit(*args, **{"epochs": 2, "verbose": 0, **kwargs}))
    search, few = ae_zoo.search, {"tuner": "random", "trials": 2, "epochs": 1, "minutes": None, "verbose": False}
    monkeypatch.setattr(ae_zoo, "search", lambda *args, **kwargs: search(*args, **{**kwargs, **few}))
    namespace = {}
    for block in blocks(ROOT / "README.md"):
        exec(compile(block, "README.md", "exec"), namespace)


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore::UserWarning")  # one epoch is little, which a family may say
@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_blocks_of_the_pages_run(page, digits, tmp_path, monkeypatch):
    """On few rows for one epoch, uncompiled: what they call is there and takes what they give."""
    import ae_zoo
    from ae_zoo.autoencoder import Autoencoder

    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("MLFLOW_TRACKING_URI", (tmp_path / "mlflow").as_uri())
    monkeypatch.setenv("MLFLOW_ALLOW_FILE_STORE", "true")  # the small MLflow of the tests has no database
    few = dataclasses.replace(
        digits, **{name: getattr(digits, name)[:64] for name in ("x_train", "y_train", "x_test", "y_test")}
    )
    images = dataclasses.replace(few, x_train=few.x_train.reshape(-1, 28, 28), x_test=few.x_test.reshape(-1, 28, 28))
    monkeypatch.setattr(ae_zoo, "load_mnist", lambda flat=True: few if flat else images, raising=False)
    short = {"epochs": 1, "batch_size": 32, "verbose": 0}
    for name in ("fit", "fit_robust", "pretrain", "supervise"):
        train = getattr(ae_zoo, name)
        monkeypatch.setattr(ae_zoo, name, lambda *args, train=train, **options: train(*args, **{**options, **short}))
    whole = Autoencoder.compile
    monkeypatch.setattr(Autoencoder, "compile", lambda self, optimizer, **_: whole(self, optimizer, run_eagerly=True))
    namespace = {}
    for block in blocks(page):
        exec(compile(block, page.name, "exec"), namespace)
    assert namespace
    if "mlflow" in namespace:
        (run,) = namespace["mlflow"].search_runs(output_format="list")
        assert run.data.metrics["loss"] > 0
        assert run.data.params["code"] == "16"


def blocks(page):
    """The Python blocks of a page of text."""
    found = re.findall(r"```python\n(.*?)```", page.read_text(), re.DOTALL)
    assert found
    return found


def test_entry_point_is_installed():
    done = subprocess.run([sys.executable, "-m", "ae_zoo", "--version"], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert "0.1.0" in done.stdout
