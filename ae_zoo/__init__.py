"""The autoencoder zoo: every autoencoder of chapter 19 behind one factory call, with the same verbs.

>>> import ae_zoo
>>> digits = ae_zoo.load_mnist()
>>> model = ae_zoo.build("undercomplete", data=digits.x_train, code=50)
>>> result = ae_zoo.fit(model, digits.x_train)
>>> codes = model.encode(digits.x_test)

`__init__.pyi` lists the public names and their modules. A name is imported when it is first used, so `import ae_zoo` and
`ae-zoo --help` load neither Keras nor TensorFlow. No module has the name of a public function, because importing the module
would replace the function.
"""

import importlib.metadata

import lazy_loader

__version__ = importlib.metadata.version("ae-zoo")
__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
