"""What the pages of docs/ point to is there: files, the names said to be in them, pictures."""
import re

from tests.children import ROOT

import pytest

DOCS = sorted((ROOT / 'docs').glob('*.md'))
FILE = re.compile(r'(?:[\w.]+/)*[\w]+\.(?:py|yml|csv|json)')
# What commands write.
MADE = 'results/', 'config.yml', 'log.json', 'intra_fid.json', 'all_scores_paper.json', 'intra_fid_paper.json'
USERS = 'labels.csv', 'listed.py', 'my/generator.py', 'datasets/packed.py'  # the last is named as configs do


@pytest.mark.parametrize('page', DOCS, ids=lambda page: page.name)
def test_files_are_there(page):
    text = re.sub('```.*?```', '', page.read_text(encoding='utf-8'), flags=re.DOTALL)
    code = [' '.join(words.split()) for words in re.findall('`([^`]+)`', text)]
    found = [f for words in code if not words.startswith(MADE) for f in FILE.findall(words)]
    files = [f for f in found if not f.startswith((*MADE, *USERS))]
    assert files and [f for f in files if not (ROOT / f).is_file()] == []


def test_pictures_and_linked_pages_are_there():
    links = [(page, link) for page in [*DOCS, *ROOT.glob('*.md')]
             for link in re.findall(r'\]\((?!https?:)([^)#]+)', page.read_text(encoding='utf-8'))]
    assert len(links) > 3 and [link for page, link in links if not (page.parent / link).is_file()] == []


def test_the_front_page_is_short():
    assert len((ROOT / 'README.md').read_text(encoding='utf-8').splitlines()) <= 120


def test_names_are_in_the_files_they_are_said_to_be_in():
    """In a table's cell a name belongs to the file before it."""
    n = 0
    for line in (ROOT / 'docs' / 'paper.md').read_text(encoding='utf-8').splitlines():
        for cell in line.split('|'):
            file = None
            for code in re.findall('`([^`]+)`', cell):
                if FILE.fullmatch(code):
                    file = code
                elif file and re.fullmatch(r'\w+', code):
                    content = (ROOT / file).read_text(encoding='utf-8')
                    assert re.search(rf'(def|class) {code}\b|\b{code}=', content), (file, code)
                    n += 1
    assert n > 30
