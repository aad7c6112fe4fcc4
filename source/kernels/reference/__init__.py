"""The twins of `source.kernels.cuda`: the same modules, functions and arguments in plain NumPy.

Both sets take C-contiguous arrays, activations as (B, H, W, C), and return new ones unless a docstring says "in place".
Activations are float32 or bfloat16 (ml_dtypes), which is computed with in float32 and rounded once; the twins take
float64 as well, for tests of gradients. Parameters, their gradients, statistics and losses are float32.
"""
