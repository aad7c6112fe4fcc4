"""A config's `precision` is that of the commands, too."""
from evaluations import calc_ref_stats, gen_images, report
from source.datasets.image_files import open_images
from tests.evaluations.scored_snapshot import EVALUATION, samples, write_snapshot
from tests.gpu_road import configured
from tests.narrow import run, write_config
from tests.report.made_run import make_run

import chainer
import numpy as np
import pytest


@pytest.fixture(autouse=True)
def _restored(monkeypatch):
    """A command sets it for its whole process."""
    monkeypatch.setattr(chainer.global_config, 'precision', 'tf32')


def test_samples(tmp_path):
    """On the twins of the GPU's kernels, bfloat16 gives other images than float32."""
    pytest.importorskip('ml_dtypes')
    snapshot = write_snapshot(tmp_path, {'precision': 'bfloat16'})
    with configured(kernel_set='reference'):
        assert run(gen_images.main, '--snapshot', snapshot, '--gpu', -1, '--n', 20, '--npz', '--results_dir',
                   tmp_path / 'out') == 0
        expected = {}
        for precision in ('bfloat16', 'float32'):
            with configured(precision=precision):
                expected[precision], _ = samples(snapshot, 20)
    np.testing.assert_array_equal(open_images(tmp_path / 'out' / 'samples.npz').ims, expected['bfloat16'])
    assert (expected['bfloat16'] != expected['float32']).any()


def test_feature_networks(tmp_path, fake_judge):
    config = write_config(tmp_path, {**EVALUATION, 'precision': 'bfloat16'})
    assert run(calc_ref_stats.main, '--config', config, '--gpu', -1, '--out', tmp_path / 'statistics.npz') == 0
    assert chainer.global_config.precision == 'bfloat16'


def test_report(tmp_path):
    folder = make_run(tmp_path / 'run', {'precision': 'float32'})
    assert run(report.main, folder, '--gpu', -1) == 0
    assert chainer.global_config.precision == 'float32'
