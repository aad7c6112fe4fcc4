"""torch-fidelity's Inception extractor on PyTorch, on random weights and images.

Run by `bench_inception.py`, in an interpreter that has both, with a request in JSON on standard input.
"""
import json
import os
import sys
import tempfile
from importlib.metadata import version

from benchmarks.peers import torchvision_stand_in
from benchmarks.timing import Stopwatch, measure, peak_bytes

import torch
from torch import nn

torchvision_stand_in.install()
from torch_fidelity.feature_extractor_inceptionv3 import FeatureExtractorInceptionV3  # noqa: E402


class RandomExtractor(FeatureExtractorInceptionV3):
    """Keeps the weights it was made with, which neither vanish nor explode."""

    def load_state_dict(self, state_dict):
        for module in self.modules():
            if isinstance(module, nn.Conv2d):
                nn.init.kaiming_normal_(module.weight, nonlinearity='relu')


def main():
    request = json.load(sys.stdin)
    torch.set_num_threads(request['threads'])
    torch.manual_seed(0)
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, 'none.pth')
        torch.save({}, path)
        extractor = RandomExtractor('inception', ['2048', 'logits_unbiased'], feature_extractor_weights_path=path)
    if request['channels_last']:
        extractor = extractor.to(memory_format=torch.channels_last)
    size = request['size']
    ims = torch.randint(256, (request['batchsize'], 3, size, size), dtype=torch.uint8)
    with torch.no_grad():
        records = measure({'batch': lambda: extractor(ims)}, Stopwatch(), request['seconds'], request['at_least'])
    print(json.dumps({'seconds': [record['iteration'] for record in records['batch']], 'peak_bytes': peak_bytes(),
                      'versions': {'python': sys.version.split()[0], 'torch': torch.__version__,
                                   'torch-fidelity': version('torch-fidelity')}}))


if __name__ == '__main__':
    main()
