"The network; the names of the flat module of earlier versions, `from dinocell.model import load_model`, are found here"


def __getattr__(name):
    from importlib import import_module
    for module in ('network', 'file'):
        held = import_module(f'dinocell.model.{module}')
        if not name.startswith('_') and hasattr(held, name):
            return getattr(held, name)
    raise AttributeError(f"module 'dinocell.model' has no attribute {name!r}")
