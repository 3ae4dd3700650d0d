"""All that only a GPU can show, in at most eight minutes: `make gpu`; much smaller on a CPU: `make gpu DEVICE=cpu`.
Needs torch, torchvision, timm, scikit-image, tifffile, accelerate and pandas; the rest it carries (`make gpu-wheels`).
Each step is a process of its own with a time limit; the results are written after each line."""
import argparse, ast, importlib, importlib.metadata, importlib.util, json, lzma, os, platform, re, shutil, subprocess, sys, tarfile, tempfile, time, traceback, types, zipfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
CARRIED = ROOT/'.gpu'
SECONDS = dict(cuda=460, cpu=330)                      # for everything: under eight minutes, and under six
LIMITS = dict(machine=40, cells=170, training=110, pretraining=40, segmenting=50, study=460) # each at most, and what is left
LARGEST = 64                                           # MiB that may travel
SHARED_WEIGHTS = ROOT.parent/'shared/weights/dinov2_vits14.safetensors'
WHEELS = 'edt', 'fastcore', 'pycocotools', 'roifile'   # imagecodecs is 26 MB; the few files that are read here need none

def unpack():
    "The wheels that this Python lacks, unpacked; a folder for PYTHONPATH"
    site = Path(tempfile.mkdtemp(prefix='gpu-site-'))
    for name in WHEELS:
        if importlib.util.find_spec(name): continue
        wheels = sorted((CARRIED/'wheels').glob(f'{name}-*.whl'))
        if not wheels: raise SystemExit(f'{name} is missing, and so is its wheel in {CARRIED/"wheels"}: run make gpu-wheels first')
        with zipfile.ZipFile(wheels[0]) as z: z.extractall(site)
    return site

def pack():
    """All that travels, in one file: package, notebooks with cells for a GPU, wheels, and the weights last.
    The blocks that the ready model left as they were stand in both files of weights: in one window, LZMA stores them once"""
    listed = subprocess.run(['git', 'ls-files', 'dinocell', 'nbs', 'Makefile', '.ci/gpu.py'], cwd=ROOT, capture_output=True, text=True, check=True)
    files = [ROOT/f for f in listed.stdout.splitlines()]
    files = [p for p in files if ROOT/'nbs' not in p.parents or p.suffix == '.ipynb' and '"#| cuda' in p.read_text(encoding='utf-8')]
    files = sorted([*files, *(CARRIED/'wheels').glob('*.whl')], key=lambda p: p.suffix == '.safetensors')
    travels = CARRIED/'gpu.tar.xz'
    with lzma.open(travels, 'wb', filters=[dict(id=lzma.FILTER_LZMA2, preset=1, dict_size=2**27)]) as f, tarfile.open(fileobj=f, mode='w') as t:
        for p in files: t.add(p, p.relative_to(ROOT))
        if SHARED_WEIGHTS.is_file(): t.add(SHARED_WEIGHTS, (CARRIED/SHARED_WEIGHTS.name).relative_to(ROOT))
    size = travels.stat().st_size/2**20
    print(f'{travels.relative_to(ROOT)}: {size:.1f} MiB, {len(files)} files')
    if size > LARGEST: raise SystemExit(f'{travels}: {size:.1f} MiB, more than the {LARGEST} that may travel')

def stand_ins():
    "What is imported and not needed here"
    import tifffile  # first: without imagecodecs it uses its own, a stand-in would mislead it
    for name in ('imagecodecs', 'IPython', 'hypothesis'):
        if not importlib.util.find_spec(name): sys.modules[name] = types.ModuleType(name)

# ---- the steps: each yields dicts

