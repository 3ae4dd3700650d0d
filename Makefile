# Each target makes the environment in .venv by itself; only Python 3.11+ and make are needed.
PYTHON ?= python3
BIN := .venv/bin
FACTS := settings.ini setup.py constraints.txt

DEVICE ?= cuda
GPU_WHEELS := edt fastcore pycocotools roifile

.PHONY: demo test test-extras test-napari lab lab-check docs dinov3 gpu gpu-wheels
demo: .venv/.base
	rm -rf demo
	$(BIN)/dinocell demo --output demo

test: .venv/.dev
	PATH="$(CURDIR)/$(BIN):$$PATH" python .ci/checks.py

# what the extras export, fast and formats do: their packages lie in an environment of their own
test-extras: .venv-extras/.made
	PATH="$(CURDIR)/.venv-extras/bin:$$PATH" MPLBACKEND=agg OMP_NUM_THREADS=1 python .ci/extras.py

# the napari panel in a real napari, on a screen that nobody sees: needs xvfb-run and what Qt asks of X
# (Debian: apt-get install xvfb xauth libegl1 libgl1 libxcb-cursor0 libxkbcommon-x11-0 libxcb-icccm4 libxcb-keysyms1 libxcb-shape0)
test-napari: .venv-napari/.made
	OMP_NUM_THREADS=1 xvfb-run -a -s '-screen 0 1600x1200x24' .venv-napari/bin/python -m pytest -q -W ignore -p no:cacheprovider .ci/viewer.py

lab: .venv/.dev
	$(BIN)/jupyter lab nbs

lab-check: .venv/.dev
	$(BIN)/python .ci/lab.py

# On a machine with a GPU, Python 3.12 and torch, which may have no network: make gpu. Before, on this one: make gpu-wheels;
# .gpu/gpu.tar.xz holds all that travels, and is unpacked there.
gpu:
	$(if $(wildcard .venv/.base),$(BIN)/python,$(PYTHON)) .ci/gpu.py --device $(DEVICE) $(if $(OUT),--output $(OUT)/gpu.json)

gpu-wheels: .venv/.base
	rm -rf .gpu && mkdir -p .gpu/wheels
	$(BIN)/python -m pip download -q --no-deps --only-binary=:all: --python-version 3.12 --implementation cp \
		$(foreach n,28 27 17,--platform manylinux_2_$(n)_x86_64) --platform manylinux2014_x86_64 --platform manylinux1_x86_64 \
		-d .gpu/wheels -c constraints.txt $(GPU_WHEELS)
	$(BIN)/python .ci/gpu.py --pack

docs: .venv/.dev
	PATH="$(CURDIR)/$(BIN):$$PATH" python .ci/pages.py

# Released DINOv3 weights against random ones, frozen and fine-tuned, on a machine with a network: downloads the weights
# (86 MB), about 75 minutes of one core, then the pages that show the result. An interrupted run resumes.
dinov3: .venv/.dev
	PATH="$(CURDIR)/$(BIN):$$PATH" PRESET=dinov3 OMP_NUM_THREADS=1 python .ci/run_notebooks.py --flags slow nbs/experiments/ssl_pretraining.ipynb
	PATH="$(CURDIR)/$(BIN):$$PATH" python .ci/run_notebooks.py nbs/experiments/what_we_know.ipynb

.venv/bin/python:
	$(PYTHON) -m venv .venv

.venv/.base: $(FACTS) | .venv/bin/python
	$(BIN)/python -m pip install -q -c constraints.txt -e .
	touch $@

.venv/.dev: $(FACTS) | .venv/bin/python
	$(BIN)/python -m pip install -q -c constraints.txt -e '.[dev]'
	touch .venv/.base $@

.venv-extras/.made: $(FACTS)
	test -x .venv-extras/bin/python || $(PYTHON) -m venv .venv-extras
	.venv-extras/bin/python -m pip install -q -c constraints.txt -e '.[dev,export,fast,formats]'
	touch $@

.venv-napari/.made: $(FACTS)
	test -x .venv-napari/bin/python || $(PYTHON) -m venv .venv-napari
	.venv-napari/bin/python -m pip install -q -c constraints.txt -e '.[napari]' PyQt6 pytest-qt
	touch $@
