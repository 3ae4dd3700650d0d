__version__ = "0.1.0"

from . import _flat  # flat names of earlier versions


def __getattr__(name):  # PEP 562: the names of `dinocell.all`, each imported when it is first asked for
    from importlib import import_module
    face = import_module('dinocell.all')
    if name not in face.__all__:
        raise AttributeError(f"module 'dinocell' has no attribute {name!r}")
    globals()[name] = value = getattr(face, name)
    return value


def __dir__():
    from importlib import import_module
    return [*globals(), *import_module('dinocell.all').__all__]
