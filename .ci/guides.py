"What the guides show exists: every `dinocell` command in them is one that the parser takes, every import one that works."
import ast, contextlib, importlib, io, json, re, shlex, textwrap
from pathlib import Path

from dinocell.cli import make_parser

ROOT = Path(__file__).resolve().parent.parent

def guides():
    "(file, Markdown) of all notebooks and of the texts at the top"
    for p in sorted(ROOT.glob('*.md')): yield p.name, p.read_text(encoding='utf-8')
    for p in sorted((ROOT/'nbs').rglob('*.ipynb')):
        if any(part[0] in '._' for part in p.relative_to(ROOT).parts): continue
        cells = json.loads(p.read_text(encoding='utf-8'))['cells']
        yield str(p.relative_to(ROOT)), '\n\n'.join(''.join(c['source']) for c in cells if c['cell_type'] == 'markdown')

def blocks(text, *languages):
    "The fenced blocks in one of some languages"
    return [m[2] for m in re.finditer(r'^```(\w+)\n(.*?)^```', text, re.M | re.S) if m[1] in languages]

def commands(text):
    "The words of every `dinocell` command in blocks of shell"
    for block in blocks(text, 'sh', 'bash'):
        for line in block.replace('\\\n', ' ').split('\n'):
            words = shlex.split(line, comments=True)
            if words and words[0] == 'dinocell': yield words[1:]

def refused(words, parser):
    "What the parser says against a command, or None"
    said = io.StringIO()
    try:
        with contextlib.redirect_stderr(said), contextlib.redirect_stdout(said): parser.parse_args(words)
    except SystemExit as e: return said.getvalue().strip().split('\n')[-1] if e.code else None

def missing(block):
    "Names that a block of Python imports from this package and that are not there; a block that is no Python is told, too"
    try: tree = ast.parse(textwrap.dedent(block))
    except SyntaxError as e: yield f'line {e.lineno}: not Python'; return
    for node in ast.walk(tree):
        if not isinstance(node, ast.ImportFrom) or (node.module or '').split('.')[0] != 'dinocell': continue
        try: module = importlib.import_module(node.module)
        except ImportError: yield f'{node.module}: no such module'; continue
        yield from (f'{node.module}: has no {a.name}' for a in node.names if a.name != '*' and not hasattr(module, a.name))

def main():
    parser, bad, n = make_parser(), [], 0
    for name, text in guides():
        for words in commands(text):
            n += 1
            if said := refused(words, parser): bad.append(f'{name}: dinocell {shlex.join(words)}: {said}')
        bad += [f'{name}: {what}' for block in blocks(text, 'python') for what in missing(block)]
    if not n: bad.append('no command found in any guide: the search for them is broken')
    if bad: raise SystemExit('\n'.join(bad))
    print(f'{n} commands in the guides can be given')

if __name__ == '__main__': main()
