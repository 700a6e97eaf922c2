"""`ae-zoo notebooks`: the notebooks that walk the chapter, in one's own folder."""

import importlib.metadata
import pathlib
import shutil

import click

from ae_zoo.cli.shared import PATH
from ae_zoo.errors import AlreadyThereError, NotFoundError


@click.command()
@click.argument("folder", type=PATH)
def notebooks(folder: pathlib.Path) -> None:
    """Copy the notebooks that walk the chapter to FOLDER.

    They run on full MNIST; with AE_ZOO_FAST=1 in seconds, on a few digits, to look around.

    \b
    ae-zoo notebooks learn
    pip install 'ae-zoo[notebooks]'
    jupyter lab learn
    """
    found = _installed()
    for path in found:
        if (folder / path.name).exists():
            raise AlreadyThereError(
                f"{folder / path.name} is there already, and may have been changed; name another folder."
            )
    folder.mkdir(parents=True, exist_ok=True)
    for path in found:
        click.echo(shutil.copy(path, folder))


def _installed() -> list[pathlib.Path]:
    """Those of the checkout, or where the wheel has put them."""
    root = pathlib.Path(__file__).parents[2]
    if (root / "pyproject.toml").is_file():
        return sorted((root / "notebooks").glob("*.ipynb"))
    listed = importlib.metadata.distribution("ae-zoo").files or []
    found = [pathlib.Path(path.locate()) for path in listed if path.suffix == ".ipynb"]
    found += (root / "share" / "ae_zoo" / "notebooks").glob("*.ipynb")  # of pip install --target, whose list is wrong
    found = sorted({path.name: path for path in found if path.is_file()}.values())
    if not found:
        raise NotFoundError("The notebooks were not installed with this package: install it again with pip.")
    return found
