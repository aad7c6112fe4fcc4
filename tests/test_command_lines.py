"""Every command line: its examples and those of the pages parse, a wrong argument is one line and status 2.

What a terminal prints is copied into shells and shown by any encoding: it is ASCII.
"""
import argparse
import ast
import importlib
import re
import shlex
import sys
from pathlib import Path

from source.command_line import sngan
from tests.children import ROOT
from tests.narrow import run

import pytest

EXAMPLE = re.compile(r'^    python [\w/]+\.py', re.M)
NAMED = sorted(path for pattern in ('*.py', 'evaluations/*.py', 'benchmarks/*.py', 'source/*/*.py')
               for path in ROOT.glob(pattern) if EXAMPLE.search(path.read_text(encoding='utf-8')))
PAGES = [ROOT / 'README.md', ROOT / 'CHANGELOG.md', ROOT / 'CONTRIBUTING.md', *sorted((ROOT / 'docs').glob('*.md')),
         *NAMED, *sorted((ROOT / 'configs').rglob('*.yml'))]
PLACEHOLDERS = 'DIR', 'FILE', 'NAME', 'RESULTS', 'G', 'D'


class Parsed(Exception):
    pass


def commands_of(page):
    """The command lines of a page, on lines of their own and in backticks: lists of a script and its arguments."""
    text = re.sub(r'\\+\n', ' ', page.read_text(encoding='utf-8'))
    text = re.sub(r'^( {4,6})sngan ([\w-]+)', lambda m: f'{m[1]}python {sngan.SUBCOMMANDS[m[2]][0]}', text, flags=re.M)
    found = re.findall(r'^(?: {4,6}|# Command: +)python ([\w/]+\.py\b.*)', text, re.M)
    if page.suffix == '.md':
        found += re.findall(r'`python ([\w/]+\.py\b[^`]*)`', text)
    return [shlex.split(command.partition(' > ')[0], comments=True) for command in found if '…' not in command]


def parse(monkeypatch, path, arguments):
    """Status of a command that ends when it has read its arguments; raises Parsed where they are right."""
    module = importlib.import_module('.'.join(Path(path).with_suffix('').parts))
    owner, name = getattr(module, 'score_command', module), 'parse_arguments'
    if not hasattr(owner, name):
        owner, name = argparse.ArgumentParser, 'parse_known_args'
    original = getattr(owner, name)

    def parse_arguments(*args):
        original(*args)
        raise Parsed
    monkeypatch.setattr(owner, name, parse_arguments)
    return run(module.main, *arguments)


def test_all_command_lines_are_found():
    assert len(NAMED) >= 20 and {'train.py', 'experiments.py', 'report.py', 'download.py'} <= {p.name for p in NAMED}
    assert sum(len(commands_of(page)) for page in PAGES) > 100
    methods = commands_of(ROOT / 'docs' / 'methods.md')
    assert ['experiments.py', 'run', 'table2', '--dataset', 'digits', '-j', '2'] in methods
    assert ['train.py', '--config', 'sn_projection_mnist.yml'] in commands_of(ROOT / 'README.md')


@pytest.mark.parametrize('page', [page for page in PAGES if commands_of(page)],
                         ids=lambda page: str(page.relative_to(ROOT)))
def test_examples_parse(monkeypatch, page):
    """And the configs that they name are there."""
    for path, *arguments in commands_of(page):
        assert (ROOT / path).is_file(), path
        with monkeypatch.context() as patch, pytest.raises(Parsed):
            parse(patch, path, arguments)
        configs = [b for a, b in zip(arguments, arguments[1:]) if a == '--config' and b not in PLACEHOLDERS]
        assert [config for config in configs if config.startswith('configs/') and not (ROOT / config).is_file()] == []


def test_all_write_through_prepared_streams():
    """`one_line_errors` prepares them too."""
    prepared = re.compile(r'^@.*\b(one_line_errors|standard_streams)\b.*\ndef main\(', re.M)
    assert [path for path in NAMED if not prepared.search(path.read_text(encoding='utf-8'))] == []


@pytest.mark.parametrize('path', NAMED, ids=lambda path: str(path.relative_to(ROOT)))
def test_a_wrong_argument_and_help(monkeypatch, capsys, path):
    path = path.relative_to(ROOT)
    assert parse(monkeypatch, path, ['--bogus']) == 2
    assert re.fullmatch(r'command: error: .+\n', capsys.readouterr().err)
    assert parse(monkeypatch, path, ['--help']) == 0
    assert f'python {path}' in capsys.readouterr().out  # a working example


