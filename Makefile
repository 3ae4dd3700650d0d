# Each target makes the environment in .venv by itself; only Python 3.11+ and make are needed.
PYTHON ?= python3
BIN := .venv/bin
FACTS := settings.ini setup.py constraints.txt

.PHONY: demo test lab lab-check docs
demo: .venv/.base
	rm -rf demo
	$(BIN)/dinocell demo --output demo

test: .venv/.dev
	PATH="$(CURDIR)/$(BIN):$$PATH" python .ci/checks.py

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
