import source  # noqa: F401  (makes Chainer importable)
