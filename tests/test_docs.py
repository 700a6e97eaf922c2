"""What the pages say of options, losses, scalings, families and files is what there is."""

import dataclasses
import pathlib
import re

import pytest

from ae_zoo import likelihoods
from ae_zoo.config import Config
from ae_zoo.families.configs import CONFIGS as FAMILIES
from ae_zoo.schemas import SCALINGS, ArraySchema

ROOT = pathlib.Path(__file__).parents[1]
DOCS = ROOT / "docs"
OPTIONS = {"README": Config.options()} | {name: config.options() for name, config in FAMILIES.items()}
OPTIONS["schemas"] = {field.name: field for field in dataclasses.fields(ArraySchema)}
PAGES = sorted(ROOT.glob("*.md")) + sorted(DOCS.glob("*.md"))


def tables(page, first="option"):
    """The rows of the tables whose first column has the title `first`: lists of cells."""
    rows, inside = [], False
    for line in page.splitlines():
        cells = [cell.strip() for cell in line.strip("|").split("|")] if line.startswith("|") else []
        if cells and cells[0] == first:
            inside = True
        elif not cells:
            inside = False
        elif inside and not set(cells[0]) <= set("-: "):
            rows.append(cells)
    return rows


def printed(value):
    """A default as a page shows it, without quotes, brackets and capitals."""
    if isinstance(value, tuple):
        return ", ".join(map(str, value)) or "none"
    return f"{value:g}" if isinstance(value, float) else str(value).lower()


@pytest.mark.parametrize("page", OPTIONS)
def test_options_and_defaults_are_those_of_the_config(page):
    options = OPTIONS[page]
    for cells in tables((DOCS / f"{page}.md").read_text()):
        names = re.findall(r"`(\w+)`", cells[0])
        assert names, cells
        assert set(names) <= set(options), f"{page}.md names options that do not exist: {set(names) - set(options)}"
        shown = re.sub(r"[`\"()]", "", cells[1]).strip(" ,").lower()
        if shown:
            assert shown == ", ".join(printed(options[name].default) for name in names), f"{page}.md: {cells}"


@pytest.mark.parametrize("page", OPTIONS)
def test_every_option_is_on_its_page(page):
    own = set(OPTIONS[page]) - (set() if page in ("README", "schemas") else set(OPTIONS["README"]))
    text = (DOCS / f"{page}.md").read_text()
    assert [name for name in sorted(own) if f"`{name}`" not in text] == []


def test_the_tables_are_found():
    """Otherwise the tests above would pass on nothing."""
    assert sum(len(tables((DOCS / f"{page}.md").read_text())) for page in OPTIONS) >= 50


def test_the_table_of_losses_is_that_of_the_likelihoods():
    page = {cells[0].strip("`"): cells for cells in tables((DOCS / "likelihoods.md").read_text(), "name")}
    known = {name: one for name, one in likelihoods.LIKELIHOODS.items() if one.__module__ == likelihoods.__name__}
    assert {name: cells[2] for name, cells in page.items()} == {name: one.unit for name, one in known.items()}
    for cells in page.values():
        assert set(re.findall(r"`(\w+_\w+)`", cells[4])) <= set(Config.options())


def test_the_table_of_scalings_is_that_of_the_schemas():
    page = tables((DOCS / "schemas.md").read_text(), "`scaling`")
    shown = {cells[0].strip("`"): tuple(map(float, cells[3].split(","))) for cells in page}
    assert shown == {name: scale.extremes for name, scale in SCALINGS.items()}


@pytest.mark.parametrize("path", ["README.md", "docs/README.md"])
def test_every_family_is_listed(path):
    listed = {cells[0].strip("`") for title in ("name", "family") for cells in tables((ROOT / path).read_text(), title)}
    assert set(FAMILIES) <= listed


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_lead_to_files(page):
    text = re.sub(r"```.*?```", "", page.read_text(), flags=re.DOTALL)
    links = re.findall(r"\]\(([^)#]+)", text) + re.findall(r"(?:href|src)=\"([^\"]+)\"", text)
    files = [link for link in links if "://" not in link]
    assert [link for link in files if not (page.parent / link).exists()] == []


def test_the_files_that_a_change_touches_are_there():
    changes = tables((ROOT / "CONTRIBUTING.md").read_text(), "to add")
    files = {name for cells in changes for name in re.findall(r"`([\w/]+\.py)`", cells[1])}
    assert len(changes) == 10
    assert len(files) >= 8
    assert [name for name in sorted(files) if not any((ROOT / at / name).is_file() for at in ("ae_zoo", "."))] == []
