"Run the pages of nbs/experiments that are built from kept records, without their slow cells: the hidden tests of these pages, and whether all records can be read."
import sys
from pathlib import Path
from nbdev.config import get_config
from nbdev.test import test_nb

ROOT = Path(__file__).resolve().parent.parent
EXPERIMENTS = ROOT/'nbs'/'experiments'
FLAGS = set(get_config(cfg_name=str(ROOT/'settings.ini')).tst_flags.split())

def pages():
    "A page for each folder of records, and the one that reads them all"
    return [EXPERIMENTS/'what_we_know.ipynb', *sorted(EXPERIMENTS/f'{p.name}.ipynb' for p in (EXPERIMENTS/'results').iterdir())]

def main():
    failed = [p.name for p in pages() if not test_nb(p, skip_flags=FLAGS)[0]]
    print(f'{len(pages()) - len(failed)} of {len(pages())} pages of kept records run' + ''.join(f'\nfailed: {f}' for f in failed))
    return bool(failed)

if __name__ == '__main__': sys.exit(main())
