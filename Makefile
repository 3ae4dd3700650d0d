# Each target makes the environment in .venv by itself; only Python 3.11+ and make are needed.
PYTHON ?= python3
BIN := .venv/bin
FACTS := settings.ini setup.py constraints.txt

.PHONY: demo test test-extras lab lab-check docs
demo: .venv/.base
	rm -rf demo
	$(BIN)/dinocell demo --output demo

test: .venv/.dev
	PATH="$(CURDIR)/$(BIN):$$PATH" python .ci/checks.py

# what the extras export, fast and formats do: their packages lie in an environment of their own
test-extras: .venv-extras/.made
	PATH="$(CURDIR)/.venv-extras/bin:$$PATH" MPLBACKEND=agg OMP_NUM_THREADS=1 python .ci/extras.py

lab: .venv/.dev
	$(BIN)/jupyter lab nbs

lab-check: .venv/.dev
	$(BIN)/python .ci/lab.py

docs: .venv/.dev
	PATH="$(CURDIR)/$(BIN):$$PATH" python .ci/pages.py

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
