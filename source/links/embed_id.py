from source.links.constant_weights import as_configured

import chainer.functions as F
import chainer.links as L


class EmbedID(L.EmbedID):
    """Chainer's embedding. The weight is read as `W_bar`, so that a subclass can normalize it."""

    @property
    def W_bar(self):
        return as_configured(self.W)

    def forward(self, x):
        return F.embed_id(x, self.W_bar, ignore_label=self.ignore_label)
