"""Reports: sections of text, tables and pictures, written as one self-contained HTML page, PNG files and JSON."""

import base64
import dataclasses
import html
import importlib.metadata
import io
import json
import pathlib
import platform
from collections.abc import Mapping, Sequence
from typing import Any, Literal, TypeAlias, TypedDict

import jinja2
import markupsafe
from matplotlib.figure import Figure

from ae_zoo._support import files

DPI = 110
PACKAGES = ("ae-zoo", "keras", "tensorflow", "scikit-learn", "numpy")
NUMERIC = tuple("0123456789.+-")  # what a cell begins with that is set as a number


class Text(TypedDict):
    """A paragraph."""

    kind: Literal["text"]
    text: str


class Table(TypedDict):
    """A table; `words` says for each column whether it is aligned left, as words are."""

    kind: Literal["table"]
    columns: list[str]
    rows: list[list[str]]
    caption: str
    words: list[bool]


class Picture(TypedDict):
    """A picture, as the bytes of a PNG file."""

    kind: Literal["picture"]
    name: str
    png: bytes
    caption: str


Block: TypeAlias = Text | Table | Picture


@dataclasses.dataclass
class Section:
    """One section of a report, filled from top to bottom.

    Attributes:
        number: the number in its heading, such as `"19.2"`.
        title: the words in its heading.
        results: the figures that `report.json` holds: plain JSON values by name.
        seconds: how long its work took; 0 if that was not measured.
        blocks: what it shows, in order.
    """

    number: str
    title: str
    results: dict[str, Any] = dataclasses.field(default_factory=dict)
    seconds: float = 0.0
    blocks: list[Block] = dataclasses.field(default_factory=list)

    def text(self, *paragraphs: str) -> None:
        """Adds paragraphs of plain text; words in `backquotes` are set as code."""
        self.blocks += [Text(kind="text", text=paragraph) for paragraph in paragraphs]

    def table(
        self, columns: Sequence[str], rows: Sequence[Sequence[object]], caption: str, *, words: bool = False
    ) -> None:
        """Adds a table.

        Args:
            columns: the names of the columns; the first column names the rows.
            rows: the cells of each row, as they are to be read. A column of numbers is aligned right.
            caption: a sentence below the table.
            words: whether every column is aligned left, those of numbers too.
        """
        cells = [[str(cell) for cell in row] for row in rows]
        left = [
            words or place == 0 or not all(row[place].startswith(NUMERIC) for row in cells if row[place])
            for place in range(len(columns))
        ]
        self.blocks.append(Table(kind="table", columns=list(columns), rows=cells, caption=caption, words=left))

    def picture(self, name: str, figure: Figure, caption: str) -> None:
        """Adds a matplotlib figure, which is written as `<name>.png`."""
        image = io.BytesIO()
        figure.savefig(image, format="png", dpi=DPI, bbox_inches="tight")
        self.blocks.append(Picture(kind="picture", name=name, png=image.getvalue(), caption=caption))


def write(folder: pathlib.Path, title: str, data: str, sections: Sequence[Section], notes: Sequence[str] = ()) -> None:
    """Writes `report.html`, `report.json` and `figures/*.png` into a folder.

    Args:
        folder: the folder; it is made if it is missing, and files of the same names are replaced.
        title: the title of the page.
        data: what the results were measured on; it stands at the top of the page and in the JSON.
        sections: the sections in order.
        notes: plain sentences below the title.

    Raises:
        UnwritableError: a file cannot be written.
    """
    for picture in _pictures(sections):
        with files.whole(folder / "figures" / f"{picture['name']}.png") as sibling:
            sibling.write_bytes(picture["png"])
    versions = {name: importlib.metadata.version(name) for name in PACKAGES}
    seconds = round(sum(section.seconds for section in sections), 1)
    about: Mapping[str, object] = {
        "data": data,
        "python": platform.python_version(),
        "versions": versions,
        "seconds": seconds,
        "sections": {s.number: {"title": s.title, "seconds": round(s.seconds, 1), **s.results} for s in sections},
    }
    with files.whole(folder / "report.json") as sibling:
        sibling.write_text(json.dumps(about, indent=2) + "\n")
    parts = [f"Python {about['python']}", *(f"{name} {version}" for name, version in versions.items())]
    took = f"; {seconds:,.1f} s in all" if seconds else ""
    footer = f"{', '.join(parts)}{took}. Every figure is in report.json."
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
    """Writes one self-contained HTML page.

    Args:
        path: the file.
        title: the title of the page.
        data: what the results were measured on; it stands at the top of the page.
        sections: the sections in order.
        notes: plain sentences below the title.
        footer: a sentence at the end of the page.

    Raises:
        UnwritableError: the file cannot be written.
    """
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


def _pictures(sections: Sequence[Section]) -> list[Picture]:
    return [block for section in sections for block in section.blocks if block["kind"] == "picture"]


def _code(text: str) -> markupsafe.Markup:
    """Returns text in which words in `backquotes` are set as code; everything is escaped first."""
    parts = html.escape(text, quote=False).split("`")
    return markupsafe.Markup("".join(f"<code>{part}</code>" if i % 2 else part for i, part in enumerate(parts)))
