"""What a terminal prints is copied into shells and shown by any encoding: it is ASCII."""
import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
PRINTED = sorted(path.relative_to(ROOT) for folder in ('evaluations', 'source', 'gen_models', 'dis_models', 'tools')
                 for path in (ROOT / folder).rglob('*.py')) + [Path('train.py'), Path('experiments.py')]
# Pages and pictures, which no terminal shows; of evaluations/report.py, the cells of the page's table.
NOT_PRINTED = ('source/report/', 'source/experiments/figures/', 'source/scoring/comparison_plot.py',
               'source/scoring/spectra_plot.py')
OF_PAGES = {'evaluations/report.py': {' ± ', '–'}}


def texts(path):
    """All strings of a module but docstrings; that of a command counts, as --help prints it."""
    source = (ROOT / path).read_text(encoding='utf-8')
    tree = ast.parse(source)
    is_command = "__name__ == '__main__'" in source
    docstrings = {id(node.body[0].value) for node in ast.walk(tree)
                  if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef) and ast.get_docstring(node)
                  and not (is_command and isinstance(node, ast.Module))}
    return [node.value for node in ast.walk(tree)
            if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in docstrings]


@pytest.mark.parametrize('path', [path for path in PRINTED if not str(path).startswith(NOT_PRINTED)], ids=str)
def test_ascii(path):
    assert [text for text in texts(path) if not text.isascii() and text not in OF_PAGES.get(str(path), ())] == []
