"""Why a first run seems to stand still: kernels are compiled into numba's or CuPy's cache."""
import functools
import os
from pathlib import Path

from source.command_line.standard_streams import tell

NOTICE = 'compiling kernels once, about a minute'


@functools.cache
def tell_of_compilation():
    """Have it said, once, when a kernel of the CPU is compiled rather than read from the cache."""
    from numba.core import event

    class Notice(event.Listener):
        def on_start(self, started):
            if started.data['dispatcher'].py_func.__module__.startswith('source.kernels.'):
                event.unregister('numba:compile', self)
                tell(NOTICE)

        def on_end(self, ended):
            pass

    event.register('numba:compile', Notice())


@functools.cache
def tell_of_gpu_compilation():
    """Say it, once, where CuPy's cache is empty."""
    folder = Path(os.environ.get('CUPY_CACHE_DIR') or Path.home() / '.cupy' / 'kernel_cache')
    if not folder.is_dir() or not any(folder.iterdir()):
        tell(NOTICE)
