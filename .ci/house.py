"The order of the house: every module imports only from modules below it, and every public name is defined once."
import ast, json, re
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
PACKAGES = dict( # from below: title of its pages; the folder of nbs/ has its name, the programs on top lie in nbs/ itself
    utils='System, files, jobs',
    core='Images and maps',
    score='Scores',
    show='Pictures',
    data='Data',
    model='The network',
    infer='Segmentation',
    train='Training',
    ssl='Pretraining',
    top='Programs',
    viewer='napari')
GUIDES = 'tutorials', 'how_to', 'explanations' # folders of nbs/ that are read by users; the search shows them first

def modules():
    "name -> path of every module with a notebook, from below: packages in their order, notebooks by their numbers"
    folders = [ROOT/'nbs'/p if p != 'top' else ROOT/'nbs' for p in PACKAGES]
    notebooks = [p for f in folders for p in sorted(f.glob('*.ipynb'))]
    names = [re.search(r'"#\| default_exp ([\w.]+)', p.read_text(encoding='utf-8')) for p in notebooks]
    return {m[1]: ROOT/'dinocell'/(m[1].replace('.', '/') + '.py') for m in names if m}

def imported(tree, package): # of a module; the parts of its package's name
    "Names of the package's modules, or of what lies in them, that a module imports anywhere"
    for node in ast.walk(tree):
        if isinstance(node, ast.Import): yield from (a.name.removeprefix('dinocell.') for a in node.names if a.name.startswith('dinocell.'))
        if not isinstance(node, ast.ImportFrom): continue
        base = [*package[:len(package) + 1 - node.level], *filter(None, [node.module])] if node.level else node.module.split('.')
        if base[0] == 'dinocell': yield from ('.'.join([*base[1:], a.name]) for a in node.names)

def upward():
    "Every import that does not go down"
    places = {name: k for k, name in enumerate(modules())}
    for name, path in modules().items():
        for target in imported(ast.parse(path.read_text(encoding='utf-8')), ['dinocell', *name.split('.')[:-1]]):
            found = next((t for t in (target, target.rpartition('.')[0]) if t in places), None)
            if found is None and target not in ('__version__', ''): yield f'{name}: imports {target}, which is no module'
            elif found and places[found] >= places[name]: yield f'{name}: imports {found}, which is not below it'

def lost():
    "Modules without a notebook"
    known = {*modules().values()}
    return [f'{p.relative_to(ROOT)}: no notebook makes it' for p in sorted((ROOT/'dinocell').rglob('*.py')) if p not in known and not p.name.startswith('_')]

def defined(tree): # of a module
    "Public names that it defines; a method that is patched into a class is none"
    for node in tree.body:
        if isinstance(node, (ast.FunctionDef, ast.ClassDef)):
            names = [] if any('patch' in ast.unparse(d) for d in node.decorator_list) else [node.name]
        elif isinstance(node, ast.Assign):
            names = [n.id for target in node.targets for n in ast.walk(target) if isinstance(n, ast.Name)]
        else: continue
        yield from (n for n in names if not n.startswith('_'))

def twice():
    "Public names that two modules define"
    homes = {}
    for module, path in modules().items():
        for name in {*defined(ast.parse(path.read_text(encoding='utf-8')))}: homes.setdefault(name, []).append(module)
    return [f'{name}: defined in {" and in ".join(m)}: rename one, or import it' for name, m in sorted(homes.items()) if len(m) > 1]

def unfolded():
    "Test cells that a reader of a guide would see in Jupyter or Colab"
    for path in sorted(p for folder in GUIDES for p in (ROOT/'nbs'/folder).glob('[!_]*.ipynb')):
        for cell in json.loads(path.read_text(encoding='utf-8'))['cells']:
            if cell['source'][:1] == ['#| hide\n'] and not cell['metadata'].get('cellView'):
                yield f"{path}: cell {cell['id']} is a test: fold it, with the metadata of the others"

def unpublished():
    "Text in the first cell of a page beside title, description and settings, which the site leaves out"
    for path in sorted((ROOT/'nbs').rglob('[!_]*.ipynb')):
        for line in ''.join(json.loads(path.read_text(encoding='utf-8'))['cells'][0]['source']).splitlines():
            if line.strip() and not line.startswith(('# ', '> ', '- ')): yield f'{path}: "{line[:40]}" is in the cell of the title, which the site leaves out: give it a cell of its own'

def main():
    bad = [*lost(), *upward(), *twice(), *unfolded(), *unpublished()]
    if bad: raise SystemExit('\n'.join(bad))
    print(f'{len(modules())} modules import only downwards, and define each name once')

if __name__ == '__main__': main()
