"""What the commands share: how they refuse, a config's `precision`, and what they say of a record that they replace."""
import importlib
import json
from argparse import Namespace

from evaluations import calc_ref_stats, gen_images, report
from source.config.paper_batches import UNKNOWN
from source.config.yaml_utils import load_config
from source.datasets.image_files import open_images
from source.evaluation_commands import score_command
from source.evaluation_commands.inputs import WITHOUT_CONFIG
from source.evaluation_commands.records import data_of, paper_record, write_record
from source.scoring.statistics_files import ReferenceStatistics, save_statistics
from tests.evaluations.scored_snapshot import EVALUATION, refused, samples, write_images, write_score, write_snapshot
from tests.gpu_road import configured
from tests.narrow import UNCONDITIONAL, files_in, run, write_config
from tests.report.made_run import make_run

import chainer
import numpy as np
import pytest
from PIL import Image

KID_SIZES = 'expected --kid_subsets of at least 1 and --kid_subset_size of 2 to 24'
# {commands: (arguments, what they say)}, after --snapshot, --config and --results_dir.
OF_A_SNAPSHOT = {
    'calc_intra_fid calc_ms_ssim calc_scores gen_images gen_interpolated_images nearest_neighbors': [
        ('--seed -1', '--seed: expected 0 to 4294967295, found -1'), ('--seed 4294967296', '--seed: expected 0 to'),
        ('--gpu 99', '--gpu 99: expected -1 (CPU) or the index of a GPU'),
        ('--snapshot none.npz', 'none.npz: no such snapshot'),
        ('--snapshot {here}', '{here}: expected a file as <class name>_<iteration>.npz, found a folder'),
        ('--snapshot {file}', '{file}: not a complete .npz snapshot'),
        ('--snapshot {dis}', '{dis}: ResNetGenerator needs b5/N (), which the file does not hold'),
        ('--config none.yml', 'none.yml: no such config; give the one of {snapshot} as --config FILE'),
        ('--config {wider}', '{snapshot}: b5/avg_mean has shape (4,), but ResNetGenerator has (6,) there'),
        ('--results_dir {file}', '{file}: expected a folder to write to')],
    'calc_scores': [
        ('--protocol paper --n_images 5', '--n_images and --splits go without --protocol'),
        ('--protocol paper --splits 5', '--n_images and --splits go without --protocol'),
        ('--ref_stats a.npz --real test', '--real goes without --ref_stats'),
        ('--ref_stats a.npz --metrics fid pr', 'precision and recall: --ref_stats holds no features'),
        ('--metrics fid pr --n_images 3', 'precision and recall: expected at least 4 images, found 3'),
        ('--splits 0', 'expected --n_images of at least 2 and --splits from 1 to as many, found 24 and 0')],
    'calc_inception': [
        ('--n_images 2 --splits 3', 'expected --n_images of at least 2'),
        ('--n_images 1 --splits 1', 'expected --n_images of at least 2')],
    'calc_kid': [
        ('--ref_stats a.npz', 'KID: --ref_stats holds no features'), ('--kid_subset_size 25', KID_SIZES),
        ('--kid_subset_size 1', KID_SIZES), ('--kid_subsets 0', KID_SIZES)],
    'calc_fid': [
        ('--ref_stats none.npz', 'none.npz: no such file of statistics'),
        ('--ref_stats {other}', '{other}: expected statistics under digits (none), found other (d1)'),
        ('--ref_stats {ttur}', '{ttur}: expected statistics of 8 features, as digits makes, found 9'),
        ('--protocol moden', "argument --protocol: invalid choice: 'moden'"),
        ('--network failing', '--network: own: wrong'), ('--network other --weights none.h5', '--weights: none.h5:'),
        ('--config {no_judge}', '{no_judge}: evaluation.network: missing; expected the name of a feature network')],
    'calc_intra_fid': [
        ('--snapshot {unconditional} --config {plain}', '{unconditional}: of an unconditional generator'),
        ('--n_images 1', '--n_images: expected at least 2; got 1'),
        ('--n_images 9 --protocol paper', '--n_images: expected 5000, as protocol paper'),
        ('--ref_stats {here}/none', '--ref_stats {here}/none: expected a folder')],
    'calc_ms_ssim': [('--n_pairs 0', '--n_pairs: expected at least 1, got 0')],
    'gen_images': [
        ('--classes 10', '--classes 10: the snapshot knows classes 0 to 9'), ('--classes 3 -1', '--classes -1:'),
        ('--classes sevn', "--classes sevn: no such class; did you mean 'seven'?"),
        ('--classes 3 Three', '--classes: expected each once, found 3, Three'),
        ('--class_names {file}', '{file}: expected 10 class names, one a line; found 2'),
        ('--rows 0', '--rows: expected at least 1, found 0'), ('--columns -2', '--columns: expected at least 1'),
        ('--scale 0', '--scale: expected at least 1'), ('--n 0', '--n: expected at least 1'),
        ('--n 1000000000000000 --npz', '{out}/samples.npz: expected 192,000,000.0 GB of free disk space, found '),
        ('--npz', '--npz goes with --n'), ('--n 2 --rows 2', '--rows goes with sheets, not with --n'),
        ('--n 2 --same_latents', '--same_latents goes with sheets, not with --n'),
        ('--truncation 0', '--truncation: expected a number above 0'),
        ('--standing -1', '--standing: expected at least 0 batches')],
    'gen_interpolated_images': [
        ('--classes 3', '--classes: expected at least two classes to go between, found 1'),
        ('--morph corners --classes 3 4', '--classes: expected four classes for the corners, or one, found 2'),
        ('--n_intp 1', '--n_intp: expected at least 2, found 1'), ('--n_zs 0', '--n_zs: expected at least 1'),
        ('--animate gif --morph latents --n_zs 1', '--n_zs: expected at least two latents'),
        ('--classes 3 8 Eight', '--classes: expected another class after each, found 3, 8, Eight'),
        ('--animate gif --fps 51', '--fps: expected at most 50 for a GIF, found 51'),
        ('--frames 5', '--frames goes with --animate'),
        ('--animate gif --morph corners', '--animate goes with --morph classes or latents'),
        ('--snapshot {unconditional} --config {plain} --morph classes',
         '--morph classes: {unconditional} is of an unconditional generator; expected latents or corners')],
    'nearest_neighbors': [
        ('--n 0', '--n: expected at least 1'), ('--k 2000', '--k: expected at most 1437, the number of real images'),
        ('--dis_snapshot none.npz', 'none.npz: no such snapshot'), ('--classes x', '--classes x: no such class'),
        ('--snapshot {alone}', '{alone}: no discriminator (SNResNetProjectionDiscriminator_5.npz) beside it')]}
