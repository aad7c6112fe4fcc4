"""What the program keeps for itself, changed by others or by a broken disk, is made anew or refused."""
import contextlib
import io
import json

from dis_models.snresnet_32 import SNResNetProjectionDiscriminator
from source.datasets import preparation
from source.datasets.image_dataset import ImageDataset
from source.datasets.prepare_imagenet import main as prepare_imagenet
from source.scoring.neighbors import cached_features
from source.scoring.statistics_cache import cache_folder, cached_statistics
from tests.datasets.imagenet_tree import WNIDS, write_tree
from tests.feature_network import FakeFeatureNetwork
from tests.hostile import BYTES, CHANGES, JSON, content_of, few_and_all, try_examples
from tests.narrow import files_in, run

import numpy as np
import pytest
from hypothesis import strategies as st

CONTENTS = st.one_of(BYTES, CHANGES, JSON.map(lambda value: json.dumps(value).encode() + b'\n'))


def images():
    rng = np.random.RandomState(0)
    return ImageDataset(rng.randint(0, 256, (6, 3, 8, 8)).astype(np.uint8), np.arange(6) % 3, 3)


@pytest.mark.filterwarnings('ignore')
@few_and_all
@pytest.mark.parametrize('name', ['f.json', 'f.npy'])
def test_features_of_real_images(tmp_path, name, n_examples):
    dis, dataset, path = SNResNetProjectionDiscriminator(ch=2, n_classes=3), images(), tmp_path / 'f.npy'
    expected = np.array(cached_features(dis, dataset, path, {'sha': 'a'}))
    before = files_in(tmp_path)

    def attempt(made):
        for each, content in before.items():
            (tmp_path / each).write_bytes(content if each != name else content_of(content, made))
        with contextlib.redirect_stderr(io.StringIO()):
            found = cached_features(dis, dataset, path, {'sha': 'a'})
        assert found.shape == expected.shape and found.dtype == np.float32
        if name == 'f.json':
            np.testing.assert_array_equal(found, expected)
    try_examples(n_examples, attempt, CONTENTS)


@pytest.mark.filterwarnings('ignore')
@few_and_all
def test_statistics_of_real_images(tmp_path, monkeypatch, n_examples):
    monkeypatch.setenv('SNGAN_CACHE', str(tmp_path))
    expected = cached_statistics(images(), FakeFeatureNetwork())
    path, = cache_folder().iterdir()
    valid = path.read_bytes()

    def attempt(made):
        path.write_bytes(content_of(valid, made))
        with contextlib.redirect_stderr(said := io.StringIO()):
            found = cached_statistics(images(), FakeFeatureNetwork())
        np.testing.assert_array_equal(found.mean, expected.mean)
        np.testing.assert_array_equal(found.cov, expected.cov)
        assert said.getvalue().count('\n') <= 1 and 'Traceback' not in said.getvalue()
    try_examples(n_examples, attempt, CONTENTS)


@pytest.mark.filterwarnings('ignore')
@few_and_all
@pytest.mark.parametrize('name', ['journal.jsonl', 'images.npy', 'boxes.csv'])
def test_a_preparation_that_was_interrupted(tmp_path, monkeypatch, name, n_examples):
    """It goes on to the bytes of one that was not, or says in one line what is wrong; it never ends with others."""
    monkeypatch.setattr(preparation, 'CHUNK', 2)
    monkeypatch.setattr(preparation, 'SYNC_EVERY', 2)
    write_tree(tmp_path / 'raw', 3, WNIDS[:2], {}, {})
    out = tmp_path / 'out'
    arguments = ['--train', tmp_path / 'raw', '--out', out, '--size', 8, '--workers', 1]
    assert run(prepare_imagenet, *arguments) == 0
    expected = files_in(out)
    for path in out.iterdir():
        path.unlink()
    with monkeypatch.context() as patch:
        patch.setattr(preparation.PackedWriter, 'finish', lambda *_: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            run(prepare_imagenet, *arguments)
    part = {f'train_8.part/{path.name}': path.read_bytes() for path in (out / 'train_8.part').iterdir()}
    journal = part['train_8.part/journal.jsonl'].splitlines(keepends=True)
    part['train_8.part/journal.jsonl'] = b''.join(journal[:-1])

    def attempt(made):
        for path in files_in(out):
            (out / path).unlink()
        (out / 'train_8.part').mkdir(exist_ok=True)
        for each, content in part.items():
            (out / each).write_bytes(content if not each.endswith(name) else content_of(content, made))
        with contextlib.redirect_stderr(said := io.StringIO()), contextlib.redirect_stdout(said):
            status = run(prepare_imagenet, *arguments)
        if status:
            assert status == 2 and str(out) in said.getvalue().splitlines()[-1]
        elif name == 'journal.jsonl':
            assert {k: v for k, v in files_in(out).items() if 'report' not in k} == {
                k: v for k, v in expected.items() if 'report' not in k}
    try_examples(n_examples, attempt, CONTENTS)
