"""`ae-zoo chapter`: chapter 19 redone, as a report."""

import pathlib

import click

from ae_zoo.cli.shared import PATH


@click.command()
@click.option("--out", type=PATH, default=pathlib.Path("chapter"), show_default=True, help="Folder for the report.")
@click.option("--only", multiple=True, metavar="SECTION", help="A section such as 19.3; may be repeated. 19 is all.")
@click.option("--quick", is_flag=True, help="On 5,000 of the digits, with short runs: minutes less, weaker figures.")
@click.option(
    "--data", type=PATH, help="mnist.npz or its folder; default: AE_ZOO_DATA, Keras's download, 5,000 digits."
)
@click.option("--seed", type=click.IntRange(0), default=1, show_default=True)
def chapter(out: pathlib.Path, only: tuple[str, ...], quick: bool, data: pathlib.Path | None, seed: int) -> None:
    """Redo chapter 19, sections 19.2 to 19.5, on real digits, and write a report.

    Section 19.6, of the families that the book only names, is run where --only names it.

    \b
    ae-zoo chapter
    ae-zoo chapter --only 19.3 --out sparse
    ae-zoo chapter --only 19.6 --quick --out zoo
    """
    from ae_zoo.chapter.contents import chapter as run
    from ae_zoo.chapter.contents import chosen
    from ae_zoo.data import load_mnist

    sections = chosen(only)
    run(load_mnist(data), out, only=sections, seed=seed, quick=quick)
