"""The discriminator's passes over real and generated images side by side, on two streams of a GPU.

A batch fills a GPU in the large layers alone. The second pass needs nothing of the first but the vectors `u` that its
power iterations end with, so that these go before both.
"""
from source.links.joint_normalization import normalized_together

import chainer


class SideBySide:
    """Says whether the two passes can run side by side, and runs them so."""

    def __init__(self, dis):
        self.dis = dis
        self._seen = []  # for the last two ordinary passes: the links whose weights were read, in their order

    def observe(self, call):
        """An ordinary pass; `call` is what `normalized_together` gave."""
        self._seen = [*self._seen[-1:], tuple(call.read)]

    @property
    def is_possible(self):
        """Whether two passes have been seen and nothing but `u` goes from one to the next, by one step each."""
        if len(self._seen) < 2 or self._seen[0] != self._seen[1] or len(set(self._seen[0])) < len(self._seen[0]):
            return False
        links = [link for link in self.dis.links() if link._persistent]
        return all(link._persistent == {'u'} and getattr(link, '_is_joint', False) for link in links)

    def minimize(self, stream, loss_function, x_real, y_real, generate, further, parts):
        """Leaves the gradients of real images in the parameters and those of fakes in `further`; returns the loss.

        Args:
            stream: a side stream, of `source.kernels.cuda.graphs`.
            x_real, y_real: arrays; y_real None for a discriminator without labels.
            generate: returns fakes, a Variable, and labels or None.
            further: FurtherGradients.
            parts: Parts of the update; gradients are this part's share, added to those of the parts before.
        """
        call = y_real is None
        with normalized_together(self.dis, call, stores=False) as of_real:
            of_real.prepare()
            stream.begin()
            dis_real = self.dis(x_real, y_real)
        with stream.running():
            x_fake, y_fake = generate()
            with further.gathered(), normalized_together(self.dis, call, of_real.us, stores=False) as of_fakes:
                dis_fake = self.dis(x_fake.array, y_fake)
        if not tuple(of_real.read) == tuple(of_fakes.read) == self._seen[0]:
            raise RuntimeError('the discriminator reads other weights than in its last update; `capture: false` in the '
                               'config lets it')
        stream.keep((of_fakes.store(), dis_fake.array))
        outputs = [chainer.Variable(y.array) for y in (dis_fake, dis_real)]
        loss = loss_function(*outputs)
        parts.backward(loss)
        stream.begin()
        dis_real.grad = outputs[1].grad
        dis_real.backward()
        if not further.covers(self.dis.params()):
            stream.begin()  # a gradient of the fakes is added to one of these
        with stream.running():
            dis_fake.grad = outputs[0].grad
            dis_fake.backward()
        stream.keep(further)
        return loss
