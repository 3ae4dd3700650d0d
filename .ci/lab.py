"""Notebooks in a real JupyterLab: Chromium opens each, runs all its cells from the menu and moves its sliders; pictures show what a user sees.

Lab runs on copies, so nothing here is changed. Chromium is driven over its debugging port; it is the only thing needed beside the `dev` packages."""
import argparse, base64, json, os, secrets, shutil, signal, socket, subprocess, sys, tempfile, time
from pathlib import Path
from urllib.request import Request, urlopen

from websocket import create_connection

ROOT = Path(__file__).resolve().parent.parent
BROWSERS = 'chromium', 'chromium-browser', 'google-chrome', 'google-chrome-stable', 'chrome'
WIDTH, HEIGHT = 1300, 1000

def default_notebooks():
    "The widgets and every tutorial; Lab also runs the cells that the tests leave out as slow"
    return [ROOT/'nbs/show/05_widgets.ipynb', *sorted((ROOT/'nbs/tutorials').glob('[!_]*.ipynb'))]

def wait_for(what, test, seconds):
    "The first true value of `test()`; it is asked until the time is up"
    end = time.time() + seconds
    while not (found := test()):
        if time.time() > end: raise SystemExit(f'{what}: not seen within {seconds} seconds')
        time.sleep(.2)
    return found

def start(log, command, env=None):
    "A process whose words go to a file"
    with open(log, 'wb') as f: return subprocess.Popen([str(c) for c in command], stdout=f, stderr=f, env=env)

def stop(process):
    "End a process"
    process.terminate()
    try: process.wait(10)
    except subprocess.TimeoutExpired: process.kill()

class Page:
    "A page of the browser, by the Chrome DevTools protocol"
    def __init__(self, url):
        self.socket, self.n = create_connection(url, timeout=120, suppress_origin=True), 0

    def __call__(self, method, **params):
        "Call a method of the protocol"
        self.n += 1
        self.socket.send(json.dumps(dict(id=self.n, method=method, params=params)))
        while (answer := json.loads(self.socket.recv())).get('id') != self.n: pass
        if 'error' in answer: raise SystemExit(f"{method}: {answer['error']['message']}")
        return answer['result']

    def ask(self, code):
        "The value of a JavaScript expression"
        out = self('Runtime.evaluate', expression=code, returnByValue=True, awaitPromise=True)
        if 'exceptionDetails' in out: raise SystemExit(f"{code}: {out['exceptionDetails']['exception'].get('description')}")
        return out['result'].get('value')

    def mouse(self, kind, at): self('Input.dispatchMouseEvent', type=kind, x=at[0], y=at[1], button='none' if kind == 'mouseMoved' else 'left', buttons=int(kind != 'mouseReleased'), clickCount=int(kind != 'mouseMoved'))

    def click(self, at):
        "Press and release the mouse"
        self('Input.dispatchMouseEvent', type='mouseMoved', x=at[0], y=at[1])
        for kind in ('mousePressed', 'mouseReleased'): self.mouse(kind, at)

    def drag(self, at, to):
        "Take something with the mouse and let it go elsewhere"
        self.mouse('mousePressed', at)
        for k in range(1, 6): self.mouse('mouseMoved', [a + (b - a)*k/5 for a, b in zip(at, to)])
        self.mouse('mouseReleased', to)

    def press(self, key, code):
        "Press and release a key"
        for kind in ('rawKeyDown', 'keyUp'): self('Input.dispatchKeyEvent', type=kind, key=key, code=key, windowsVirtualKeyCode=code)

    def middle(self, find):
        "Where the middle of an element is on the screen; None if it is not there"
        return self.ask(f'(() => {{ const e = {find}; if (!e) return null; const b = e.getBoundingClientRect(); return b.width ? [b.x + b.width/2, b.y + b.height/2] : null }})()')

    def shoot(self, path):
        "A picture of what is seen"
        path.write_bytes(base64.b64decode(self('Page.captureScreenshot', format='png')['data']))

PANEL = '[...window.jupyterapp.shell.widgets("main")][0]'
READY = f"window.jupyterapp && {PANEL}?.context?.isReady && {PANEL}.context.sessionContext.session?.kernel?.status === 'idle'"
CELLS = f'''({{status: {PANEL}.context.sessionContext.session.kernel.status, cells: {PANEL}.content.widgets.map((w, i) => [w, i]).filter(([w]) => w.model.type === 'code').map(([w, i]) =>
  ({{place: i, ran: w.model.executionCount !== null || !w.model.sharedModel.source.trim(), outputs: w.model.outputs.toJSON().map(o =>
    ({{kind: o.output_type, name: o.name, error: o.ename && o.ename + ': ' + o.evalue, text: o.output_type === 'stream' ? [o.text].flat().join('') : '', types: Object.keys(o.data || {{}})}}))}}))}})'''
