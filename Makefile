# `make demo` and `make test` need nothing but Python 3.11+, make and the package index.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
BASE := $(VENV)/.base
READY := $(VENV)/.ready
INSTALL := $(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt

.PHONY: demo test coverage lint check-deploy bench mutants constraints clean
.DEFAULT_GOAL := help

.PHONY: help
help:
	@echo "make demo   run the main job on the embedded sandbox"
	@echo "make test   run the tests"
	@echo "make coverage  run the tests and tell what they reach: at least 90 %"
	@echo "make lint   style, types, import floors"
	@echo "make check-deploy  validate deploy/, and build and run the image without an engine (Linux, as root)"
	@echo "make bench  measure and print, about an hour; each benchmark takes --write for benchmarks/RESULTS.md"
	@echo "make mutants  break the cores on purpose and tell what no test notices; an hour, goes on where it stopped"

$(BASE): pyproject.toml constraints.txt
	$(PYTHON) -m venv $(VENV)
	$(INSTALL) -e .
	@touch $(BASE)

$(READY): $(BASE)
	$(INSTALL) -e '.[test,lint]'
	@touch $(READY)

demo: $(BASE)
	@$(BIN)/pmosync demo

test: $(READY)
	$(BIN)/python -m pytest -n 2 --dist worksteal -m "not slow"

coverage: $(READY)
	$(BIN)/python -m pytest -n 2 --dist worksteal -m "not slow" --cov --cov-report=term

lint: $(READY)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

check-deploy: $(VENV)/.deploy
	$(BIN)/python -m pytest -rs tests/deploy

$(VENV)/.deploy: $(READY)
	$(INSTALL) -e '.[test,deploy]'
	@touch $@

bench: $(READY)
	$(BIN)/python benchmarks/real_input.py
	$(BIN)/python benchmarks/jira_requests.py
	$(BIN)/python benchmarks/jira_memory.py
	$(BIN)/python benchmarks/jira_pull.py
	$(BIN)/python benchmarks/asana_requests.py
	$(BIN)/python benchmarks/asana_events.py
	$(BIN)/python benchmarks/network.py
	$(BIN)/python benchmarks/predicates.py
	$(BIN)/python benchmarks/flow.py
	$(BIN)/python benchmarks/judging.py

# MUTANTS: e.g. `make mutants MUTANTS="--minutes 10 --every 8 plan"`; tests/mutation/run.py --help tells all
mutants: $(VENV)/.mutants
	$(BIN)/python tests/mutation/run.py $(MUTANTS)

$(VENV)/.mutants: $(READY)
	$(INSTALL) -e '.[test,mutants]'
	@touch $@

constraints: ## pin what the environment holds now
	$(BIN)/python -m pip freeze --exclude-editable --exclude pmosync > constraints.txt

clean:
	rm -rf $(VENV)
