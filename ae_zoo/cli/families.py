"""`ae-zoo families`: what the zoo holds."""

import dataclasses
import shutil
import textwrap
from collections.abc import Iterable, Sequence
from typing import Any

import click

from ae_zoo._support.quiet import quiet_import
from ae_zoo.errors import unknown


@click.command()
@click.argument("name", required=False)
def families(name: str | None) -> None:
    """List the families, or show one of them, with the options that `train --set` takes.

    \b
    ae-zoo families
    ae-zoo families variational
    """
    with quiet_import():
        from ae_zoo import factory
        from ae_zoo.families import FAMILIES
    from ae_zoo.config import Config

    lines = factory.list_families()
    shared = [field.name for field in dataclasses.fields(Config)]
    if name is None:
        titles = ("name", "what it is", "paper", "good for", "its own options")
        rows = [
            (name, lines[name], cls.PAPER, cls.GOOD_FOR, [_setting(field) for field in _own(cls)])
            for name, cls in FAMILIES.items()
        ]
        _table(titles, rows)
        click.echo("\nWhat each option means: ae-zoo families NAME. All families have these:")
        _options(field for field in dataclasses.fields(Config))
        return
    if name not in FAMILIES:
        raise unknown("family", name, FAMILIES)
    cls = FAMILIES[name]
    click.echo(
        f"{name}: {lines[name]}\nGood for {cls.GOOD_FOR}. Paper: {cls.PAPER}.\n\nIts own options, or defaults of its own:"
    )
    own = _own(cls)
    _options(own)
    click.echo("\nOptions that it shares with all:")
    _options(field for field in dataclasses.fields(cls.Config) if field.name in shared and field not in own)


def _own(cls: Any) -> list[dataclasses.Field]:
    """The options that a family adds, and those to which it gives another default."""
    from ae_zoo.config import Config

    shared = {field.name: field.default for field in dataclasses.fields(Config)}
    return [
        field
        for field in dataclasses.fields(cls.Config)
        if field.name not in shared or field.default != shared[field.name]
    ]


def _default(field: dataclasses.Field) -> str:
    value = field.default
    if value is dataclasses.MISSING:
        return ""
    return (",".join(map(str, value)) or "()") if isinstance(value, tuple) else str(value).lower()


def _setting(field: dataclasses.Field) -> str:
    return f"{field.name}={_default(field)}"


def _options(fields: Iterable[dataclasses.Field]) -> None:
    """A line an option: its name, default, meaning and choices."""
    rows = []
    for field in fields:
        choices = field.metadata["choices"]
        rows.append(
            (_setting(field).rstrip("="), field.metadata["help"] + (f": {', '.join(choices)}" if choices else ""))
        )
    first = max((len(setting) for setting, _ in rows), default=0)
    width = _width()
    for setting, text in rows:
        begin = f"  {setting:<{first}}  "
        click.echo(textwrap.fill(text, width, initial_indent=begin, subsequent_indent=" " * len(begin)))


def _table(titles: Sequence[str], rows: Sequence[Sequence[Any]]) -> None:
    """Cells that wrap: the first and the last column are as wide as their words, the others share what is left."""
    fixed = [max(len(row[0]) for row in rows), max(len(setting) for row in rows for setting in row[-1])]
    left = max(36, _width() - sum(fixed) - 2 * (len(titles) - 1))
    widths = [fixed[0], left - 2 * (left // 3), left // 3, left // 3, fixed[1]]
    lines: list[Sequence[str]] = [titles, ["-" * width for width in widths]]
    for row in rows:
        cells = [
            list(cell) if isinstance(cell, list) else textwrap.wrap(cell, width) for cell, width in zip(row, widths)
        ]
        height = max(map(len, cells))
        lines += zip(*(cell + [""] * (height - len(cell)) for cell in cells))
        lines.append([""] * len(widths))
    for line in lines[:-1]:
        click.echo("  ".join(f"{cell:<{width}}" for cell, width in zip(line, widths)).rstrip())


def _width() -> int:
    return min(140, max(80, shutil.get_terminal_size((100, 24)).columns))
