"""What is installed is whole: the wheel holds every module and data file, and runs from another folder."""
import shutil
import sys
import zipfile

from tests import children
from tests.children import ROOT

import pytest

PACKAGES = 'source', 'gen_models', 'dis_models', 'evaluations', 'benchmarks'
NOT_OURS = '.*', '__pycache__', 'results', 'build', 'dist', '*.egg-info', 'tests', 'docs'


@pytest.mark.long
def test_wheel(tmp_path):
    shutil.copytree(ROOT, tmp_path / 'tree', ignore=shutil.ignore_patterns(*NOT_OURS))
    status, stdout, stderr = children.run(
        sys.executable, '-m', 'pip', '--disable-pip-version-check', 'wheel', '--no-deps', '--no-build-isolation',
        '--no-index', '--wheel-dir', tmp_path, tmp_path / 'tree')
    assert status == 0, stdout + stderr
    wheel, = tmp_path.glob('sngan_chainer-*-py3-none-any.whl')
    with zipfile.ZipFile(wheel) as archive:
        held = set(archive.namelist())
        archive.extractall(tmp_path / 'installed')
    files = [path for package in PACKAGES for path in (tmp_path / 'tree' / package).rglob('*') if path.is_file()]
    assert len(files) > 200
    needed = {str(path.relative_to(tmp_path / 'tree')) for path in files
              if path.suffix not in ('.json', '.png', '.md')}  # which only people read
    assert needed - held == set()
    assert {'train.py', 'experiments.py'} <= held
    (tmp_path / 'config').mkdir()
    shutil.copy(ROOT / 'configs/sn_projection_digits.yml', tmp_path / 'config')
    status, stdout, stderr = children.python(
        '-m', 'train', '--config', 'sn_projection_digits.yml', '--gpu', -1, '--dry_run', cwd=tmp_path / 'config',
        env={'PYTHONPATH': str(tmp_path / 'installed'), 'NUMBA_CACHE_DIR': str(tmp_path / 'cache'),
             'SNGAN_KERNELS': '0'})
    assert status == 0 and 'ready to train' in stdout, stderr