def test_subcommands(monkeypatch, capsys):
    """`sngan` has every script that works without a clone, under its own name and help."""
    assert {script for script, _ in sngan.SUBCOMMANDS.values()} == {
        name for name in (path.relative_to(ROOT).as_posix() for path in NAMED) if not name.startswith('benchmarks/')}
    for name in sngan.SUBCOMMANDS:
        monkeypatch.setattr(sys, 'argv', ['sngan', name.replace('-', '_'), '--help'])
        with pytest.raises(SystemExit) as stop:
            sngan.main()
        shown = capsys.readouterr().out.partition('options:')[0]
        assert stop.value.code == 0 and f'usage: sngan {name} ' in shown and f'    sngan {name}' in shown
        assert not re.search(r'\b(python|[a-z]\w+\.py)\b', re.sub(r'\w+=\S+', '', shown)), shown
    for arguments, status, expected in (([], 0, 'usage: sngan'), (['--version'], 0, 'sngan 0.'), (['trian'], 2, '')):
        assert run(sngan.main, *arguments) == status and expected in (shown := capsys.readouterr()).out
    assert shown.err == "sngan: error: trian: no such subcommand; did you mean 'train'?\n"


COMMANDS = '*.py', 'evaluations/*.py', 'benchmarks/*.py', 'source/**/*.py', 'tools/*.py'
WITH_ARGUMENTS = sorted(path for pattern in COMMANDS for path in ROOT.glob(pattern)
                        if "__name__ == '__main__'" in (text := path.read_text(encoding='utf-8'))
                        and re.search('rgumentParser|score_command|image_parser', text))


class Found(Exception):
    pass


def options_of(parser, prefix=''):
    """(name, help) of all arguments of a parser and of its commands, and of these themselves."""
    for action in parser._actions:
        commands = action.choices if isinstance(action, argparse._SubParsersAction) else {}
        if not commands:
            yield f'{prefix}{"/".join(action.option_strings) or action.dest}', action.help
        for choice in getattr(action, '_choices_actions', ()):
            yield f'{prefix}{choice.dest}', choice.help
        assert len(getattr(action, '_choices_actions', ())) == len(commands), f'{prefix}: a command without help'
        for name, command in commands.items():
            yield from options_of(command, f'{prefix}{name} ')


@pytest.mark.parametrize('path', WITH_ARGUMENTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_every_argument_has_a_help_line(monkeypatch, path):
    def found(parser, *_):
        raise Found(parser)
    module = importlib.import_module('.'.join(path.relative_to(ROOT).with_suffix('').parts))
    monkeypatch.setattr(argparse.ArgumentParser, 'parse_known_args', found)
    with pytest.raises(Found) as caught:
        run(module.main)
    options = dict(options_of(caught.value.args[0]))
    says = {name: re.sub(r'\(?\bdefault:.*', '', text or '', flags=re.S) for name, text in options.items()}
    assert len(options) > 1 and [name for name, text in says.items() if len(text) < 8] == []  # more than its default


def test_all_arguments_are_found():
    assert len(WITH_ARGUMENTS) > 25 and {*NAMED} - {*WITH_ARGUMENTS} == set()
    assert all(path in WITH_ARGUMENTS for path in PRINTED if '.add_argument(' in path.read_text(encoding='utf-8')
               and path.name not in ('arguments.py', 'argument_parser.py', 'score_command.py'))


PRINTED = [*(path for folder in ('evaluations', 'source', 'gen_models', 'dis_models', 'tools')
             for path in (ROOT / folder).rglob('*.py')), ROOT / 'train.py', ROOT / 'experiments.py']
# Pages and pictures, which no terminal shows; of evaluations/report.py, the cells of the page's table.
NOT_PRINTED = ('source/report/', 'source/experiments/figures/', 'source/pictures/comparison_plot.py',
               'source/pictures/spectra_plot.py')
OF_PAGES = {'evaluations/report.py': {' ± ', '–'}}


def texts(path):
    """All strings of a module but docstrings; that of a command counts, as --help prints it."""
    source = path.read_text(encoding='utf-8')
    documented = (ast.ClassDef, ast.FunctionDef) + (() if "__name__ == '__main__'" in source else (ast.Module,))
    nodes = list(ast.walk(ast.parse(source)))
    docstrings = {id(node.body[0].value) for node in nodes if isinstance(node, documented) and ast.get_docstring(node)}
    return {node.value for node in nodes
            if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in docstrings}


def test_ascii():
    assert len(PRINTED) > 100
    by_name = {path.relative_to(ROOT).as_posix(): path for path in PRINTED}
    assert [(name, text) for name, path in by_name.items() if not name.startswith(NOT_PRINTED)
            for text in texts(path) - OF_PAGES.get(name, set()) if not text.isascii()] == []
