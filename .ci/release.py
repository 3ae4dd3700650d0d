"""Before a release: the tag, settings.ini, the package, CITATION.cff, the conda recipe and CHANGELOG.md name one version.
With the sdist that was built of it, its checksum is written into the conda recipe: python .ci/release.py v1.2.3 dist/*.tar.gz"""
import hashlib, re, sys
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

def fill_recipe(sdist): # path of the file that PyPI will hold
    "The checksum of the sdist in the conda recipe"
    recipe = ROOT/'conda/recipe.yaml'
    text, n = re.subn(r'(?m)^(  sha256: )".*"$', rf'\1"{hashlib.sha256(Path(sdist).read_bytes()).hexdigest()}"', recipe.read_text(encoding='utf-8'))
    if n != 1: raise SystemExit(f'{recipe}: {n} lines of sha256 instead of one')
    recipe.write_text(text, encoding='utf-8')

def main(tag=None, sdist=None):
    found = versions()
    wanted = tag.removeprefix('v') if tag else found['settings.ini']
    wrong = [f'{f}: version {v} instead of {wanted}' for f, v in found.items() if v != wanted]
    if wrong: raise SystemExit('\n'.join(wrong))
    print(f'version {wanted} in {len(found)} files')
    if sdist: fill_recipe(sdist)

if __name__ == '__main__': main(*sys.argv[1:])
