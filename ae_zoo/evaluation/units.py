"""Whether the units of a code carry something: dead, saturated and duplicate ones, and in how many directions codes vary."""

import dataclasses
from typing import TYPE_CHECKING, Any, Self

import numpy as np

from ae_zoo import networks
from ae_zoo.config import RANGES, Config
from ae_zoo.errors import AEZooError
from ae_zoo.evaluation.findings import Finding, Subject, counted, graded, listed
from ae_zoo.families.adversarial.adversarial import Adversarial
from ae_zoo.families.variational.variational import Variational
from ae_zoo.typing import Array

if TYPE_CHECKING:
    import pandas as pd

STILL = 1e-5  # of the largest code: what rounding may change
AT_BOUND = 0.01  # of the activation's range
NEARLY_ALL = 0.95  # of the rows
SAME = 0.99  # correlation
MOST = 2000  # units that are compared with each other
ACTIVE = 0.01  # variance of a mean, by Burda et al. 2016, section 5


@dataclasses.dataclass(frozen=True)
class Units:
    """The units of a code.

    Attributes:
        codes: of rows, `(n, units)`, float64.
        dead: the same for every row, bool `(units,)`.
        saturated: at a bound of the activation for nearly all rows, and not dead, bool `(units,)`.
        same_as: an earlier unit that it repeats, up to its sign and scale, or -1, `(units,)`.
    """

    codes: Array
    dead: Array
    saturated: Array
    same_as: Array

    @classmethod
    def of(cls, codes: Array, activation: str) -> Self:
        """Returns them for codes `(n, units)` of an activation."""
        codes = codes.astype("float64")
        spread = codes.std(axis=0)
        dead = spread <= STILL * max(float(np.abs(codes).max()), 1e-12)
        low, high = RANGES.get(activation, (-np.inf, np.inf))
        margin = AT_BOUND * (high - low) if activation in RANGES else 0.0
        bound = (codes <= low + margin) | (codes >= high - margin)
        same_as = np.full(codes.shape[1], -1)
        alive = np.flatnonzero(~dead)[:MOST]
        if len(alive):
            shape = (codes[:, alive] - codes[:, alive].mean(axis=0)) / spread[alive]
            same = np.triu(np.abs(shape.T @ shape / len(codes)) > SAME, 1)
            repeats = same.any(axis=0)
            same_as[alive[repeats]] = alive[same.argmax(axis=0)[repeats]]
        return cls(codes, dead, (bound.mean(axis=0) >= NEARLY_ALL) & ~dead, same_as)

    @property
    def active_dimensions(self) -> float:
        """In how many directions the codes vary: (sum of v)^2 / sum of v^2 for the variances v along their main axes.

        k directions with equal variances are k; 0 for codes that do not vary.
        """
        centered = self.codes - self.codes.mean(axis=0)
        if centered.shape[0] < centered.shape[1]:
            centered = centered.T
        total = float(np.square(centered).sum())
        return total**2 / float(np.square(centered.T @ centered).sum()) if total else 0.0

    def table(self) -> "pd.DataFrame":
        """Returns a line for each unit: its mean, its standard deviation, and what is wrong with it."""
        import pandas as pd

        state = np.where(self.dead, "dead", np.where(self.saturated, "saturated", "")).astype(object)
        for unit in np.flatnonzero(self.same_as >= 0):
            state[unit] = f"as unit {self.same_as[unit]}"
        columns = {"mean": self.codes.mean(axis=0), "spread": self.codes.std(axis=0), "state": state}
        return pd.DataFrame(columns).rename_axis("unit")


def code_units(subject: Subject) -> list[Finding]:
    """Returns what the codes say of their units."""
    config, count = subject.network.config, subject.codes.shape[1]
    units = Units.of(subject.codes, config.code_activation)
    repeats, alive = units.same_as >= 0, count - int(units.dead.sum())
    smooth: dict[str, Any] = {"activation": "elu"} if config.hidden and config.activation == "relu" else {}
    found = [
        _faults("dead units", units.dead, "the same for every row", _built(config, {"code": alive, **smooth})),
        _faults(
            "duplicate units", repeats, "like an earlier one", _built(config, {"code": alive - int(repeats.sum())})
        ),
    ]
    if config.code_activation in RANGES:
        what = f"at a bound of {config.code_activation} for nearly all rows"
        found.insert(1, _faults("saturated units", units.saturated, what, _built(config, {})))
    active = units.active_dimensions
    said = f"The codes vary in about {active:.1f} directions; the code has {count:,} units"
    wide = count >= 10 and active < count / 10
    remedy = ": a narrower code may do, unless some units are merely much larger than others."
    return [*found, Finding("active dimensions", active, "look" if wide else "ok", said + (remedy if wide else "."))]


