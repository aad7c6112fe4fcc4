"""torch-fidelity's Inception with any weights, as it is or changed to compute what the mode 'chainer' computes."""
from benchmarks.peers import torchvision_stand_in
from tests.inception.random_weights import torch_names

import torch
from torch.nn import functional

torchvision_stand_in.install()
from torch_fidelity import feature_extractor_inceptionv3 as extractor  # noqa: E402
from torch_fidelity.interpolate_compat_tensorflow import interpolate_bilinear_2d_like_tensorflow1x  # noqa: E402

OUTPUTS = ['2048', 'logits_unbiased', 'logits']


def save_state_dict(arrays, path):
    """The weights as torch-fidelity's `.pth`, saved by PyTorch; counters of batches included."""
    state = {theirs: torch.tensor(arrays[ours]) for ours, theirs in torch_names().items()}
    for name in [name for name in state if name.endswith('running_var')]:
        state[name.replace('running_var', 'num_batches_tracked')] = torch.tensor(0)
    torch.save(state, path)


def network(path):
    """The extractor, with the weights of a `.pth`; call it with uint8 (B, 3, H, W)."""
    return extractor.FeatureExtractorInceptionV3('inception', OUTPUTS, feature_extractor_weights_path=str(path))


def outputs(net, ims):
    """{output: float32 array} of ims, uint8 (B, 3, H, W)."""
    with torch.no_grad():
        return {name: output.numpy() for name, output in zip(OUTPUTS, net(torch.tensor(ims)), strict=True)}


def resize(ims, size):
    """The resize that torch-fidelity uses."""
    return interpolate_bilinear_2d_like_tensorflow1x(
        torch.tensor(ims).float(), (size, size), align_corners=False).numpy()


class _AllPixelsAverage:
    """torch.nn.functional with average pools that count their padding."""

    def __getattr__(self, name):
        return getattr(functional, name)

    @staticmethod
    def avg_pool2d(x, kernel_size, stride, padding, count_include_pad):
        return functional.avg_pool2d(x, kernel_size, stride, padding, count_include_pad=True)


def make_like_the_authors_code(net, monkeypatch):
    """Change, of torch-fidelity's network, what the mode is about: resize, average pools and eps."""
    monkeypatch.setattr(extractor, 'F', _AllPixelsAverage())
    monkeypatch.setattr(
        extractor, 'interpolate_bilinear_2d_like_tensorflow1x',
        lambda x, size, align_corners: functional.interpolate(x, size, mode='bilinear', align_corners=True))
    for module in net.modules():
        if isinstance(module, torch.nn.BatchNorm2d):
            module.eps = 2e-5
