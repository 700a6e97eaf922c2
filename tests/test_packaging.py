"""What is installed: the wheel's files, the version, and one sentence for each extra that is missing."""

import builtins
import importlib.metadata
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tomllib
import zipfile

import pytest

import ae_zoo
from ae_zoo.errors import MissingExtraError

ROOT = pathlib.Path(__file__).parents[1]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]


@pytest.fixture
def without(monkeypatch):
    """Makes libraries as if they were not installed."""

    def hide(*names):
        found = builtins.__import__

        def missing(name, *rest):
            if name.split(".")[0] in names:
                raise ImportError(f"No module named {name!r}")
            return found(name, *rest)

        monkeypatch.setattr(builtins, "__import__", missing)

    return hide


@pytest.mark.parametrize(
    ("address", "library", "extra"),
    [("http://localhost:8501", "requests", "client"), ("grpc://localhost:8500", "tensorflow_serving", "grpc")],
)
def test_a_client_says_which_extra_it_needs(address, library, extra, without, monkeypatch):
    without(library)
    for module in ("rest", "grpc"):
        monkeypatch.delitem(sys.modules, f"ae_zoo.client.{module}", raising=False)
    with pytest.raises(MissingExtraError, match=rf"pip install 'ae-zoo\[{extra}\]'"):
        ae_zoo.client.connect(address, "digits")


def test_the_extras_that_are_named_in_messages_exist():

    named = set()
    for path in (ROOT / "ae_zoo").rglob("*.py"):
        named |= set(re.findall(r"ae-zoo\[([a-z]+)\]", path.read_text()))
    assert named
    assert named <= set(PROJECT["optional-dependencies"])


def test_the_version_is_that_of_the_project():
    assert ae_zoo.__version__ == importlib.metadata.version("ae-zoo") == PROJECT["version"]
    assert f"## {PROJECT['version']}" in (ROOT / "CHANGELOG.md").read_text()


@pytest.mark.slow
def test_a_wheel_has_all_and_its_notebooks_can_be_copied(tmp_path):
    source, wheels, target = (tmp_path / name for name in ("source", "wheels", "target"))
    shutil.copytree(ROOT / "ae_zoo", source / "ae_zoo", ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(ROOT / name, source)
    pip = (sys.executable, "-m", "pip", "--disable-pip-version-check", "-q")
    subprocess.run([*pip, "wheel", "--no-deps", "--no-build-isolation", "-w", wheels, source], check=True)
    (wheel,) = wheels.iterdir()
    files = set(zipfile.ZipFile(wheel).namelist())
    expected = {str(path.relative_to(ROOT)) for path in (ROOT / "ae_zoo").rglob("*.py*") if path.suffix != ".pyc"}
    expected |= {f"ae_zoo/notebooks/{path.name}" for path in (ROOT / "notebooks").glob("*.ipynb")}
    expected |= {f"ae_zoo/report/templates/{path.name}" for path in (ROOT / "ae_zoo/report/templates").iterdir()}
    assert expected | {"ae_zoo/py.typed"} == {name for name in files if name.startswith("ae_zoo/")}
    assert any(name.endswith("licenses/LICENSE") for name in files)

    subprocess.run([*pip, "install", "--no-deps", "--no-index", "--target", target, wheel], check=True)
    command = [sys.executable, "-m", "ae_zoo", "notebooks", tmp_path / "learn"]
    environment = {**os.environ, "PYTHONPATH": str(target)}
    done = subprocess.run(command, env=environment, cwd=tmp_path, check=True, capture_output=True, text=True)
    copied = sorted(path.name for path in (tmp_path / "learn").iterdir())
    assert copied == sorted(path.name for path in (ROOT / "notebooks").glob("*.ipynb"))
    assert len(done.stdout.splitlines()) == len(copied) == 14
