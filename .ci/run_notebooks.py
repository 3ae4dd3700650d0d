"Run notebooks as `nbdev_test` would and store their outputs: the only way outputs get into this repository."
import argparse, base64, os, subprocess, sys, time
from io import BytesIO
from pathlib import Path

from execnb.nbio import write_nb
from execnb.shell import CaptureShell
from IPython.core.displaypub import CapturingDisplayPublisher
from fastcore.xtras import working_directory
from nbdev.clean import clean_nb
from nbdev.config import get_config
from nbdev.frontmatter import FrontmatterProc
from nbdev.process import NBProcessor, extract_directives
from PIL import Image

def _publish(self, data, metadata=None, source=None, *, transient=None, update=False):
    "A display that is updated is stored once, as it was last, the way Jupyter shows it"
    new = dict(data=data, metadata=metadata, transient=transient, update=update)
    same = [o for o in self.outputs if update and o['transient'] == transient]
    for o in same: o.update(new)
    if not same: self.outputs.append(new)

CapturingDisplayPublisher.publish = _publish

def _skipped(cell, flags):
    "True for cells that nbdev's directives keep from running"
    direc = getattr(cell, 'directives_', None) or {}
    return cell.cell_type != 'code' or direc.get('eval:', [''])[0].lower() == 'false' or bool(flags & direc.keys())

def shrink_pictures(outputs, limit=60_000):
    "Pictures of more than so many characters become PNGs of 256 colours, in place, where that is smaller"
    for data in (o['data'] for o in outputs if len(o.get('data', {}).get('image/png', '')) > limit):
        out = BytesIO()
        Image.open(BytesIO(base64.b64decode(data['image/png']))).convert('RGB').quantize(256, dither=Image.Dither.NONE).save(out, 'png', optimize=True)
        data['image/png'] = min(data['image/png'], base64.b64encode(out.getvalue()).decode(), key=len)

def run_one(path, flags):
    "Run one notebook in this process; write it back with its outputs, whole or not at all"
    from execnb.nbio import read_nb
    path = Path(path).absolute()
    skip = set(get_config().tst_flags.split()) - set(flags)
    proc = NBProcessor(path, procs=FrontmatterProc, process=True)      # strips directives from the sources: read again to store
    nb, stored = proc.nb, read_nb(path)
    k = CaptureShell(path, mpl_format='png')
    k._run("import matplotlib as mpl; mpl.rcParams.update({'figure.dpi': 100, 'savefig.dpi': 100})")
    start = time.time()
    with working_directory(path.parent): k.run_all(nb, exc_stop=True, preproc=lambda c: _skipped(c, skip))
    for run, keep in zip(nb.cells, stored.cells):
        if run.cell_type != 'code': continue
        if not _skipped(run, skip): keep.outputs = [o for o in run.get('outputs', []) if o.get('name') != 'stderr']
    clean_nb(stored, allowed_cell_metadata_keys=get_config().allowed_cell_metadata_keys.split()) # test cells stay folded
    for cell in stored.cells: shrink_pictures(cell.get('outputs', []))
    tmp = path.with_name('.' + path.name + '.tmp')
    write_nb(stored, tmp)
    os.replace(tmp, path)
    print(f'{path.name}: {time.time()-start:.1f} s, {path.stat().st_size//1024} kB', flush=True)

def main():
    p = argparse.ArgumentParser(description=__doc__)
    p.add_argument('notebooks', nargs='+', help='notebook files')
    p.add_argument('--flags', default='', help='test flags to run although settings.ini leaves them out, e.g. "slow cuda"')
    p.add_argument('--here', action='store_true', help=argparse.SUPPRESS)
    a = p.parse_args()
    if a.here: return run_one(a.notebooks[0], a.flags.split())
    bad = [n for n in a.notebooks if subprocess.run([sys.executable, __file__, n, '--flags', a.flags, '--here'],
                                                    env={**os.environ, 'MPLBACKEND': 'agg', 'IN_TEST': '1'}).returncode]
    if bad: sys.exit('failed: ' + ' '.join(bad))

if __name__ == '__main__': main()
