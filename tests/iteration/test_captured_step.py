"""A captured step does what an uncaptured one does: bits, draws, reports, decay, snapshots, recapture, giving up."""
import re
import threading
from types import SimpleNamespace

import source.updater
from source.functions import capturable
from source.iteration.captured_step import WARM_UPS
from source.iteration.penalties import PENALTIES
from source.results_folder.snapshots import _deserialize
from tests.fake_graphs import FakeGraphs
from tests.gpu_road import CNN, Floats, build_updater, configured, on_the_gpus_road, run, run_alike, state_of  # noqa: F401
from tests.test_configs import COMPARISON, CONFIGS, NARROW, build_all, data  # noqa: F401  (a fixture)

import chainer
import chainer.functions as F
import numpy as np
import pytest
from chainer.optimizer_hooks import GradientClipping

DIM_45 = {'models.generator.args.dim_z': 45, 'updater.args.n_gen_samples': 5}  # NumPy keeps a second normal number
LOADERS_AND_EMA = {'loader_workers': 2, 'updater.args.ema': .9}
AUGMENTED = {'updater.args.augmentation': 'color,translation,cutout'}
PARTS = {'accumulate': 3, 'batchsize': 2}
NO_NORM = {'models.discriminator.args.norm': 'none'}
CLIPPING = {'updater.args.constraints': {'clipping': {'c': .02}}, **NO_NORM}


def captured(folder, changes=None, **kwargs):
    updater = build_updater(folder, changes, **kwargs)
    return updater, FakeGraphs(updater)


@pytest.mark.parametrize('changes, kwargs', [
    (DIM_45, {}), (CNN, {'dataset_class': Floats}), ({'models.discriminator.args.norm': 'batch'}, {}), (CLIPPING, {}),
    ({**DIM_45, **LOADERS_AND_EMA}, {}), (LOADERS_AND_EMA, {'dataset_class': Floats}),
    ({**AUGMENTED, **LOADERS_AND_EMA}, {}), ({**AUGMENTED, **CNN}, {'dataset_class': Floats}),
    ({**PARTS, **DIM_45, **LOADERS_AND_EMA, **AUGMENTED}, {}), ({**PARTS, **CNN}, {'dataset_class': Floats})],
    ids=['resnet', 'cnn, floats', 'batch', 'clipping', 'loaders and ema', 'loaders and ema, floats', 'augmented',
         'augmented cnn, floats', 'parts', 'parts, cnn, floats'])
def test_same_bits(tmp_path, changes, kwargs):
    """Parameters, moments, u, statistics, random states, positions and losses, after every iteration, while α falls."""
    plain, (updater, graphs) = build_updater(tmp_path, changes, **kwargs), captured(tmp_path, changes, **kwargs)
    for i in range(6):
        for u in (plain, updater):
            for optimizer in u.get_all_optimizers().values():
                optimizer.alpha = 1e-3 * (1 - i / 6)
        run_alike(updater, plain, 1)
        assert graphs.events.count('launched') == max(0, i + 1 - WARM_UPS)
    assert graphs.events.count('captured') == 1
    n_side_by_side = graphs.side_streams['fakes'].events.count('ran') / 2
    n_updates = 6 * updater.n_dis * updater.parts.n  # but for the first warm-up, and one iteration is recorded besides
    assert n_side_by_side == (0 if changes.get('models.discriminator.args.norm') == 'batch' else n_updates)
    assert graphs.side_streams['generator'].events.count('kept') == n_updates
    assert updater.epoch_detail == plain.epoch_detail
    updater.finalize()


@pytest.mark.parametrize('k, changes', [(1, LOADERS_AND_EMA), (WARM_UPS, {}), (WARM_UPS + 2, LOADERS_AND_EMA),
                                        (WARM_UPS + 1, AUGMENTED), (WARM_UPS + 1, PARTS)])
