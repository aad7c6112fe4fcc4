"""The GPU kernels in plain NumPy: the same modules, functions and arguments as `source.kernels.cuda`."""
