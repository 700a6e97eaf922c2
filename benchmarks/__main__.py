"""Runs the benchmarks and prints each figure beside its target; what falls short is printed as falling short."""

import os

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")

import itertools
import platform
import subprocess
import sys

PARTS = ("speed", "small", "families", "grid", "search", "tables", "scoring", "memory", "serving", "streaming")
# The defaults' rates, what each of the other families and `supervise` are for, and a GPU: some take half an hour.
SHOWN = (
    "rates",
    "variational",
    "contractive",
    "convolutional",
    "winner_take_all",
    "adversarial",
    "robust",
    "supervise",
    "mixed_tables",
    "detection",
    "gpu",
)


def main() -> None:
    given = list(itertools.takewhile(lambda word: not word.startswith("-"), sys.argv[1:]))
    options = sys.argv[1 + len(given) :]  # of the parts named before them: `detection --data FOLDER`
    chosen = given or list(PARTS)
    for part in chosen:
        if part not in PARTS + SHOWN:
            sys.exit(f"There is no benchmark {part!r}; known: {', '.join(PARTS + SHOWN)}.")
    print(f"{platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}", flush=True)
    for part in chosen:  # a process each, so that one's memory and threads are not another's
        subprocess.run([sys.executable, "-m", f"benchmarks.{part}", *options], check=True)


if __name__ == "__main__":
    main()
