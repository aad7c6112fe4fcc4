"""A training iteration recorded once as a CUDA graph and replayed.

The step that is recorded is the ordinary one: the same links, functions and backward pass. Python runs it a few times
as ever, on the recording's own stream and memory, once more while the device records instead of computing, and never
again: every later iteration fills the input buffers and launches the graph. What a step does on the host alone, as
counting updates, is repeated after each launch.
"""
import gc

from source.command_line.standard_streams import tell
from source.functions.capturable import Census
from source.iteration.inputs import Prefetch, StaticInputs

import chainer

WARM_UPS = 2  # iterations before the recording: lazy states, plans of convolutions, compiled kernels


class CapturedStep:
    """Runs an updater's iterations, from the third on as a graph; or, where that cannot be, as ever, and says why once.

    Args:
        updater: a `source.updater.Updater`.
        graphs: makes streams, buffers and graphs, as `source.kernels.cuda.graphs.Graphs` does.

    Attributes:
        reason: why the step is not captured, or None.
    """

    def __init__(self, updater, graphs):
        self.updater, self.graphs = updater, graphs
        self.reason = None
        self._recorded = self._prefetch = None
        self.forget()

    def forget(self):
        """Forgets the graph, as after loading a snapshot, and begins anew with the warm-up."""
        if self._prefetch is not None:
            self._prefetch.close()
            for i in range(len(self._prefetch.buffers)):
                self.graphs.wait_until_copied(i)  # only then may they go
        self._n_warm, self._graph, self._prefetch, self._inputs = 0, None, None, None

    @property
    def is_captured(self):
        return self._graph is not None

    def run(self):
        """One iteration; it reports what the updater's own does."""
        settings = self._settings()
        if settings != self._recorded:
            self.forget()
            self._recorded, self.reason = settings, None
            self._give_up(self.updater.reason_not_to_capture())
        # Not in the first warm-up, which finds out whether the network does what streams and captures allow.
        is_known = self.reason is None and self._n_warm > 0
        self.updater.side_streams = self.graphs.side_streams if is_known else None
        if self.reason is not None:
            self.updater.sync()
            self.updater.iterate(self.updater.live_inputs())
        elif self._n_warm < WARM_UPS:
            self._warm_up()
        else:
            self._run_graph()

    def _settings(self):
        """What the graph would not follow, were it to change."""
        updater, config = self.updater, chainer.config
        return (updater.get_iterator('main').batch_size, updater.n_gen_samples, updater.n_dis, updater.conditional,
                updater.parts.n, updater.augmentation, updater.loss_dis, updater.loss_gen, config.precision,
                config.kernel_set, config.train, str(updater.gen.device), str(updater.dis.device))

    def _give_up(self, reason):
        if reason is not None:
            self.forget()
            self.reason = reason
            tell(f'training: the step is not captured as a CUDA graph: {reason}')

    def _warm_up(self):
        inputs, census = self.updater.live_inputs(), Census()
        with self.graphs.recording():
            self.updater.sync()
            with census:
                self.updater.iterate(inputs)
        self._n_warm, self._requests = self._n_warm + 1, inputs.requests
        self._give_up(census.verdict())

    def _run_graph(self):
        if self._inputs is None:
            self._inputs = StaticInputs(self._requests, self.graphs.empty)
            buffers = [self.graphs.host_buffer(self._inputs.n_bytes) for _ in range(2)]
            self._prefetch = Prefetch(self.updater.draws(), self._inputs, buffers)
        with self.graphs.running():
            self.updater.sync()  # before the draws, as the images' noise goes by their number
            i = self._prefetch.next(self.graphs.wait_until_copied)
            self.graphs.copy(i, self._prefetch.buffers[i], self._inputs.buffer)
        if self._graph is None:
            try:
                self._record()
            except Exception as error:  # whatever the driver, a kernel or a custom network objects to
                self._inputs.begin()
                self.updater.side_streams = None
                self.updater.iterate(self._inputs)
                self._give_up(f'{type(error).__name__}: {error}'.splitlines()[0])
                return
        self.graphs.launch(self._graph)
        self._count(self._counts)
        with self.graphs.running():
            observed = {name: loss.copy() for name, loss in self._losses.items()}
        chainer.report(observed)

    def _record(self):
        before = self._counted()
        gc.collect()
        self._inputs.begin()
        try:
            self._graph, self._losses = self.graphs.capture(self._observed)
        finally:  # the device has computed nothing yet
            self._counts = {name: n - before[name] for name, n in self._counted().items()}
            self._count({name: -n for name, n in self._counts.items()})

    def _observed(self):
        losses = {}
        with chainer.Reporter().scope(losses):
            self.updater.iterate(self._inputs)
        return losses

    def _counted(self):
        return {name: part.t for name, part in self.updater.counting_parts().items()}

    def _count(self, counts):
        for name, part in self.updater.counting_parts().items():
            part.count(counts[name])
