"""Mutation testing: break source/ in many small ways, one at a time, and see whether the tests notice.

    python tools/mutants.py sample mutants.json --n 60 --seed 15   # draw them, evenly over the rooms of source/
    python tools/mutants.py cover                                  # which test reaches which line: .coverage.mutants
    python tools/mutants.py run mutants.json -m 'not long'         # result of each into mutants.json

Needs the extra `mutants`. The mutations are cosmic-ray's. A line is drawn among all that it can change (Python outside
annotations and docstrings), then one change of that line. Tests run in a clone of the last commit, only those that
reached the line, in the order: those of the room's own folder, then the others; a line that runs at import alone counts
as reached by all tests that reach its file. Numba's kernels hide from coverage: a change in kernels/cpu/ meets all of
tests/kernels/ except the GPU's, with a cache of its own. `--seconds` limits the tests of one mutant.
"""
import argparse
import json
import os
import random
import re
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections import defaultdict
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
COVERAGE = ROOT / '.coverage.mutants'
CPU_KERNELS = 'source/kernels/cpu/'


def rooms():
    """{room: its files}; the three kinds of kernels are rooms of their own."""
    files = defaultdict(list)
    for path in sorted((ROOT / 'source').rglob('*.py')):
        name = path.relative_to(ROOT).as_posix()
        parts = name.split('/')[:-1]
        files['/'.join(parts[:3 if 'kernels' in parts else 2])].append(name)
    return files


def changes_of(file):
    """{line: [(operator, occurrence)]} of every change cosmic-ray can make to a file."""
    from cosmic_ray import plugins
    from cosmic_ray.ast import ast_nodes, get_ast_from_path
    tree, lines = get_ast_from_path(ROOT / file), defaultdict(list)
    for name in sorted(plugins.operator_names()):
        operator = plugins.get_operator(name)
        if operator.arguments():  # which only a configuration gives
            continue
        positions = [start for node in ast_nodes(tree) for start, _ in operator().mutation_positions(node)]
        for occurrence, (line, _) in enumerate(positions):
            lines[line].append((name, occurrence))
    return lines


def sample(n, seed):
    """n different mutants, one room after the other."""
    rng, files = random.Random(seed), rooms()
    order = sorted(files)
    rng.shuffle(order)
    known, mutants = {}, []
    while len(mutants) < n:
        for room in order[:n - len(mutants)]:
            file = rng.choices(files[room], [(ROOT / file).stat().st_size for file in files[room]])[0]
            if file not in known:
                known[file] = changes_of(file)
            if not known[file]:
                continue
            line = rng.choice(sorted(known[file]))
            operator, occurrence = rng.choice(known[file].pop(line))
            mutants.append({'room': room, 'file': file, 'line': line, 'operator': operator, 'occurrence': occurrence})
    return mutants


def cover(arguments):
    """Run the tests once and note, for every line, which of them reach it, processes they start included."""
    with tempfile.TemporaryDirectory() as folder:
        config = Path(folder) / 'coveragerc'
        config.write_text('[run]\nsource = source\nparallel = true\npatch = subprocess\n'
                          'context = ${PYTEST_CURRENT_TEST-none}\n' f'data_file = {COVERAGE}\n')
        for path in ROOT.glob(COVERAGE.name + '*'):
            path.unlink()
        return subprocess.run([sys.executable, '-m', 'pytest', '--cov', f'--cov-config={config}', '--cov-context=test',
                               '--cov-report=', *arguments], cwd=ROOT).returncode


