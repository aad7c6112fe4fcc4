from source.functions.embedding import embed, project
from source.links.constant_weights import as_configured

import chainer.links as L


class EmbedID(L.EmbedID):
    """Chainer's embedding. The weight is read as `W_bar`, so that a subclass can normalize it."""

    @property
    def W_bar(self):
        return as_configured(self.W)

    def forward(self, x):
        return embed(x, self.W_bar, self.ignore_label)

    def project(self, h, y):
        """⟨embed(y), h⟩ of each sample, Variable (B, 1), of labels y, int (B,), and h (B, out_size)."""
        return project(h, y, self.W_bar, self.ignore_label)