OF_NONE = {
    'calc_scores calc_intra_fid calc_ms_ssim': [
        ('', 'expected either --snapshot or --images'),
        ('--snapshot a.npz --images ims', 'expected either --snapshot or --images'),
        ('--images {labels} --config none.yml', 'none.yml: no such config; --config names another'),
        ('--images {labels} --config {config} --seed -1', '--seed: expected 0 to 4294967295, found -1')],
    'calc_intra_fid calc_ms_ssim': [
        ('--config {config} --images {ten}', "--images {ten}: folder 'ten' is none of the data set's classes")],
    'calc_scores calc_intra_fid': [
        ('--images {labels} --config {config} --gpu 99', '--gpu 99: expected'),
        ('--images {labels} --against {ten} --ref_stats a', '--ref_stats goes without --against, which names the real'),
        ('--images {labels} --against {ten} --data_dir a', '--data_dir goes without --against'),
        ('--images {labels} --config {config} --against_key a', '--against_key goes with --against'),
        ('--images {labels} --data_dir a', '--data_dir goes with --config, which names the data set'),
        ('--images {labels} --against {labels} --key a', '{labels}: expected images under a, found ims, labels'),
        ('--images {labels} --against {ten} --against_key a', '--against_key a: goes with an .npz, not with {ten}'),
        ('--images {labels} --against {empty}', '--against {empty}: no images'),
        ('--images {labels} --against {ten}', 'datasets/inception_model: no Inception weights; make them with `'),
        ('--images {labels} --against {ten} --network other --weights none.h5', '--weights: none.h5: wrong')],
    'calc_inception': [
        ('--config {config} --splits 12 --images {eleven}',
         '--images {eleven}: expected at least 2 images and --splits from 1 to as many, found 11 and 12'),
        ('--config {config} --images {here}/none', '--images {here}/none: no such folder or .npz or .npy'),
        ('--config {config} --images {empty}', '--images {empty}: no images'),
        ('--config {config} --images {damaged}', '{damaged}/000.bmp: expected an image, found a file Pillow')],
    'calc_fid': [
        ('--config {config} --images {eleven} --protocol paper', '--images {eleven}: protocol paper needs 12 images, '),
        ('--config {config} --images {eleven} --n_images 5', '--n_images goes with --snapshot'),
        ('--images {eleven}', 'FID: no real images: --against, --ref_stats or --config names them'),
        ('--images {eleven} --against {ten} --real test', '--real goes without --against, which names the real images'),
        ('--images {labels} --against {eleven} --protocol paper --network other',
         '--against {eleven}: protocol paper needs 200 images, found 11'),
        ('--images {labels} --ref_stats {other}', '{other}: statistics under other; expected --network other with'),
        ('--config {config} --images {floats}', '{floats}: ims: expected uint8')],
    'calc_intra_fid': [
        ('--images {labels}', 'no real images: --against, --ref_stats or --config names them'),
        ('--images {labels} --against {ten} --network other',
         "--images {labels}: class '0' is none of the real ones, seven, ten, three"),
        ('--images {labels} --against {eleven} --network other', '--against {eleven}: expected a subfolder for each'),
        ('--snapshot {snapshot} --against {ten}', "6 images of {ten}: folder 'ten' is none of the data set's classes"),
        ('--images {labels} --against {sparse} --network other',
         '12 images of {sparse}: expected classes 0 to 65535, found 1000011'),
        ('--images {labels} --network other --ref_stats {empty}', '--ref_stats {empty}: expected a folder of class_'),
        ('--config {config} --images {wrong_labels}', '--images {wrong_labels}: labels: expected 0 to 9, found 10'),
        ('--config {config} --images {eleven}', '--images {eleven}: expected a subfolder for each class, or labels'),
        ('--config {own} --images {labels}',
         '{own}: dataset: expected real images of several classes, found 20 training images without any')],
    'calc_ms_ssim': [
        ('--images {mixed}', '--images {mixed}: expected images of one size, found 17x16 (WxH) in '
         '{mixed}/000.bmp and 16x16 in {mixed}/001.bmp'),
        ('--snapshot {snapshot}', '{snapshot}: expected images with sides of at least 16 px, found 8x8'),
        ('--images {labels}', '--images {labels}: expected images with sides of at least 16 px, found 8x8')],
    'calc_ref_stats': [
        ('--out {out}.npz', 'expected --config, which names a data set, or --images'),
        ('--images {labels} --real test --out {out}.npz', '--real goes without --images, which are the real images'),
        ('--config {config} --key a --out {out}.npz', '--key goes with --images'),
        ('--images {eleven} --per_class --network other --out {out}', '--images {eleven}: expected a subfolder for'),
        ('--images {sparse} --per_class --network other --out {out}', '--images {sparse}: expected classes 0 to 65535'),
        ('--images {labels} --per_class --network other --out {file}', '{file}: expected a folder to write to'),
        ('--images {labels} --per_class --network other --out .', '--out .: expected the name of a folder, which'),
        ('--images {one} --network other --out {out}.npz', '1 images of {one}: expected at least 2 images'),
        ('--config {config} --out {out}/a', '--out: expected a name ending in .npz, got {out}/a'),
        ('--config {config} --out {folder}', '--out {folder}: expected the name of a file, found a folder'),
        ('--config no.yml --out {out}.npz', 'no.yml: cannot be read as a config file')],
    'train_digits_classifier': [
        ('--epochs 0', 'expected --epochs of at least 1'),
        ('--seed -1', 'expected --epochs of at least 1 and --seed of 0 to 4294967295, found 100 and -1'),
        ('--out {here}', '--out {here}: expected the name of a file, found a folder'),
        ('--out {file}/weights.h5', '{file}: expected a folder to write to')],
    'singular_values': [
        ('--results_dir {out} --snapshot {dis} {dis}', '--snapshot: expected different files'),
        ('--results_dir {out} --snapshot {here}/none.npz', '{here}/none.npz: no such snapshot'),
        ('--results_dir {out} --snapshot {here}', '{here}: expected a file as'),
        ('--results_dir {out} --snapshot {snapshot}', '{snapshot}: SNResNetProjectionDiscriminator needs block1/c1/W')],
    'compare_paper': [
        ('no.json', 'no.json: cannot be read'),
        ('{record}', "{record}: paper_row: no row 'cifar10_cnn_snn' among the published numbers; did you mean "
         "'cifar10_cnn_sn'?")]}
