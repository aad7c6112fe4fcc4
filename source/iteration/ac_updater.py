from source.links.joint_normalization import normalized_together
from source.updater import Updater

import chainer.functions as F


class ACUpdater(Updater):
    """The losses of AC-GAN (Odena et al., 2017) as in AC-WGAN-GP (Table 8; Gulrajani et al., 2017).

    The discriminator, one with `classify`, learns the classes of real images only, the generator to make images of
    the class asked for. In the discriminator's updates the fakes have the real batch's labels, and none are drawn.
    Further arguments are those of `Updater`; reports `loss_ac_dis` and `loss_ac_gen` besides.

    Args:
        ac_weight_dis: of the cross entropy in the discriminator's loss.
        ac_weight_gen: of that in the generator's.
    """

    fakes_share_labels = True

    def __init__(self, models, iterator, optimizer, n_dis=5, loss_type='wasserstein', conditional=True,
                 n_gen_samples=64, sampler=None, device=None, penalties=None, constraints=None, seed=None,
                 ac_weight_dis: float = 1., ac_weight_gen: float = .1, ema: float = None,
                 augmentation=None, capture=True):
        if not conditional:
            raise ValueError('an auxiliary classifier needs labels: conditional must be true')
        if not hasattr(models['dis'], 'classify'):
            raise ValueError(f'an auxiliary classifier needs a discriminator that has one, '
                             f'got {type(models["dis"]).__name__}')
        super().__init__(models, iterator, optimizer, n_dis, loss_type, conditional, n_gen_samples, sampler, device,
                         penalties, constraints, seed, ema, augmentation, capture)
        self.ac_weight_dis, self.ac_weight_gen = ac_weight_dis, ac_weight_gen

    def judge_of_generator(self, x_fake, y_fake):
        output, logits = self._classify(x_fake)
        return output, {'loss_ac_gen': self.ac_weight_gen * F.softmax_cross_entropy(logits, y_fake)}

    def judge_real(self, x_real, y_real):
        output, logits = self._classify(x_real)
        return output, {'loss_ac_dis': self.ac_weight_dis * F.softmax_cross_entropy(logits, y_real)}

    def _classify(self, x):
        with normalized_together(self.dis, 'classify'):
            return self.dis.classify(x)
