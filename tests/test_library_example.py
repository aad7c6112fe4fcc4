"""The examples in README.md and docs/api.md run as they stand, and docs/api.md lists what is public."""
import importlib
import re

from tests import children
from tests.children import ROOT

import pytest

API = (ROOT / 'docs' / 'api.md').read_text(encoding='utf-8')
PAGES = {'api.md': API, 'README.md': (ROOT / 'README.md').read_text(encoding='utf-8')}
EXAMPLES = {f'{page}-{k}': block for page, text in PAGES.items()
            for k, block in enumerate(re.findall(r'```python\n(.*?)```', text, re.DOTALL)) if 'import source' in block}
SECTIONS = re.findall(r'^## `(source[.\w]*)`$(.*?)(?=^## |\Z)', API, re.MULTILINE | re.DOTALL)
PUBLIC = {module: re.findall(r'`(\w+)`', ''.join(re.findall(r'^\| (`.*?) \|', text, re.MULTILINE)))
          for module, text in SECTIONS}
PACKAGES = 'generators', 'scoring', 'links', 'functions', 'metrics', 'feature_networks', 'optimizers'


@pytest.mark.parametrize('example', [*EXAMPLES])
def test_example(example, tmp_path):
    """In an empty folder; what is printed is what the comments say, numbers to a tenth."""
    (tmp_path / 'empty').mkdir()
    (tmp_path / 'example.py').write_text(EXAMPLES[example], encoding='utf-8')
    status, printed, errors = children.python('-W', 'error', tmp_path / 'example.py', cwd=tmp_path / 'empty')
    assert status == 0, errors
    assert list((tmp_path / 'empty').iterdir()) == []
    said = re.findall(r'# prints ([^;\n]*)', EXAMPLES[example])
    assert len(said) == len(printed.splitlines()) > 0
    for expected, found in zip(said, printed.splitlines()):
        expected, found = (re.split(r'([\d.]+)', line) for line in (expected, found))
        assert found[::2] == expected[::2]
        assert [float(n) for n in found[1::2]] == pytest.approx([float(n) for n in expected[1::2]], rel=.1)


def test_there_is_an_example():
    block = EXAMPLES['api.md-0']
    assert block.startswith('import source  # first') and len([line for line in block.splitlines() if line]) <= 20


def test_sections_are_the_public_packages():
    assert list(PUBLIC) == [f'source.{name}' for name in PACKAGES]


@pytest.mark.parametrize('module', PUBLIC)
def test_public_names_are_listed_and_there(module):
    """All that a package exports is listed; all that is listed can be imported, and says what it is."""
    names, imported = PUBLIC[module], importlib.import_module(module)
    assert names and len(set(names)) == len(names)
    assert all(getattr(getattr(imported, name), '__doc__', None) for name in names)
    assert sorted(imported.__all__) == sorted(names)