# Imported before `fake_judge` changes the protocols.
MAINS = {module: importlib.import_module(f'evaluations.{module}').main
         for modules in (*OF_A_SNAPSHOT, *OF_NONE) for module in modules.split()}


@pytest.fixture(scope='module')
def names(tmp_path_factory, snapshot, unconditional):
    """{name: path} of files and folders; fails at the end if a command has changed one."""
    here = tmp_path_factory.mktemp('files')
    (here / 'file').write_text('mine\nalone')
    (here / 'ResNetGenerator_5.npz').write_bytes(snapshot.read_bytes())
    ims = np.zeros((12, 3, 8, 8), np.uint8)
    for name, arrays in (('eleven', {'ims': ims[1:]}), ('floats', {'ims': ims / 1.}),
                         ('labels', {'ims': ims, 'labels': np.arange(12) % 10}), ('one', {'ims': ims[:1]}),
                         ('sparse', {'ims': ims, 'labels': np.arange(12) + 10 ** 6}),
                         ('wrong_labels', {'ims': ims, 'labels': np.arange(12) % 10 + 1}),
                         ('ttur', {'mu': np.zeros(9), 'sigma': np.eye(9)})):
        np.savez(here / f'{name}.npz', **arrays)
    save_statistics(here / 'other.npz', ReferenceStatistics(np.zeros(8), np.eye(8), 9, 'other', 'd1', 'images'))
    for name in ('three', 'seven', 'ten'):
        write_images(here / 'ten' / name, ims[:2])
    mixed = write_images(here / 'mixed', np.zeros((2, 3, 16, 16), np.uint8))
    Image.new('RGB', (17, 16)).save(mixed[0])
    damaged, = write_images(here / 'damaged', ims[:1])
    damaged.write_bytes(damaged.read_bytes()[:99])
    (here / 'own.py').write_text(
        'import numpy as np\n\n\nclass Own(list):\n    def __init__(self):\n'
        '        self += [(np.zeros((3, 8, 8), np.float32), 0)] * 20\n')
    write_score(here / 'record.json', paper_row='cifar10_cnn_snn', fid=3.)
    for name, changes in (('wider', {'models.generator.args.ch': 6}), ('no_judge', {'evaluation': None}), ('own', {
            **UNCONDITIONAL, 'dataset': {'dataset_fn': 'own.py', 'dataset_name': 'Own', 'args': {}}})):
        write_config(here, {**EVALUATION, **changes}, f'{name}.yml')
    for name in ('empty', 'folder.npz'):
        (here / name).mkdir()
    before = files_in(here)
    yield {'here': here, **{path.stem: path for path in here.iterdir()}, 'alone': here / 'ResNetGenerator_5.npz',
           'own': here / 'own.yml', 'snapshot': snapshot, 'config': snapshot.parent / 'config.yml',
           'dis': snapshot.parent / 'SNResNetProjectionDiscriminator_2.npz', 'unconditional': unconditional,
           'plain': unconditional.parent / 'config.yml'}
    assert files_in(here) == before


