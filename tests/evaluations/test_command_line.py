"""What the commands' messages name, where there is nothing to name."""
import json

from evaluations import calc_fid
from evaluations.command_line import write_record
from tests.evaluations.scored_snapshot import refused

import numpy as np


def test_a_wrong_config_of_images(tmp_path, capsys):
    np.savez(tmp_path / 'a.npz', ims=np.zeros((4, 3, 8, 8), np.uint8))
    message = refused(calc_fid.main, tmp_path, capsys, '--images', tmp_path / 'a.npz', '--config', 'none.yml')
    assert message == 'none.yml: no such config; --config names another'


def test_a_record_that_lacks_something_is_replaced(tmp_path, capsys):
    path = tmp_path / 'a.json'
    path.write_text(json.dumps({'samples': 'a', 'protocol': 'config', 'seed': None}))
    write_record(path, {'samples': 'a', 'protocol': 'config', 'seed': 3, 'n_images': 5})
    assert capsys.readouterr().err == (
        f'{path}: replaced, which was of no n_images, no seed; --results_dir keeps both\n')
