"""Compares the answers of an exported version with Python's, in a process that loads neither Keras nor this package."""

import dataclasses
import functools
import json
import os
import pathlib
import signal
import subprocess
import sys
import tempfile
from typing import TYPE_CHECKING

from ae_zoo._support import archives, versions
from ae_zoo.errors import AEZooError, MissingExtraError
from ae_zoo.serving import saved_model
from ae_zoo.typing import Array

if TYPE_CHECKING:
    from openvino import CompiledModel

TOLERANCE = 1e-5  # of a card that names none


@dataclasses.dataclass(frozen=True)
class Checked:
    """The result of a check.

    Attributes:
        version: the version's folder.
        differences: largest difference from Python's answers for each signature, over batches of 1, 7 and 1,000 rows; in
            shares of the largest answer where answers go beyond 1.
        tolerance: largest difference that passes.
    """

    version: pathlib.Path
    differences: dict[str, float]
    tolerance: float

    @property
    def passed(self) -> bool:
        """Whether no signature differs by more than the tolerance; a difference of NaN does not pass."""
        return all(difference <= self.tolerance for difference in self.differences.values())

    def __str__(self) -> str:
        width = max(map(len, self.differences))
        return "\n".join(
            f"{name:{width}}  {difference:.1e}  {'ok' if difference <= self.tolerance else 'DIFFERS'}"
            for name, difference in self.differences.items()
        )


def check(folder: str | os.PathLike[str], tolerance: float | None = None, *, openvino: bool = False) -> Checked:
    """Runs each signature of an exported model on its example rows, and compares the answers with Python's.

    TensorFlow's own loader runs the model, in a process that imports neither Keras nor this package.

    Args:
        folder: folder of a model, whose newest version is checked, or of a version.
        tolerance: largest difference that passes; by default the tolerance on the card, 1e-5 in single precision and more
            in half precision.
        openvino: also run all signatures but `generate` in OpenVINO, an independent runtime.

    Raises:
        NotFoundError: there is no such folder, or it has no version.
        AEZooError: files are missing or damaged, or differ from the exported ones.
        MissingExtraError: `openvino` is True and OpenVINO is not installed.
    """
    version = versions.newest(folder)
    versions.check_intact(version)
    examples = version / versions.EXTRA / versions.EXAMPLES
    # -P: Python must not look for modules in the script's own folder, where some have the names of other modules.
    done = subprocess.run(
        [sys.executable, "-P", saved_model.__file__, str(version), str(examples)],
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode < 0:
        raise AEZooError(f"{version} cannot be checked: TensorFlow ended with {signal.Signals(-done.returncode).name}.")
    if done.returncode:
        last = (done.stderr.strip() or "no reason was given").splitlines()[-1]
        raise AEZooError(f"{version} cannot be checked: {last}")
    found = json.loads(done.stdout)
    if "error" in found:
        raise AEZooError(found["error"])
    if found["imported"]:
        raise RuntimeError(f"The check has imported {', '.join(found['imported'])}, which it must not need.")
    differences = found["differences"]
    if openvino:
        differences |= _by_openvino(version, examples)
    if tolerance is None:
        tolerance = versions.card(version).get("tolerance", TOLERANCE)
    return Checked(version, differences, tolerance)


def _by_openvino(version: pathlib.Path, examples: pathlib.Path) -> dict[str, float]:
    """Returns the difference of each signature but `generate`, whose random numbers OpenVINO has no operations for."""
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
            # On some processors OpenVINO computes in half precision by default.
            model = core.compile_model(folder, "CPU", {"INFERENCE_PRECISION_HINT": "f32"})
            differences |= saved_model.differences(functools.partial(_answers, model), own)
    return {f"{name} by OpenVINO": difference for name, difference in differences.items()}


def _answers(model: "CompiledModel", _: str, inputs: dict[str, Array]) -> dict[str, Array]:
    return {output.any_name: value for output, value in model(inputs).items()}


def _write_alone(version: pathlib.Path, name: str, folder: pathlib.Path) -> None:
    """Writes the same model with the signature `name` as `serving_default`, the only signature that OpenVINO runs."""
    from tensorflow.core.protobuf import saved_model_pb2

    model = saved_model_pb2.SavedModel.FromString((version / "saved_model.pb").read_bytes())
    signatures = model.meta_graphs[0].signature_def
    signatures["serving_default"].CopyFrom(signatures[name])
    (folder / "saved_model.pb").write_bytes(model.SerializeToString())
    (folder / "variables").symlink_to((version / "variables").resolve())