@pytest.mark.parametrize('modules, arguments, expected', [
    *((modules, '--snapshot {snapshot} --config {config} --results_dir {out} ' + arguments, expected)
      for modules, rows in OF_A_SNAPSHOT.items() for arguments, expected in rows),
    *((modules, *row) for modules, rows in OF_NONE.items() for row in rows)])
@pytest.mark.usefixtures('fake_judge')
def test_refused(names, tmp_path, capsys, monkeypatch, modules, arguments, expected):
    """Before anything is computed."""
    monkeypatch.setattr(score_command, 'compute', lambda *_: 1 / 0)
    for function in ('calc_ms_ssim.class_means', 'calc_intra_fid.intra_fid', 'gen_images.generate_ims',
                     'gen_interpolated_images.generate_from', 'train_digits_classifier.train_digits_net'):
        monkeypatch.setattr(f'evaluations.{function}', lambda *_: 1 / 0)
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv('SNGAN_INCEPTION_WEIGHTS', raising=False)
    names = {**names, 'out': tmp_path / 'out'}
    for module in modules.split():
        message = refused(MAINS[module], tmp_path, capsys, *arguments.format(**names).split())
        assert message.startswith(expected.format(**names)), module


def test_precision_of_samples(tmp_path):
    """On the twins of the GPU's kernels, bfloat16 gives other images than float32."""
    pytest.importorskip('ml_dtypes')
    snapshot, expected = write_snapshot(tmp_path, {'precision': 'bfloat16'}), {}
    with configured(kernel_set='reference'):
        assert run(gen_images.main, '--snapshot', snapshot, '--gpu', -1, '--n', 20, '--npz', '--results_dir',
                   tmp_path / 'out') == 0
        for precision in ('bfloat16', 'float32'):
            with configured(precision=precision):
                expected[precision], _ = samples(snapshot, 20)
    np.testing.assert_array_equal(open_images(tmp_path / 'out' / 'samples.npz').ims, expected['bfloat16'])
    assert (expected['bfloat16'] != expected['float32']).any()


