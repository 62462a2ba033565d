# Two commands for a stranger: `make demo` for the main job, `make test` for everything CI runs.
PYTHON ?= python3
VENV   ?= .venv
BIN    := $(VENV)/bin
OUT    ?= demo
STAMP  := $(VENV)/.installed

# These measure rates of emulated lines, which takes both processors.
ALONE  := tests/lab tests/test_whole_way.py tests/test_campus_way.py tests/test_line_honesty.py tests/probes/throughput/test_netready_line.py

.DEFAULT_GOAL := help
.PHONY: help demo test check lint types imports docs docs-check suite networks test-wheel bench tools clean

help:            ## this list
	@grep -hE '^[a-z-]+: .*##' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## /  make \1\t/' | expand -t 22

demo: $(STAMP)   ## build the virtual school, audit it over real packets, leave a report in demo/
	@$(BIN)/netready lab audit --out $(OUT)

test: lint types imports docs-check test-wheel networks   ## everything CI runs; the suite itself against the built wheel

check: lint types imports docs-check suite networks   ## the same with the suite against these files

lint: $(VENV)/.dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: $(VENV)/.dev
	$(BIN)/mypy

imports: $(VENV)/.dev
	$(BIN)/lint-imports

docs: $(VENV)/.dev   ## write the generated reference pages again
	$(BIN)/python docs/generate.py

docs-check: $(VENV)/.dev
	$(BIN)/python docs/generate.py --check

# Most tests wait most of the time, so several run at once; those that build networks of their own keep to their file's order.
suite: $(VENV)/.dev
	$(BIN)/python -m pytest -q -n 3 -m "not namespaces"

networks: $(VENV)/.dev
	$(BIN)/python -m pytest -q -n 2 --dist loadfile -m namespaces $(patsubst %,--ignore=%,$(ALONE))
	$(BIN)/python -m pytest -q -m namespaces $(ALONE)

test-wheel: $(VENV)/.dev   ## build the wheel, install it alone, run the suite against it
	$(BIN)/python tests/against_wheel.py

bench: $(VENV)/.bench   ## figures side by side with the peers; minutes
	$(BIN)/python -m bench.run

tools:           ## install what the tests talk to (Debian and npm packages); needs root
	.ci/tools

$(STAMP): pyproject.toml constraints.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "netready needs Python 3.11 or newer; name one with: make PYTHON=python3.12 ..."; exit 2; }
	@$(PYTHON) -m venv $(VENV) || { echo "Python cannot make a virtual environment here; on Debian: sudo apt install python3-venv"; exit 2; }
	$(BIN)/python -m pip install -q --disable-pip-version-check -c constraints.txt -e .
	@touch $@

$(VENV)/.dev: $(STAMP)
	$(BIN)/python -m pip install -q --disable-pip-version-check -c constraints.txt -e '.[dev]'
	@touch $@

$(VENV)/.bench: $(VENV)/.dev
	$(BIN)/python -m pip install -q --disable-pip-version-check -c constraints.txt -e '.[dev,bench]'
	@touch $@

clean:           ## remove what the commands above made
	rm -rf $(VENV) .venv-wheel dist $(OUT) netready-report .mypy_cache .ruff_cache .pytest_cache .hypothesis