def test_resumes_as_if_it_had_never_stopped(tmp_path, k, changes):
    updater, _ = captured(tmp_path, {**DIM_45, **changes})
    run(updater, k)
    saved = state_of(updater)
    resumed, graphs = captured(tmp_path, {**DIM_45, **changes})
    run(resumed, 3)  # has a graph and batches drawn ahead of another state
    _deserialize('test', saved, resumed)
    run_alike(resumed, updater, 4)
    assert graphs.events.count('captured') == 2


def test_other_settings_are_recaptured(tmp_path):
    pytest.importorskip('ml_dtypes')
    plain, (updater, graphs) = build_updater(tmp_path), captured(tmp_path)
    for n, (name, value) in enumerate([('n_dis', 1), ('n_gen_samples', 3), ('batch_size', 3),
                                       ('augmentation', ('color',)), ('precision', 'bfloat16')], start=1):
        if name != 'precision':
            for u in (plain, updater):
                setattr(u.get_iterator('main') if name == 'batch_size' else u, name, value)
        with configured(precision='bfloat16' if name == 'precision' else 'float32'):
            run_alike(updater, plain, 4)
        assert graphs.events.count('captured') == n, name


@pytest.mark.parametrize('changes, reason', [
    *[({'updater.args.penalties': {name: {}}}, f'the penalty {name} is in the loss') for name in PENALTIES],
    ({'updater.args.constraints': {'singular_value_clipping': {}}, **NO_NORM},
     'the constraint SingularValueClipping is not for a GPU alone'),
    ({'models.discriminator.args.norm': 'singular_values'},
     'the discriminator holds decomposed weights, which a QR decomposition follows'),
    ({'capture': False}, "the config's capture is false")], ids=[*PENALTIES, 'constraint', 'decomposed', 'not wanted'])
def test_says_why_not(tmp_path, capsys, changes, reason):
    plain, (updater, graphs) = build_updater(tmp_path, changes), captured(tmp_path, changes)
    run_alike(updater, plain, 2)
    assert capsys.readouterr().err == f'training: the step is not captured as a CUDA graph: {reason}\n'
    assert graphs.events == []


def test_what_else_is_not_captured(tmp_path, monkeypatch):
    """Several processes, hooks, and where cuDNN's frontend is missing."""
    updater = build_updater(tmp_path)
    assert updater.reason_not_to_capture() is None
    with configured(batch_norm_processes=object()):
        assert 'several processes train together' in updater.reason_not_to_capture()
    monkeypatch.setattr(source.updater, 'reason_of_device', lambda param: 'this one')
    assert updater.reason_not_to_capture() == 'this one'
    next(updater.dis.params()).update_rule.add_hook(lambda rule, param: None, name='nothing')
    assert updater.reason_not_to_capture() == 'opt_dis is not the Adam that counts on the device'
    updater.get_optimizer('opt_dis').add_hook(GradientClipping(1.))
    assert updater.reason_not_to_capture() == "opt_dis's hook GradientClipping may want more than kernels"
    updater.get_iterator('main').n_processes = 2
    assert 'several processes train together' in updater.reason_not_to_capture()
    assert capturable.reason_of_device(np.zeros(3, 'f')) is None
    monkeypatch.setattr(capturable, 'kernel_set', lambda param: capturable.CUDA)
    for there in (True, False):
        frontend = SimpleNamespace(capturable=lambda there=there: there)
        monkeypatch.setattr(capturable.CUDA, 'offering', lambda what, found=frontend: found)
        assert (capturable.reason_of_device(np.zeros(3, 'f')) is None) == there


def test_a_discriminator_that_reads_other_weights_than_before(tmp_path):
    """Where the passes run side by side it cannot be followed, and is refused before a number is wrong."""
    updater, _ = captured(tmp_path)
    run(updater, 1)
    forward, calls = updater.dis.forward, []

    def other(x, y=None):
        calls.append(1)
        return F.sum(chainer.as_variable(x), (2, 3))[:, :1] if len(calls) == 3 else forward(x, y)
    updater.dis.forward = other
    with pytest.raises(RuntimeError, match='reads other weights than in its last update; `capture: false`'):
        run(updater, 1)


