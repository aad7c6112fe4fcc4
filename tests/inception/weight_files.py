"""The random weights as each file a user may have."""
import contextlib
import io
import tarfile

from source.inception import weights
from source.inception.names import CONVOLUTIONS
from tests.weight_files import graph_def_writer, torch_writer

import h5py
import numpy as np
import pytest

KINDS = ['pb', 'tgz', 'pth', 'legacy pth', 'h5']  # .pth of PyTorch since 1.6, and before
GRAPH_NAME = 'classify_image_graph_def.pb'


def names():
    """(our name, TensorFlow's, PyTorch's) of the 472 arrays that a `.pth` holds; not by our readers' code."""
    found = [('logit/W', 'softmax/weights', 'fc.weight'), ('logit/b', 'softmax/biases', 'fc.bias')]
    for ours, node, module in CONVOLUTIONS:
        norm = '/'.join([*ours.split('/')[:-1], 'bn_' + ours.split('/')[-1]])
        found.append((f'{ours}/W', f'{node}/conv2d_params', f'{module}.conv.weight'))
        for own, tensorflows, torchs in (
                ('gamma', 'gamma', 'weight'), ('beta', 'beta', 'bias'),
                ('avg_mean', 'moving_mean', 'running_mean'), ('avg_var', 'moving_variance', 'running_var')):
            found.append((f'{norm}/{own}', f'{node}/batchnorm/{tensorflows}', f'{module}.bn.{torchs}'))
    return found


def graph_constants(arrays):
    """{TensorFlow's name: array}, in its layouts."""
    layouts = {4: (2, 3, 1, 0), 2: (1, 0), 1: (0,)}
    return {theirs: arrays[ours].transpose(layouts[arrays[ours].ndim]).copy() for ours, theirs, _ in names()}


def archive(content, name=GRAPH_NAME, headers=None):
    """The .tgz of 2015, with what else lies in it before the graph; `headers` are the graph's of the pax format."""
    file = io.BytesIO()
    with tarfile.open(fileobj=file, mode='w:gz', compresslevel=1) as tar:
        for each, data in (('LICENSE', b'text'), (name, content)):
            member = tarfile.TarInfo(each)
            member.size, member.pax_headers = len(data), headers if each == name and headers else {}
            tar.addfile(member, io.BytesIO(data))
    return file.getvalue()


def torch_arrays(arrays):
    """torch-fidelity's state dict, counters of batches included."""
    counters = [f'{module}.bn.num_batches_tracked' for _, _, module in CONVOLUTIONS]
    return {**{theirs: arrays[ours] for ours, _, theirs in names()}, **dict.fromkeys(counters, arrays['bn_conv/N'])}


def write(path, kind, arrays, changes=None, eps=1e-3):
    """Write the file, with `changes` of what it holds under its own names, {name: another array or None}; its path."""
    theirs = {'pb': graph_constants, 'tgz': graph_constants, 'h5': dict}.get(kind, torch_arrays)(arrays)
    theirs = {name: array for name, array in {**theirs, **(changes or {})}.items() if array is not None}
    if kind == 'h5':
        with h5py.File(path, 'w') as file:
            for name, array in theirs.items():
                file[name] = array
    elif 'pth' in kind:
        path.write_bytes({'pth': torch_writer.zip_file, 'legacy pth': torch_writer.legacy_file}[kind](theirs))
    else:
        graph = graph_def_writer.graph(theirs, eps)
        path.write_bytes(graph if kind == 'pb' else archive(graph))
    return path


@contextlib.contextmanager
def of_a_small_network():
    """Meanwhile the network of which files are read and written is its first convolution and 4 classes; its arrays."""
    shapes = {'conv/W': (2, 3, 3, 3), 'bn_conv/N': (), 'logit/W': (4, 2), 'logit/b': (4,), 'conv/b': (2,),
              **{f'bn_conv/{name}': (2,) for name in ('gamma', 'beta', 'avg_mean', 'avg_var')}}
    rng = np.random.RandomState(0)
    arrays = {name: np.asarray(rng.rand(*shape), 'f4') for name, shape in shapes.items()}
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(weights, 'weight_shapes', lambda: shapes)
        patch.setattr(weights, 'CONVOLUTIONS', CONVOLUTIONS[:1])
        patch.setitem(globals(), 'CONVOLUTIONS', CONVOLUTIONS[:1])
        yield {**arrays, 'bn_conv/N': np.array(0), 'conv/b': np.zeros(2, 'f4')}
