# Every target sets up .venv first where that is needed: Python 3.11 or later (another one:
# `make test PYTHON=python3.13`), and a package index that pip can reach.
PYTHON ?= python3
BIN    := .venv/bin
READY  := .venv/.ready
DEMO   := riskseg-demo

.PHONY: help demo test test-runs check bench docs
.DEFAULT_GOAL := help

help:
	@echo "make demo    the whole job on a generated portfolio, in $(DEMO)/"
	@echo "make test    the tests of packages"
	@echo "make test-runs  the tests of whole runs: use cases, questions, journeys through commands"
	@echo "make check   style, types, floors, and whether the docs are current"
	@echo "make bench   how fast decisions are made, beside the leanest way and beside pandas"
	@echo "make docs    write the generated pages of docs/reference anew, and the site in site/"

# Made once, and again when the pinned versions or the project's own metadata change.
$(READY): requirements.lock pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(None if sys.version_info >= (3, 11) else "riskseg needs Python 3.11 or later; name one: make PYTHON=python3.12")'
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --requirement requirements.lock
	$(BIN)/python -m pip install --quiet --no-deps --editable .
	@touch $(READY)

# An earlier demo is replaced; a folder that is no demo is left alone, and riskseg says so.
demo: $(READY)
	@if grep -qs "^# The demo's workspace" $(DEMO)/riskseg.toml; then rm -rf $(DEMO); fi
	$(BIN)/riskseg demo --dir $(DEMO)

# Shared out by file, so that what a file prepares is prepared once. Some tests wait for a process
# that they started: a third worker keeps two cores busy meanwhile. Compiled modules are kept,
# whatever the environment says: the tests start some dozens of commands.
PYTEST := PYTHONDONTWRITEBYTECODE= $(BIN)/python -m pytest -n 3 --dist loadscope --no-loadscope-reorder

test: $(READY)
	$(PYTEST)

test-runs: $(READY)
	$(PYTEST) -m 'whole_run and not slow' tests/insight tests/journeys tests/run

check: $(READY)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/python docs/generate.py --check
	$(BIN)/python -m pytest -q tests/docs/test_pages.py
	NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --strict --quiet --site-dir "$$(mktemp -d)/site"

bench: $(READY)
	$(BIN)/python bench/pipeline.py

docs: $(READY)
	$(BIN)/python docs/generate.py
	NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --strict --quiet
