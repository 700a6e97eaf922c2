"""Whether an exported version answers as Python did, asked of a process that knows neither Keras nor this package."""

import dataclasses
import functools
import json
import os
import pathlib
import signal
import subprocess
import sys
import tempfile
from typing import Any

import numpy as np

from ae_zoo._support import archives, versions
from ae_zoo.errors import AEZooError, MissingExtraError
from ae_zoo.serving import saved_model

TOLERANCE = 1e-5


@dataclasses.dataclass(frozen=True)
class Checked:
    """What a check found.

    Attributes:
        version: the folder.
        differences: for each signature the largest difference from Python's answers, over batches of 1, 7 and 1,000
            rows; in shares of the largest answer where answers go beyond 1.
        tolerance: what they may be.
    """

    version: pathlib.Path
    differences: dict[str, float]
    tolerance: float

    @property
    def passed(self) -> bool:
        """Whether no signature differs by more than the tolerance."""
        return all(difference <= self.tolerance for difference in self.differences.values())  # which a NaN is not

    def __str__(self) -> str:
        width = max(map(len, self.differences))
        return "\n".join(
            f"{name:{width}}  {difference:.1e}  {'ok' if difference <= self.tolerance else 'DIFFERS'}"
            for name, difference in self.differences.items()
        )


def check(folder: str | os.PathLike, tolerance: float = TOLERANCE, *, openvino: bool = False) -> Checked:
    """Runs each signature of an exported model on its example rows, and compares with the answers kept beside them.

    TensorFlow's own loader does it, in a process that imports neither Keras nor this package.

    Args:
        folder: of a model, whose newest version is taken, or of a version.
        tolerance: how far answers may be apart.
        openvino: ask OpenVINO too, another runtime by other people, of all signatures but `generate`.

    Raises:
        FileNotFoundError: there is no such folder, or no version in it.
        ValueError: files are missing, damaged or not those that were exported.
        ImportError: OpenVINO is asked for and not installed.
    """
    version = versions.newest(folder)
    versions.check_intact(version)
    examples = version / versions.EXTRA / versions.EXAMPLES
    # -P: the script's own folder is not searched for modules, whose names are also those of others.
    done = subprocess.run(
        [sys.executable, "-P", saved_model.__file__, str(version), str(examples)],
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode < 0:
        raise AEZooError(f"{version} cannot be checked: it ends TensorFlow by {signal.Signals(-done.returncode).name}.")
    if done.returncode:
        last = (done.stderr.strip() or "it gave no reason").splitlines()[-1]
        raise AEZooError(f"{version} cannot be checked: {last}")
    found = json.loads(done.stdout)
    if "error" in found:
        raise AEZooError(found["error"])
    if found["imported"]:
        raise RuntimeError(f"The check has imported {', '.join(found['imported'])}, which it must not need.")
    differences = found["differences"]
    if openvino:
        differences |= _by_openvino(version, examples)
    return Checked(version, differences, tolerance)


def _by_openvino(version: pathlib.Path, examples: pathlib.Path) -> dict[str, float]:
    """The differences of each signature that OpenVINO can run; it has no operations for `generate`'s random numbers."""
    try:
        from openvino import Core
    except ImportError:
        raise MissingExtraError("This check needs OpenVINO: run pip install 'ae-zoo[openvino]'.") from None
    core, arrays = Core(), archives.read_arrays(examples)
    differences: dict[str, float] = {}
    for name in sorted({key.partition("/")[0] for key in arrays if "/" in key}):
        if f"{name}/input/seed" in arrays:
            continue
        own = {key: value for key, value in arrays.items() if key.startswith(f"{name}/")}
        with tempfile.TemporaryDirectory() as folder:
            _write_alone(version, name, pathlib.Path(folder))
            # Its own choice of precision may be half, as on some processors it is by default.
            model = core.compile_model(folder, "CPU", {"INFERENCE_PRECISION_HINT": "f32"})
            differences |= saved_model.differences(functools.partial(_answers, model), own)
    return {f"{name} by OpenVINO": difference for name, difference in differences.items()}


def _answers(model: Any, _: str, inputs: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    return {output.any_name: value for output, value in model(inputs).items()}


def _write_alone(version: pathlib.Path, name: str, folder: pathlib.Path) -> None:
    """Writes the same model with one signature as `serving_default`, which is the only one that OpenVINO sees."""
    from tensorflow.core.protobuf import saved_model_pb2

    model = saved_model_pb2.SavedModel.FromString((version / "saved_model.pb").read_bytes())
    signatures = model.meta_graphs[0].signature_def
    signatures["serving_default"].CopyFrom(signatures[name])
    (folder / "saved_model.pb").write_bytes(model.SerializeToString())
    (folder / "variables").symlink_to((version / "variables").resolve())
