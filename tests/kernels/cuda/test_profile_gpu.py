"""What the profile of a captured step makes of convolutions and of the profiler's events, which are made up here."""
from benchmarks import profile_gpu
from source.kernels.cuda import convolution_plans
from tests.kernels.cuda.test_convolution_plans import convolve
from tests.narrow import run

import pytest


def test_convolutions(host, cudnn):
    """Each is counted where it runs and timed by itself: 2·4·4 places, 8 channels on either side, 9 taps."""
    with profile_gpu.Executed() as executed:
        for batchsize in (2, 3, 2):
            convolve(host, batchsize=batchsize)
    convolve(host)
    first, second = executed.timed()
    assert (first['count'], second['count']) == (2, 1)  # the one that takes more of an iteration first
    assert first['milliseconds'] == 1. and first['plan'] == 'eng2'
    assert first['tera_multiply_adds_per_second'] == pytest.approx(2 * 4 * 4 * 8 * 8 * 9 / 1e9)
    assert first['problem'].startswith('fprop of images (2, 4, 4, 8)')
    assert convolution_plans._execute.__name__ == '_execute'


def test_kernels_and_the_time_between_them():
    """Two iterations; b runs beside a, and between 40 and 50 nothing does."""
    events = [('void a<float>(float*)', 10, 30), ('b(int)', 20, 40), ('void a<float>(float*)', 50, 70),
              ('sm90_gemm<1>', 60, 65)]
    kernels, whole, idle = profile_gpu.summed(events, 2)
    assert {name: (n, pytest.approx(its)) for name, (n, its) in kernels.items()} == {
        'a': (1, .02), 'b': (.5, .01), 'sm90_gemm<1>': (.5, .0025)}
    assert (whole, idle) == (pytest.approx(.03), pytest.approx(.005))


@pytest.mark.parametrize('arguments, message', [
    (['--iterations', 0], '--iterations: expected at least 1, found 0'), ([], 'no GPU that CuPy can use'),
    (['--out', 'nowhere/profile.json'], '--out: nowhere/profile.json: its folder is missing')])
def test_refusals(monkeypatch, capsys, arguments, message):
    monkeypatch.setenv('PATH', '')  # and so no GPU
    assert run(profile_gpu.main, *arguments) == 2
    error = capsys.readouterr().err
    assert message in error and error.count('\n') == 1
