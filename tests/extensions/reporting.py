from unittest import mock

import chainer


def reported(extension):
    """What an extension reports, {name: value}."""
    observation = {}
    with chainer.Reporter().scope(observation):
        extension(mock.Mock())
    return observation
