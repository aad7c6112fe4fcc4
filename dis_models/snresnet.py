from dis_models.base import SNResNetDiscriminatorBase, SNResNetProjectionDiscriminatorBase
from source.links.sn_embed_id import SNEmbedID
from source.links.sn_linear import SNLinear

import chainer.functions as F
from chainer.initializers import GlorotUniform


class SNResNetProjectionDiscriminator(SNResNetProjectionDiscriminatorBase):
    """128×128 px (Table 6)."""

    image_size = 128
    blocks = ((1, True), (2, True), (4, True), (8, True), (16, True), (16, False))
    dense_name = 'l7'


class SNResNetConcatDiscriminator(SNResNetDiscriminatorBase):
    """128×128 px, labels concatenated: the embedding of y, repeated over all pixels, joins the third block's output."""

    image_size = 128
    blocks = SNResNetProjectionDiscriminator.blocks

    def __init__(self, ch: int = 64, n_classes: int = 0, activation=F.relu, dim_emb: int = 128):
        super().__init__(ch, n_classes, activation, extra_channels={'block4': dim_emb if n_classes > 0 else 0})
        with self.init_scope():
            if n_classes > 0:
                self.l_y = SNEmbedID(n_classes, dim_emb, initialW=GlorotUniform())
            self.l7 = SNLinear(self.out_channels, 1, initialW=GlorotUniform())

    def forward(self, x, y=None):
        """Raw outputs, Variable (B, 1), for images x (B, 3, 128, 128) in [-1, 1] and labels y, int32 (B,)."""
        self._check_labels(y)
        if y is None and self.n_classes > 0:
            raise ValueError('a discriminator that concatenates labels needs them')
        h = x
        for name in self.block_names:
            if name == 'block4' and y is not None:
                h = self._concat(h, self.l_y(y))
            h = self[name](h)
        return self.l7(self._pool(h))

    @staticmethod
    def _concat(h, embedded):
        per_pixel = F.reshape(embedded, (*embedded.shape, 1, 1))
        return F.concat([h, F.broadcast_to(per_pixel, (*embedded.shape, *h.shape[2:]))], axis=1)
