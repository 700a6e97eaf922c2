"""The architecture, held by reading the imports."""

import ast
import pathlib
import subprocess
import sys

import pytest

ROOT = pathlib.Path(__file__).parents[1]
PACKAGE = ROOT / "ae_zoo"

# From the bottom up; a module may import from lower layers and from its own package.
LAYERS = [
    {"errors", "typing"},
    {"frames"},
    {"_support", "options", "recipe"},
    {"likelihoods", "endpoints"},
    {"schemas"},
    {"tables"},
    {"config"},
    {"layers"},
    {"networks", "data"},
    {"trainable"},
    {"autoencoder"},
    {"families"},
    {"factory"},
    {"training", "client", "plots", "report"},
    {"evaluation"},
    {"detection"},
    {"tuning", "serving"},
    {"chapter"},
    {"cli"},
    {"__main__"},
]
# An object of a lower layer that makes, when asked, one of a higher: it names the class, and knows nothing of it.
MAKES = {
    ("schemas", "ae_zoo.layers.scaling.Scaling"),
    ("schemas", "ae_zoo.layers.scaling.RowLayer"),
    ("schemas", "ae_zoo.layers.corruption.Corruption"),
    ("schemas", "ae_zoo.tables.schema"),
    ("schemas", "ae_zoo.config.Config"),
    ("schemas", "ae_zoo.autoencoder.Autoencoder"),
    ("tables", "ae_zoo.layers.table.TableLayer"),
    ("tables", "ae_zoo.layers.table.CellNoise"),
    ("tables", "ae_zoo.config.Config"),
    ("tables", "ae_zoo.autoencoder.Autoencoder"),
    ("likelihoods", "ae_zoo.config.Config"),
}
# Imported at the top of one module alone; elsewhere only inside a function.
HEAVY = {
    "matplotlib": {"plots", "report"},
    "jinja2": {"report"},
    "pandas": {"data", "tuning"},
    "tensorflow": {"serving", "training"},
    "keras_tuner": {"tuning"},
    "click": {"cli"},
}
MODULES = sorted(path for path in PACKAGE.rglob("*.py") if path.parent != PACKAGE or path.name != "__init__.py")


def unit(path):
    return path.relative_to(PACKAGE).parts[0].removesuffix(".py")


def imports(tree, nodes=None):
    for node in nodes or ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_imports_point_down(path):
    level = {name: index for index, names in enumerate(LAYERS) for name in names}
    own = unit(path)
    for name in imports(ast.parse(path.read_text())):
        parts = name.split(".")
        assert name != "ae_zoo" or own in ("chapter", "cli"), f"{own} imports all of the package"
        if own == "families" and path != PACKAGE / "families" / "__init__.py" and parts[:2] == ["ae_zoo", "families"]:
            own_folder = parts[2] == path.parent.name
            assert own_folder or parts[2] == "configs" or path.stem == "table", f"the family {path.stem} imports {name}"
        if len(parts) > 1 and parts[0] == "ae_zoo" and parts[1] in level and parts[1] != own:
            assert level[parts[1]] < level[own] or (own, name) in MAKES, f"{own} imports {name}"


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_heavy_libraries_have_one_home(path):
    for name in imports(None, ast.parse(path.read_text()).body):
        homes = HEAVY.get(name.split(".")[0])
        assert homes is None or unit(path) in homes, f"{unit(path)} imports {name}"


def test_help_loads_neither_keras_nor_tensorflow():
    code = (
        "import sys, ae_zoo, ae_zoo.cli as c\n"
        "sys.argv = ['ae-zoo', 'train', '--help']\n"
        "c.main()\n"
        "assert not {'keras', 'tensorflow', 'numpy', 'matplotlib'} & set(sys.modules), 'heavy'"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False, cwd=ROOT)
    assert done.returncode == 0, done.stderr
    assert "--set" in done.stdout