def _faults(check: str, which: Array, what: str, remedy: str) -> Finding:
    """Returns the finding for the units that have a fault, bool `(units,)`; `what` says which fault."""
    places = np.flatnonzero(which)
    advice = f"No unit of {len(which):,} is {what}."
    if len(places):
        advice = f"{counted(len(places), 'unit')} {what}, of {len(which):,}: {listed(places)}. {remedy}"
    return Finding(check, len(places), graded(len(places) / len(which), 0, 0.49), advice)


def _built(config: Config, changes: dict[str, Any]) -> str:
    """Returns how to build the model instead, by changes that the family allows."""
    changes = changes | {"code_activation": "linear"} if config.code_activation != "linear" else changes
    remedies = [f"{name}={value!r}" for name, value in changes.items() if _is_legal(config, name, value)]
    if networks.code_regularizer(config) is not None:
        remedies.append("a weaker penalty")
    return f"Build with {' or '.join(remedies)}." if remedies else "Train it again at a lower learning_rate."


def _is_legal(config: Config, name: str, value: object) -> bool:
    try:
        dataclasses.replace(config, **{name: value})  # type: ignore[arg-type]
    except AEZooError:
        return False
    return True


def posterior(subject: Subject) -> list[Finding]:
    """Returns what a variational model's distributions of codes say."""
    network = subject.network
    if not isinstance(network, Variational):
        return []
    kl = divergences(network, subject.x)
    active = subject.codes.var(axis=0) > ACTIVE
    idle, count = np.flatnonzero(~active), len(active)
    said = f"{counted(int(active.sum()), 'unit')} active, of {count:,}: the mean differs from row to row"
    remedy = (
        f". The others, {listed(idle)}, follow the prior for every row and carry nothing. Build with free_bits=0.05, a beta "
        f"below {network.config.beta:g} or a warmup" + (f", or with code={active.sum()}." if active.any() else ".")
    )
    return [
        Finding("active units", int(active.sum()), graded(len(idle) / count, 0, 0.99), said + (remedy if len(idle) else ".")),
        Finding(
            "KL divergence",
            float(kl.sum()),
            "ok" if active.any() else "bad",
            f"A code tells {kl.sum():.3g} nats of its row: from {kl.min():.2g} to {kl.max():.2g} by unit.",
        ),
    ]  # fmt: skip


def divergences(network: Variational, x: Array) -> Array:
    """Returns each unit's KL divergence from the prior in nats, the mean over coded rows, `(units,)`."""
    mean, log_variance = (part.astype("float64") for part in network.encode_distribution(x))
    return ((np.square(mean) + np.exp(log_variance) - 1 - log_variance) / 2).mean(axis=0)


def prior(subject: Subject) -> list[Finding]:
    """Returns whether an adversarial model's codes follow their prior."""
    network = subject.network
    if not isinstance(network, Adversarial) or network.config.labels == "condition":  # then a code needs its label
        return []
    accuracy, discrepancy = network.beside_prior(subject.x, seed=subject.seed)
    told = f"The discriminator tells codes from the prior in {accuracy:.0%} of the cases; 50% is chance"
    apart = graded(discrepancy, 0.05, 0.2)
    advice = {
        True: f"{told}.",
        False: f"{told}: train longer, at a lower learning_rate, or with a higher adversarial_weight.",
    }
    far = f"The codes' squared mean discrepancy from the prior is {discrepancy:.3g}; 0 is a match"
    remedy = ": rows from generate come from codes that the decoder hardly knows. Raise adversarial_weight."
    if accuracy < 0.6:
        remedy = (
            ", and yet the discriminator cannot tell them: build with a wider discriminator, or train at a lower rate."
        )
    verdict = graded(abs(accuracy - 0.5), 0.15, 0.35)
    return [
        Finding("discriminator", accuracy, verdict, advice[verdict == "ok"]),
        Finding("distance from prior", discrepancy, apart, far + ("." if apart == "ok" else remedy)),
    ]
