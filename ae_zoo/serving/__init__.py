"""From a trained model to TensorFlow Serving: export, the check of what was exported, and its card.

- `ae_zoo.export` (`export.py`): a version of a model, whole or not at all.
- `check`: its answers against Python's, by TensorFlow's own loader, without Keras.
- `SavedModel`: a version run by that loader.
- `write_config`: the server's list of a folder of models.
- `write_page`: the card as a page with pictures.

Names are imported when they are first used: a check and a card need no Keras.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach(
    __name__,
    submod_attrs={
        "saved_model": ["SavedModel"],
        "card_page": ["write_page"],
        "parity": ["Checked", "check"],
        "server_config": ["write_config"],
    },
)
