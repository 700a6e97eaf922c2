"""Runs a module as a child that does not outlive its parent: `python -m ae_zoo._support.child PARENT MODULE ...`.

A parent that is killed cannot stop its children. They watch it themselves, before they import anything that takes time.
"""

import os
import runpy
import sys
import threading
import time


def end_with(parent: int) -> None:
    """Ends this process as soon as its parent is another than the process `parent`."""

    def watch() -> None:
        while os.getppid() == parent:
            time.sleep(0.3)
        os._exit(1)

    threading.Thread(target=watch, daemon=True).start()


if __name__ == "__main__":
    end_with(int(sys.argv[1]))
    sys.argv = sys.argv[2:]
    runpy.run_module(sys.argv[0], run_name="__main__", alter_sys=True)
