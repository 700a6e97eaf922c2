"""Folders of exported models: `saved_models/<name>/<version>/`, as TensorFlow Serving watches them."""

import hashlib
import json
import operator
import os
import pathlib
from collections.abc import Mapping
from typing import cast

from ae_zoo._support.cards import Card, misfit
from ae_zoo.errors import AEZooError, NotFoundError, first_line

EXTRA = "assets.extra"  # of a version: what TensorFlow leaves alone, and copies with it
CARD = "card.json"
EXAMPLES = "examples.npz"
WEIGHTS = "kept"  # the list of them in the checkpoint, in the order of the card's "variables"
MOST = 2**63 - 1  # the largest number of a version that a server reads
ZOO = pathlib.Path(__file__).parents[2] / "saved_models"  # of a checkout: a trained model a family


def found(path: str | os.PathLike) -> pathlib.Path:
    """`path`, or where nothing is there and it is the name of one of the zoo's trained models, that one's folder."""
    path = pathlib.Path(path)
    if not path.exists() and len(path.parts) == 1 and numbers(ZOO / path):
        return ZOO / path
    return path


def hint(path: pathlib.Path) -> str:
    """What to add where nothing is at `path` and its name is like those of the zoo's trained models."""
    if len(path.parts) > 1 or not path.name.startswith("digits-"):
        return ""
    return " The trained models of saved_models/ come with a checkout of the repository, not with the package."


def numbers(folder: str | os.PathLike) -> list[int]:
    """The versions in the folder of a model, ascending; none where there is no folder.

    A folder without a SavedModel, which somebody is still copying, say, is none yet.
    """
    folder = pathlib.Path(folder)
    if not folder.is_dir():
        return []
    return sorted(number for name, number in _numbered(folder) if str(number) == name and is_version(folder / name))


def next_number(folder: str | os.PathLike) -> int:
    """One more than any number that is a name in the folder of a model, even with zeros in front, or of a file.

    Raises:
        ValueError: there is no such number that a server reads.
    """
    largest = max((number for _, number in _numbered(pathlib.Path(folder))), default=0)
    if largest == MOST:
        raise AEZooError(
            f"{folder} has a version {MOST}, the largest number there is: give another with version=1, say."
        )
    return largest + 1


def checked_number(version: object) -> int:
    """`version`; raises `ValueError` where it is no number that a server reads."""
    try:
        number = operator.index(version)  # type: ignore[arg-type]
    except TypeError:
        number = 0
    if isinstance(version, bool) or not 1 <= number <= MOST:
        received = repr(version)
        raise AEZooError(
            f"version must be a whole number from 1 to {MOST}; received "
            f"{received if len(received) <= 60 else f'{received[:57]}...'}."
        )
    return number


def _numbered(folder: pathlib.Path) -> list[tuple[str, int]]:
    """The names in a folder that are numbers of versions; what is beyond a server's numbers is none."""
    names = (path.name for path in folder.iterdir() if path.name.isascii() and path.name.isdecimal())
    return [(name, int(name)) for name in names if int(name) <= MOST]


def is_version(folder: str | os.PathLike) -> bool:
    """Whether this is the folder of one version, rather than of a model with its versions."""
    return (pathlib.Path(folder) / "saved_model.pb").is_file()


def newest(folder: str | os.PathLike) -> pathlib.Path:
    """The newest version in the folder of a model; the folder of a version is its own answer.

    In a checkout the names of the zoo's trained models will do too.

    Raises:
        FileNotFoundError: there is no such folder, or no version in it.
    """
    folder = found(folder)
    if is_version(folder):
        return folder
    if not folder.is_dir():
        raise NotFoundError(f"There is no folder {folder}.")
    known = numbers(folder)
    if not known:
        raise NotFoundError(f"{folder} holds no version of a model, a folder named 1, say; write one with export.")
    return folder / str(known[-1])


def card(version: str | os.PathLike) -> Card:
    """What is written of a version: see `ae_zoo.serving.card`.

    Raises:
        ValueError: there is no card, or it is damaged.
    """
    path = pathlib.Path(version) / EXTRA / CARD
    if not path.is_file():  # nor a device, which would be read for ever
        raise AEZooError(f"{version} has no card ({EXTRA}/{CARD}): it was not written by ae_zoo.export.")
    try:
        found = json.loads(path.read_text())
        wrong = misfit(found) if isinstance(found, dict) else "it is no object of JSON"
        changed = wrong is None and found["sha256"] != sealed(found)["sha256"]
    except ValueError as error:
        raise AEZooError(f"{path} is damaged: {first_line(error)}.") from None
    except RecursionError:
        raise AEZooError(f"{path} is damaged, or no card: it is nested too deeply.") from None
    if wrong:
        raise AEZooError(f"{path} is damaged, or no card: {wrong}.")
    if changed:
        raise AEZooError(
            f"{path} is not as it was exported: its contents differ from its hash; export the model again."
        )
    return cast(Card, found)


def sealed(card: Mapping[str, object]) -> dict[str, object]:
    """A card with the hash of all else in it, so that a changed column or threshold is noticed."""
    rest = {name: value for name, value in card.items() if name != "sha256"}
    return {**rest, "sha256": _hash(json.dumps(rest, sort_keys=True).encode())}


def check_intact(version: str | os.PathLike) -> None:
    """Raises `ValueError` where files of a version are not there, or not as they were exported."""
    folder = pathlib.Path(version)
    strange = [
        name
        for name, digest in card(folder)["files"].items()
        if not (folder / name).is_file() or _hash((folder / name).read_bytes()) != digest
    ]
    if strange:
        raise AEZooError(
            f"{version} is not as it was exported: {', '.join(strange)} cannot be found, or differs from the card's hash; "
            "export it again."
        )


def described(version: pathlib.Path) -> str:
    """The card for a terminal."""
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
    lines += [f"{name}: {value:.5f}" for name, value in about["metrics"].items()]
    if about["threshold"] is not None:
        lines.append(f"threshold: {about['threshold']:.5f}")
    lines.append("signatures:")
    for name, one in about["signatures"].items():
        sides = (", ".join(f"{key} {shape}" for key, shape in side.items()) for side in (one["inputs"], one["outputs"]))
        lines.append(f"  {name}: {' -> '.join(sides)}")
    lines.append("versions: " + ", ".join(f"{name} {number}" for name, number in about["versions"].items()))
    return "\n".join(lines)


def _hash(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()
