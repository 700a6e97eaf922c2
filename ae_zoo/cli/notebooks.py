"""`ae-zoo notebooks`: copies the notebooks about the chapter to a folder."""

import importlib.resources
import pathlib

import click

from ae_zoo.cli.shared import PATH
from ae_zoo.errors import AlreadyThereError


@click.command(short_help="Copy the notebooks to a folder.")
@click.argument("folder", type=PATH)
def notebooks(folder: pathlib.Path) -> None:
    """Copy the notebooks about the chapter to FOLDER.

    They use all of MNIST. With AE_ZOO_FAST=1 they use a few digits, and each notebook takes seconds.

    \b
    ae-zoo notebooks learn
    pip install 'ae-zoo[notebooks]'
    jupyter lab learn
    """
    if folder.is_file():
        raise AlreadyThereError(f"{folder} is a file; give the name of a folder.")
    source = importlib.resources.files("ae_zoo") / "notebooks"
    found = sorted((path for path in source.iterdir() if path.name.endswith(".ipynb")), key=lambda path: path.name)
    for path in found:
        if (folder / path.name).exists():
            raise AlreadyThereError(
                f"{folder / path.name} exists already, and may have been changed; name another folder."
            )
    folder.mkdir(parents=True, exist_ok=True)
    for path in found:
        (folder / path.name).write_bytes(path.read_bytes())
        click.echo(folder / path.name)
