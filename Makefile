# make chapter: set up, then redo the chapter. make test: set up, then lint, check types and test.
# The newest supported Python that runs; a name on the PATH may be a shim that does not.
PYTHON ?= $(or $(firstword $(foreach v,3.13 3.12 3.11,$(shell python$(v) -c 'print("python$(v)")' 2>/dev/null))),python3)
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready

# Two processes, of one thread each: a test is too small for two threads, and starts TensorFlow but once a process.
PYTEST := OMP_NUM_THREADS=1 TF_NUM_INTRAOP_THREADS=1 TF_NUM_INTEROP_THREADS=1 $(BIN)/python -m pytest -n 2 --dist loadfile

.PHONY: chapter test test-slow test-all lint bench zoo notebooks format clean

chapter: $(READY)
	$(BIN)/ae-zoo chapter

# The everyday tests: at most five minutes on two cores.
test: lint
	$(PYTEST) -m 'not slow'

# The rest: real processes, kills, notebooks, whole matrices of formats.
test-slow: $(READY)
	$(PYTEST) -m slow

test-all: lint
	$(PYTEST)

lint: $(READY)
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy

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

# Written last, so an installation that was broken off is begun again, and a whole one never. pip reads groups from 25.1 on.
$(READY): pyproject.toml constraints.txt
	$(PYTHON) -c 'import sys; v = sys.version_info[:2]; sys.exit(None if (3, 11) <= v < (3, 14) else f"Python 3.11 to 3.13 is needed, not {v[0]}.{v[1]}: make PYTHON=/path/to/python")'
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --upgrade 'pip>=25.1'
	$(BIN)/python -m pip install --quiet --constraint constraints.txt --group dev --editable '.[all]'
	touch $(READY)

clean:
	rm -rf $(VENV) chapter
