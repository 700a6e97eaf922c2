"""`ae-zoo families`: the families and their options, without Keras."""

import dataclasses
import shutil
import textwrap
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import click

from ae_zoo.options import printed

if TYPE_CHECKING:
    from ae_zoo.config import Config


@click.command(short_help="List the families, or explain the options of one.")
@click.argument("name", required=False)
def families(name: str | None) -> None:
    """List the families, or show one of them, with the options that `train --set` takes.

    \b
    ae-zoo families
    ae-zoo families variational
    """
    from ae_zoo.config import Config
    from ae_zoo.families.configs import CONFIGS, config_of

    if name is None:
        titles = ("name", "what it is", "paper", "good for", "its own options")
        rows = [
            (name, config.about, config.paper, config.good_for, [_setting(*one) for one in _own(config).items()])
            for name, config in CONFIGS.items()
        ]
        _table(titles, rows)
        click.echo("\nae-zoo families NAME explains the options of one family. All families have these:")
        _options(Config.options())
        return
    config = config_of(name)
    click.echo(
        f"{name}: {config.about}\nGood for {config.good_for}. Paper: {config.paper}.\n\n"
        "Options that only this family has, or that have another default here:"
    )
    own = _own(config)
    _options(own)
    click.echo("\nOptions that all families have:")
    _options({name: field for name, field in config.options().items() if name not in own})


def _own(config: "type[Config]") -> dict[str, dataclasses.Field[Any]]:
    """Returns the options that a family adds, and those that have another default in this family."""
    from ae_zoo.config import Config

    shared = Config.options()
    return {
        name: field
        for name, field in config.options().items()
        if name not in shared or field.default != shared[name].default
    }


def _setting(name: str, field: dataclasses.Field[Any]) -> str:
    return f"{name}={printed(field.default)}"


def _options(options: Mapping[str, dataclasses.Field[Any]]) -> None:
    """Prints one line for each option: name, default, meaning and choices."""
    rows = []
    for name, field in options.items():
        choices = field.metadata["choices"]
        rows.append(
            (_setting(name, field).rstrip("="), field.metadata["help"] + (f": {', '.join(choices)}" if choices else ""))
        )
    first = max((len(setting) for setting, _ in rows), default=0)
    width = _width()
    for setting, text in rows:
        begin = f"  {setting:<{first}}  "
        click.echo(textwrap.fill(text, width, initial_indent=begin, subsequent_indent=" " * len(begin)))


def _table(titles: Sequence[str], rows: Sequence[tuple[str, str, str, str, list[str]]]) -> None:
    """Prints a table with wrapped cells. The first and the last column fit their words; the others share the rest."""
    fixed = [max(len(row[0]) for row in rows), max(len(setting) for row in rows for setting in row[-1])]
    left = max(36, _width() - sum(fixed) - 2 * (len(titles) - 1))
    widths = [fixed[0], left - 2 * (left // 3), left // 3, left // 3, fixed[1]]
    lines: list[Sequence[str]] = [titles, ["-" * width for width in widths]]
    for row in rows:
        cells = [
            textwrap.wrap(cell, width) if isinstance(cell, str) else list(cell) for cell, width in zip(row, widths)
        ]
        height = max(map(len, cells))
        lines += zip(*(cell + [""] * (height - len(cell)) for cell in cells))
        lines.append([""] * len(widths))
    for line in lines[:-1]:
        click.echo("  ".join(f"{cell:<{width}}" for cell, width in zip(line, widths)).rstrip())


def _width() -> int:
    return min(140, max(80, shutil.get_terminal_size((100, 24)).columns))
