"Flat names of earlier versions: what was written for `from dinocell.images import read_image` still runs"
import sys
from importlib import import_module
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import ModuleSpec
from types import ModuleType

FLAT = {  # flat name -> modules that hold now what that one held
    'system': 'utils.system utils.tables', 'settings': 'utils.settings', 'jobs': 'utils.jobs',
    'images': 'core.images utils.files utils.system', 'labels': 'core.labels', 'distance': 'core.distance',
    'watershed': 'core.watershed', 'windows': 'core.windows',
    'intervals': 'score.statistics', 'metrics': 'score.metrics', 'errors': 'score.errors', 'tuning': 'score.tuning',
    'plots': 'show.plots', 'widgets': 'show.widgets',
    'simulate': 'data.simulate', 'datasets': 'data.dataset', 'augment': 'data.augment utils.settings',
    'annotations': 'data.formats', 'layouts': 'data.layouts', 'download': 'data.download', 'data_check': 'data.check',
    'backbone': 'model.backbone', 'decoder': 'model.decoder', 'ready': 'model.ready infer.segmentation',
    'cells': 'infer.cells', 'export': 'infer.export', 'pipeline': 'infer.pipeline',
    'evaluation': 'infer.evaluation infer.scores utils.tables', 'large': 'infer.large', 'batch': 'infer.batch',
    'training': 'train.loop utils.settings utils.tables', 'studies': 'train.arms',
    'cell_painting': 'ssl.fields', 'plates': 'ssl.plates', 'packing': 'ssl.packing',
    'crops': 'ssl.crops utils.settings', 'ssl_losses': 'ssl.losses', 'consistency': 'ssl.consistency',
    'pretraining': 'ssl.loop utils.settings'}
RENAMED = {'batch.Segmentation': 'SegmentSettings'}


class FlatModule(ModuleType):
    "Stands where a flat module was; each name is taken from the module that holds it now"

    def __getattr__(self, name):
        flat = self.__name__.rpartition('.')[2]
        held = [import_module(f'dinocell.{target}') for target in FLAT[flat].split()]
        if name == '__all__':
            return [n for module in held for n in module.__all__]
        name = RENAMED.get(f'{flat}.{name}', name)
        for module in held:
            if not name.startswith('__') and hasattr(module, name):
                return getattr(module, name)
        raise AttributeError(f'module {self.__name__!r} has no attribute {name!r}')


class FlatFinder(MetaPathFinder, Loader):
    "Finds flat names where there is no module of that name"

    def find_spec(self, name, path=None, target=None):
        package, _, flat = name.rpartition('.')
        return ModuleSpec(name, self) if package == 'dinocell' and flat in FLAT else None

    def create_module(self, spec):
        return FlatModule(spec.name)

    def exec_module(self, module):
        pass


sys.meta_path.append(FlatFinder())
