"Run every notebook that holds cells under `#| extras`, these cells included: `make test-extras`."
import subprocess, sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent

def main():
    found = [p for p in sorted((ROOT/'nbs').rglob('*.ipynb')) if '"#| extras' in p.read_text(encoding='utf-8')]
    if not found: raise SystemExit('no notebook holds a cell under #| extras: the search for them is broken')
    failed = [p for p in found if subprocess.run(['nbdev_test', '--path', str(p), '--flags', 'extras', '--n_workers', '0', '--timing'], cwd=ROOT).returncode]
    print(f'{len(found) - len(failed)} passed, {len(failed)} failed' + ''.join(f'\n{p.relative_to(ROOT)}' for p in failed))
    return bool(failed)

if __name__ == '__main__': sys.exit(main())
