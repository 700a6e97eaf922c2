"""From a trained model to TensorFlow Serving: export, the check of what was exported, and its card.

- `export`: a version of a model, whole or not at all.
- `check`: its answers against Python's, by TensorFlow's C library alone.
- `SavedModel`: a version run by that library.
- `write_config`: the server's list of a folder of models.
- `write_page`: the card as a page with pictures.

Names are imported when they are first used: a check and a card need neither Keras nor TensorFlow's Python.
"""

import importlib
from typing import Any

_HOMES = {
    "export": "writer",
    "check": "parity",
    "Checked": "parity",
    "SavedModel": "c_api",
    "write_config": "config",
    "write_page": "page",
}
__all__ = sorted(_HOMES)


def __getattr__(name: str) -> Any:
    if name in _HOMES:
        value = getattr(importlib.import_module(f"{__name__}.{_HOMES[name]}"), name)
        globals()[name] = value
        return value
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
