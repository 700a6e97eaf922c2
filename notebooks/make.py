"""Runs the notebooks: each `NAME.py` becomes `NAME.ipynb`, executed, with its pictures.

    python notebooks/make.py --help

The source is the `.py` file, in jupytext's percent format. What a run adds besides outputs (times, versions of the kernel)
is left out, so that a second run changes only what is different. The picture of a cell with the tag `cover` goes to
`docs/pictures`, for the README.
"""

import base64
import os
import pathlib
import re
import sys
import time

import click
import jupytext
import nbclient
import nbformat

HERE = pathlib.Path(__file__).parent
PICTURES = HERE.parent / "docs" / "pictures"
LIMIT = 400_000  # bytes of a notebook
SLACK = 1.6  # how much longer than its header says a notebook may run


def source(path: pathlib.Path) -> nbformat.NotebookNode:
    """The notebook that a `.py` file describes, not run."""
    notebook = jupytext.read(path, fmt="py:percent")
    for number, cell in enumerate(notebook.cells):
        cell.id = f"cell-{number:02}"  # which would be random
    notebook.metadata = nbformat.from_dict({
        "jupytext": {"formats": "ipynb,py:percent"},
        "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
        "language_info": {"name": "python"},
    })  # fmt: skip
    return notebook


def run(path: pathlib.Path) -> None:
    """Executes one and writes it, if all its claims hold."""
    notebook = source(path)
    started = time.perf_counter()
    resources = {"metadata": {"path": HERE}}
    try:
        nbclient.NotebookClient(notebook, timeout=3600, record_timing=False, resources=resources).execute()
    except nbclient.exceptions.CellExecutionError as error:
        said = [output.text for cell in notebook.cells for output in cell.get("outputs", ()) if "text" in output]
        sys.exit(f"{''.join(said)}{path.name}: {error.ename}: {error.evalue}")
    minutes = (time.perf_counter() - started) / 60
    said = float(re.search(r"about ([\d.]+) minutes?", notebook.cells[0].source)[1])
    if minutes > SLACK * said:
        sys.exit(f"{path.stem} took {minutes:.1f} minutes, and its header says {said:g}.")
    cover = None
    for cell in notebook.cells:
        for output in cell.get("outputs", ()):
            if output.get("name") == "stderr":
                sys.exit(f"{path.name} writes to the error stream: {output.text}")
            output.get("metadata", {}).clear()
            if "cover" in cell.metadata.get("tags", ()) and "image/png" in output.get("data", {}):
                cover = base64.b64decode(output.data["image/png"])
    notebook.metadata["language_info"] = {"name": "python"}
    text = nbformat.writes(notebook) + "\n"
    if len(text) > LIMIT or cover is None:
        sys.exit(
            f"{path.stem} takes {len(text):,} bytes of {LIMIT:,}, and {'no ' * (cover is None)}cell has the tag cover."
        )
    PICTURES.mkdir(exist_ok=True)
    (PICTURES / f"{path.stem}.png").write_bytes(cover)
    path.with_suffix(".ipynb").write_text(text)
    print(f"{path.stem}: {minutes:.1f} minutes (its header: {said:g}), {len(text) / 1000:.0f} KB", flush=True)


def renew_prose(path: pathlib.Path) -> None:
    """Brings the text of an executed notebook in step with its source."""
    notebook, kept = source(path), nbformat.read(path.with_suffix(".ipynb"), as_version=4)
    code, run_code = ([cell for cell in each.cells if cell.cell_type == "code"] for each in (notebook, kept))
    if [cell.source for cell in code] != [cell.source for cell in run_code]:
        raise ValueError(f"{path.stem} has other code than was run: run it again.")
    for cell, was in zip(code, run_code, strict=True):
        cell.outputs, cell.execution_count = was.outputs, was.execution_count
    path.with_suffix(".ipynb").write_text(nbformat.writes(notebook) + "\n")


@click.command()
@click.argument("names", nargs=-1)
@click.option(
    "--prose", is_flag=True, help="Bring text in step where only text has changed: keeps outputs, runs nothing."
)
def main(names: tuple[str, ...], prose: bool) -> None:
    """Run the notebooks NAMES, such as 04_sparse, or all of them."""
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    if os.environ.get("AE_ZOO_FAST", "0") not in ("", "0"):
        sys.exit("Notebooks that are kept are run in full: unset AE_ZOO_FAST.")
    for name in names or sorted(path.stem for path in HERE.glob("[0-9]*.py")):
        (renew_prose if prose else run)(HERE / f"{name}.py")


if __name__ == "__main__":
    main()
