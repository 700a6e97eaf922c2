"""The command line. Each command imports what it needs, so `--help` loads neither Keras nor TensorFlow."""

import os
import sys
import warnings

import click

from ae_zoo.cli import chapter, export, families, generate, notebooks, request, score, search, train


@click.group(context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(package_name="ae-zoo")
def cli() -> None:
    """Autoencoders for Keras: train, search, score, generate, export; chapter 19 of Hands-On Machine Learning with R redone.

    \b
    ae-zoo families
    ae-zoo train sparse --data rows.parquet --set code=32 --set hidden=256,64 --out model.keras
    ae-zoo search stacked --space code=30 --minutes 10
    ae-zoo score --model model.keras new.parquet --out errors.csv
    ae-zoo chapter
    """


for command in (
    families.families,
    train.train,
    search.search,
    score.encode,
    score.score,
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


def main() -> None:
    """Runs the command line: bad input is one sentence on the error stream and exit code 2, without a traceback."""
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
    with warnings.catch_warnings():  # which restores how they are shown
        warnings.showwarning = lambda message, *_: click.echo(f"Warning: {message}", err=True)
        _run()


def _run() -> None:
    try:
        cli.main(standalone_mode=False)
    except click.ClickException as error:
        error.show()
        sys.exit(error.exit_code)
    except (click.Abort, KeyboardInterrupt):
        click.echo("Interrupted.", err=True)
        sys.exit(130)
    except (ValueError, ArithmeticError, ImportError, OSError) as error:
        reason = getattr(error, "strerror", None)  # the system's own errors have a number in front
        click.echo(f"Error: {f'{error.filename}: {reason}' if reason else error}", err=True)
        sys.exit(2)