def machine(a):
    "What it runs on, and how fast matrices are multiplied"
    import torch
    from dinocell.utils.devices import bf16_here
    gpu, n = a.device.type == 'cuda', 8192 if a.device.type == 'cuda' else 512
    yield dict(name=torch.cuda.get_device_name() if gpu else f'CPU, {torch.get_num_threads()} threads', python=platform.python_version(),
               **{m: importlib.metadata.version(m) for m in ('torch', 'torchvision', 'timm', 'numpy')}, cuda=torch.version.cuda,
               memory=torch.cuda.get_device_properties(0).total_memory/2**30 if gpu else None, bf16=bf16_here(a.device))
    for name, dtype in (('fp32', torch.float32), ('bf16', torch.bfloat16)):
        m = torch.randn(n, n, device=a.device).to(dtype)
        yield dict(product=name, tflops=2*n**3/seconds(lambda: m @ m, a, 9 if gpu else 3)/1e12)

def is_needed(node, source):
    "Imports, and the functions of the page, but for those that its module has"
    helper = isinstance(node, ast.FunctionDef) and not node.decorator_list and not source.startswith('#| export')
    return helper or isinstance(node, (ast.Import, ast.ImportFrom))

def cells(a):
    "Every cell under `#| cuda`, after the imports and functions of its notebook and with the names of its module"
    for path in sorted((ROOT/'nbs').rglob('*.ipynb')):
        sources = [(c['id'], ''.join(c['source'])) for c in json.loads(path.read_text(encoding='utf-8'))['cells'] if c['cell_type'] == 'code']
        marked = [(k, s) for k, s in sources if re.match(r'#\|\s*cuda\b', s)]
        if not marked: continue
        module = next(m[1] for _, s in sources if (m := re.match(r'#\|\s*default_exp\s+(\S+)', s)))
        names = dict(vars(importlib.import_module(f'dinocell.{module}')), __name__='__main__')
        os.chdir(path.parent)
        for _, source in sources:
            for node in ast.parse('\n'.join(l for l in source.split('\n') if not l.startswith(('%', '!')))).body:
                if not is_needed(node, source): continue
                try: exec(compile(ast.Module([node], []), str(path), 'exec'), names)
                except (ImportError, NameError): pass  # what a cell below needs of it will be missing there
        for k, source in marked:
            start, row = time.time(), dict(notebook=str(path.relative_to(ROOT/'nbs')), cell=k)
            try: exec(compile(source, f'{path.name}#{k}', 'exec'), names)
            except Exception as e: row |= dict(error=f'{type(e).__name__}: {e}'[:400], where=traceback.format_exc().splitlines()[-3].strip())
            yield row | dict(ok='error' not in row, seconds=round(time.time() - start, 2))

def wait(a):
    import torch
    if a.device.type == 'cuda': torch.cuda.synchronize()

