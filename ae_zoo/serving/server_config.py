"""`models.config`: the list of a folder's models for TensorFlow Serving."""

import json
import os
import pathlib
from collections.abc import Mapping

from ae_zoo._support import files, versions
from ae_zoo.errors import AEZooError

NAME = "models.config"


def write_config(
    folder: str | os.PathLike[str],
    labels: Mapping[str, Mapping[str, int]] | None = None,
    *,
    base: str = "/models",
) -> pathlib.Path:
    """Writes `models.config` for all models in a folder, for the server's `--model_config_file`.

    Args:
        folder: folder of models, each with its versions, such as `saved_models`.
        labels: labels of versions, by model: `{"digits": {"stable": 1, "canary": 2}}`. The server then loads these versions
            of the model. Without labels it loads the newest version, and each newer version when it appears.
        base: path of the folder on the server.

    Returns:
        The file `models.config` in the folder.

    Raises:
        AEZooError: there are no models, or a label names a model or a version that does not exist.
    """
    folder, labels = pathlib.Path(folder), labels or {}
    models = {child.name: versions.numbers(child) for child in sorted(folder.iterdir()) if versions.numbers(child)}
    if not models:
        raise AEZooError(f"{folder} has no models with versions; write one with export.")
    for name, versions_by_label in labels.items():
        if name not in models:
            raise AEZooError(f"There is no model {name!r} in {folder} to label; there is {', '.join(models)}.")
        for label, version in versions_by_label.items():
            if version not in models[name]:
                raise AEZooError(
                    f"The label {label!r} is for version {version} of {name}, which has {', '.join(map(str, models[name]))}."
                )
    entries = [_entry(name, labels.get(name, {}), base.rstrip("/")) for name in models]
    with files.whole(folder / NAME) as sibling:
        sibling.write_text("model_config_list {\n" + "".join(entries) + "}\n")
    return folder / NAME


def _entry(name: str, labels: Mapping[str, int], base: str) -> str:
    # Only loaded versions can have labels, and by default a server loads the newest version alone.
    loaded = " ".join(f"versions: {version}" for version in sorted(set(labels.values())))
    lines = [
        f"name: {json.dumps(name)}",  # JSON quotes as the text format of protocol buffers does
        f"base_path: {json.dumps(f'{base}/{name}')}",
        'model_platform: "tensorflow"',
        *([f"model_version_policy {{ specific {{ {loaded} }} }}"] if labels else []),
        *(f"version_labels {{ key: {json.dumps(label)} value: {version} }}" for label, version in labels.items()),
    ]
    return "  config {\n" + "".join(f"    {line}\n" for line in lines) + "  }\n"