def with_a_scale(updater):
    """The discriminator's output times a parameter of its own, as a user may write it."""
    dis, forward = updater.dis, updater.dis.forward
    dis.add_param('scale', (1,), initializer=1.)
    dis.scale.cleargrad()
    updater.get_optimizer('opt_dis').setup(dis)
    dis.forward = lambda x, y=None: F.scale(forward(x, y), dis.scale, axis=1)
    return updater


def test_a_parameter_that_both_passes_read_themselves(tmp_path):
    """Its gradients are added up, so the fakes' must wait for those of real images."""
    plain, (updater, graphs) = with_a_scale(build_updater(tmp_path)), captured(tmp_path)
    run_alike(with_a_scale(updater), plain, 4)
    events = graphs.side_streams['fakes'].events
    assert events.count('begun') * 2 == events.count('ran') * 3 > 0


def test_passes_that_depend_on_each_other_are_not_side_by_side(tmp_path):
    updater, _ = captured(tmp_path)
    run(updater, WARM_UPS)
    assert updater._side_by_side.is_possible
    conv = updater.dis.block1.c1
    conv.fully_differentiable = True
    assert not updater._side_by_side.is_possible
    conv.fully_differentiable = False
    conv.add_persistent('avg_mean', np.zeros(3))
    assert not updater._side_by_side.is_possible


def test_threads_end_and_buffers_outlive_the_copies_from_them(tmp_path):
    """Whoever read ahead: the iterator until the recording, the copy that draws ahead after it."""
    def loaders():
        return [thread for thread in set(threading.enumerate()) - before if thread.name.startswith('loader')]
    before = set(threading.enumerate())
    updater, graphs = captured(tmp_path, LOADERS_AND_EMA)
    run(updater, WARM_UPS)
    assert loaders()
    run(updater, 2)
    assert len(loaders()) <= 2
    waited = []
    graphs.wait_until_copied = waited.append
    updater.finalize()
    assert sorted(waited)[-2:] == [0, 1]
    assert not set(threading.enumerate()) - before


def test_a_custom_networks_matrix_product(tmp_path, capsys):
    updater, graphs = captured(tmp_path)
    original = updater.dis.forward
    updater.dis.forward = lambda x, y: original(x, y) + F.matmul(np.ones((len(x), 1), 'f'), np.zeros((1, 1), 'f'))
    run(updater, 3)
    assert 'chainer.functions.math.matmul.MatMul is not known to run on kernels alone' in capsys.readouterr().err
    assert graphs.events == []


def test_recording_that_fails(tmp_path, capsys):
    """The iteration is made all the same, on the inputs that were drawn for it, and so are the next."""
    plain, updater = build_updater(tmp_path), build_updater(tmp_path)
    FakeGraphs(updater, fails_with=NotImplementedError('calling cuBLAS API during stream capture'))
    for _ in range(4):
        run_alike(updater, plain, 1)
    error = capsys.readouterr().err
    assert error.count('not captured') == 1 and 'NotImplementedError: calling cuBLAS' in error


def test_reports_are_its_own_and_a_dataset_that_fails_is_heard(tmp_path):
    """What one iteration reported stays when the next has run."""
    updater, _ = captured(tmp_path)
    run(updater, 3)
    observations = [{}, {}]
    for observation in observations:
        with chainer.Reporter().scope(observation):
            updater.update()
    assert float(observations[0]['loss_dis']) != float(observations[1]['loss_dis'])

    def fail(indices, rng=None):
        raise ValueError('broken.JPEG: expected an image')
    updater.get_iterator('main').dataset.load_ims = fail
    with pytest.raises(ValueError, match='broken.JPEG'):
        run(updater, 3)


