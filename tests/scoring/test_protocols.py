from source.scoring.protocols import PROTOCOLS, config_protocol


def test_what_the_names_mean():
    names = 'name', 'n_images', 'splits', 'n_compared', 'real', 'n_real', 'n_per_class'
    assert {name: tuple(getattr(p, k) for k in names) for name, p in PROTOCOLS.items()} == {
        'paper': ('paper', 50000, 10, 5000, 'test', 10000, 5000),
        'modern': ('modern', 50000, 10, 50000, 'train', None, 5000)}
    assert tuple(getattr(config_protocol(1000, 7), k) for k in names[:6]) == ('config', 1000, 7, 1000, 'train', None)
