"""`ae-zoo chapter`: redoes chapter 19, and writes a report."""

import pathlib

import click

from ae_zoo.cli.shared import PATH, check_rows


@click.command(short_help="Redo chapter 19 and write a report.")
@click.option("--out", type=PATH, default=pathlib.Path("chapter"), show_default=True, help="Folder for the report.")
@click.option(
    "--only", multiple=True, metavar="SECTION", help="A section such as 19.3; may be repeated. 19 means all sections."
)
@click.option(
    "--quick", is_flag=True, help="Use 5,000 of the digits and short runs: saves minutes, but the results are worse."
)
@click.option(
    "--data",
    type=PATH,
    help="mnist.npz or its folder. Default: the path in AE_ZOO_DATA, else Keras's download, else 5,000 digits.",
)
@click.option("--seed", type=click.IntRange(0), default=1, show_default=True)
def chapter(out: pathlib.Path, only: tuple[str, ...], quick: bool, data: pathlib.Path | None, seed: int) -> None:
    """Redo chapter 19, sections 19.2 to 19.5, on real digits, and write a report.

    Section 19.6, about the families that the book only mentions, runs only if --only names it.

    \b
    ae-zoo chapter
    ae-zoo chapter --only 19.3 --out sparse
    ae-zoo chapter --only 19.6 --quick --out zoo
    """
    check_rows(data)
    from ae_zoo.chapter.contents import chapter as run
    from ae_zoo.chapter.contents import chosen
    from ae_zoo.data import load_mnist

    sections = chosen(only)
    run(load_mnist(data), out, only=sections, seed=seed, quick=quick)
