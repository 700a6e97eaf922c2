"""The tables of options in docs/ name the options that there are, with their defaults."""

import dataclasses
import pathlib
import re

import pytest

from ae_zoo.config import Config
from ae_zoo.families import FAMILIES

DOCS = pathlib.Path(__file__).parents[1] / "docs"
CONFIGS = {"README": Config} | {name: cls.Config for name, cls in FAMILIES.items()}


def tables(page):
    """The rows of the tables whose first column is `option`: lists of cells."""
    rows, inside = [], False
    for line in page.splitlines():
        cells = [cell.strip() for cell in line.strip("|").split("|")] if line.startswith("|") else []
        if cells and cells[0] == "option":
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


@pytest.mark.parametrize("page", CONFIGS)
def test_options_and_defaults_are_those_of_the_config(page):
    defaults = {field.name: field.default for field in dataclasses.fields(CONFIGS[page])}
    for cells in tables((DOCS / f"{page}.md").read_text()):
        names = re.findall(r"`(\w+)`", cells[0])
        assert names, cells
        assert set(names) <= set(defaults), f"{page}.md names options that do not exist: {set(names) - set(defaults)}"
        shown = re.sub(r"[`\"()]", "", cells[1]).strip(" ,").lower()
        if shown:
            assert shown == ", ".join(printed(defaults[name]) for name in names), f"{page}.md: {cells}"


@pytest.mark.parametrize("page", CONFIGS)
def test_every_option_is_on_its_page(page):
    shared = {field.name for field in dataclasses.fields(Config)}
    own = {field.name for field in dataclasses.fields(CONFIGS[page])} - (
        shared if page != "README" else {"input_shape", "columns"}
    )
    text = (DOCS / f"{page}.md").read_text()
    assert [name for name in sorted(own) if f"`{name}`" not in text] == []


def test_the_tables_are_found():
    """Otherwise the tests above would pass on nothing."""
    assert sum(len(tables((DOCS / f"{page}.md").read_text())) for page in CONFIGS) >= 40