def seconds(f, a, times):
    "Median of a few runs, after one to warm up"
    f()
    found = []
    for _ in range(times):
        wait(a); start = time.perf_counter(); f(); wait(a)
        found.append(time.perf_counter() - start)
    return sorted(found)[times//2]

def peak_memory(a, reset=False):
    import torch
    if a.device.type != 'cuda': return None
    if reset: torch.cuda.reset_peak_memory_stats()
    return torch.cuda.max_memory_allocated()/1e9

def peak_of(a): # FLOP a second of the measured product, in the precision of training
    from dinocell.utils.devices import used_precision
    rows = [json.loads(l) for l in (a.work/'machine.jsonl').read_text().splitlines()]
    kind = 'fp32' if used_precision('auto', a.device, True) == 'fp32' else 'bf16'
    return next(r['tflops'] for r in rows if r.get('product') == kind)*1e12

def simulated(a, folder, count, shape):
    from dinocell.core.normalise import prepare_image
    from dinocell.data.dataset import CellDataset, write_dataset
    from dinocell.data.simulate import simulate
    made = ((str(s), *simulate('phase', seed=s, shape=shape)) for s in range(count))
    return CellDataset(write_dataset(folder, ((n, prepare_image(im), m) for n, im, m in made), scale=1.))

def training(a):
    "Steps of training: images a second, share of the measured peak, memory; and a plain loop"
    import torch
    from torch.nn.attention import SDPBackend, sdpa_kernel
    from torch.utils.flop_counter import FlopCounterMode
    from dinocell.model.network import DINOCell
    from dinocell.train.batches import DeviceCache, StreamedData, plan_epoch, shares
    from dinocell.train.distributed import DistContext
    from dinocell.train.step import make_optimiser, train_step
    from dinocell.utils.devices import layout_for
    from dinocell.utils.settings import AugmentConfig, TrainConfig
    gpu, peak = a.device.type == 'cuda', peak_of(a)
    data = simulated(a, a.work/'training', 8 if gpu else 2, (520, 704) if gpu else (130, 176))
    resident, team, size = DeviceCache(data, a.device), DistContext(0, 1, a.device), 256 if gpu else 64
    def build(name, frozen):
        return DINOCell(name, freeze_backbone=frozen, pretrained=False, seed=0).to(a.device).to(memory_format=layout_for(a.device)).train()
    def gflop(name, frozen): # of an image
        model = build(name, frozen)
        with FlopCounterMode(display=False) as count, sdpa_kernel(SDPBackend.MATH): model(torch.rand(2, 1, size, size, device=a.device)).mean().backward()
        return count.get_total_flops()/2e9
    def measure(name, frozen, batch, source, steps):
        config, waited = TrainConfig(epochs=1, steps=steps + 3, batch=batch, augment=AugmentConfig(size=size)), 0.
        model = build(name, frozen)
        optimiser, parts = make_optimiser(model, config), iter(source.batches(plan_epoch(data, 0, batch*config.steps, config), shares(range(config.steps), batch, 1, team)))
        def timed():
            nonlocal waited
            while True:
                start = time.perf_counter(); part = next(parts, None); waited += time.perf_counter() - start
                if part is None: return
                yield part
        batches = timed()
        peak_memory(a, True)
        for k in range(steps + 3):
            if k == 3: wait(a); waited, start = 0., time.perf_counter()
            train_step(model, optimiser, batches, config, a.device)
        wait(a)
        spent = time.perf_counter() - start
        return dict(windows_s=steps*batch/spent, waiting=waited/spent, memory=peak_memory(a))
    grid = [(n, f, b) for b in (32, 8, 128) for n in ('vits8', 'vits16') for f in (True, False)] if gpu else [('vit_tiny', f, 4) for f in (True, False)]
    cost = {}
    for name, frozen, batch in grid:
        work = cost.setdefault((name, frozen), gflop(name, frozen) if (name, frozen) not in cost else 0)
        row = dict(backbone=name, frozen=frozen, batch=batch, gflop=work, source='device')
        try: m = measure(name, frozen, batch, resident, 20 if gpu else 2)
        except torch.OutOfMemoryError as e: yield row | dict(error=str(e)[:100]); torch.cuda.empty_cache(); continue
        yield row | m | dict(of_peak=work*1e9*m['windows_s']/peak, epoch=5600/m['windows_s'])
    name, batch = ('vits8', 32) if gpu else ('vit_tiny', 4)
    yield dict(backbone=name, frozen=True, batch=batch, source='streamed', **measure(name, True, batch, StreamedData(data, a.device, 8 if gpu else 1), 20 if gpu else 2))
    yield dict(backbone=name, frozen=True, batch=batch, source='plain loop', windows_s=plain_loop(a, build(name, True), data, batch, size))

def plain_loop(a, model, data, batch, size):
    "Images a second of a loop as it is usually written: windows by scikit-image one by one, fp32, nothing overlaps"
    import numpy as np, torch
    from skimage.transform import AffineTransform, warp
    from dinocell.train.step import make_optimiser
    from dinocell.utils.settings import TrainConfig
    optimiser, rng, half = make_optimiser(model, TrainConfig(precision='fp32')), np.random.default_rng(0), size/2
    def window():
        i = rng.integers(len(data))
        grey, target = data.grey(i)/255., data.distance(i)
        middle = [rng.uniform(half, n - half) for n in grey.shape[::-1]]
        turn = AffineTransform(translation=(-half, -half)) + AffineTransform(rotation=rng.uniform(-np.pi, np.pi), scale=rng.uniform(.8, 1.2)) + AffineTransform(translation=middle)
        return [warp(v, turn, output_shape=(size, size), mode='symmetric', order=1) for v in (grey, target)]
    def step():
        x, y = (torch.from_numpy(np.stack(v)[:, None].astype(np.float32)).to(a.device) for v in zip(*(window() for _ in range(batch))))
        optimiser.zero_grad()
        torch.nn.functional.mse_loss(model(x), y).backward()
        torch.nn.utils.clip_grad_norm_([p for g in optimiser.param_groups for p in g['params']], 1.)
        optimiser.step()
    return batch/seconds(step, a, 5 if a.device.type == 'cuda' else 2)

def pretraining(a):
    "A step of pretraining with all prototypes: fields a second, and memory beside the count"
    import numpy as np, torch
    from dinocell.ssl.networks import make_student_optimiser, make_student_teacher, step_bytes
    from dinocell.ssl.steps import plan_step, pretrain_step, settings_at
    from dinocell.utils.devices import used_precision
    from dinocell.utils.settings import CropConfig, PretrainConfig
    small = dict(hidden=64, bottleneck=32, prototypes=4096, crops=CropConfig(window=96, global_size=64, local_size=32, n_local=2))
    for name, batch in ((('vits16', 32), ('vits16', 64), ('vits8', 16)) if a.device.type == 'cuda' else (('vit_tiny', 4),)):
        config = PretrainConfig(steps=100, batch=batch, workers=0, **({} if a.device.type == 'cuda' else small))
        pair = make_student_teacher(name, config).to(a.device)
        optimiser, patch = make_student_optimiser(pair.student, config), pair.student.vit.patch_embed.patch_size[0]
        step = plan_step(np.tile([1080, 1080], (2*batch, 1)), 5, 0, config, 'multiview', patch)
        windows = torch.rand(batch, 5, config.crops.window, config.crops.window, device=a.device)
        peak_memory(a, True)
        spent = seconds(lambda: pretrain_step(pair.student, pair, optimiser, windows, step, settings_at(0, config), config), a, 5 if a.device.type == 'cuda' else 2)
        used = used_precision('auto', a.device, True)
        yield dict(backbone=name, batch=batch, prototypes=config.prototypes, precision=used, fields_s=batch/spent, memory=peak_memory(a), counted=step_bytes(pair, config, batch, used)/1e9)

def segmenting(a):
    "Images a second from file to file with the ready model, and which share of it is not the network"
    import tifffile
    from dinocell.data.simulate import simulate
    from dinocell.infer.batch import find_images, segment_files
    from dinocell.infer.pipeline import DINOCellPipeline
    from dinocell.infer.settings import SegmentSettings, pipeline_of
    gpu = a.device.type == 'cuda'
    (a.work/'images').mkdir()
    for k in range(48 if gpu else 3): tifffile.imwrite(a.work/f'images/{k:02}.tif', simulate('phase', seed=k % 8, shape=(520, 704) if gpu else (110, 130))[0])
    images = find_images(a.work/'images')
    what = SegmentSettings(output=str(a.work/'warm'), formats=('tif', 'csv'), diameter=24., device=str(a.device))
    segment_files(images[:2 if gpu else 1], what)
    pipe, greys = pipeline_of(what), [tifffile.imread(p) for p in images[:8 if gpu else 1]]
    start = time.perf_counter()
    segment_files(images, SegmentSettings(output=str(a.work/'files'), formats=('tif', 'csv'), diameter=24., device=str(a.device)))
    spent = (time.perf_counter() - start)/len(images)
    network = seconds(lambda: [pipe.predict_distance(g, diameter=24.) for g in greys], a, 3 if gpu else 1)/len(greys)
    flood = seconds(lambda: [pipe.run(g, diameter=24.) for g in greys], a, 3 if gpu else 1)/len(greys)
    yield dict(images_s=1/spent, precision=pipe.precision, in_turn=1/flood, network_s=1/network, outside=1 - network/spent)
    for batch in (8, 16, 32, 64) if gpu else (4,):
        of = DINOCellPipeline(pipe.model, batch=batch)
        yield dict(batch=batch, network_s=len(greys)/seconds(lambda: [of.predict_distance(g, diameter=24.) for g in greys], a, 3 if gpu else 1))

def study(a):
    "Released against random weights, patch 16 against 8, with the settings of the studies' preset `lab`, until the time is over"
    from dinocell.model.network import DINOCell
    from dinocell.train.arms import run_study, study_sets, train_and_score
    from dinocell.utils.settings import AugmentConfig, TrainConfig
    gpu = a.device.type == 'cuda'
    weights = next((p for p in (SHARED_WEIGHTS, CARRIED/SHARED_WEIGHTS.name) if p.is_file()), None)
    how = dict(epochs=10, steps=80, batch=8, lr=1e-3, backbone_lr=1e-4, warmup=50) if gpu else dict(epochs=1, steps=4, batch=2, lr=1e-3)
    arms = {f'{start}, patch {patch}': dict(backbone=f'dinov2_vits{patch}' if gpu else 'vit_tiny', weights=start, **how)
            for patch in (16, 8) for start in ('released', 'random') if start == 'random' or weights and gpu}
    real = ROOT.parent/'shared/data' if gpu else a.work/'none'  # on a CPU simulated images do
    sets = study_sets(a.work/'sets', real, counts=(40, 6) if gpu else (6, 1))
    train, val, test = sets['phase contrast']
    def work(settings, seed, scratch):
        file = weights if settings['weights'] == 'released' else None
        config = TrainConfig(**how, seed=seed, augment=AugmentConfig(size=192 if gpu else 64))
        return train_and_score(lambda: DINOCell(settings['backbone'], file, freeze_backbone=False, pretrained=False), config, train, val, dict(phase=test), scratch, str(a.device))
    for seed in range(3 if gpu else 1):
        for arm in arms if gpu else list(arms)[:1]:
            record = run_study(a.work/'records', {arm: arms[arm]}, [seed], work, dict(preset='lab' if gpu else 'tenth'), str(a.device))[0]
            result = record['result']
            yield dict(arm=arm, seed=seed, simulated=train.meta['source'] == 'simulated', seconds=record['seconds'],
                       **{k: result[k] for k in ('epoch', 'val_loss', 'val_OP_CSB', 'precision')})

STEPS = dict(machine=machine, cells=cells, training=training, pretraining=pretraining, segmenting=segmenting, study=study)

def run_step(a):
    "A step, in a process of its own: a line for each result"
    stand_ins()
    import torch
    a.device = torch.device('cuda', 0) if a.device == 'cuda' else torch.device(a.device)
    with open(a.work/f'{a.step}.jsonl', 'a', encoding='utf-8') as f:
        for row in STEPS[a.step](a):
            f.write(json.dumps(row) + '\n')
            f.flush()

def toy(a):
    "Every step in this process, as small as on a CPU: a name that is gone, or a cell that fails, stops it"
    os.environ.update(CUDA_VISIBLE_DEVICES='', HF_HUB_OFFLINE='1', MPLBACKEND='agg')
    with tempfile.TemporaryDirectory() as d:
        for a.step in STEPS:
            a.device, a.work, start = 'cpu', Path(d), time.time()
            run_step(a)
            rows = [json.loads(l) for l in (a.work/f'{a.step}.jsonl').read_text().splitlines()]
            wrong = [f'{r["notebook"]} {r["cell"]}: {r["error"]}, {r["where"]}' for r in rows if not r.get('ok', True)]
            if wrong or not rows: raise SystemExit('\n'.join(wrong) or f'{a.step}: no results')
            print(f'{a.step}: {len(rows)} results, {time.time() - start:.0f} s', flush=True)
        os.chdir(ROOT)

def write(path, found):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(found, indent=1) + '\n', encoding='utf-8')

