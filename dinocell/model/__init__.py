"The network; the names of the flat module of earlier versions, `from dinocell.model import load_model`, are found here"
from .._flat import find_name


def __getattr__(name):
    return find_name('model', name)
