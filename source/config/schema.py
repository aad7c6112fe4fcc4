"""The keys of config files, their types, defaults and ranges. The names are the authors'; those of ours say so."""
import math

REQUIRED = object()
_MODEL = {'fn': (str, REQUIRED), 'name': (str, REQUIRED), 'args': (dict, {})}
SCHEMA = {  # key: (type, default) or a nested schema
    'size': (int, None),  # ours: stands for '{size}' in other values
    'batchsize': (int, REQUIRED),
    'accumulate': (int, None),  # ours: parts of an update, each a batch of its own as on a GPU of its own
    'iteration': (int, REQUIRED),
    'iteration_decay_start': (int, None),  # default: `iteration`, that is no decay
    'seed': (int, 0),
    'display_interval': (int, 100),
    'progressbar_interval': (int, None),
    'snapshot_interval': (int, 10000),
    'evaluation_interval': (int, 1000),
    'snapshots': {  # ours: how many to keep, 0 for all: of the whole training, of those with the best FID, of models
        'keep_last': (int, 3), 'keep_best': (int, 1), 'keep_models': (int, 0)},
    'synchronized_batch_norm': (bool, False),  # ours: of several processes; false as in the paper's setting
    'cpu_kernels': (bool, True),  # ours: false leaves everything on a CPU to Chainer
    'precision': (str, 'tf32'),  # ours: of a GPU's convolutions: float32, tf32 or bfloat16; nothing to a CPU
    'capture': (bool, True),  # ours: false runs a GPU's iterations without a CUDA graph
    'loader_workers': (int, 0),  # ours: threads that read images ahead; 0 reads them between the updates
    'tensorboard': (bool, False),  # ours: event files in <results_dir>/tensorboard/
    'results_dir': (str, None),  # default: results/<name of the config file>
    'models': {'generator': _MODEL, 'discriminator': _MODEL},
    'dataset': {'dataset_fn': (str, REQUIRED), 'dataset_name': (str, REQUIRED), 'args': (dict, {})},
    'adam': {'alpha': (float, 2e-4), 'beta1': (float, 0.), 'beta2': (float, .9),
             'alpha_dis': (float, None)},  # ours: of the discriminator; default: `alpha`
    'updater': {'fn': (str, 'updater.py'), 'name': (str, 'Updater'), 'args': (dict, {})},
    'evaluation': {  # ours: what the trainer scores samples with; no `network`, no scores
        'network': (str, None), 'n_images': (int, 1000), 'splits': (int, 10),
        'weights': (str, None)},  # path of the network's weights file; default: each network's own
    'paper_row': (str, None),  # ours: the row of evaluations/published_numbers.csv that scores are compared with
    'paper': {  # ours: with how many processes, and batches of each, the numbers of that row were made
        'processes': (int, None), 'batchsize': (int, None), 'n_gen_samples': (int, None)},
    'processes': (int, None), 'earlier_batches': (dict, {}), 'versions': (dict, {}),  # written into results folders
}
SIZES = 32, 48, 64, 128, 256  # of the ResNets: gen_models/resnet_{size}.py, dis_models/snresnet_{size}.py
LENGTHS = 'iteration', 'iteration_decay_start'
# Keys that say something of one run alone.
OF_A_RUN = 'paper_row', 'results_dir', 'processes', 'earlier_batches', 'versions'
RANGES = {  # key: (lowest, highest) allowed
    **dict.fromkeys(('batchsize', 'iteration', 'display_interval', 'progressbar_interval', 'snapshot_interval',
                     'evaluation_interval'), (1, math.inf)),
    'accumulate': (1, math.inf), 'iteration_decay_start': (0, math.inf), 'loader_workers': (0, 1024),
    'seed': (0, 2 ** 32 - 1),
    'adam.alpha': (0, math.inf), 'adam.alpha_dis': (0, math.inf), 'adam.beta1': (0, 1), 'adam.beta2': (0, 1),
    **dict.fromkeys(('paper.processes', 'paper.batchsize', 'paper.n_gen_samples', 'processes'), (1, math.inf)),
    **dict.fromkeys(('snapshots.keep_last', 'snapshots.keep_best', 'snapshots.keep_models'), (0, math.inf)),
    'evaluation.n_images': (2, math.inf), 'evaluation.splits': (1, math.inf),
}
