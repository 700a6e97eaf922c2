"""Runs a module as a child process that ends with its parent: `python -m ae_zoo._support.child PARENT MODULE ...`.

A killed parent cannot stop its children, so each child watches its parent, from before the slow imports on.
"""

import os
import runpy
import sys
import threading
import time


def end_with(parent: int) -> None:
    """Ends this process as soon as its parent is no longer the process with the id `parent`."""

    def watch() -> None:
        while os.getppid() == parent:
            time.sleep(0.3)
        os._exit(1)

    threading.Thread(target=watch, daemon=True).start()


if __name__ == "__main__":
    end_with(int(sys.argv[1]))
    sys.argv = sys.argv[2:]
    runpy.run_module(sys.argv[0], run_name="__main__", alter_sys=True)
