"The network; the names of the flat module of earlier versions, `from dinocell.model import load_model`, are found here"
from importlib import import_module


def __getattr__(name):
    network = import_module('dinocell.model.network')
    if name.startswith('_') or not hasattr(network, name):
        raise AttributeError(f"module 'dinocell.model' has no attribute {name!r}")
    return getattr(network, name)
