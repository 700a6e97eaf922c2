# make chapter: set up, then redo the chapter. make test: set up, then lint and test.
# The newest supported Python that runs; a name on the PATH may be a shim that does not.
PYTHON ?= $(or $(firstword $(foreach v,3.13 3.12 3.11,$(shell python$(v) -c 'print("python$(v)")' 2>/dev/null))),python3)
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready

.PHONY: chapter test bench zoo notebooks format clean

chapter: $(READY)
	$(BIN)/ae-zoo chapter

test: $(READY)
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/python -m pytest

bench: $(READY)
	$(BIN)/python -m benchmarks

# The trained models in saved_models/: from full MNIST, in about seven minutes.
zoo: $(READY)
	$(BIN)/python saved_models/make.py

# The notebooks, executed on full MNIST, claims and all: about half an hour.
notebooks: $(READY)
	$(BIN)/python notebooks/make.py

format: $(READY)
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

# Written last, so an installation that was broken off is begun again, and a whole one never.
$(READY): pyproject.toml constraints.txt
	$(PYTHON) -c 'import sys; v = sys.version_info[:2]; sys.exit(None if (3, 11) <= v < (3, 14) else f"Python 3.11 to 3.13 is needed, not {v[0]}.{v[1]}: make PYTHON=/path/to/python")'
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --constraint constraints.txt --editable '.[dev]'
	touch $(READY)

clean:
	rm -rf $(VENV) chapter
