"README.md, from the front page of the docs site: nbs/index.ipynb"
import shutil

from pages import ROOT, Page, processed

def main():
    root, _ = processed()
    page, pictures = Page(root/'index.ipynb', root, 'index_files/', in_site=False), ROOT/'index_files'
    text = page.markdown()
    shutil.rmtree(pictures, ignore_errors=True)
    if page.images: pictures.mkdir()
    for name, png in page.images.items(): (pictures/name).write_bytes(png)
    (ROOT/'README.md').write_text(text, encoding='utf-8')

if __name__ == '__main__': main()