def all_steps(a):
    "Each step in turn; the file of the results is whole after each"
    begin, site, work = time.time(), unpack(), Path(tempfile.mkdtemp(prefix='gpu-'))
    env = dict(os.environ, PYTHONPATH=os.pathsep.join(filter(None, (str(ROOT), os.environ.get('PYTHONPATH'), str(site)))), MPLBACKEND='agg', HF_HUB_OFFLINE='1', PYTHONUNBUFFERED='1')
    if a.device == 'cpu': env['CUDA_VISIBLE_DEVICES'] = ''
    found = dict(device=a.device, date=time.strftime('%Y-%m-%d'), limit=a.seconds, steps={})
    for name in STEPS:
        left = min(LIMITS[name], a.seconds - (time.time() - begin))
        if left < 10:
            found['steps'][name] = dict(ended='no time was left', seconds=0, rows=[])
            write(a.output, found)
            continue
        start, log = time.time(), work/f'{name}.log'
        with open(log, 'w') as f:
            p = subprocess.Popen([sys.executable, __file__, '--device', a.device, '--step', name, '--work', str(work)], env=env, stdout=f, stderr=subprocess.STDOUT, start_new_session=True)
            try: ended = 'done' if p.wait(left) == 0 else 'failed: ' + ' | '.join(log.read_text(errors='replace').strip().splitlines()[-3:])[-500:]
            except subprocess.TimeoutExpired:
                os.killpg(p.pid, 9)
                p.wait()
                ended = f'ended after {left:.0f} s'
        rows = work/f'{name}.jsonl'
        found['steps'][name] = dict(ended=ended, seconds=round(time.time() - start, 1), rows=[json.loads(l) for l in rows.read_text().splitlines() if l.endswith('}')] if rows.exists() else [])
        write(a.output, found)
        print(f'{name}: {ended}, {found["steps"][name]["seconds"]} s, {len(found["steps"][name]["rows"])} results', flush=True)
    shutil.rmtree(work, ignore_errors=True)
    shutil.rmtree(site, ignore_errors=True)
    wrong = [r for r in found['steps']['cells']['rows'] if not r['ok']]
    for r in wrong: print(f'{r["notebook"]} {r["cell"]}: {r["error"]}')
    failed = [k for k, s in found['steps'].items() if s['ended'].startswith('failed')]
    print(f'{time.time() - begin:.0f} s; results: {a.output}')
    return int(bool(wrong or failed))

def main():
    p = argparse.ArgumentParser(description=__doc__)
    p.add_argument('--device', default='cuda', choices=['cuda', 'cpu'])
    p.add_argument('--output', type=Path, help='file of the results; default: nbs/experiments/results/gpu/DEVICE.json')
    p.add_argument('--seconds', type=float, help='for everything; default: 460, on a CPU 330')
    p.add_argument('--pack', action='store_true', help='write all that travels to .gpu/gpu.tar.xz: `make gpu-wheels` does this')
    p.add_argument('--toy', action='store_true', help='every step in one process on the CPU, nothing written: `make test` runs this')
    p.add_argument('--step', choices=list(STEPS), help=argparse.SUPPRESS)
    p.add_argument('--work', type=Path, help=argparse.SUPPRESS)
    a = p.parse_args()
    a.seconds = a.seconds or SECONDS[a.device]
    a.output = (a.output or ROOT/f'nbs/experiments/results/gpu/{a.device}.json').resolve()
    return pack() if a.pack else toy(a) if a.toy else run_step(a) if a.step else all_steps(a)

if __name__ == '__main__': sys.exit(main())
