# make train | quick | test | test-long | lint, each after the set-up they share, `make .venv`; make gpu-check, with what is
# installed already.
# `make test PYTHON=python3.12` uses another Python, in an environment of its own (.venv-python3.12).

PYTHON ?= python3
# Named by its version: two Pythons may both be called python.
NAMED = $(shell $(PYTHON) -c 'import sys; print("python%d.%d" % sys.version_info[:2])' 2>/dev/null)
VENV := .venv$(if $(filter-out python3,$(PYTHON)),-$(or $(NAMED),$(notdir $(PYTHON))))
RUN := $(VENV)/bin/python
# Chainer's setup.py and the editable install warn of what cannot be helped here.
PIP := PYTHONWARNINGS=ignore $(RUN) -m pip --disable-pip-version-check --quiet install --constraint constraints.txt
# gpu, gpu-cuda12 or nothing. It is part of the mark's name: a driver that comes later brings its CuPy.
GPU := $(if $(wildcard $(addsuffix /nvidia-smi,$(subst :, ,$(PATH)))),$(shell $(PYTHON) tools/gpu_extra.py))
comma := ,
# Made last, removed first: an environment without its mark is begun anew.
READY := $(VENV)/.ready$(addprefix -,$(GPU))

.PHONY: .venv train quick test test-long lint gpu-check gpu-test gpu-bench gpu-first

.venv: $(READY)

train: $(READY)
	$(RUN) train.py --config configs/sn_projection_mnist.yml --resume auto
	$(RUN) evaluations/report.py results/mnist

# Fewer iterations.
quick: $(READY)
	$(RUN) train.py --config configs/sn_projection_mnist.yml --quick --resume auto
	$(RUN) evaluations/report.py results/mnist_quick

# ARGS is pytest's and comes last: `-k resume`, `-n0 -s`, `--pdb`, a file, or a test by its name, long or not.
PYTEST := $(RUN) -m pytest -n auto --dist worksteal --durations 10
test: $(READY)
	$(PYTEST) $(if $(findstring ::,$(ARGS)),,-m 'not long') $(ARGS)

test-long: $(READY)
	$(PYTEST) -m long $(ARGS)

# The tests marked gpu, then the benchmarks of benchmarks/bench_gpu.py; or either, where commands are cut off after some
# minutes: `make gpu-test`, `make gpu-bench`, then `make gpu-bench BENCH_ARGS=--continue` until nothing is unfinished.
# Nothing is installed: CHECK_PYTHON is a Python that has CuPy, PyTorch, Chainer and pytest, as on a machine without a
# network.
CHECK_PYTHON ?= $(if $(wildcard $(RUN)),$(RUN),$(PYTHON))
WITH_HERE := $(CURDIR)$${PYTHONPATH:+:$$PYTHONPATH}
gpu-check:
	@$(MAKE) --no-print-directory gpu-test
	@$(MAKE) --no-print-directory gpu-bench

gpu-test:
	@PYTHONPATH=$(WITH_HERE) $(CHECK_PYTHON) tools/has_gpu.py
	PYTHONPATH=$(WITH_HERE) $(CHECK_PYTHON) -m pytest -m gpu $(ARGS)

gpu-bench:
	@PYTHONPATH=$(WITH_HERE) $(CHECK_PYTHON) tools/has_gpu.py
	PYTHONPATH=$(WITH_HERE) $(CHECK_PYTHON) benchmarks/bench_gpu.py $(BENCH_ARGS)

# A first run where nothing is known to work yet, in under nine minutes: see tools/gpu_first.py.
OUT ?= gpu_first
WHEELS ?= .whl
gpu-first:
	PYTHONPATH=$(WITH_HERE) $(CHECK_PYTHON) tools/gpu_first.py --out '$(OUT)' --wheels '$(WHEELS)'

lint: $(READY)
	$(RUN) -m ruff check .
	$(VENV)/bin/lint-imports --no-logo --no-cache

$(READY): setup.py constraints.txt
	@$(PYTHON) -c 'import sys; sys.exit(not (3, 10) <= sys.version_info < (3, 14))' 2>/dev/null || \
	  { echo "Python 3.10 to 3.13 is needed, here is: $$($(PYTHON) -V 2>&1 | head -n 1); try make PYTHON=python3.12" >&2; exit 2; }
	@$(PYTHON) -c 'import venv, ensurepip' 2>/dev/null || \
	  { echo "$(PYTHON) lacks venv; on Debian and Ubuntu: apt-get install python3-venv" >&2; exit 2; }
	@echo "Setting up $(VENV) (some minutes the first time)"
	@test -e $@ || $(PYTHON) -m venv --clear $(VENV)
	@rm -f $(VENV)/.ready*
	$(PIP) setuptools wheel
	$(PIP) --no-build-isolation --editable '.[dev$(addprefix $(comma),$(GPU))]'
	@$(RUN) -m source.kernels.cpu
	@touch $@
