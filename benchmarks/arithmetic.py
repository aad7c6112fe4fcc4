"""Multiply-adds of one training iteration of the ResNets, counted in the unfolded network.

Every convolution and dense layer as the paper draws it: upsampling before, pooling behind. A backward pass counts a
forward pass for each of its two gradients; the generator's update takes none of the discriminator's weights', and the
discriminator's updates none of the generator at all.
"""


def conv(side, k, before, after):
    return side * side * k * k * before * after


def generator(gen):
    """Of one image, of a `gen_models.base.ResNetGeneratorBase`."""
    side = gen.bottom_width
    total = gen.dim_z * gen.l1.out_size
    for name in gen.block_names:
        block = gen[name]
        before, after, side = block.c1.W.shape[1], block.c2.W.shape[0], 2 * side
        total += conv(side, 3, before, after) + conv(side, 3, after, after) + conv(side, 1, before, after)
    return total + conv(side, 3, after, 3)


def discriminator(dis):
    """Of one image, of a `dis_models.base.SNResNetDiscriminatorBase`."""
    side, total = dis.image_size, 0
    for name, (_, halves) in zip(dis.block_names, dis.blocks, strict=True):
        block = dis[name]
        before, hidden, after = block.c1.W.shape[1], block.c1.W.shape[0], block.c2.W.shape[0]
        total += conv(side, 3, before, hidden) + conv(side, 3, hidden, after)
        total += conv(side, 1, before, after) if hasattr(block, 'c_sc') else 0
        side //= 2 if halves else 1
    return total + dis.out_channels


def iteration(gen, dis, n_gen_samples, batchsize, n_dis):
    """Of one iteration: the generator's update, then n_dis of the discriminator with real and generated batches."""
    G, D = generator(gen), discriminator(dis)
    return n_gen_samples * (3 * G + 2 * D) + n_dis * batchsize * (G + 6 * D)
