"""Reports: sections of text, tables and pictures, written as one self-contained HTML page, PNGs and JSON."""

import base64
import dataclasses
import html
import importlib.metadata
import io
import json
import pathlib
import platform
from collections.abc import Sequence
from typing import Any

import jinja2
import markupsafe
from matplotlib.figure import Figure

from ae_zoo._support import files

DPI = 110
PACKAGES = ("ae-zoo", "keras", "tensorflow", "scikit-learn", "numpy")


@dataclasses.dataclass
class Section:
    """One section of a report, filled from top to bottom.

    Attributes:
        number, title: its heading.
        results: the figures that `report.json` will hold: plain JSON values.
        seconds: how long it took.
    """

    number: str
    title: str
    results: dict[str, Any] = dataclasses.field(default_factory=dict)
    seconds: float = 0.0
    blocks: list[dict[str, Any]] = dataclasses.field(default_factory=list)

    def text(self, *paragraphs: str) -> None:
        """Adds paragraphs of plain text."""
        self.blocks += [{"kind": "text", "text": paragraph} for paragraph in paragraphs]

    def table(
        self, columns: Sequence[str], rows: Sequence[Sequence[Any]], caption: str, *, words: bool = False
    ) -> None:
        """Adds a table. Cells are text or numbers as they are to be read; the first column is a row's name.

        With `words` all columns are set as words are, from the left.
        """
        block = {"kind": "table", "columns": list(columns), "rows": [*map(list, rows)]}
        self.blocks.append({**block, "caption": caption, "words": words})

    def picture(self, name: str, figure: Figure, caption: str) -> None:
        """Adds a matplotlib figure, written as `<name>.png`."""
        image = io.BytesIO()
        figure.savefig(image, format="png", dpi=DPI, bbox_inches="tight")
        self.blocks.append({"kind": "picture", "name": name, "png": image.getvalue(), "caption": caption})


def write(folder: pathlib.Path, title: str, data: str, sections: Sequence[Section], notes: Sequence[str] = ()) -> None:
    """Writes `report.html`, `report.json` and `figures/*.png` into a folder.

    Args:
        folder: made if missing; files of the same names are replaced.
        title: of the page.
        data: what the results were measured on; it stands at the top and in the JSON.
        sections: in order.
        notes: plain sentences below the title.
    """
    (folder / "figures").mkdir(parents=True, exist_ok=True)
    for block in _pictures(sections):
        with files.whole(folder / "figures" / f"{block['name']}.png") as sibling:
            sibling.write_bytes(block["png"])
    about = {
        "data": data,
        "python": platform.python_version(),
        "versions": {name: importlib.metadata.version(name) for name in PACKAGES},
        "seconds": round(sum(section.seconds for section in sections), 1),
    }
    results = {s.number: {"title": s.title, "seconds": round(s.seconds, 1), **s.results} for s in sections}
    with files.whole(folder / "report.json") as sibling:
        sibling.write_text(json.dumps({**about, "sections": results}, indent=2) + "\n")
    versions = ", ".join(f"{name} {version}" for name, version in about["versions"].items())
    footer = f"Python {about['python']}, {versions}; {about['seconds']:.0f} s in all. Every figure is in report.json."
    write_page(folder / "report.html", title, data, sections, notes=notes, footer=footer)


def write_page(
    path: pathlib.Path,
    title: str,
    data: str,
    sections: Sequence[Section],
    *,
    notes: Sequence[str] = (),
    footer: str = "",
) -> None:
    """Writes one self-contained HTML page: as `write`, without the files beside it."""
    environment = jinja2.Environment(
        loader=jinja2.PackageLoader("ae_zoo.report"), autoescape=True, trim_blocks=True, lstrip_blocks=True
    )
    environment.filters["base64"] = lambda png: base64.b64encode(png).decode()
    environment.filters["code"] = _code
    page = environment.get_template("report.html").render(
        title=title, data=data, notes=notes, sections=sections, footer=footer
    )
    with files.whole(path) as sibling:
        sibling.write_text(page)


def _pictures(sections: Sequence[Section]) -> list[dict[str, Any]]:
    return [block for section in sections for block in section.blocks if block["kind"] == "picture"]


def _code(text: str) -> Any:
    """Text with its `backquoted` words set as code; everything is escaped first."""
    parts = html.escape(text, quote=False).split("`")
    return markupsafe.Markup("".join(f"<code>{part}</code>" if i % 2 else part for i, part in enumerate(parts)))
