"""Why a first run seems to stand still: the CPU's kernels are compiled into numba's cache."""
import functools

from source.miscs.standard_streams import tell


@functools.cache
def tell_of_compilation():
    """Have it said, once, when a kernel is compiled rather than read from the cache; further calls do nothing."""
    from numba.core import event

    class Notice(event.Listener):
        def on_start(self, started):
            if started.data['dispatcher'].py_func.__module__.startswith('source.kernels.'):
                event.unregister('numba:compile', self)
                tell('compiling kernels once, about a minute')

        def on_end(self, ended):
            pass

    event.register('numba:compile', Notice())
