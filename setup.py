"Everything is set in `settings.ini`; edit there, not here."
from configparser import ConfigParser
from pathlib import Path

import setuptools

here = Path(__file__).parent
cfg = ConfigParser(delimiters=['='])
cfg.read(here/'settings.ini', encoding='utf-8')
cfg = cfg['DEFAULT']
pkg = cfg['lib_path']

setuptools.setup(
    name=cfg['lib_name'], version=cfg['version'], description=cfg['description'],
    long_description=(here/'README.md').read_text(encoding='utf-8'), long_description_content_type='text/markdown',
    author=cfg['author'], author_email=cfg['author_email'], keywords=cfg['keywords'].split(),
    license_expression=cfg['license'], license_files=['LICENSE'],
    url=cfg['git_url'], project_urls={'Documentation': cfg['doc_host'] + cfg['doc_baseurl']},
    python_requires='>=' + cfg['min_python'], packages=setuptools.find_packages(include=[pkg, pkg + '.*']),
    package_data={pkg: ['models/*', 'samples/*', 'viewer/napari.yaml']},
    install_requires=cfg['requirements'].split(), extras_require={k: cfg[f'{k}_requirements'].split() for k in ('dev', 'bench', 'large', 'board', 'cluster', 'widgets', 'cloud', 'export', 'fast', 'formats', 'napari')},
    entry_points={'nbdev': [f'{pkg}={pkg}._modidx:d'], 'console_scripts': [cfg['console_scripts']],
                  'napari.manifest': [f"{cfg['lib_name']} = {pkg}.viewer:napari.yaml"]})
