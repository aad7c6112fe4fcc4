def learning_rates(config):
    """Return Adam's alpha before its decay: {'gen': α, 'dis': α}.

    The discriminator's is another where the config has `adam.alpha_dis`, as in the two time-scale update rule (Heusel
    et al., 2017).
    """
    alpha, alpha_dis = config['adam']['alpha'], config['adam'].get('alpha_dis')
    return {'gen': alpha, 'dis': alpha if alpha_dis is None else alpha_dis}
