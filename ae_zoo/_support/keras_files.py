"""Mends a fault of Keras 3.15 in saving and loading."""


def remember_attributes() -> None:
    """Gives Keras the lists of attributes that it makes anew for each part of each file that it writes or reads.

    It keeps them under another name than it looks for them. For the list of an optimizer it makes an optimizer, under a
    new name each time, and TensorFlow keeps a variable's name, and 30 kB with it, until the process ends.
    """
    from keras.src.backend.common import global_state
    from keras.src.saving import saving_lib

    for kind in ("Functional", "Layer", "Metric", "Optimizer"):
        name = f"saving_attr_skiplist_{kind}"
        if global_state.get_global_attribute(name) is None:
            global_state.set_global_attribute(name, saving_lib.get_attr_skipset(kind))
