"Before a release: the tag, settings.ini, the package, CITATION.cff, the conda recipe and CHANGELOG.md name one version."
import re, sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
PLACES = { # file -> where its version stands
    'settings.ini': r'^version = (.+)$',
    'dinocell/__init__.py': r'^__version__ = "(.+)"$',
    'CITATION.cff': r'^version: (.+)$',
    'conda/recipe.yaml': r'^  version: "(.+)"$',
    'CHANGELOG.md': r'^## (\d.+)$'} # the newest, which comes first

def versions():
    "file -> version"
    found = {f: re.search(p, (ROOT/f).read_text(encoding='utf-8'), re.M) for f, p in PLACES.items()}
    return {f: m[1] if m else 'none' for f, m in found.items()}

def main(tag=None):
    found = versions()
    wanted = tag.removeprefix('v') if tag else found['settings.ini']
    wrong = [f'{f}: version {v} instead of {wanted}' for f, v in found.items() if v != wanted]
    if wrong: raise SystemExit('\n'.join(wrong))
    print(f'version {wanted} in {len(found)} files')

if __name__ == '__main__': main(*sys.argv[1:])