def test_noise_of_images(tmp_path):
    """Bytes become what a dataset would give, but for where the noise comes from; every batch has its own."""
    updater = build_updater(tmp_path)
    iterator = updater.get_iterator('main')

    def two(draw):
        iterator.n_drawn = 0
        updater.sync()
        return zip(draw(), draw(), strict=True)
    (x, other_x), (y, _) = two(updater.real_batch)
    again, _ = two(updater.real_batch)
    assert updater.image_noises[0].t == int(updater.image_noises[0]._state[1]) == 2 * -(-x.size // 4)
    np.testing.assert_array_equal([x, other_x], again)
    (ims, other_ims), (labels, _) = two(iterator.next_ims)
    np.testing.assert_array_equal(y, labels)
    noise, other_noise = x - (ims / 128. - 1), other_x - (other_ims / 128. - 1)
    assert x.dtype == np.float32 and 0 <= noise.min() < .1 / 128 and .9 / 128 < noise.max() <= 1 / 128 + 1e-7
    assert np.abs(other_noise - noise).max() > .5 / 128
    resumed = build_updater(tmp_path)
    resumed.get_iterator('main').n_drawn = len(x)
    np.testing.assert_array_equal(resumed.real_batch()[0], other_x)
    processes = SimpleNamespace(rank=1, size=2, share=lambda model: None)
    assert build_updater(tmp_path, processes=processes).image_noises[0].seed != updater.image_noises[0].seed


def test_bfloat16_stays_near(tmp_path):
    """Within 2 % for four iterations, two of them launched; what is kept is float32. Later, training is chaotic."""
    pytest.importorskip('ml_dtypes')
    wide = {'updater.args.loss_type': 'hinge', 'models.generator.args.ch': 16, 'models.discriminator.args.ch': 16,
            'models.generator.args.bottom_width': 4}
    results = []
    for precision in ('float32', 'bfloat16'):
        with configured(precision=precision):
            updater, _ = captured(tmp_path, wide, dataset_class=Floats)
            results.append(run(updater, 4))
            assert {a.dtype.str for a in state_of(updater).values() if a.dtype.kind not in 'iu'} <= {'<f4', '<f8'}
    assert results[0] != results[1]
    for one, other in zip(*results, strict=True):
        assert other == pytest.approx(one, rel=.02, abs=.02)


PATHS = {**{path.stem: path for path in sorted(CONFIGS.glob('*.yml'))}, **COMPARISON}
UNCAPTURED = {  # by what is in the name: gradient and other penalties, decompositions
    'gp', 'orthonormal', 'singular_value', 'spectral_norm_regularization'}
SEEN_BY_THE_CENSUS = {'cnn_cifar10/chainer_gan_lib': 'Deconvolution2DFunction'}  # 3×3 of stride 1: no kernel


@pytest.mark.parametrize('name', [
    pytest.param(name, marks=pytest.mark.long) if re.search('dog_and_cat|imagenet|concat', name) else name
    for name in PATHS])
def test_which_configs_are_captured(name, data, monkeypatch):  # noqa: F811
    """Told by an iteration of each, narrow. What a recording cannot hold must not be reached: Chainer's functions that
    call cuBLAS (the census of functions), random numbers and matrix products of the host, and copies to the device."""
    *_, updater = build_all(PATHS[name], data, NARROW)
    expected = not any(part in name for part in UNCAPTURED)
    assert (updater.reason_not_to_capture() is None) == expected
    if not expected:
        return
    updater.update()  # initializes what is lazy
    asked = updater.live_inputs()
    updater.iterate(asked)
    inputs = updater.live_inputs()
    served = iter([inputs(*request) for request, _ in asked.requests])
    updater.sync()
    if name not in SEEN_BY_THE_CENSUS:
        refuse_the_host(monkeypatch, updater)
    with capturable.Census() as census:
        updater.iterate(lambda kind, n=None: next(served))
    assert (census.culprit and census.culprit.__name__) == SEEN_BY_THE_CENSUS.get(name)
    assert next(served, None) is None


def refuse_the_host(monkeypatch, updater):
    def refuse(*args, **kwargs):
        raise AssertionError('the captured step left the device')
    for owner, names in ((np.random, 'normal uniform randint permutation'), (type(updater.device), 'send'),
                         (np, 'dot tensordot einsum matmul')):  # the twins write products as @
        for name in names.split():
            monkeypatch.setattr(owner, name, refuse)
