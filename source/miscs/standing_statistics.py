from source.miscs.generate import generator_inputs

import chainer


def restate_statistics(gen, sampler, n_batches=100, batchsize=100):
    """Makes the generator's batch statistics anew: means over `n_batches` batches of samples.

    The moving averages that training leaves are of its last batches, each of another state of the weights; these are
    of the weights as they are ("standing statistics": Brock et al., 2019, Appendix A). Batches are drawn from `sampler`
    and pass in training mode. Changes `avg_mean`, `avg_var` and `N` of every batch normalization in place.
    """
    if n_batches < 1 or batchsize < 2:
        raise ValueError(f'expected at least 1 batch of at least 2 samples, got {n_batches} of {batchsize}')
    for link in gen.links():
        if hasattr(link, 'start_finetuning'):
            link.start_finetuning()
    with chainer.using_config('train', True), chainer.no_backprop_mode():
        for _ in range(n_batches):
            z, y = generator_inputs(gen, sampler, batchsize)
            gen(batchsize, z=z, y=y, finetune=True)
