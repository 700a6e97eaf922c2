"""The families: each is a network and a loss, in one file or folder; their options are in `configs.py`.

Names are imported when they are first used, because the options need no Keras.
"""

import sys
import types
from typing import NoReturn

import lazy_loader

from ae_zoo.errors import AEZooError

__getattr__, __dir__, __all__ = lazy_loader.attach(
    __name__, submod_attrs={"configs": ["CONFIGS", "config_of"], "table": ["FAMILIES"]}
)


class _Renamed(types.ModuleType):
    """The module, which was a function in version 0.1."""

    def __call__(self) -> NoReturn:
        raise AEZooError("ae_zoo.families() is now ae_zoo.list_families().")


sys.modules[__name__].__class__ = _Renamed
