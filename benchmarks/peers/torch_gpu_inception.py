"""torch-fidelity's Inception extractor on a GPU, eager or compiled, channels-last, TF32; random weights and images.

Run by `bench_gpu.py`, in an interpreter that has both, with a request in JSON on standard input.
"""
import json
import os
import sys
import tempfile
import time

from benchmarks.peers.inception_torch_fidelity import RandomExtractor

import torch


def main():
    request = json.load(sys.stdin)
    device = 'cuda' if torch.cuda.is_available() else 'cpu'
    torch.backends.cuda.matmul.allow_tf32 = torch.backends.cudnn.allow_tf32 = True
    torch.backends.cudnn.benchmark = True
    torch.manual_seed(0)
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, 'none.pth')
        torch.save({}, path)
        extractor = RandomExtractor('inception', ['2048', 'logits_unbiased'], feature_extractor_weights_path=path)
    extractor = extractor.to(device).to(memory_format=torch.channels_last)
    function = extractor if request['mode'] == 'eager' else torch.compile(extractor, mode='max-autotune')
    ims = torch.randint(256, (request['batchsize'], 3, 32, 32), dtype=torch.uint8)

    def batch():
        with torch.no_grad():
            return [output.cpu() for output in function(ims.to(device))]
    for _ in range(2):
        batch()
    start = time.perf_counter()
    for _ in range(-(-request['n'] // request['batchsize'])):
        batch()
    print(json.dumps({'seconds': time.perf_counter() - start, 'versions': {
        'python': sys.version.split()[0], 'torch': torch.__version__}}))


if __name__ == '__main__':
    main()
