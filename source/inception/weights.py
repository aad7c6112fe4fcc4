"""The 2015 Inception weights from every file a user may have, checked array by array, and into an `.h5`."""
import gzip
import os
import tarfile
import zlib

from source.inception.inception_score import Inception
from source.inception.names import CONVOLUTIONS
from source.results_folder.snapshots import flattened
from source.weight_files import WeightFileError, hdf5_file, torch_file
from source.weight_files.checks import check_names
from source.weight_files.graph_def import GraphDef
from source.weight_files.hdf5_file import read_hdf5_file, write_hdf5_file

import chainer
import numpy as np

GRAPH_NAME = 'classify_image_graph_def.pb'
_GZIP_START = b'\x1f\x8b'
_GRAPH_EPS = 1e-3
_MOST_BYTES = 512 << 20  # of any file or unpacked archive: the largest has 96 MB

# What follows a convolution's name: ours, TensorFlow's, PyTorch's.
_SUFFIXES = (('bn/gamma', 'batchnorm/gamma', 'bn.weight'), ('bn/beta', 'batchnorm/beta', 'bn.bias'),
             ('bn/avg_mean', 'batchnorm/moving_mean', 'bn.running_mean'),
             ('bn/avg_var', 'batchnorm/moving_variance', 'bn.running_var'))


def load_weights(path, model):
    """Read the weights of an Inception from the `.tgz` or `.pb` of 2015, from torch-fidelity's or pytorch-fid's `.pth`,
    or from the authors' or our `.h5`; what the file is, its first bytes say.

    Raises WeightFileError (one line), with the model unchanged, for a file that is cut, changed, another's or lacks
    anything: each array's name and shape are checked. OSError where it cannot be read.
    """
    arrays = read_weights(path)
    chainer.serializers.NpzDeserializer(arrays).load(model)


def read_weights(path):
    """Return the 660 arrays of such a file under our names, {'mixed/conv/conv/W': …}, as `load_weights`."""
    with open(path, 'rb') as file:
        start = file.read(16)
        if os.fstat(file.fileno()).st_size > _MOST_BYTES:
            raise WeightFileError(f'{path}: expected Inception weights, found a file of more than {_MOST_BYTES} bytes')
    shapes = weight_shapes()
    if start.startswith(hdf5_file.START):
        arrays = read_hdf5_file(path, shapes)
    elif start.startswith((torch_file.ZIP_START, torch_file.LEGACY_START)):
        arrays = _from_torch(path, shapes)
    elif start.startswith(_GZIP_START):
        arrays = _from_graph(_read_archived_graph(path), path, shapes)
    elif start[:1] == b'\x0a':  # a GraphDef begins with its first node, field 1
        with open(path, 'rb') as file:
            arrays = _from_graph(file.read(), path, shapes)
    else:
        raise WeightFileError(f'{path}: expected Inception weights as .tgz, .pb, .pth or .h5; '
                              f'found a file beginning with {start[:8]!r}')
    return {name: _checked(path, name, array) for name, array in arrays.items()}


def weight_shapes():
    """Return {name: shape} of the network's 660 arrays."""
    return {name: np.shape(array) for name, array in flattened(Inception()).items()}


def save_weights(path, arrays):
    """Write arrays as the authors' `.h5`, aside and renamed when it is whole; equal arrays make equal bytes."""
    os.makedirs(os.path.dirname(os.path.abspath(path)), exist_ok=True)
    write_hdf5_file(path, arrays)


def _checked(path, name, array):
    if not np.isfinite(array).all() or (name.endswith('/avg_var') and (array < 0).any()):
        raise WeightFileError(f'{path}: {name}: expected finite numbers and no negative variance')
    return array if name.endswith('/N') else np.ascontiguousarray(array, np.float32)


