"""The notebooks run, and the executed ones are those of the sources."""

import importlib.util
import io
import pathlib
import re
import runpy

import nbformat
import numpy as np
import pytest
from PIL import Image

import ae_zoo
from ae_zoo import plots
from ae_zoo.chapter import notebook

FOLDER = pathlib.Path(__file__).parents[1] / "notebooks"
SOURCES = sorted(FOLDER.glob("[0-9]*.py"))
BUILT = re.compile(r'(?:build|trained)\(\s*"(\w+)"')


@pytest.fixture(scope="module")
def make():
    spec = importlib.util.spec_from_file_location("make_notebooks", FOLDER / "make.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def fast(monkeypatch, digits, capsys):
    monkeypatch.setattr(notebook, "FAST", True)
    monkeypatch.setattr(notebook, "load_mnist", lambda flat=True: _shaped(digits, flat))
    notebook.shorten(monkeypatch.setattr)


def _shaped(digits, flat):
    import dataclasses

    shape = (-1, 784) if flat else (-1, 28, 28)
    return dataclasses.replace(digits, x_train=digits.x_train.reshape(shape), x_test=digits.x_test.reshape(shape))


def test_there_are_fourteen_and_they_show_every_family():
    assert [path.name[:2] for path in SOURCES] == [f"{number:02}" for number in range(1, 15)]
    lines = [line for path in SOURCES for line in path.read_text().splitlines() if not line.startswith("#")]
    code = "\n".join(lines)
    assert set(BUILT.findall(code)) == set(ae_zoo.list_families())
    assert "FAST" not in code  # which mode it is is no reader's concern


# A few epochs on a few digits do not play the adversarial game to its end, and say so.
@pytest.mark.slow
@pytest.mark.filterwarnings("ignore:The discriminator is dead:UserWarning")
@pytest.mark.filterwarnings("ignore:The codes do not follow the prior:UserWarning")
@pytest.mark.filterwarnings("ignore:Few classes are used:UserWarning")
@pytest.mark.filterwarnings("ignore:The discriminator of the:UserWarning")
@pytest.mark.parametrize("path", SOURCES, ids=lambda path: path.stem)
def test_each_runs(path, fast, monkeypatch, tmp_path, capsys):
    monkeypatch.chdir(tmp_path)
    runpy.run_path(str(path))
    said = capsys.readouterr().out
    assert said.startswith("FAST MODE")
    assert said.count("holds: ") + said.count("not checked in fast mode: ") >= path.read_text().count("claim(")
    assert said.count("holds: ") == path.read_text().count("fast=True")


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: path.stem)
def test_each_is_kept_executed_in_full(path, make):
    kept = nbformat.read(path.with_suffix(".ipynb"), as_version=4)
    source = make.source(path)
    assert [(cell.cell_type, cell.source) for cell in kept.cells] == [
        (cell.cell_type, cell.source) for cell in source.cells
    ], "its pair is out of step: make notebooks"
    outputs = [output for cell in kept.cells for output in cell.get("outputs", ())]
    assert all(cell.execution_count for cell in kept.cells if cell.cell_type == "code")
    text = "".join(output.text for output in outputs if output.output_type == "stream")
    assert not any(output.output_type == "error" or output.get("name") == "stderr" for output in outputs)
    assert text.count("holds: ") >= path.read_text().count("claim(") >= 3
    assert "full MNIST: 60,000 training" in text or path.stem.startswith(("13_", "14_"))
    assert sum("image/png" in output.get("data", {}) for output in outputs) >= 1
    assert path.with_suffix(".ipynb").stat().st_size <= make.LIMIT
    assert (make.PICTURES / f"{path.stem}.png").is_file()


def test_a_claim_that_does_not_hold_ends_the_notebook(monkeypatch, capsys):
    monkeypatch.setattr(notebook, "FAST", False)
    monkeypatch.setattr(notebook, "_part", False)
    notebook.claim("two is more than one", 2 > 1)
    assert capsys.readouterr().out == "holds: two is more than one\n"
    with pytest.raises(AssertionError, match="does not hold: one is"):
        notebook.claim("one is more than two", np.bool_(False))
    monkeypatch.setattr(notebook, "_part", True)  # claims are of full MNIST
    notebook.claim("one is more than two", False)
    assert capsys.readouterr().out == "not checked on a part of MNIST: one is more than two\n"
    monkeypatch.setattr(notebook, "FAST", True)
    notebook.claim("one is more than two", False)
    assert capsys.readouterr().out == "not checked in fast mode: one is more than two\n"
    with pytest.raises(AssertionError):
        notebook.claim("one is more than two", False, fast=True)


def test_no_training_of_the_fast_mode_is_long(fast, x):
    """Whatever a notebook asks for, and wherever it asks for it."""
    model = ae_zoo.build("undercomplete", data=x, code=2)
    assert ae_zoo.fit(model, x, verbose=0).epochs == notebook.EPOCHS
    assert ae_zoo.fit(model, x, epochs=60, verbose=0).epochs == notebook.EPOCHS
    assert ae_zoo.fit(model, x, epochs=1, verbose=0).epochs == 1


def test_a_figure_of_the_fast_mode_says_so(monkeypatch):
    shown = []
    monkeypatch.setattr("IPython.display.display", lambda image: shown.append(image.data))
    for fast in (False, True):
        monkeypatch.setattr(notebook, "FAST", fast)
        notebook.show(plots.learning_curves({"loss": [2.0, 1.0]}))
    full, fast = (np.asarray(Image.open(io.BytesIO(data)).convert("RGB"), int) for data in shown)
    red = [(image[..., 0] - image[..., 1] > 100).sum() for image in (full, fast)]
    assert red[0] == 0 < red[1]


def test_they_are_copied_and_none_is_overwritten(run, tmp_path):
    code, out, _ = run("notebooks", tmp_path / "learn")
    copies = sorted((tmp_path / "learn").iterdir())
    assert code == 0
    assert [path.name for path in copies] == [path.with_suffix(".ipynb").name for path in SOURCES]
    assert copies[0].read_bytes() == SOURCES[0].with_suffix(".ipynb").read_bytes()
    assert str(copies[0]) in out
    copies[0].unlink()
    code, _, err = run("notebooks", tmp_path / "learn")
    assert (code, copies[0].exists()) == (2, False)
    assert "exists already" in err
