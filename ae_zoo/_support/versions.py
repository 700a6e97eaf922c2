"""Folders of exported models: `saved_models/<name>/<version>/`, the layout that TensorFlow Serving watches."""

import hashlib
import json
import operator
import os
import pathlib
import re
from collections.abc import Mapping
from typing import cast

from ae_zoo._support.cards import Card, misfit, raw_columns, told
from ae_zoo._support.files import as_path
from ae_zoo.errors import AEZooError, NotFoundError, first_line, short

EXTRA = "assets.extra"  # a version's folder for extra files, which TensorFlow ignores
CARD = "card.json"
EXAMPLES = "examples.npz"
WEIGHTS = "kept"  # name of the list of weights in the checkpoint, in the order of the card's "variables"
MOST = 2**63 - 1  # the largest version number that a server reads
ZOO = pathlib.Path(__file__).parents[2] / "saved_models"  # in a checkout of the repository: trained models


def found(path: str | os.PathLike[str]) -> pathlib.Path:
    """Returns `path`, or the folder of a model in the zoo if nothing is at `path` and it is the model's name."""
    path = as_path("path", path)
    if not path.exists() and len(path.parts) == 1 and numbers(ZOO / path):
        return ZOO / path
    return path


def hint(path: pathlib.Path) -> str:
    """Returns a sentence to add to an error if nothing is at `path` and it looks like the name of a model in the zoo."""
    if len(path.parts) > 1 or not (path.name.startswith("digits-") or path.name == "penguins"):
        return ""
    return " The trained models of saved_models/ come with a checkout of the repository, not with the package."


def numbers(folder: str | os.PathLike[str]) -> list[int]:
    """Returns the version numbers in the folder of a model, in ascending order; an empty list if there is no folder.

    A folder without a SavedModel is no version: somebody may still be copying it.
    """
    folder = pathlib.Path(folder)
    if not folder.is_dir():
        return []
    return sorted(number for name, number in _numbered(folder) if str(number) == name and is_version(folder / name))


def next_number(folder: str | os.PathLike[str]) -> int:
    """Returns one more than the largest number that names a file or folder in `folder`; "0003" counts as 3.

    Raises:
        AEZooError: the largest number that a server reads is taken.
    """
    largest = max((number for _, number in _numbered(pathlib.Path(folder))), default=0)
    if largest == MOST:
        raise AEZooError(
            f"{folder} has a version {MOST}, the largest possible number: choose another number, such as version=1."
        )
    return largest + 1


def checked_number(version: object) -> int:
    """Returns `version` as an int; raises `AEZooError` if it is not a number that a server reads."""
    try:
        number = operator.index(version)  # type: ignore[arg-type]
    except TypeError:
        number = 0
    if isinstance(version, bool) or not 1 <= number <= MOST:
        raise AEZooError(f"version must be a whole number from 1 to {MOST}; received {short(version)}.")
    return number


def _numbered(folder: pathlib.Path) -> list[tuple[str, int]]:
    """Returns the names in a folder that are version numbers, with the number; a server reads none beyond `MOST`."""
    names = (path.name for path in folder.iterdir() if path.name.isascii() and path.name.isdecimal())
    return [(name, int(name)) for name in names if int(name) <= MOST]


def is_version(folder: str | os.PathLike[str]) -> bool:
    """Returns True if this is the folder of one version, rather than of a model with its versions."""
    return (pathlib.Path(folder) / "saved_model.pb").is_file()


def newest(folder: str | os.PathLike[str]) -> pathlib.Path:
    """Returns the folder of the newest version of a model.

    Args:
        folder: folder of the model; or of a version, which is returned; or the name of a model in the zoo, in a checkout.

    Raises:
        NotFoundError: there is no such folder, or it has no version.
        AEZooError: it is a file.
    """
    folder = found(folder)
    if is_version(folder):
        return folder
    if folder.is_file():
        raise AEZooError(
            f"{folder} is a file; expected the folder of an exported model: write one with ae-zoo export {folder} FOLDER."
        )
    if not folder.is_dir():
        raise NotFoundError(f"There is no folder {folder}.{hint(folder)}")
    known = numbers(folder)
    if not known:
        raise NotFoundError(f"{folder} holds no version of a model, such as a folder named 1; write one with export.")
    return folder / str(known[-1])


