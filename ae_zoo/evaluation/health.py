"""Whether a trained model is sound: its errors, the units of its code, its prior, and the rows that it generates."""

import dataclasses
import math
import os
import pathlib
from collections.abc import Callable
from typing import TYPE_CHECKING, get_args

import numpy as np

from ae_zoo._support import checks, files
from ae_zoo.autoencoder import Autoencoder
from ae_zoo.errors import AEZooError
from ae_zoo.evaluation.copies import copies
from ae_zoo.evaluation.fidelity import error_of_usual, reconstruction
from ae_zoo.evaluation.findings import Finding, Subject, Verdict
from ae_zoo.evaluation.reconstructor import Reconstructor, check_model, flat_codes
from ae_zoo.evaluation.units import Units, code_units, divergences, posterior, prior
from ae_zoo.families.variational.variational import Variational
from ae_zoo.typing import Array, Rows

if TYPE_CHECKING:
    import pandas as pd

MOST = 10_000  # rows of each kind that are looked at
NUMBERS = 2**26  # in them
FEWEST = 10  # held-out rows
SHOWN = 200  # units on a page
CHECKS: tuple[Callable[[Subject], list[Finding]], ...] = (reconstruction, code_units, posterior, prior, copies)
VERDICTS: tuple[Verdict, ...] = get_args(Verdict)


@dataclasses.dataclass(frozen=True, eq=False)
class Health:
    """What `ae_zoo.health` returns; printing it shows what was found.

    Attributes:
        about: the model and the number of rows, in words.
        findings: what each check has found.
        units: a line for each unit of the code: `mean` and `spread` (standard deviation) over the rows, `state` (`dead`,
            `saturated`, `as unit 3`, or empty), and of a variational model `kl`, its KL divergence in nats.
        errors: the errors of rows, by kind: held-out rows, and training rows if they were given.
    """

    about: str
    findings: tuple[Finding, ...]
    units: "pd.DataFrame"
    errors: dict[str, Array]

    @property
    def table(self) -> "pd.DataFrame":
        """A line for each check, by name: `value`, `verdict` (`"ok"`, `"look"` or `"bad"`), and `advice`, a sentence."""
        import pandas as pd

        return pd.DataFrame([dataclasses.asdict(finding) for finding in self.findings]).set_index("check")

    @property
    def verdict(self) -> Verdict:
        """The worst verdict of all checks."""
        return max((finding.verdict for finding in self.findings), key=VERDICTS.index)

    def __str__(self) -> str:
        width = max(len(finding.check) for finding in self.findings)
        lines = [f"{one.check:{width}}  {one.value:>9.4g}  {one.verdict}" for one in self.findings]
        advice = [f"- {one.check}: {one.advice}" for one in self.findings if one.verdict != "ok"]
        return "\n".join([f"{self.about}: {self.verdict}", *lines, *advice])

    __repr__ = __str__

    def page(self, path: str | os.PathLike[str]) -> pathlib.Path:
        """Writes one self-contained HTML page: the checks, the errors, and the units of the code.

        Returns:
            The file of the page.

        Raises:
            UnwritableError: the page cannot be written.
        """
        from ae_zoo import plots
        from ae_zoo.report import page as report

        path = files.as_path("path", path)
        found = report.Section("1", "What was found")
        rows = [[one.check, f"{one.value:.4g}", one.verdict, one.advice] for one in self.findings]
        found.table(["check", "value", "verdict", "advice"], rows, f"All in all: {self.verdict}.", words=True)
        if self.errors:
            found.picture("errors", plots.errors(self.errors), "Reconstruction errors of rows.")
        units = report.Section("2", "The units of the code")
        shown = self.units.head(SHOWN).reset_index()
        cells = [[f"{cell:.4g}" if isinstance(cell, float) else cell for cell in row] for row in shown.to_numpy(object)]
        units.table(list(shown.columns), cells, f"{len(shown):,} of {len(self.units):,} units.")
        report.write_page(path, "Health", self.about, [found, units])
        return path


