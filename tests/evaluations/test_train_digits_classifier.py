from evaluations import train_digits_classifier
from source.feature_networks import digits
from tests.narrow import files_in, run

import pytest


def test_weights_are_written_and_replaced_with_a_word(tmp_path, capsys, monkeypatch):
    monkeypatch.setattr(train_digits_classifier, 'train_digits_net', lambda net, *_: None)
    out = tmp_path / 'new' / 'weights.h5'
    for k in range(2):
        assert run(train_digits_classifier.main, '--out', out) == 0
        captured = capsys.readouterr()
        assert f'{out}: 0.' in captured.out and 'held-out digits recognized' in captured.out
        assert (f'{out}: replaced; --out names another file' in captured.err) == bool(k)
    digits.load(weights_path=out)


@pytest.mark.parametrize('arguments, expected', [
    (['--epochs', 0], 'expected --epochs of at least 1'),
    (['--seed', -1], '--seed of 0 to 4294967295, found 100 and -1'),
    (['--out', '{}'], 'expected the name of a file, found a folder'),
    (['--out', '{}/file/weights.h5'], 'file: expected a folder to write to')])
def test_refused_before_the_training(tmp_path, capsys, monkeypatch, arguments, expected):
    monkeypatch.setattr(train_digits_classifier, 'train_digits_net', lambda *_: 1 / 0)
    (tmp_path / 'file').write_text('mine')
    assert run(train_digits_classifier.main, *(str(a).format(tmp_path) for a in arguments)) == 2
    assert expected in capsys.readouterr().err and list(files_in(tmp_path)) == ['file']
