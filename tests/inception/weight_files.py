"""The random weights as each file a user may have."""
import io
import tarfile

from source.inception.names import CONVOLUTIONS
from tests.inception.random_weights import torch_names
from tests.weight_files import graph_def_writer, torch_writer

import h5py

GRAPH_NAME = 'classify_image_graph_def.pb'


def graph_constants(arrays):
    """{TensorFlow's name: array}, in its layouts."""
    constants = {'softmax/weights': arrays['logit/W'].T.copy(), 'softmax/biases': arrays['logit/b']}
    for ours, node, _ in CONVOLUTIONS:
        folder, _, name = ours.rpartition('/')
        norm = f'{folder}/bn_{name}'.lstrip('/')
        constants[f'{node}/conv2d_params'] = arrays[f'{ours}/W'].transpose(2, 3, 1, 0).copy()
        for own, theirs in (('gamma', 'gamma'), ('beta', 'beta'), ('avg_mean', 'moving_mean'),
                            ('avg_var', 'moving_variance')):
            constants[f'{node}/batchnorm/{theirs}'] = arrays[f'{norm}/{own}']
    return constants


def graph(arrays, eps=1e-3):
    return graph_def_writer.graph(graph_constants(arrays), eps)


def archive(content, name=GRAPH_NAME):
    """The .tgz of 2015, with what else lies in it before the graph."""
    file = io.BytesIO()
    with tarfile.open(fileobj=file, mode='w:gz', compresslevel=1) as tar:
        for each, data in (('LICENSE', b'text'), (name, content)):
            member = tarfile.TarInfo(each)
            member.size = len(data)
            tar.addfile(member, io.BytesIO(data))
    return file.getvalue()


def torch_arrays(arrays):
    """torch-fidelity's state dict, counters of batches included."""
    found = {theirs: arrays[ours] for ours, theirs in torch_names().items()}
    for name in list(found):
        if name.endswith('running_var'):
            found[name.replace('running_var', 'num_batches_tracked')] = arrays['bn_conv/N']
    return found


def hdf5(path, arrays):
    """As Chainer's save_hdf5 writes it."""
    with h5py.File(path, 'w') as file:
        for name, array in arrays.items():
            file.create_dataset(name, data=array)


def write(path, kind, arrays):
    """Write the file a user calls `kind`: .pb, .tgz, .pth (PyTorch since 1.6), legacy .pth or .h5."""
    if kind == 'h5':
        hdf5(path, arrays)
    else:
        path.write_bytes({'pb': graph, 'tgz': lambda arrays: archive(graph(arrays)),
                          'pth': lambda arrays: torch_writer.zip_file(torch_arrays(arrays)),
                          'legacy pth': lambda arrays: torch_writer.legacy_file(torch_arrays(arrays))}[kind](arrays))
    return path