def test_precision_of_feature_networks_and_reports(tmp_path, fake_judge):
    config = write_config(tmp_path, {**EVALUATION, 'precision': 'bfloat16'})
    assert run(calc_ref_stats.main, '--config', config, '--gpu', -1, '--out', tmp_path / 'statistics.npz') == 0
    assert chainer.global_config.precision == 'bfloat16'
    assert run(report.main, make_run(tmp_path / 'run', {'precision': 'float32'}), '--gpu', -1) == 0
    assert chainer.global_config.precision == 'float32'


def test_a_record_that_lacks_something_is_replaced(tmp_path, capsys):
    path = tmp_path / 'a.json'
    path.write_text(json.dumps({'samples': 'a', 'protocol': 'config', 'seed': None}))
    write_record(path, {'samples': 'a', 'protocol': 'config', 'seed': 3, 'n_images': 5})
    assert capsys.readouterr().err == (
        f'{path}: replaced, which was of no n_images, no seed; --results_dir keeps both\n')


def test_scores_that_a_record_no_longer_has_are_told(tmp_path, capsys):
    path, of = tmp_path / 'a.json', {'samples': 'a', 'protocol': 'config'}
    for record, said in (({'fid': 1., 'kid_mean': 2., 'kid_std': 3.}, ''), ({'fid': 1.}, (
            f'{path}: replaced, which had kid_mean, kid_std too; --results_dir keeps both\n')), ({'fid': 2.}, '')):
        write_record(path, {**of, **record})
        assert capsys.readouterr().err == said


def test_data_are_told_in_one_short_line():
    data = {'dataset_name': 'FolderDataset', 'args': {'classes': list('abcdefg'), 'images': '9 images, 1a', 'size': 8}}
    assert data_of({'dataset': data}) == (
        'FolderDataset(classes=[a, b, c, d, e, ...] (7), images=9 images, 1a, size=8)')


def test_the_batches_of_a_snapshot_are_those_of_its_own_run(tmp_path):
    """Whatever config is named; of images alone they are not known."""
    row = {'paper_row': 'imagenet_projection', 'paper': {'processes': 2, 'batchsize': 4, 'n_gen_samples': 4}}
    named = load_config(write_config(tmp_path, row))
    folder = tmp_path / 'run'
    folder.mkdir()
    for changes, expected in ((None, f'{UNKNOWN}its config does not say'), ({'accumulate': 2}, None),
                              ({'accumulate': 1}, 'each update of 4 real'), ({'batchsize': 0}, UNKNOWN)):
        if changes is not None:
            write_config(folder, {**row, 'processes': 1, **changes}, 'config.yml')
        record = paper_record(Namespace(snapshot=folder / 'ResNetGenerator_2.npz'), named)
        assert record['paper_row'] == 'imagenet_projection'
        assert record['other_batch'] is expected is None or record['other_batch'].startswith(expected)
    for config in (named, {**named, 'processes': 1, 'accumulate': 2}):
        assert paper_record(Namespace(snapshot=None), config)['other_batch'].startswith(UNKNOWN)
    assert paper_record(Namespace(snapshot=None), WITHOUT_CONFIG) == {
        'paper_row': None, 'other_batch': None, 'other_iteration': None}
    for name, expected in (('ResNetGenerator_850000', 'of iteration 850000, the numbers of imagenet_projection of 2'),
                           ('ResNetGenerator_ema_2', None), ('renamed', None)):
        assert paper_record(Namespace(snapshot=folder / f'{name}.npz'), named)['other_iteration'] == expected
