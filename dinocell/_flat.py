"Flat names of earlier versions: what was written for `from dinocell.images import read_image` still runs"
import sys

FLAT = {  # flat name -> the modules that hold now what that one held, the nearest first
    'annotations': 'data.masks data.coco data.paint data.outlines',
    'augment': 'data.augment utils.settings',
    'backbone': 'model.backbone model.vits model.pretrained model.weights',
    'batch': 'infer.batch infer.settings infer.segmentation infer.folder infer.files',
    'cell_painting': 'ssl.fields ssl.crops ssl.shards utils.settings',
    'cells': 'infer.cells',
    'consistency': 'ssl.consistency',
    'crops': 'ssl.crops utils.settings',
    'data_check': 'data.check data.findings data.copies data.report data.measure core.labels',
    'datasets': 'data.dataset data.images data.image data.sampling data.prepare data.parts',
    'decoder': 'model.decoder',
    'distance': 'core.distance',
    'download': 'data.download data.fetch data.published',
    'errors': 'score.errors',
    'evaluation': 'infer.evaluation infer.report infer.methods infer.calibration infer.scores',
    'export': 'infer.export infer.outlines infer.coco',
    'images': 'core.io core.paths core.normalise core.grey utils.files utils.system',
    'intervals': 'score.statistics',
    'jobs': 'utils.jobs',
    'labels': 'core.labels',
    'large': 'infer.large infer.rows infer.storage infer.maps',
    'layouts': 'data.layouts data.livecell data.pairing data.image data.sources data.folder data.formats',
    'model': 'model.network model.file',
    'metrics': 'score.ctc score.matching score.errors',
    'packing': 'ssl.packing',
    'pipeline': 'infer.pipeline infer.bands',
    'plates': 'ssl.plates ssl.files',
    'plots': 'show.plots show.overlays',
    'pretraining': 'ssl.loop ssl.steps ssl.networks utils.settings',
    'ready': 'model.ready infer.segmentation',
    'simulate': 'data.simulate data.forms',
    'ssl_losses': 'ssl.losses',
    'studies': 'train.arms train.comparison',
    'system': 'utils.system utils.tables',
    'training': 'train.loop train.identity utils.settings train.step train.batches train.validation utils.tables utils.devices',
    'tuning': 'score.tuning',
    'watershed': 'core.watershed',
    'widgets': 'show.widgets',
    'windows': 'core.windows',
}
RENAMED = {
    'augment.Views': 'AugmentParams', 'augment.draw_views': 'draw_params', 'augment.square_side': 'crop_side',
    'batch.Segmentation': 'SegmentSettings', 'data_check.likeness': 'similarity',
    'cell_painting.VERSION': 'FIELDS_VERSION', 'datasets.VERSION': 'DATASET_VERSION',
    'images.mend_lines': 'fix_dead_lines', 'large.mended_rows': 'repaired_rows', 'layouts.KINDS': 'MASK_KINDS',
    'pretraining.Pair': 'StudentTeacher', 'pretraining.make_pair': 'make_student_teacher',
    'pretraining.make_optimiser': 'make_student_optimiser', 'training.settle': 'settle_config',
    'training.Plan': 'EpochPlan', 'training.ResidentData': 'DeviceCache', 'training.Team': 'DistContext',
    'training.join_team': 'dist_context'}


def find_name(flat, name):
    "What the flat module held under this name, from the module that holds it now"
    from importlib import import_module  # here, so that `import dinocell` loads nothing
    held = (import_module(f'dinocell.{target}') for target in FLAT[flat].split())
    if name == '__all__':
        return [n for module in held for n in module.__all__]
    name = RENAMED.get(f'{flat}.{name}', name)
    for module in held:
        if not name.startswith('__') and hasattr(module, name):
            return getattr(module, name)
    raise AttributeError(f"module 'dinocell.{flat}' has no attribute {name!r}")


class FlatModule(type(sys)):
    "Stands where a flat module was"

    def __getattr__(self, name):
        return find_name(self.__name__.rpartition('.')[2], name)


class FlatFinder:
    "Finds flat names where there is no module of that name"

    def find_spec(self, name, path=None, target=None):
        package, _, flat = name.rpartition('.')
        return type(__spec__)(name, self) if package == 'dinocell' and flat in FLAT else None

    def create_module(self, spec):
        return FlatModule(spec.name)

    def exec_module(self, module):
        pass


sys.meta_path.append(FlatFinder())