def _from_torch(path, shapes):
    found = {name: array for name, array in torch_file.read_torch_file(path).items()
             if not name.endswith('.num_batches_tracked')}
    names = {'logit/W': 'fc.weight', 'logit/b': 'fc.bias'}
    for ours, _, theirs in CONVOLUTIONS:
        names[f'{ours}/W'] = f'{theirs}.conv.weight'
        names.update((_beside(ours, own), f'{theirs}.{torchs}') for own, _, torchs in _SUFFIXES)
    check_names(path, found, names.values())
    return _complete(path, {ours: (theirs, found[theirs]) for ours, theirs in names.items()}, shapes)


def _from_graph(content, path, shapes):
    names = {'logit/W': 'softmax/weights', 'logit/b': 'softmax/biases'}
    for ours, theirs, _ in CONVOLUTIONS:
        names[f'{ours}/W'] = f'{theirs}/conv2d_params'
        names.update((_beside(ours, own), f'{theirs}/{tensorflows}') for own, tensorflows, _ in _SUFFIXES)
    graph = GraphDef(content, path, {theirs: _graph_shape(shapes[ours]) for ours, theirs in names.items()})
    for _, theirs, _ in CONVOLUTIONS:
        eps = graph.attributes.get(f'{theirs}/batchnorm', {}).get('variance_epsilon', _GRAPH_EPS)
        if not np.isclose(eps, _GRAPH_EPS, rtol=1e-6):
            raise WeightFileError(f'{path}: {theirs}/batchnorm: expected variance_epsilon {_GRAPH_EPS}, found {eps}')
    check_names(path, graph.constants, names.values())
    arrays = {}
    for ours, theirs in names.items():
        array = graph.constants[theirs]
        arrays[ours] = theirs, array.transpose(3, 2, 0, 1) if array.ndim == 4 else array.T
    return _complete(path, arrays, shapes)


def _graph_shape(shape):
    """TensorFlow's: height, width, in, out for (out, in, height, width), and in, out for (out, in)."""
    return (*shape[2:], *shape[1::-1]) if len(shape) > 1 else shape


def _beside(convolution, suffix):
    folder, slash, name = convolution.rpartition('/')
    return f'{folder}{slash}bn_{name}/{suffix.removeprefix("bn/")}'


def _complete(path, arrays, shapes):
    """Our 660 arrays from {our name: (the file's name, array)}: the convolutions' biases, which no file has, are 0."""
    complete = {}
    for name, shape in shapes.items():
        if name in arrays:
            theirs, array = arrays[name]
            if array.shape != shape or array.dtype.kind != 'f':
                raise WeightFileError(f'{path}: {theirs}: expected floats of shape {shape} (as {name}), '
                                      f'found {array.dtype} {array.shape}')
            complete[name] = array
        else:
            complete[name] = np.zeros(shape, np.int64 if name.endswith('/N') else np.float32)
    return complete


class _Bounded:
    """A binary file that refuses to give more than `n_bytes`: unpacking may make far more of a few."""

    def __init__(self, file, n_bytes):
        self._file, self._left = file, n_bytes

    def read(self, n):
        content = self._file.read(min(n, self._left + 1))
        self._left -= len(content)
        if self._left < 0:
            raise ValueError('it unpacks to more than any Inception archive holds')
        return content


def _read_archived_graph(path):
    try:
        content = None
        with gzip.open(path) as unpacked:
            bounded = _Bounded(unpacked, _MOST_BYTES)
            with tarfile.open(fileobj=bounded, mode='r|') as archive:
                for member in archive:
                    if os.path.basename(member.name) == GRAPH_NAME and member.isfile():
                        if member.issparse() or member.size > _MOST_BYTES:  # holes take no bytes of the file
                            raise ValueError(f'{GRAPH_NAME} is sparse or larger than any graph')
                        content = archive.extractfile(member).read()
            while bounded.read(1 << 20):
                pass  # to the end, where the checksum is
        if content is None:
            raise ValueError(f'it holds no {GRAPH_NAME}')
        return content
    except (ValueError, OSError, EOFError, tarfile.TarError, zlib.error) as error:
        raise WeightFileError(f'{path}: expected the archive of 2015; {error}') from None
