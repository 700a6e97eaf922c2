"""What the sections share: the digits, the trained models and the progress line."""

import dataclasses
import pathlib
import shutil
import sys
import time
import warnings
from collections.abc import Mapping
from typing import Any

import keras
import numpy as np

from ae_zoo.autoencoder import Autoencoder
from ae_zoo.data import Digits
from ae_zoo.errors import AEZooWarning
from ae_zoo.evaluation.pca import PCA
from ae_zoo.evaluation.reconstructor import Reconstructor
from ae_zoo.factory import build
from ae_zoo.report.page import Section
from ae_zoo.training.fit import fit
from ae_zoo.training.run import TrainingResult
from ae_zoo.tuning.search import search
from ae_zoo.typing import Logs

Model = Reconstructor  # they share the verbs that an experiment asks for
Options = dict[str, Any]  # of a family, for `build`
SUBSET_EPOCHS = 24  # on 5,000 digits: enough for each section's point in two minutes


@dataclasses.dataclass(frozen=True)
class Trained:
    """A model of the chapter, with how it was trained."""

    model: Autoencoder
    result: TrainingResult | None  # None of a model that a search trained
    seconds: float


class Run:
    """One run of the chapter. Models are trained when a section first asks for them, and saved."""

    def __init__(self, digits: Digits, folder: pathlib.Path, seed: int, quick: bool = False) -> None:
        self.digits, self.folder, self.seed, self.quick = digits, folder, seed, quick
        self._models: dict[str, Trained] = {}
        self._pca: dict[int, PCA] = {}

    def train(
        self,
        name: str,
        family: str,
        x: np.ndarray | None = None,
        *,
        y: np.ndarray | None = None,
        shown: int | None = None,
        validation: float = 0.1,
        **options: Any,
    ) -> Trained:
        """The model called `name`, trained and saved under its name when it is first asked for.

        Args:
            name: of the model's file.
            family, **options: as for `ae_zoo.build`.
            x: training rows; default the training digits `(n, 784)`.
            y: labels beside them.
            shown: rows to train on, in whole epochs; default as many as `epochs` says.
            validation: share of the rows to hold out.
        """
        if name not in self._models:
            x = self.digits.x_train if x is None else x
            epochs = self.epochs if shown is None else max(1, round(shown / len(x)))
            begin = time.perf_counter()
            model = build(family, x.shape[1:], seed=self.seed, **options)
            lines = [Line(name)]
            with warnings.catch_warnings():
                # What a family has to say about its run belongs into the report, where the figures show it.
                warnings.simplefilter("ignore", AEZooWarning)
                result = fit(
                    model, x, y, validation=validation, seed=self.seed, verbose=0, callbacks=lines, epochs=epochs
                )
            self._models[name] = Trained(model, result, time.perf_counter() - begin)
            model.save(self.folder / "models" / f"{name}.keras")
        return self._models[name]

    def search(self, family: str, candidates: Mapping[str, Mapping[str, Any]]) -> None:
        """Searches among combinations of options, by name; `train` then gives the models by these names."""
        folder = self.folder / "search"
        shutil.rmtree(folder, ignore_errors=True)  # of an earlier report
        training = {} if self.epochs is None else {"epochs": self.epochs}
        space = [{**options, **training} for options in candidates.values()]
        # Keras Tuner takes no seed of 0.
        found = search(family, self.digits.x_train, space=space, seed=max(1, self.seed), directory=folder)
        if found.stopped == "interrupted":
            raise KeyboardInterrupt
        lines = found.leaderboard.sort_values("trial")
        for name, place, seconds in zip(candidates, lines["place"], lines["seconds"], strict=True):
            self._models[name] = Trained(found.load(place), None, seconds)
            self._models[name].model.save(self.folder / "models" / f"{name}.keras")

    def rows(self, full: int, short: int) -> int:
        """How many rows to show a network: on all of MNIST, and for a look."""
        return short if self.short else full

    def pca(self, code: int) -> PCA:
        """PCA of the training digits with so many components."""
        if code not in self._pca:
            self._pca[code] = PCA(code).fit(self.digits.x_train)
        return self._pca[code]

    @property
    def epochs(self) -> int | None:
        """None leaves them to `fit`."""
        return None if self.digits.full else SUBSET_EPOCHS

    @property
    def short(self) -> bool:
        """Whether this is a look rather than a measurement."""
        return self.quick or not self.digits.full


def tabulate(
    section: Section,
    measures: Mapping[str, Mapping[str, Any]],
    columns: Mapping[str, str],
    caption: str,
    *,
    head: str = "",
) -> None:
    """Adds a table of measures to a section, a row a name.

    Args:
        section: of the report.
        measures: name to its measures.
        columns: heading to a format of the measures, such as `"{test_mse:.5f}"`.
        caption: below the table.
        head: the heading of the names.
    """
    rows = [[name, *(form.format(**each) for form in columns.values())] for name, each in measures.items()]
    section.table([head, *columns], rows, caption)


class Line(keras.callbacks.Callback):
    """Shows a training on one line: rewritten as it goes on a terminal, printed at the end elsewhere."""

    def __init__(self, name: str) -> None:
        super().__init__()
        self.name, self.live = name, sys.stdout.isatty()

    def on_train_begin(self, logs: Logs = None) -> None:
        self.begin = time.perf_counter()
        self._show("compiling")

    def on_epoch_end(self, epoch: int, logs: Logs = None) -> None:
        logs = logs or {}
        held_out = "val_reconstruction" in logs
        error = logs["val_reconstruction" if held_out else "reconstruction"]
        what = "held-out error" if held_out else "error"
        self.last = f"epoch {epoch + 1:3d}/{self.params['epochs']}  {what} {error:.5f}"
        self._show(self.last)

    def on_train_end(self, logs: Logs = None) -> None:
        if self.live:
            print(flush=True)
        else:
            print(self._line(self.last), flush=True)

    def _show(self, what: str) -> None:
        if self.live:
            print(f"\r{self._line(what)}\x1b[K", end="", flush=True)

    def _line(self, what: str) -> str:
        return f"    {self.name:<34} {what}  {time.perf_counter() - self.begin:4.0f} s"
