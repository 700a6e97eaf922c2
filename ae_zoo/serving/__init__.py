"""From a trained model to TensorFlow Serving: export, check, card.

- `ae_zoo.export` (`export.py`): writes a version of a model, whole or not at all.
- `check`: compares a version's answers with Python's, by TensorFlow's own loader, without Keras.
- `SavedModel`: runs a version by that loader.
- `write_config`: writes the server's list of a folder's models.
- `write_page`: writes the card as a page with pictures.

Names are imported when they are first used, so a check and a card load no Keras.
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