BAR = '(() => { const e = document.querySelector(".jp-OutputArea .widget-hprogress"); e?.scrollIntoView({block: "center"}); return !!e })()'
WIDGET = 'application/vnd.jupyter.widget-view+json'

def labelled(kind, text): return f'[...document.querySelectorAll("{kind}")].find(e => e.textContent === "{text}" && e.offsetParent)'

def run_all(page, folder, stem, seconds):
    "Run > Run All Cells; wait for the last one. A picture is taken when a progress bar is seen"
    for kind, text in (('.lm-MenuBar-itemLabel', 'Run'), ('.lm-Menu-itemLabel', 'Run All Cells')):
        page.click(wait_for(f'{stem}: menu entry {text}', lambda: page.middle(labelled(kind, text)), 20))
    seen = []
    def over():
        if not seen and page.ask(BAR):
            time.sleep(.2)
            page.shoot(folder/f'{stem}_progress.png')
            if page.ask(BAR): seen.append(True)                       # a short one may be gone: then the next
        state = page.ask(CELLS)
        bad = [o['error'] for c in state['cells'] for o in c['outputs'] if o['kind'] == 'error']
        if bad: raise SystemExit(f'{stem}: a cell failed: {bad[0]}')
        return state['status'] == 'idle' and all(c['ran'] for c in state['cells']) and state['cells']
    return wait_for(f'{stem}: the end of the last cell', over, seconds)

def scroll_to(page, place):
    "Bring a cell on the screen and let it settle"
    page.ask(f"{PANEL}.content.scrollToItem({place}, 'start').then(() => null)")
    time.sleep(1)

def output(place, inside=''): return f'{PANEL}.content.widgets[{place}].node.querySelector(".jp-Cell-outputArea {inside}")'

def move_sliders(page, place, folder, stem):
    "The first slider by the keyboard, the second by the mouse; the number of cells must change each time"
    count = lambda: page.ask(f'(({output(place)}).innerText.match(/\\d+ cells?/) || [null])[0]')
    handle = lambda k: page.middle(f'({output(place)}).querySelectorAll(".noUi-handle")[{k}]')
    told = [wait_for(f'{stem}: the number of cells', count, 20)]
    def by_keys():
        page.ask(f'({output(place)}).querySelectorAll(".noUi-handle")[0].focus()')
        for _ in range(30): page.press('ArrowRight', 39)
    def by_mouse():
        x, y = handle(0)
        page.drag((x, y), (x - 100, y))
    for how, move in (('keys', by_keys), ('mouse', by_mouse)):
        move()
        wait_for(f'{stem}: anything but {told[-1]} after the slider was moved by {how}', lambda: count() != told[-1], 60)
        time.sleep(1)                                                 # the last of many moves
        wait_for(f'{stem}: the end of drawing', lambda: page.ask(READY), 60)
        told.append(count())
        page.shoot(folder/f'{stem}_slider_{how}.png')
    return told

def check(page, address, path, folder, seconds):
    "Open, run and look at one notebook"
    stem = path.stem
    page('Page.navigate', url=address)
    wait_for(f'{stem}: notebook with a kernel', lambda: page.ask(READY), 120)
    start, cells, moved = time.time(), run_all(page, folder, stem, seconds), []
    for c in cells:
        types = {t for o in c['outputs'] for t in o['types']}
        if not types & {WIDGET, 'image/png', 'text/html'}: continue
        scroll_to(page, c['place'])
        page.shoot(folder/f'{stem}_{c["place"]:03}.png')
        if WIDGET in types: wait_for(f'{stem}: the widget of cell {c["place"]}', lambda: page.ask(f'!/(Loading|Error \\w+) widget/.test(({output(c["place"])}).innerText)'), 20)
        if page.middle(output(c['place'], '.noUi-handle')): moved.append(' → '.join(move_sliders(page, c['place'], folder, stem)))
    page.ask(f'{PANEL}.context.sessionContext.shutdown().then(() => null)')
    print(f'{stem}: {sum(c["ran"] for c in cells)} code cells in {time.time() - start:.0f} s, no error' + ''.join(f'; sliders: {m}' for m in moved), flush=True)
    return bool(moved)

