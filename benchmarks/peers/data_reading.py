"""Images read for training, by one data format: a side of bench_data.py."""
import json
import os
import resource
import sys
import time
from importlib import metadata

from benchmarks.timing import peak_bytes
from source.datasets.batch_iterator import BatchIterator
from source.datasets.imagenet import ImageNetDataset
from source.datasets.packed import PackedDataset
from source.datasets.parallel_batch_iterator import ParallelBatchIterator

import h5py
from PIL import Image


class H5Dataset(PackedDataset):
    """The same images from an .h5 file's dataset `ims`, read by h5py."""

    def __init__(self, path, root, **arguments):
        super().__init__(arguments.pop('like'), root, **arguments)
        self._packed = h5py.File(os.path.join(root, path))['ims']

    def open_image(self, i):
        return Image.fromarray(self._packed[int(i)])

    def load_ims(self, indices, rng=None):
        return super(PackedDataset, self).load_ims(indices, rng)  # h5py takes no list of rows out of order


def open_dataset(request):
    options = {name: request[name] for name in ('size', 'augmentation', 'crop_ratio')}
    kind, root = request['format'], request['root']
    if kind == 'packed':
        return PackedDataset(request['path'], root, **options)
    if kind == 'folder':
        return ImageNetDataset(os.path.join(root, request['path']), root, **options)
    return H5Dataset(request['path'], root, like=request['like'], **options)


def memory():
    """Bytes this process holds now: of its own, and of files mapped, which the system may take back."""
    with open('/proc/self/status', encoding='utf-8') as file:
        fields = dict(line.split(':', 1) for line in file)
    return {name: int(fields[key].split()[0]) * 1024 for name, key in (('own', 'RssAnon'), ('mapped', 'RssFile'))}


def main():
    request = json.load(sys.stdin)
    before = memory()
    dataset = open_dataset(request)
    workers = request['workers']
    iterator = (ParallelBatchIterator(dataset, request['batchsize'], 0, workers) if workers else
                BatchIterator(dataset, request['batchsize'], 0))
    for _ in range(request['warm_up'] // request['batchsize'] + 1):
        iterator.next_ims()
    start, used, n = time.perf_counter(), resource.getrusage(resource.RUSAGE_SELF), 0
    while (seconds := time.perf_counter() - start) < request['seconds']:
        iterator.next_ims()
        n += request['batchsize']
    now, found = resource.getrusage(resource.RUSAGE_SELF), memory()
    iterator.finalize()
    cpu = now.ru_utime + now.ru_stime - used.ru_utime - used.ru_stime
    print(json.dumps({
        'images_per_second': n / seconds, 'images_per_cpu_second': n / cpu, 'cores_used': cpu / seconds,
        'own_bytes_added': found['own'] - before['own'], 'mapped_bytes': found['mapped'], 'peak_bytes': peak_bytes(),
        'versions': {'python': sys.version.split()[0],
                     **{name: metadata.version(name) for name in ('numpy', 'pillow', 'h5py')}}}))


if __name__ == '__main__':
    main()
