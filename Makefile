# `make demo` and `make test` are all a newcomer needs: each makes .venv and installs what it needs from PyPI.

PYTHON ?= python3
VENV   := .venv
BIN    := $(VENV)/bin
STAMP  := $(VENV)/.installed
TORCH  := torch==2.13.0

.PHONY: demo test test-full bench formal lint clean help

help:
	@echo "make demo       an ECG through a binary network, its C, an emulated Cortex-M4, and the proof that they agree"
	@echo "make test       lint and all tests (under 15 minutes on two cores)"
	@echo "make test-full  the long runs as well"
	@echo "make bench      measure everything and rewrite benchmarks/RESULTS.md"
	@echo "make formal     prove the small Verilog blocks"
	@echo "make clean      remove .venv and what was built"

$(VENV)/bin/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
	    { echo "Python 3.11 or newer is needed, found $$($(PYTHON) --version); set PYTHON=/path/to/python3.11"; exit 2; }
	$(PYTHON) -m venv $(VENV)

$(STAMP)-demo: $(VENV)/bin/python pyproject.toml
	$(BIN)/python -m pip install --quiet --editable '.[records,mcu]'
	@touch $@

# torch goes first and by version: a later choice of the resolver may pull gigabytes of CUDA packages.
$(STAMP)-test: $(VENV)/bin/python pyproject.toml
	$(BIN)/python -m pip install --quiet '$(TORCH)'
	$(BIN)/python -m pip install --quiet --editable '.[records,lab,train,dev]'
	@touch $@

$(STAMP)-formal: $(VENV)/bin/python pyproject.toml
	$(BIN)/python -m pip install --quiet --editable '.[formal]'
	@touch $@

demo: $(STAMP)-demo
	$(BIN)/bnn demo --out build/demo --force

test: $(STAMP)-test lint
	$(BIN)/python -m pytest -n 2 -m "not full"

test-full: $(STAMP)-test lint
	$(BIN)/python -m pytest -n 2

lint: $(STAMP)-test
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

formal: $(STAMP)-formal
	$(BIN)/python -m hw.formal

bench: $(STAMP)-test
	$(BIN)/python benchmarks/run.py

clean:
	rm -rf $(VENV) build