def in_new_page(chromium, *how): # address of its debugging port; see `check`
    "A page of its own for each notebook: one with unsaved changes does not let go"
    target = json.load(urlopen(Request(f'{chromium}/new?about:blank', method='PUT')))
    page = Page(target['webSocketDebuggerUrl'])
    page('Emulation.setFocusEmulationEnabled', enabled=True)
    page('Emulation.setDeviceMetricsOverride', width=WIDTH, height=HEIGHT, deviceScaleFactor=1, mobile=False)
    try: return check(page, *how)
    except SystemExit:
        page.shoot(how[2]/'failed.png')
        raise
    finally: urlopen(f'{chromium}/close/{target["id"]}')

def in_browser(browser, notebooks, folder, seconds, work):
    "Start Lab and Chromium, check the notebooks, end both"
    files, inside = work/'files', lambda p: p.resolve().is_relative_to(ROOT/'nbs')
    shutil.copytree(ROOT/'nbs', files/'nbs', ignore=shutil.ignore_patterns('.ipynb_checkpoints'))
    places = [p.resolve().relative_to(ROOT) if inside(p) else Path(shutil.copy(p, files)).relative_to(files) for p in notebooks]
    quiet = work/'config/lab/user-settings/@jupyterlab/apputils-extension/notification.jupyterlab-settings'
    quiet.parent.mkdir(parents=True)
    quiet.write_text('{"fetchNews": "false", "checkForUpdates": false}')
    with socket.socket() as s:
        s.bind(('127.0.0.1', 0))
        port = s.getsockname()[1]
    token, lab = secrets.token_hex(16), f'http://127.0.0.1:{port}'
    env = {k: v for k, v in os.environ.items() if k != 'MPLBACKEND'}
    env |= dict(PYTHONPATH=os.pathsep.join([str(ROOT), *filter(None, [env.get('PYTHONPATH')])]), IPYTHONDIR=str(work/'ipython'))
    env |= {f'JUPYTER_{k}_DIR': str(work/k.lower()) for k in ('CONFIG', 'DATA', 'RUNTIME')}
    server = start(work/'lab.log', [sys.executable, '-m', 'jupyterlab', '--no-browser', '--allow-root', '--LabApp.expose_app_in_browser=True',
                          f'--ServerApp.port={port}', '--ServerApp.port_retries=0', f'--IdentityProvider.token={token}', f'--ServerApp.root_dir={files}'], env)
    chromium = start(work/'chromium.log', [browser, '--headless=new', '--no-sandbox', '--disable-gpu', '--disable-dev-shm-usage', '--remote-debugging-port=0', f'--user-data-dir={work}/profile', f'--window-size={WIDTH},{HEIGHT}', 'about:blank'])
    def answers(url):
        try: return json.load(urlopen(url, timeout=5))
        except OSError: return None
    try:
        told = wait_for('the port of Chromium', lambda: (work/'profile/DevToolsActivePort').is_file() and (work/'profile/DevToolsActivePort').read_text().split(), 60)
        wait_for('JupyterLab', lambda: answers(f'{lab}/api/status?token={token}'), 120)
        return [in_new_page(f'http://127.0.0.1:{told[0]}/json', f'{lab}/lab/workspaces/auto-{k}/tree/{p.as_posix()}?token={token}', p, folder, seconds) for k, p in enumerate(places)]
    except SystemExit:
        for name in ('lab', 'chromium'): print(f'-- {name}\n' + (work/f'{name}.log').read_text(errors='replace')[-1500:])
        raise
    finally:
        for process in (chromium, server): stop(process)

def main():
    p = argparse.ArgumentParser(description=__doc__)
    p.add_argument('notebooks', nargs='*', type=Path, help='notebook files; none: the widgets and all tutorials')
    p.add_argument('--pictures', type=Path, default=ROOT/'_lab', help='folder for the pictures')
    p.add_argument('--browser', help='Chromium or Chrome; none: the first one found')
    p.add_argument('--seconds', type=int, default=600, help='how long a notebook may run')
    p.add_argument('--if-available', action='store_true', help='without a browser, say so and count as passed')
    a = p.parse_args()
    browser = shutil.which(a.browser) if a.browser else next(filter(None, map(shutil.which, BROWSERS)), None)
    if browser is None:
        print(f'no browser: {a.browser or ", ".join(BROWSERS)} not found: install chromium, or give --browser PATH; {"skipped" if a.if_available else "nothing was checked"}')
        return not a.if_available
    a.pictures.mkdir(parents=True, exist_ok=True)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))            # ends Lab and Chromium too
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as work: moved = in_browser(browser, a.notebooks or default_notebooks(), a.pictures.resolve(), a.seconds, Path(work))
    if not a.notebooks and not any(moved): raise SystemExit('no slider was found to move')
    print(f'{len(moved)} notebook{"s"*(len(moved) != 1)} passed in JupyterLab; pictures in {a.pictures}')

if __name__ == '__main__': sys.exit(main())