def card(version: str | os.PathLike[str]) -> Card:
    """Returns the card of a version; see `ae_zoo.serving.card`.

    Raises:
        AEZooError: there is no card, or it is damaged.
    """
    path = pathlib.Path(version) / EXTRA / CARD
    if not path.is_file():  # a device could be read without end
        raise AEZooError(f"{version} has no card ({EXTRA}/{CARD}): it was not written by ae_zoo.export.")
    try:
        found = json.loads(path.read_text())
        wrong = misfit(found) if isinstance(found, dict) else "it is not a JSON object"
        changed = wrong is None and found["sha256"] != sealed(found)["sha256"]
    except ValueError as error:
        raise AEZooError(f"{path} is damaged: {first_line(error)}.") from None
    except RecursionError:
        raise AEZooError(f"{path} is damaged or not a card: it is nested too deeply.") from None
    if wrong:
        raise AEZooError(f"{path} is damaged or not a card: {wrong}.")
    if changed:
        raise AEZooError(
            f"{path} is not as it was exported: its contents differ from its hash; export the model again."
        )
    return cast(Card, found)


def sealed(card: Mapping[str, object]) -> dict[str, object]:
    """Returns a card with the hash of its other fields, which shows if a column or the threshold was changed."""
    rest = {name: value for name, value in card.items() if name != "sha256"}
    return {**rest, "sha256": _hash(json.dumps(rest, sort_keys=True).encode())}


def member(index: int) -> str:
    """Returns what stands before the names of the weights of one of several models in the card's "variables"."""
    return f"member_{index}/" if index else ""


def member_of(name: str) -> int:
    """Returns the index of the model to which a weight in the card's "variables" belongs."""
    found = re.match(r"member_(\d+)/", name)
    return int(found[1]) if found else 0


def check_intact(version: str | os.PathLike[str]) -> None:
    """Raises `AEZooError` if files of a version are missing, or differ from the exported ones."""
    folder = pathlib.Path(version)
    strange = [
        name
        for name, digest in card(folder)["files"].items()
        if not (folder / name).is_file() or _hash((folder / name).read_bytes()) != digest
    ]
    if strange:
        raise AEZooError(
            f"{version} is not as it was exported: {', '.join(strange)} is missing or differs from the card's hash; "
            "export it again."
        )


def described(version: pathlib.Path) -> str:
    """Returns the card as text for a terminal."""
    about = card(version)
    place = version.resolve()
    lines = [f"{place.parent.name}, version {place.name}: {about['family']}, {about['parameters']:,} weights, "
             f"{about['bytes'] / 1e6:.2f} MB, made {about['made']}"]  # fmt: skip
    data = about["data"]
    if data["source"]:
        lines.append(f"data: {data['source']}")
    for kind, rows in (("training", data["training"]), ("test", data["test"])):
        if rows:
            lines.append(f"{kind} rows: {rows['rows']:,} (sha256 {rows['sha256'][:12]})")
    if data["test"] and data["test"] == data["training"]:
        lines.append("the test rows are the training rows, so the figures are not of held-out rows")
    lines += [f"{name}: {value:.5f}" for name, value in about["metrics"].items()]
    if about["threshold"] is not None:
        lines.append(f"threshold: {about['threshold']:.5f}")
    columns = raw_columns(about)
    if columns:
        lines.append(f"{len(columns)} columns: {told(columns, {})}")
    lines.append("signatures:")
    for name, one in about["signatures"].items():
        sides = (told(side, columns) for side in (one["inputs"], one["outputs"]))
        lines.append(f"  {name}: {' -> '.join(sides)}")
    lines.append("versions: " + ", ".join(f"{name} {number}" for name, number in about["versions"].items()))
    return "\n".join(lines)


def _hash(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()
