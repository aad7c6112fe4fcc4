from dis_models.sncnn_32 import SNCNNDiscriminator
from dis_models.snresnet_32 import SNResNetConcatDiscriminator, SNResNetProjectionDiscriminator
from source.datasets.image_dataset import ImageDataset
from source.scoring import neighbors
from source.scoring.neighbors import cached_features, features_of, find_neighbors

import chainer
import numpy as np
import pytest


def images(n=7, size=16):
    ims = np.random.RandomState(0).randint(0, 256, (n, 3, size, size)).astype(np.uint8)
    return ImageDataset(ims, np.arange(n) % 3, 3)


def discriminator():
    return SNResNetProjectionDiscriminator(ch=4, n_classes=3)


@pytest.mark.parametrize('make, last', [
    (discriminator, 'l5'), (lambda: SNResNetConcatDiscriminator(ch=4, n_classes=3, dim_emb=2), 'l5'),
    (lambda: SNCNNDiscriminator(ch=2), 'l8')], ids=['projection', 'concat', 'cnn'])
def test_features_are_what_the_last_layer_sees(make, last):
    """The discriminator's output is the dense layer's of them, and with labels that of the projection besides."""
    dis, data = make(), images(size=32)
    y = data.labels if dis.n_classes else None
    feats = features_of(dis, data.ims, y)
    assert feats.dtype == np.float32 and feats.ndim == 2
    x = ((data.ims + .5) / 128 - 1).astype(np.float32)
    with chainer.using_config('train', False), chainer.no_backprop_mode():
        output = dis(x, y).array[:, 0]
        expected = dis[last](feats).array[:, 0]
        if make is discriminator:
            expected = expected + (dis.l_y(y).array * feats).sum(1)
    np.testing.assert_allclose(output, expected, rtol=1e-4, atol=1e-5)


def test_neighbors(monkeypatch, tmp_path):
    """Compared in small blocks; two samples are real images."""
    monkeypatch.setattr(neighbors, 'BLOCK_BYTES', 2000)
    dis, data = discriminator(), images(n=30)
    samples = np.concatenate([data.ims[[4, 20]], 255 - data.ims[[3]]])
    found = find_neighbors(samples, None, dis, data, cached_features(dis, data, tmp_path / 'f.npy', {}), 3)
    with pytest.raises(ValueError, match='takes images of 3 channels, got 1'):
        features_of(dis, samples[:, :1])
    phi = np.abs(features_of(dis, samples)[:, None] - features_of(dis, data.ims)).sum(2)
    pixels = np.abs(samples.astype(int)[:, None] - data.ims).sum((2, 3, 4))
    for name, expected in (('features', phi), ('pixels', pixels)):
        indices, distances = found.by[name]
        np.testing.assert_array_equal(indices, expected.argsort(1)[:, :3])
        np.testing.assert_allclose(distances, np.sort(expected)[:, :3], rtol=1e-4, atol=1e-3)


def test_features_are_computed_once(monkeypatch, tmp_path):
    dis, data = discriminator(), images()
    path, calls = tmp_path / 'new' / 'features.npy', []
    monkeypatch.setattr(neighbors, 'features_of', lambda *args: calls.append(1) or features_of(*args))
    for n_calls, images_of, sha, n_bytes in ((1, data, 'a', None), (1, data, 'a', None), (2, data, 'b', 200),
                                             (3, data, 'b', None), (4, images(5), 'b', None)):
        found = cached_features(dis, images_of, path, {'sha': sha})
        assert isinstance(found, np.memmap) and len(calls) == n_calls
        np.testing.assert_array_equal(found, features_of(dis, images_of.ims))
        path.write_bytes(path.read_bytes()[:n_bytes])  # cut short after the first of another snapshot
