"""CUDA kernels behind CuPy; `source.kernels.reference` holds their twins and says what each function does.

<idea>.cu is CUDA C++, compiled by NVRTC when first used; <idea>.py launches it. No launch waits for the device, no sum
depends on the order in which blocks run, and everything can be captured into a CUDA graph once it has run (modules and
`launching.counters` are made by the first call). Arrays are C-contiguous; those that do not begin at a multiple of 16
bytes, or whose channels do not fill 16 bytes, are served more slowly.
"""
