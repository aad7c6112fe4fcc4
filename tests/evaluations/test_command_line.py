"""What the commands share: how they refuse, and what they say of a record that they replace."""
import json

from evaluations import calc_intra_fid, calc_ms_ssim, calc_scores, gen_images, nearest_neighbors
from evaluations import gen_interpolated_images as interpolated
from evaluations.command_line import write_record
from tests.evaluations.scored_snapshot import EVALUATION, refused
from tests.narrow import write_config

import numpy as np
import pytest

OF_A_SNAPSHOT = calc_intra_fid, calc_ms_ssim, calc_scores, gen_images, interpolated, nearest_neighbors


@pytest.mark.parametrize('arguments, expected', [
    (['--seed', -1], '--seed: expected 0 to 4294967295, found -1'), (['--seed', 2 ** 32], '--seed: expected 0 to'),
    (['--gpu', 99], '--gpu 99: expected -1 (CPU) or the index of a GPU'),
    (['--snapshot', 'none.npz'], 'none.npz: no such snapshot'),
    (['--snapshot', '{folder}'], '{folder}: expected a file as <class name>_<iteration>.npz, found a folder'),
    (['--snapshot', '{file}'], '{file}: not a complete .npz snapshot'),
    (['--snapshot', '{dis}'], '{dis}: ResNetGenerator needs b5/N (), which the file does not hold'),
    (['--config', 'none.yml'], 'none.yml: no such config; give the one of {snapshot} as --config FILE'),
    (['--config', '{wider}'], '{snapshot}: b5/avg_mean has shape (4,), but ResNetGenerator has (6,) there'),
    (['--results_dir', '{file}'], '{file}: expected a folder to write to')])
@pytest.mark.usefixtures('fake_judge')
def test_refused_by_each_command(snapshot, tmp_path, capsys, monkeypatch, arguments, expected):
    """Before it computes anything."""
    names = {'file': tmp_path / 'file', 'folder': snapshot.parent, 'snapshot': snapshot,
             'dis': snapshot.parent / 'SNResNetProjectionDiscriminator_2.npz',
             'wider': write_config(tmp_path, {**EVALUATION, 'models.generator.args.ch': 6})}
    names['file'].write_text('mine')
    arguments = [str(argument).format(**names) for argument in arguments]
    for module, name in ((calc_scores.score_command, 'compute'), (calc_ms_ssim, 'class_means'),
                         (calc_intra_fid, 'intra_fid'), (gen_images, 'generate_ims'), (interpolated, 'generate_from')):
        monkeypatch.setattr(module, name, lambda *_: 1 / 0)
    for module in OF_A_SNAPSHOT:
        message = refused(module.main, tmp_path, capsys, '--snapshot', snapshot, '--config',
                          snapshot.parent / 'config.yml', '--results_dir', tmp_path / 'out', *arguments)
        assert message.startswith(expected.format(**names)), module.__name__


@pytest.mark.parametrize('main', [calc_scores.main, calc_intra_fid.main])
@pytest.mark.parametrize('arguments, expected', [
    ([], 'expected either --snapshot or --images'),
    (['--snapshot', 'a.npz', '--images', 'ims'], 'expected either --snapshot or --images'),
    (['--images', 'ims'], '--images needs --config, which names the feature network and the real data'),
    (['--images', '{path}', '--config', 'none.yml'], 'none.yml: no such config; --config names another'),
    (['--images', '{path}', '--config', '{config}', '--gpu', 99], '--gpu 99: expected'),
    (['--images', '{path}', '--config', '{config}', '--seed', -1], '--seed: expected 0 to 4294967295, found -1')])
def test_stored_images_refused(tmp_path, capsys, main, arguments, expected):
    np.savez(tmp_path / 'a.npz', ims=np.zeros((30, 3, 8, 8), np.uint8), labels=np.arange(30) % 10)
    names = {'path': tmp_path / 'a.npz', 'config': write_config(tmp_path, EVALUATION)}
    message = refused(main, tmp_path, capsys, *(str(argument).format(**names) for argument in arguments))
    assert message.startswith(expected)


def test_a_record_that_lacks_something_is_replaced(tmp_path, capsys):
    path = tmp_path / 'a.json'
    path.write_text(json.dumps({'samples': 'a', 'protocol': 'config', 'seed': None}))
    write_record(path, {'samples': 'a', 'protocol': 'config', 'seed': 3, 'n_images': 5})
    assert capsys.readouterr().err == (
        f'{path}: replaced, which was of no n_images, no seed; --results_dir keeps both\n')
