from evaluations import gen_interpolated_images
from source.miscs.generate import generate_from
from source.miscs.interpolation import corner_weights, slerp
from source.miscs.noise_sampler import NoiseSampler
from source.pictures.image_sheets import GAP, make_sheet
from source.pictures.labelled_sheets import with_columns_named, with_rows_named
from tests.evaluations.scored_snapshot import generator, read, write_snapshot
from tests.narrow import files_in, run

import numpy as np
import pytest
from PIL import Image


def command(snapshot, out, *arguments):
    return run(gen_interpolated_images.main, '--snapshot', snapshot, '--gpu', -1, '--results_dir', out, *arguments)


def latents(n):
    return NoiseSampler(3, 10, seed=1234).continuous(n)


def test_classes_as_the_authors_command(snapshot, tmp_path):
    """Rows of one latent each, from one class to the next; ends and where two ways meet are samples, and named."""
    assert command(snapshot, tmp_path, '--n_zs', 2, '--n_intp', 3, '--classes', 3, 'eight', 5) == 0
    gen, rows = generator(snapshot), []
    for z in latents(2)[:, None]:
        three, eight, five = (generate_from(gen, z, [c]) for c in (3, 8, 5))
        between = [generate_from(gen, z, [pair], [[.5, .5]]) for pair in ([8, 3], [5, 8])]
        rows += [three, between[0], eight, between[1], five]
    found = read(tmp_path / 'interpolated_images_3-8-5.png')
    expected = make_sheet(np.concatenate(rows), 2, 5, 13, GAP)
    np.testing.assert_allclose(found[-len(expected):].astype(int), expected, atol=1)
    named = with_columns_named(found[-len(expected):], ['three', None, 'eight', None, 'five'])
    np.testing.assert_array_equal(found, named)
    assert (rows[0] != rows[2]).any() and (rows[0] != rows[1]).any()


def test_latents(snapshot, tmp_path):
    """Of a single class under its name; of several each row is named, in turn."""
    latents_of = ['--morph', 'latents', '--n_zs', 2, '--n_intp', 4, '--scale', 3, '--classes']
    assert command(snapshot, tmp_path, *latents_of, 6) == 0
    starts, ends = latents(4)[:2], latents(4)[2:]
    z = np.concatenate([slerp(a, b, np.linspace(0, 1, 4)) for a, b in zip(starts, ends)])
    expected = make_sheet(generate_from(generator(snapshot), z, np.full(8, 6)), 2, 4, 3, GAP)
    np.testing.assert_array_equal(read(tmp_path / 'latents_6.png'), with_columns_named(expected, ['6: six']))
    assert command(snapshot, tmp_path, *latents_of, 6, 1, 2) == 0
    expected = make_sheet(generate_from(generator(snapshot), z, [6] * 4 + [1] * 4), 2, 4, 3, GAP)
    np.testing.assert_array_equal(read(tmp_path / 'latents_6-1-2.png'), with_rows_named(expected, ['six', 'one']))


def test_corners_of_classes(snapshot, tmp_path):
    assert command(snapshot, tmp_path, '--morph', 'corners', '--n_zs', 3, '--n_intp', 2, '--scale', 5,
                   '--classes', 1, 2, 3, 4) == 0
    z = latents(1).repeat(6, axis=0)
    ims = generate_from(generator(snapshot), z, np.tile([1, 2, 3, 4], (6, 1)), corner_weights(3, 2))
    found = read(tmp_path / 'corners_1-2-3-4.png')
    expected = with_columns_named(make_sheet(ims, 3, 2, 5, GAP), ['one', 'two'], ['three', 'four'])
    np.testing.assert_array_equal(found, expected)
    corner = generate_from(generator(snapshot), latents(1), [4])[0].transpose(1, 2, 0)
    last = ims[-1].transpose(1, 2, 0)
    np.testing.assert_allclose(last.astype(int), corner, atol=1)


@pytest.mark.parametrize('morph, classes', [('classes', [3, 8, 5]), ('latents', [3])])
def test_the_order_of_an_animation(snapshot, tmp_path, monkeypatch, morph, classes):
    """Each way begins at its class or latent and has a quarter, a half, three quarters of the next."""
    made = {}
    monkeypatch.setattr(gen_interpolated_images, 'save_animation',
                        lambda path, frames, *_: made.update(name=path.name, frames=list(frames)))
    assert command(snapshot, tmp_path, '--animate', 'gif', '--frames', 4, '--morph', morph, '--n_zs', 3, '--classes',
                   *classes) == 0
    assert made['name'] == {'classes': 'morph_classes_3-8-5.gif', 'latents': 'morph_latents_3.gif'}[morph]
    gen, sampler = generator(snapshot), NoiseSampler(3, 10, seed=1234)
    zs = [sampler.continuous(8) for _ in range(1 if morph == 'classes' else 3)]
    assert len(made['frames']) == 12
    for k, frame in enumerate(made['frames']):
        first, second, weight = k // 4, (k // 4 + 1) % 3, k % 4 / 4
        if morph == 'classes':
            ims = generate_from(gen, zs[0], [[classes[first], classes[second]]] * 8, [[1 - weight, weight]] * 8)
        else:
            ims = generate_from(gen, slerp(zs[first], zs[second], weight), [3] * 8)
        np.testing.assert_allclose(frame.astype(int), make_sheet(ims, 2, 4, 16, GAP), atol=1)


def test_animation_of_all_classes_or_of_ten_of_many(snapshot, tmp_path, capsys):
    """Those are drawn with the seed."""
    many = write_snapshot(tmp_path, {f'models.{name}.args.n_classes': 30 for name in ('generator', 'discriminator')})
    for path, classes in ((snapshot, range(10)), (many, np.random.RandomState(2).permutation(30)[:10])):
        assert command(path, tmp_path / 'out', '--animate', 'gif', '--frames', 1, '--seed', 2) == 0
        assert capsys.readouterr().out.partition('classes, classes ')[2].strip() == ', '.join(map(str, classes))
        with Image.open(tmp_path / 'out' / 'morph_classes.gif') as gif:
            assert gif.n_frames == 10


def test_unconditional(unconditional, tmp_path):
    for arguments in ([], ['--morph', 'corners'], ['--animate', 'gif', '--frames', 2]):
        assert command(unconditional, tmp_path, *arguments) == 0
    assert set(files_in(tmp_path)) == {'latents.png', 'corners.png', 'morph_latents.gif'}


def test_two_classes_are_drawn_and_what_is_replaced_is_said(snapshot, tmp_path, capsys):
    a, b = np.random.RandomState(1234).permutation(10)[:2]
    for k in range(2):
        assert command(snapshot, tmp_path, '--n_zs', 1, '--n_intp', 2) == 0
        assert capsys.readouterr().err.count(f'interpolated_images_{a}-{b}.png: replaced') == k