def health(model: Reconstructor, x: Rows, x_train: Rows | None = None, *, seed: int = 1) -> Health:
    """Returns whether a trained model is sound, with a sentence of advice for whatever is not.

    | check | of what | what it is |
    |---|---|---|
    | share explained | models that reconstruct | 1 - error / error of always saying what is usual |
    | error beside PCA | arrays and images | the error over that of PCA with as many components |
    | copies what it sees | models that reconstruct | the share explained of rows whose cells come from different rows |
    | overfit | with training rows | the error of held-out rows over that of training rows |
    | dead, saturated, duplicate units | all | units that are the same for every row, at a bound, or as another one |
    | active dimensions | all | in how many directions the codes vary |
    | active units, KL divergence | `variational` | what the distributions of codes carry |
    | discriminator, distance from prior | `adversarial` | whether the codes follow the prior |
    | close to, copies of training rows | models that generate, with training rows | whether generated rows are copies |

    Args:
        model: a trained model or a fitted PCA.
        x: rows `(n, *input_shape)` that it was not trained on; at most 10,000 of them are looked at.
        x_train: its training rows `(m, *input_shape)`, or None.
        seed: of what is drawn, from 0 to 2^32 - 1.

    Raises:
        AEZooError: it is not a model, or is not trained, the rows are not its rows or too few, or `x` are the training rows.

    Example:
        >>> print(ae_zoo.health(model, x_test, x_train))
    """
    check_model(model, "health")
    seed = checks.seed(seed) or 0
    if not model.has_learned:
        raise AEZooError("The model has not been trained, so there is nothing to examine: train it with ae_zoo.fit.")
    network = model.to_model()
    held_out = _some(network, x, "x", seed)
    training = None if x_train is None else _some(network, x_train, "x_train", seed)
    if training is not None and np.array_equal(held_out, training, equal_nan=True):
        raise AEZooError("x and x_train are the same rows: give rows that the model was not trained on as x.")
    codes, _ = flat_codes(network, held_out)
    subject = Subject(network, held_out, training, codes, seed)
    units = Units.of(codes, network.config.code_activation).table()
    if isinstance(network, Variational):
        units["kl"] = divergences(network, held_out)
    rows = f"{len(held_out):,} held-out rows" + ("" if training is None else f", {len(training):,} training rows")
    kinds = {"held-out rows": held_out} | ({} if training is None else {"training rows": training})
    errors = {kind: network.reconstruction_error(part) for kind, part in kinds.items() if network.config.reconstructs}
    found = tuple(finding for check in CHECKS for finding in check(subject))
    return Health(f"{model.family}, {rows}", found, units, errors)


def figures(network: Autoencoder, x: Array, errors: Array) -> dict[str, float]:
    """Returns what a card tells of a model's health: shares, and how many directions its codes use.

    Args:
        network: a trained model.
        x: coded rows `(n, *input_shape)` that it was not trained on.
        errors: their errors `(n,)`.
    """
    known = np.flatnonzero(~np.isnan(errors))[: _most(network)]
    x, errors = x[known], errors[known]
    units = Units.of(flat_codes(network, x)[0], network.config.code_activation)
    return {
        "share explained": 1 - float(errors.mean(dtype="float64")) / error_of_usual(network, x, x),
        "share of dead units": float(units.dead.mean()),
        "active dimensions": units.active_dimensions,
    }


def _some(network: Autoencoder, x: Rows, name: str, seed: int) -> Array:
    """Returns rows of which something is known, coded, and of many a part that is chosen by a seed.

    Raises:
        AEZooError: they are not rows of the model, or too few.
    """
    coded = network.check_rows(x, name)
    coded = coded[network.schema.known(coded)]
    if len(coded) < FEWEST:
        raise AEZooError(f"health needs at least {FEWEST} rows as {name}; received {len(coded)}.")
    return coded[np.sort(np.random.default_rng(seed).permutation(len(coded))[: _most(network)])]


def _most(network: Autoencoder) -> int:
    """Returns how many rows are looked at, at most."""
    return max(FEWEST, min(MOST, NUMBERS // math.prod(network.schema.input_shape)))