class Reached:
    """Which tests reach a line."""

    def __init__(self):
        database = sqlite3.connect(COVERAGE)
        contexts = dict(database.execute('select id, context from context'))
        self._files = {Path(path).relative_to(ROOT).as_posix(): number for number, path in
                       database.execute('select id, path from file')}
        self._bits = defaultdict(list)
        for file, context, bits in database.execute('select file_id, context_id, numbits from line_bits'):
            test = self._test(contexts[context])
            if test:
                self._bits[file].append((test, bits))

    @staticmethod
    def _test(context):
        """`tests/a.py::test_b` of `none|tests/a.py::test_b|run` and of `tests/a.py::test_b (call)`, a process's."""
        found = re.search(r'tests/[^|]*?\.py::.*?(?=\|(?:setup|run|teardown)$| \((?:setup|call|teardown)\)$)', context)
        return found and found[0]

    def tests(self, file, line):
        of_file = self._bits.get(self._files.get(file), [])
        reached = {test for test, bits in of_file if line // 8 < len(bits) and bits[line // 8] >> line % 8 & 1}
        return reached or {test for test, _ in of_file}


def choose(mutant, reached):
    """What pytest is told to run."""
    if mutant['file'].startswith(CPU_KERNELS):
        return ['tests/kernels', '--ignore=tests/kernels/cuda', '--ignore=tests/kernels/reference']
    own = mutant['room'].replace('source', 'tests', 1) + '/'
    tests = reached.tests(mutant['file'], mutant['line'])
    files = {test.partition('::')[0] for test in tests}
    stem = Path(mutant['file']).stem
    rank = {file: (stem not in file, not file.startswith(own), file) for file in files}
    return sorted(tests, key=lambda test: (rank[test.partition('::')[0]], test))


def changed(before, after):
    """The first line that differs, as it was and as it is."""
    pairs = zip(before.splitlines(), after.splitlines())
    return next(([old.strip(), new.strip()] for old, new in pairs if old != new), ['', '(a line less or more)'])


def mutated(mutant, root):
    """The file with its mutant; where the file is not as it was, a change on record is found again, the nearest."""
    from cosmic_ray import plugins
    from cosmic_ray.mutating import mutate_code
    code, operator = (root / mutant['file']).read_text(encoding='utf-8'), plugins.get_operator(mutant['operator'])()
    places = [(abs(line - mutant['line']), occurrence != mutant['occurrence'], line, occurrence)
              for line, changes in changes_of(mutant['file']).items()
              for name, occurrence in changes if name == mutant['operator']]
    for _, _, line, occurrence in sorted(places):
        after = mutate_code(code, operator, occurrence)
        if mutant.setdefault('change', changed(code, after)) == changed(code, after):
            mutant.update(line=line, occurrence=occurrence)
            return after
    raise SystemExit(f'{mutant}: no such change any more')


def run(mutant, reached, root, arguments, seconds):
    """Whether tests fail with the mutant: 'killed', 'survived', 'unreached' or, out of time, 'limit'."""
    path, after, tests = root / mutant['file'], mutated(mutant, root), choose(mutant, reached)
    if not tests:
        return {'result': 'unreached', 'tests': 0}
    before, start = path.read_bytes(), time.monotonic()
    with tempfile.TemporaryDirectory() as folder:
        environment = {**os.environ, 'PYTHONPATH': str(root), 'PYTHONDONTWRITEBYTECODE': '1'}
        if mutant['file'].startswith(CPU_KERNELS):
            environment['NUMBA_CACHE_DIR'] = folder
        (Path(folder) / 'tests').write_text('\n'.join(tests))
        command = [sys.executable, '-m', 'pytest', '-q', '-x', '-p', 'no:cacheprovider', '-p', 'no:randomly',
                   *arguments, f'@{folder}/tests']
        try:
            path.write_text(after, encoding='utf-8')
            done = subprocess.run(command, cwd=root, env=environment, capture_output=True, text=True, timeout=seconds)
            result = 'survived' if done.returncode in (0, 5) else 'killed'
            by = re.findall(r'^(?:FAILED|ERROR) (\S+)', done.stdout, re.M)
        except subprocess.TimeoutExpired:
            result, by = 'limit', []
        finally:
            path.write_bytes(before)
    return {'result': result, 'by': by[:1], 'tests': len(tests), 'seconds': round(time.monotonic() - start)}


def main():
    parser = argparse.ArgumentParser(description=__doc__.partition('\n')[0])
    commands = parser.add_subparsers(dest='command', required=True)
    drawing = commands.add_parser('sample', help='draw mutants and write them to a file')
    drawing.add_argument('file', type=Path, help='JSON file to write')
    drawing.add_argument('--n', type=int, default=60, help='mutants, evenly over the rooms (default: 60)')
    drawing.add_argument('--seed', type=int, default=15, help='of the draw (default: 15)')
    commands.add_parser('cover', help='note which test reaches which line')
    running = commands.add_parser('run',
                                  help='run the tests that reach each mutant; further arguments are handed to pytest')
    running.add_argument('file', type=Path, help='that `sample` wrote; results are added to it')
    running.add_argument('--name', default='result', help='key of the results in the file (default: result)')
    running.add_argument('--only', help='only mutants with such a result, as `before=killed`')
    running.add_argument('--seconds', type=float, default=600,
                         help='time limit of the tests of a mutant (default: 600)')
    args, others = parser.parse_known_args()
    if args.command == 'cover':
        return cover(others)
    if args.command == 'sample':
        args.file.write_text(json.dumps(sample(args.n, args.seed), indent=1))
        return 0
    mutants, reached = json.loads(args.file.read_text()), Reached()
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder) / 'clone'
        subprocess.run(['git', 'clone', '--quiet', ROOT, root], check=True)
        subprocess.run([sys.executable, '-m', 'source.kernels.cpu'], cwd=root, check=True,
                       env={**os.environ, 'PYTHONPATH': str(root)})
        for number, mutant in enumerate(mutants, 1):
            if args.only and mutant.get(args.only.partition('=')[0], {}).get('result') != args.only.partition('=')[2]:
                continue
            mutant[args.name] = run(mutant, reached, root, others, args.seconds)
            print(number, mutant['file'], mutant['line'], mutant['operator'], mutant.get('change'),
                  mutant[args.name], flush=True)
            args.file.write_text(json.dumps(mutants, indent=1))
    return 0


if __name__ == '__main__':
    sys.exit(main())
