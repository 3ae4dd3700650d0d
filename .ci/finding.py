"The search of the site: what its index holds, and questions that it must answer."
import json, re, shutil, subprocess
from pathlib import Path

ORDER = 'how_to', 'tutorials', '', 'explanations', 'experiments', 'reference' # kinds of pages; of equal hits the earlier kind comes first
COMMON = ('a an and are as at be by can do does for from get give has have how i if in is it its me my of on or should than that the their them there these they this to too '
          'use using want was we what when where which who why will with without work works would you your').split()
# The search wants every word of a question; what ends a word also takes these away, from the pages and from the question
SEPARATOR = '[\u200b' + r'''\s\-_,:!=\[\]()\\"`/?'’…]+|\.(?!\d)|(?<![\w-])(?:''' + '|'.join(f'[{w[0].upper()}{w[0]}]{w[1:]}' for w in COMMON) + r''')(?![\w-])'''
LATER = '\u2060\u200b'*12 # words that nobody sees or types, and what parts them
QUESTIONS = [ # what a user types; pages, of which one must be among the first three
    ('train on my own masks', 'tutorials/train_on_your_own_images.html', 'how_to/adapt.html'),
    ('which file formats can it read', 'how_to/faq.html'),
    ('CZI', 'how_to/faq.html'),
    ('3D', 'how_to/faq.html'),
    ('z-stack', 'how_to/large_images.html', 'how_to/faq.html'),
    ('time series', 'how_to/large_images.html'),
    ('GPU', 'how_to/gpu.html'),
    ('which torch do I need', 'how_to/gpu.html', 'how_to/faq.html'),
    ('out of memory', 'how_to/faq.html', 'how_to/gpu.html'),
    ('how good is it compared with Cellpose', 'how_to/faq.html', 'explanations/coming_from.html', 'experiments/against_others.html'),
    ('StarDist', 'explanations/coming_from.html', 'how_to/faq.html'),
    ('licence of the model', 'how_to/faq.html', 'experiments/ready_model.html'),
    ('cite', 'how_to/faq.html'),
    ('my cells are 60 pixels', 'how_to/diameter.html', 'how_to/faq.html'),
    ('cells of 60 px are missed', 'how_to/diameter.html', 'how_to/faq.html'),
    ('diameter', 'how_to/diameter.html'),
    ('segment my folder of images', 'tutorials/segment_a_folder.html', 'how_to/faq.html'),
    ('segment images', 'tutorials/segment_a_folder.html', 'how_to/faq.html'),
    ('open a CZI', 'how_to/faq.html'),
    ('time lapse', 'how_to/faq.html', 'how_to/large_images.html'),
    ('CSV', 'how_to/open_results.html', 'how_to/faq.html'),
    ('CUDA', 'how_to/gpu.html', 'how_to/faq.html'),
    ('cells are merged', 'how_to/faq.html', 'how_to/thresholds.html', 'tutorials/choose_thresholds.html'),
    ('napari', 'how_to/napari.html'),
    ('QuPath', 'how_to/open_results.html'),
    ('ready model', 'experiments/ready_model.html', 'how_to/faq.html'),
    ('score Cellpose labels', 'how_to/score_labels.html'),
    ('score Cellpose labels against my masks', 'how_to/score_labels.html', 'how_to/faq.html'),
    ('no masks', 'how_to/no_masks.html'),
    ('fine-tune the model', 'how_to/adapt.html'),
    ('thousands of images', 'how_to/many_images.html'),
    ('install', 'index.html', 'how_to/faq.html'),
    ('what does OP_CSB mean', 'explanations/scores.html', 'how_to/faq.html'),
]

def write_index(site, kinds): # folder; address of each page -> its kind
    "The index anew: without the code of reference and experiments, guides before them"
    path = site/'search.json'
    index = json.loads(path.read_text(encoding='utf-8'))
    kind = lambda item: kinds.get(item['location'].split('#')[0], '')
    lost = kinds.keys() - {item['location'].split('#')[0] for item in index['items']}
    if lost: raise SystemExit(f'{", ".join(sorted(lost))}: not in the search')
    for item in index['items']:
        if kind(item) not in ('experiments', 'reference'): continue
        item['text'] = re.sub(r'<details.*?</details>', '', item['text'], flags=re.S)
        if not item['location'].startswith('cli.html#dinocell-'): item['text'] = re.sub(r'<pre.*?</pre>', '', item['text'], flags=re.S) # the help of commands stays
    for item in index['items']: # of two titles with the word, the search prefers the one in which it comes earlier
        if kind(item) in ('experiments', 'reference'): item['title'] = LATER + item['title']
    index['items'].sort(key=lambda item: ORDER.index(kind(item)))
    path.write_text(json.dumps(index, ensure_ascii=False), encoding='utf-8')

def answers(site, questions):
    "The first pages that the site's own search finds for each question; None: there is no Node.js to run it"
    if not shutil.which('node'): return None
    worker, = (site/'assets/javascripts/workers').glob('search.*.js')
    done = subprocess.run(['node', Path(__file__).with_name('finding.mjs'), worker, site/'search.json'], input=json.dumps(questions), capture_output=True, text=True, check=True)
    return json.loads(done.stdout)

def misses(site):
    "Questions whose page is not among the first three"
    found = answers(site, [q for q, *_ in QUESTIONS])
    if found is None: print('node not found: the search was not tried')
    for (question, *wanted), pages in zip(QUESTIONS, found or []):
        if not {*pages[:3]} & {*wanted}: yield f'search for "{question}": {", ".join(pages[:3]) or "nothing"} in place of {" or ".join(wanted)}'
