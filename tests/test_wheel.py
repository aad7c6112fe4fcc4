"""The wheel is whole: installed into an empty environment, it works from a folder outside the clone."""
import re
import shutil
import sys
import zipfile

from tests import children
from tests.children import ROOT

import pytest

PACKAGES = 'source', 'gen_models', 'dis_models', 'evaluations', 'configs'
NOT_OURS = '.*', '__pycache__', 'results', 'build', 'dist', '*.egg-info', 'tests', 'docs'
MINUTES = 10 * 60


@pytest.fixture(scope='module')
def wheel(tmp_path_factory):
    folder = tmp_path_factory.mktemp('wheel')
    shutil.copytree(ROOT, folder / 'tree', ignore=shutil.ignore_patterns(*NOT_OURS))
    status, stdout, stderr = children.run(
        sys.executable, '-m', 'pip', '--disable-pip-version-check', 'wheel', '--no-deps', '--no-build-isolation',
        '--no-index', '--wheel-dir', folder, folder / 'tree')
    assert status == 0, stdout + stderr
    path, = folder.glob('sngan_chainer-*-py3-none-any.whl')
    return path


@pytest.mark.long
def test_it_holds_all(wheel):
    with zipfile.ZipFile(wheel) as archive:
        held = set(archive.namelist())
    tree = wheel.parent / 'tree'
    files = [path for package in PACKAGES for path in (tree / package).rglob('*') if path.is_file()]
    assert len(files) > 300
    assert {str(path.relative_to(tree)) for path in files} - held == set()
    assert {'train.py', 'experiments.py'} <= held
    assert not any(name.startswith(('tests/', 'benchmarks/')) for name in held)


@pytest.mark.long
def test_an_empty_environment(wheel, tmp_path):
    """As the README says it; the versions are the pinned ones."""
    assert children.python('-m', 'venv', tmp_path / 'env')[0] == 0
    programs, folder = tmp_path / 'env' / 'bin', tmp_path / 'folder'
    folder.mkdir()

    def run(program, *arguments):
        status, stdout, stderr = children.run(
            programs / program, *arguments, cwd=folder, seconds=MINUTES,
            env={'PYTHONPATH': '', 'SNGAN_KERNELS': '0', 'SNGAN_CACHE': tmp_path / 'cache', 'PATH': str(programs)})
        assert status == 0, stdout + stderr
        return stdout
    pip = 'pip', '--disable-pip-version-check', 'install', '--quiet', '--constraint', ROOT / 'constraints.txt'
    run(*pip, 'setuptools', 'wheel')
    run(*pip, '--no-build-isolation', wheel)
    assert '0 of 108 cells' in run('sngan', 'experiments', 'list')
    run('sngan', 'gen-images', '--gpu', -1, '--rows', 1, '--columns', 2)
    assert len(list((folder / 'results' / 'gen_images').glob('*.png'))) == 10
    assert 'ready to train 1500 iterations into results/mnist' in run(
        'sngan', 'train', '--config', 'sn_projection_mnist.yml', '--gpu', -1, '--dry_run')
    images = folder / 'results' / 'gen_images' / 'samples.npz'
    run('sngan', 'gen-images', '--gpu', -1, '--n', 20, '--npz')
    said = run('sngan', 'calc-fid', '--images', images, '--against', images, '--network', 'mnist')
    assert re.search(r'mnist fid: -?0\.0000 ', said), said  # of images from themselves
    assert {path.name for path in folder.iterdir()} == {'results', 'fid.json'}
