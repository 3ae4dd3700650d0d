"Everything that must hold before a change lands: notebooks, package, README, docs site and wheel agree and work."
import hashlib, os, shutil, subprocess, sys, tempfile, time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
ENV = {**os.environ, 'MPLBACKEND': 'agg', 'PYTHONWARNINGS': 'ignore::DeprecationWarning'}
ONE_THREAD = {**ENV, 'PYTHONPATH': str(ROOT), 'OMP_NUM_THREADS': '1'}

def run(*cmd, cwd=ROOT, env=ENV):
    "Run a command; its failure is the check's failure"
    subprocess.run([str(c) for c in cmd], cwd=cwd, env=env, check=True)

def fingerprint():
    "Checksum of every file that the generators write"
    files = [p for pat in ('nbs/**/*.ipynb', 'dinocell/**/*.py', 'README.md', 'index_files/*') for p in sorted(ROOT.glob(pat)) if '.ipynb_checkpoints' not in p.parts]
    return {str(p.relative_to(ROOT)): hashlib.sha256(p.read_bytes()).hexdigest() for p in files}

def unchanged(advice, *cmd):
    "The command must find nothing to change"
    before = fingerprint()
    run(*cmd)
    after = fingerprint()
    changed = sorted(k for k in before.keys() | after.keys() if before.get(k) != after.get(k))
    if changed: raise SystemExit(f'{", ".join(changed)}: {advice}')

def wheel_installs():
    "sdist and wheel build; the wheel installs into a bare environment, where every module imports"
    shutil.rmtree(ROOT/'_dist', ignore_errors=True)
    run(sys.executable, '-m', 'build', '-o', '_dist', '.')
    with tempfile.TemporaryDirectory() as d:
        run(sys.executable, '-m', 'venv', f'{d}/bare')
        run(f'{d}/bare/bin/python', '-m', 'pip', 'install', '-q', '-c', ROOT/'constraints.txt', next((ROOT/'_dist').glob('*.whl')), cwd=d)
        names = ['.'.join(p.relative_to(ROOT).with_suffix('').parts) for p in sorted((ROOT/'dinocell').rglob('*.py')) if not p.stem.startswith('_')]
        run(f'{d}/bare/bin/python', '-c', f'import importlib, dinocell; [importlib.import_module(n) for n in {names}]; print(len({names}), "modules from", dinocell.__version__)', cwd=d)
        run(f'{d}/bare/bin/dinocell', 'doctor', cwd=d)

CHECKS = {
    'notebooks are stripped': lambda: unchanged('not stripped: run nbdev_clean', 'nbdev_clean'),
    'package is what the notebooks say': lambda: unchanged('notebooks and package differ: edit the notebook, run nbdev_export', 'nbdev_export'),
    'modules import only downwards': lambda: run(sys.executable, '.ci/house.py'),
    'every notebook passes': lambda: run('nbdev_test', '--n_workers', '2', '--timing', env=ONE_THREAD), # two at a time, a thread each
    'pages of kept records run': lambda: run(sys.executable, '.ci/records.py', env=ONE_THREAD),
    'commands and imports in the guides exist': lambda: run(sys.executable, '.ci/guides.py'),
    'make gpu finds all that it names': lambda: run(sys.executable, '.ci/gpu.py', '--toy', env=ONE_THREAD),
    'docs site builds, no broken page or link': lambda: run(sys.executable, '.ci/pages.py'),
    'README is what nbs/index.ipynb says': lambda: unchanged('run python .ci/readme.py', sys.executable, '.ci/readme.py'),
    'wheel and sdist build, install and import': wheel_installs,
}

def main():
    passed, failed, start = 0, [], time.time()
    for name, check in CHECKS.items():
        print(f'\n== {name} ({time.time() - start:.0f} s)', flush=True)
        try: check()
        except (subprocess.CalledProcessError, SystemExit) as e:
            print(f'FAILED: {name}: {e}', flush=True)
            failed.append(name)
        else: passed += 1
    print(f'\n{time.time() - start:.0f} s' + ''.join(f'\nfailed: {f}' for f in failed))
    print(f'{passed} passed, {len(failed)} failed')
    return bool(failed)

if __name__ == '__main__': sys.exit(main())
