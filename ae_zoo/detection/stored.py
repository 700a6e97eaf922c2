"""A detector's file: a zip archive with its models, plain arrays and JSON; and the same beside an exported model."""

import json
import os
import pathlib
import tempfile
import zipfile
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from ae_zoo._support import archives, files, versions
from ae_zoo.errors import AEZooError, NotFoundError
from ae_zoo.evaluation.pca import PCA
from ae_zoo.evaluation.reconstructor import Reconstructor
from ae_zoo.factory import load, load_member
from ae_zoo.typing import Array

STATE, ARRAYS = "detector.json", "detector.npz"
# How a model's file in a detector's file is read, by its suffix.
MEMBERS: dict[str, Callable[[str], Reconstructor]] = {".npz": PCA.load, ".keras": load}


def save(
    path: str | os.PathLike[str],
    models: tuple[Reconstructor, ...],
    state: Mapping[str, Any],
    arrays: Mapping[str, Array],
) -> None:
    """Writes a detector's models, state and arrays to one file."""
    with files.whole(path) as sibling:
        place = sibling.parent / "member"  # because the detector's file may have a model's name
        place.mkdir()
        with zipfile.ZipFile(sibling, "w") as archive:
            for index, model in enumerate(models):
                name = f"model{f'_{index}' if index else ''}{model.suffix}"
                model.save(place / name)
                archive.write(place / name, name)
            write(place, state, arrays)
            for name in (STATE, ARRAYS):
                archive.write(place / name, name)


def write(folder: pathlib.Path, state: Mapping[str, Any], arrays: Mapping[str, Array]) -> None:
    """Writes state and arrays into a folder."""
    (folder / STATE).write_text(json.dumps(state))
    with (folder / ARRAYS).open("wb") as file:
        np.savez_compressed(file, allow_pickle=False, **arrays)


def read(path: str | os.PathLike[str]) -> tuple[list[Reconstructor], dict[str, Any], dict[str, Array]]:
    """Returns the models, the state and the arrays of a detector's file, or of the folder of an exported one.

    Raises:
        NotFoundError: there is no such file.
        AEZooError: the file is damaged or of another kind.
    """
    folder = versions.found(path)
    if folder.is_dir():
        return _exported(versions.newest(folder))
    if not pathlib.Path(path).is_file():
        raise NotFoundError(f"There is no detector file {path}.{versions.hint(pathlib.Path(path))}")
    try:
        with zipfile.ZipFile(path) as archive, tempfile.TemporaryDirectory() as place:
            state = json.loads(archive.read(STATE))
            names = archive.namelist()
            (suffix,) = [suffix for suffix in MEMBERS if f"model{suffix}" in names]
            count = sum(name.startswith("model") for name in names)
            members = [f"model{f'_{index}' if index else ''}{suffix}" for index in range(count)]
            models = [MEMBERS[suffix](archive.extract(name, place)) for name in members]
            arrays = archives.read_arrays(archive.extract(ARRAYS, place)) if ARRAYS in names else {}
    except AEZooError as error:
        raise AEZooError(f"{path} is damaged, or holds no detector of ae_zoo: {error}") from error
    except Exception as error:  # whatever a damaged archive brings up
        raise AEZooError(f"{path} is damaged, or holds no detector of ae_zoo.") from error
    if not isinstance(state, dict):
        raise AEZooError(f"{path} is damaged, or holds no detector of ae_zoo.")
    return models, state, arrays


def _exported(version: pathlib.Path) -> tuple[list[Reconstructor], dict[str, Any], dict[str, Array]]:
    card = versions.card(version)
    extra = version / versions.EXTRA
    if not (extra / STATE).is_file():  # a model alone, or a detector of version 0.1
        return [load(version)], {"threshold": card["threshold"]}, {}
    state, arrays = json.loads((extra / STATE).read_text()), archives.read_arrays(extra / ARRAYS)
    models: list[Reconstructor] = [load(version)]
    models += [
        load_member(version, index, one["family"], one["config"])
        for index, one in enumerate(state.get("members", [])[1:], 1)
    ]
    return models, state, arrays
