"""The command line. Each command imports what it needs, and checks what it can first, so `--help` and errors are fast."""

import contextlib
import os
import signal
import sys
import traceback
import warnings
from collections.abc import Iterator

import click

from ae_zoo.cli import (
    chapter,
    compare,
    detect,
    explain,
    export,
    families,
    generate,
    health,
    monitor,
    notebooks,
    request,
    score,
    search,
    train,
)
from ae_zoo.errors import AEZooError, first_line


@click.group(context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(package_name="ae-zoo")
def cli() -> None:
    """Autoencoders for Keras: train, search, score, generate, export; and chapter 19 of Hands-On Machine Learning with R.

    \b
    ae-zoo families
    ae-zoo train sparse --data rows.parquet --set code=32 --set hidden=256,64 --out model.keras
    ae-zoo search stacked --space code=30 --minutes 10
    ae-zoo detect machines.parquet --new today.parquet
    ae-zoo score --model model.keras new.parquet --out errors.csv
    ae-zoo chapter
    """


for command in (
    families.families,
    train.train,
    search.search,
    score.encode,
    score.score,
    detect.detect,
    explain.explain,
    monitor.monitor,
    compare.compare,
    health.health,
    generate.generate,
    export.export,
    export.check,
    export.card,
    export.serving_config,
    request.request,
    chapter.chapter,
    notebooks.notebooks,
):
    cli.add_command(command)


def _debug(context: click.Context, _: click.Parameter, wanted: bool) -> None:
    if wanted:
        context.obj["debug"] = True


for command in (cli, *cli.commands.values()):  # --debug is legal before the command's name and after it
    command.params.append(
        click.Option(["--debug"], is_flag=True, expose_value=False, is_eager=True, callback=_debug,
                     help="Show where in the code an error comes from.")
    )  # fmt: skip


def main() -> None:
    """Runs the command line.

    An error that the user can correct is one sentence on the error stream and exit code 2. A bug of this package is reported
    as a bug, with exit code 1. Ctrl-C ends with 130 and SIGTERM with 143, as in other programs; both remove unfinished files.
    """
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
    with warnings.catch_warnings(), _ended_by_signals() as signals:  # the first one restores how warnings are shown
        warnings.showwarning = lambda message, *_: click.echo(f"Warning: {message}", err=True)
        _run(signals)


@contextlib.contextmanager
def _ended_by_signals() -> Iterator[list[int]]:
    """Makes SIGTERM end the block as Ctrl-C does. Yields a list that receives the signal's number."""
    came: list[int] = []

    def interrupt(number: int, _: object) -> None:
        came.append(number)
        raise KeyboardInterrupt

    before = signal.signal(signal.SIGTERM, interrupt)
    try:
        yield came
    finally:
        signal.signal(signal.SIGTERM, before)


def _run(signals: list[int]) -> None:
    shown = {"debug": False}
    try:
        cli.main(standalone_mode=False, obj=shown)
    except click.ClickException as error:
        error.show()
        sys.exit(error.exit_code)
    except (click.Abort, KeyboardInterrupt):
        click.echo("Terminated." if signals else "Interrupted.", err=True)
        sys.exit(128 + (signals or [signal.SIGINT])[0])
    except Exception as error:  # whatever goes wrong, a command ends with one sentence
        if shown["debug"]:
            traceback.print_exc()
        sentence, code = _explained(error)
        click.echo(sentence, err=True)
        sys.exit(code)


def _explained(error: Exception) -> tuple[str, int]:
    """Returns the sentence for an error, and the exit code."""
    if isinstance(error, AEZooError):
        return f"Error: {error}", 2
    if isinstance(error, OSError) and error.strerror:  # from the system: no permission, a full disk
        file = "" if error.filename is None else f"{os.fsdecode(error.filename)}: "
        return f"Error: {file}{error.strerror}.", 2
    bug = f"{type(error).__name__}: {first_line(error)}"
    return f"This is a bug in ae_zoo: {bug}; run again with --debug to see where, and report it.", 1
