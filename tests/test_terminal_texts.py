"""What a terminal prints is copied into shells and shown by any encoding: it is ASCII."""
import ast
from pathlib import Path

ROOT = Path(__file__).parent.parent
PRINTED = [*(path for folder in ('evaluations', 'source', 'gen_models', 'dis_models', 'tools')
             for path in (ROOT / folder).rglob('*.py')), ROOT / 'train.py', ROOT / 'experiments.py']
# Pages and pictures, which no terminal shows; of evaluations/report.py, the cells of the page's table.
NOT_PRINTED = ('source/report/', 'source/experiments/figures/', 'source/scoring/comparison_plot.py',
               'source/scoring/spectra_plot.py')
OF_PAGES = {'evaluations/report.py': {' ± ', '–'}}


def texts(path):
    """All strings of a module but docstrings; that of a command counts, as --help prints it."""
    source = path.read_text(encoding='utf-8')
    tree = ast.parse(source)
    is_command = "__name__ == '__main__'" in source
    docstrings = {id(node.body[0].value) for node in ast.walk(tree)
                  if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef) and ast.get_docstring(node)
                  and not (is_command and isinstance(node, ast.Module))}
    return {node.value for node in ast.walk(tree)
            if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in docstrings}


def test_ascii():
    assert len(PRINTED) > 100
    by_name = {path.relative_to(ROOT).as_posix(): path for path in PRINTED}
    assert [(name, text) for name, path in by_name.items() if not name.startswith(NOT_PRINTED)
            for text in texts(path) - OF_PAGES.get(name, set()) if not text.isascii()] == []
