from evaluations import train_digits_classifier
from source.feature_networks import load_feature_network
from tests.narrow import run

import pytest


@pytest.mark.parametrize('data', ['digits', 'mnist'])
def test_weights_are_written_and_replaced_with_a_word(tmp_path, capsys, monkeypatch, data):
    monkeypatch.setattr(train_digits_classifier, 'train_digits_net', lambda net, *_: None)
    out = tmp_path / 'new' / 'weights.h5'
    for k in range(2):
        assert run(train_digits_classifier.main, '--data', data, '--out', out) == 0
        captured = capsys.readouterr()
        assert f'{out}: 0.' in captured.out and 'held-out digits recognized' in captured.out
        assert (f'{out}: replaced; --out names another file' in captured.err) == bool(k)
    load_feature_network(data, weights=out)
