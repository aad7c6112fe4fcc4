"""All kernels are compiled when their modules are imported, and kept on disk."""
from tests import children

import pytest

TRAIN_AND_COUNT = '''
import sys
from source.config import build
from source.datasets.digits import DigitsDataset
from source.config.yaml_utils import load_config
import chainer
config = load_config('configs/sn_projection_digits.yml', ['batchsize=2', 'updater.args.n_gen_samples=2'])
device = chainer.get_device('@numpy')
gen, dis = build.build_models(config, 'test')
build.build_updater(config, 'test', gen, dis, DigitsDataset(size=32), device).update()
kernels = {id(k): k for name, module in list(sys.modules.items()) if name.startswith('source.kernels.cpu')
           for k in vars(module).values() if hasattr(k, 'signatures')}
misses = sum(sum(k.stats.cache_misses.values()) for k in kernels.values())
print(sum(len(k.signatures) for k in kernels.values()), misses)
'''


@pytest.mark.long
def test_one_command_compiles_all_that_training_calls():
    for arguments in (('-m', 'source.kernels.cpu'), ('-c', TRAIN_AND_COUNT)):
        status, output, errors = children.python(*arguments, cwd=children.ROOT)
        assert status == 0, errors
    compiled, missed = map(int, output.split())
    assert compiled >= 15 and missed == 0
