"How the reference shows what a notebook defines: a signature, a table of parameters, the help of every command."
import argparse, contextlib, dataclasses, importlib, inspect, io, os, re
from textwrap import fill

from fastcore.docments import docments

WIDTH = 84 # columns of a signature; a line of the page holds them beside the navigation
DEFINITION = re.compile(r'^---\n\n(?:\[source\]\((?P<source>[^)]*)\)[^\n]*\n\n)?#+ (?P<name>[\w.]+)\n\n```python\n.*?\n```(?P<rest>.*)\Z', re.S)

def parameters(thing): # a function, or a class
    "The parameters that a caller gives"
    return {k: p for k, p in inspect.signature(thing).parameters.items() if k != 'self'}

def default_of(thing, p):
    "What the page shows as a parameter's default; None: it must be given"
    if p.default is p.empty: return None
    if dataclasses.is_dataclass(thing):
        field = {f.name: f for f in dataclasses.fields(thing)}.get(p.name)
        if field and field.default_factory is not dataclasses.MISSING: return f'{field.default_factory.__name__}()'
    return getattr(p.default, '__qualname__', None) or repr(p.default)

def without_modules(text):
    "`pathlib.Path` -> `Path`"
    return re.sub(r'(?:[a-z_]\w*\.)+(?=\w)', '', text)

def written(thing, p):
    "A parameter as in the signature: name, type, default"
    default = default_of(thing, p)
    text = without_modules(str(p.replace(default=p.empty)))
    return text if default is None else f'{text} = {default}' if ':' in text else f'{text}={default}'

def signature(name, thing):
    "The call, in one line or in lines of `WIDTH` columns"
    parts, starred = [], False
    for p in parameters(thing).values():
        if p.kind is p.KEYWORD_ONLY and not starred: parts.append('*')
        starred = starred or p.kind in (p.KEYWORD_ONLY, p.VAR_POSITIONAL)
        parts.append(written(thing, p))
    result = inspect.signature(thing).return_annotation
    end = '' if result is inspect.Signature.empty or inspect.isclass(thing) else f' -> {without_modules(inspect.formatannotation(result))}'
    line = f'{name}({", ".join(parts)}){end}'
    if len(line) <= WIDTH: return line
    inside = fill(', '.join(part.replace(' ', '\0') for part in parts), WIDTH, initial_indent='    ', subsequent_indent='    ', break_long_words=False, break_on_hyphens=False)
    return f'{name}(\n{inside}\n){end}'.replace('\0', ' ')

def in_table(text):
    "A comment as the text of a table's cell"
    return re.sub(r'(?<!\\)\|', r'\\|', ' '.join(text.split())).replace('<', '&lt;').replace('*', r'\*')

def shared_comments(thing): # a function
    "Parameters that share a line -> its comment, which `docments` gives to the last of them alone"
    head = re.split(r'\)[^()\n]*:\s*(?:#.*)?\n', inspect.getsource(thing), maxsplit=1)[0]
    lines = [line.partition('#') for line in head.split('\n')]
    return {name: note.strip() for before, _, note in lines if note for name in re.findall(r'(\w+)\s*(?=[,:=])', before)}

def table(thing):
    "Parameters with default and meaning; '' where no parameter has a comment"
    plain = dataclasses.is_dataclass(thing) or inspect.isclass(thing) and '__init__' not in vars(thing)
    notes, shared = docments(thing, full=True), {} if plain else shared_comments(thing.__init__ if inspect.isclass(thing) else thing)
    stars = {inspect.Parameter.VAR_POSITIONAL: '*', inspect.Parameter.VAR_KEYWORD: '**'}
    rows = [(stars.get(p.kind, '') + k, default_of(thing, p), notes.get(k, {}).get('docment') or shared.get(k)) for k, p in parameters(thing).items()]
    returned = None if inspect.isclass(thing) else notes.get('return', {}).get('docment')
    if not any(note for *_, note in rows) and not returned: return ''
    given = lambda name, default: f'`{default}`' if default is not None else '' if name.startswith('*') else '*required*'
    lines = [f'| `{k}` | {given(k, d)} | {in_table(note or "")} |' for k, d, note in rows]
    if returned: lines.append(f'| *returns* | | {in_table(returned)} |')
    return '\n'.join(['| parameter | default | meaning |', '|---|---|---|', *lines])

def find(module, name):
    "The function or class of a name with dots"
    thing = importlib.import_module(module)
    for part in name.split('.'): thing = inspect.getattr_static(thing, part) if inspect.isclass(thing) else getattr(thing, part)
    while not isinstance(thing, property) and hasattr(thing, '__wrapped__') or isinstance(thing, (staticmethod, classmethod)): thing = thing.__wrapped__
    return thing

def definition(text, module, name=None): # Markdown of `show_doc`; the module that the page makes; what is shown, if not as the text calls it
    "What a notebook defines, as it is shown; None: a command's function, which its own section shows"
    m = DEFINITION.match(text)
    if not m: return text
    name = name or m['name']
    if name.startswith('cmd_'): return None
    thing = find(module, name)
    head = ['---'] + [f'[source]({m["source"]}){{ .source }}'] * bool(m['source']) + [f'### {name}']
    if isinstance(thing, property) or inspect.isclass(thing) and issubclass(thing, Exception): return '\n\n'.join([*head, m['rest'].strip()])
    return '\n\n'.join(part for part in [*head, f'```python\n{signature(name, thing)}\n```', m['rest'].strip(), table(thing)] if part)

def commands(parser, words=('dinocell',)): # of `argparse`; how it is called
    "(words, help) of every command"
    inside = [a for a in parser._actions if isinstance(a, argparse._SubParsersAction)]
    if not inside: yield words, help_of(words[1:])
    for name, p in (inside[0].choices if inside else {}).items(): yield from commands(p, (*words, name))

def help_of(words):
    "What `--help` prints, in a terminal of 100 columns"
    from unittest.mock import patch

    from dinocell.cli import make_parser
    said = io.StringIO()
    with patch.dict(os.environ, COLUMNS='100'), contextlib.redirect_stdout(said), contextlib.suppress(SystemExit): make_parser().parse_args([*words, '--help'])
    return said.getvalue()

def command_sections():
    "A section for each command: its help"
    from dinocell.cli import make_parser
    return '\n\n'.join(f'## {" ".join(words)}\n\n```text\n{text.rstrip()}\n```' for words, text in commands(make_parser()))
