"""What the pages of docs/ point to is there: files, the names said to be in them, pictures."""
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
FILE = re.compile(r'(?:[\w.]+/)*[\w]+\.(?:py|yml|csv|json)')
MADE = 'results/', 'intra_fid.json'  # what commands write


def code_of(page):
    return [' '.join(code.split()) for code in re.findall('`([^`]+)`', page.read_text(encoding='utf-8'))]


@pytest.mark.parametrize('page', sorted((ROOT / 'docs').glob('*.md')), ids=lambda page: page.name)
def test_files_and_pictures_are_there(page):
    files = [f for code in code_of(page) if not code.startswith(MADE) for f in FILE.findall(code)
             if not f.startswith(MADE)]
    assert files
    assert [f for f in files if not (ROOT / f).is_file()] == []
    links = re.findall(r'\]\(([^)]+)\)', page.read_text(encoding='utf-8'))
    assert [link for link in links if not (page.parent / link).is_file()] == []


@pytest.mark.parametrize('name', ['README.md', 'CHANGELOG.md', 'CONTRIBUTING.md'])
def test_links_of_the_other_pages(name):
    links = re.findall(r'\]\((?!https?:)([^)]+)\)', (ROOT / name).read_text(encoding='utf-8'))
    assert [link for link in links if not (ROOT / link.partition('#')[0]).is_file()] == []
    assert links or name != 'README.md'


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
