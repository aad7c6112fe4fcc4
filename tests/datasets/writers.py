"""Writers of the files in which data sets are published."""
import io
import struct
import tarfile

import numpy as np


def pixels(n, *shape):
    return np.random.RandomState(n).randint(256, size=(n, *shape), dtype=np.uint8)


def saved(save, *args, **kwargs):
    """What `save` writes into the file that it is given."""
    file = io.BytesIO()
    save(file, *args, **kwargs)
    return file.getvalue()


def tar_gz(files):
    file = io.BytesIO()
    with tarfile.open(fileobj=file, mode='w:gz', compresslevel=1) as archive:
        for name, content in files.items():
            member = tarfile.TarInfo(name)
            member.size = len(content)
            archive.addfile(member, io.BytesIO(content))
    return file.getvalue()


def idx(array):
    return struct.pack(f'>HBB{array.ndim}i', 0, 8, array.ndim, *array.shape) + array.tobytes()


def python2_batch(ims, labels):
    """A batch of CIFAR-10, ims (n, 3072) for n < 256, as Python 2's cPickle and NumPy 1 wrote it, opcode by opcode."""
    dtype = b'cnumpy\ndtype\nU\x02u1K\x00K\x01\x87R(K\x03U\x01|NNN' + b'J\xff\xff\xff\xff' * 2 + b'K\x00tb'
    array = b'cnumpy.core.multiarray\n_reconstruct\ncnumpy\nndarray\nK\x00\x85U\x01b\x87R(K\x01K'
    array += bytes([len(ims)]) + b'M\x00\x0c\x86' + dtype + b'\x89T' + struct.pack('<i', ims.nbytes) + ims.tobytes()
    listed = b''.join(b'K' + bytes([label]) for label in labels)
    return b'\x80\x02}(U\x06labels](' + listed + b'eU\x04data' + array + b'tbu.'
