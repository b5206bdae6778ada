# Everything starts here; `make` alone lists it. Needed: Python 3.11 or later with venv and pip, and make.
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c

CONSTRAINTS := constraints/airflow-3.3.2.txt
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.set-up
# uv knows nothing of pip's settings (package mirrors, certificates): they are handed to it.
UV := @eval "$$($(BIN)/python devel/pip_settings.py)"; $(BIN)/uv
# Written into scratch folders that `make clean` removes.
SCRATCH := build/wheel
YARDSTICK := build/bench
CLUSTER := build/cluster/venv
CELERY_CONSTRAINTS := constraints/celery.txt
CLUSTER_NEEDS := apache-airflow-providers-celery 'apache-airflow-providers-amazon[s3fs]' \
  apache-airflow-providers-postgres psycopg-binary 'moto[s3,server]'
ARGS ?=

.PHONY: help
help: ## Show this list
	@awk -F ':.*## ' '/^[a-z0-9-]+:.*## / {printf "make %-13s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

.PHONY: setup
setup: $(STAMP) ## Install everything for development into .venv

$(STAMP): pyproject.toml $(CONSTRAINTS)
	@if ! [ -x $(BIN)/python ]; then \
	  for python in $(PYTHON) python3.11 python3.12 python3.13 python3; do \
	    if $$python -c 'import sys, venv, ensurepip; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then \
	      echo "Making $(VENV) with $$($$python --version)"; $$python -m venv $(VENV); break; \
	    fi; \
	  done; \
	fi
	@[ -x $(BIN)/python ] || { echo "No Python 3.11 or later with venv was found. Name one: make setup PYTHON=/path/to/python3" >&2; exit 1; }
	@$(BIN)/python -m pip --version >/dev/null 2>&1 || $(BIN)/python -m ensurepip --upgrade >/dev/null
	@[ -x $(BIN)/uv ] || $(BIN)/python -m pip install --quiet --disable-pip-version-check uv
	@echo 'Installing into $(VENV)'
	$(UV) pip install --quiet --python $(BIN)/python --editable . --group dev --constraints $(CONSTRAINTS)
	@touch $@

.PHONY: test unit contract e2e
test: $(STAMP) ## Run all tests (ARGS="-k word -x" goes to pytest)
	$(BIN)/pytest tests $(ARGS)

unit: $(STAMP) ## Run the tests that need no server
	$(BIN)/pytest tests/unit -m "not e2e and not huge" $(ARGS)

contract: $(STAMP) ## Run the tests against the sandbox
	$(BIN)/pytest tests/contract $(ARGS)

e2e: $(STAMP) ## Run the tests in a real Airflow
	$(BIN)/pytest tests -m e2e $(ARGS)

.PHONY: huge
huge: $(STAMP) ## Load a file of 4 GB (needs 10 GB of disk and some minutes)
	$(BIN)/pytest tests/huge -m huge -s $(ARGS)

.PHONY: chaos
chaos: $(STAMP) ## Play 1,000 loads that are killed and disturbed at random, and five times the histories of the ledger
	MICS_HISTORIES=5 $(BIN)/pytest -q tests/unit/bulk/test_ledger_histories.py
	$(BIN)/python -m devel.chaos $(ARGS)

.PHONY: lint
lint: $(STAMP) ## Check style and formatting
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

.PHONY: types
types: $(STAMP) ## Check types
	$(BIN)/mypy

.PHONY: wheel
wheel: $(STAMP) ## Build the wheel and try it beside apache-airflow alone
	@echo 'Building the wheel and installing it with apache-airflow alone into $(SCRATCH)/venv'
	@rm -rf $(SCRATCH)
	$(UV) build --quiet --wheel --out-dir $(SCRATCH)
	$(UV) venv --quiet --python $(BIN)/python $(SCRATCH)/venv
	$(UV) pip install --quiet --python $(SCRATCH)/venv/bin/python --constraints $(CONSTRAINTS) $(SCRATCH)/*.whl apache-airflow
	$(SCRATCH)/venv/bin/python devel/check_wheel.py dags_examples

# Each part writes its part of benchmarks/results.md, and has options of its own for ARGS.
BENCHES := upload load planning rows scale imports preflight processors waiting triggerer tracking

.PHONY: bench $(BENCHES:%=bench-%)
bench: $(STAMP) ## Measure everything (an hour); a part: make bench-upload, -load, -planning, -rows, -imports, ...
	@for part in $(BENCHES); do $(MAKE) --no-print-directory bench-$$part; done

bench-load bench-planning bench-rows bench-scale: bench-%: $(STAMP)
	$(BIN)/python -m benchmarks.$* $(ARGS)

bench-upload: $(YARDSTICK)/.set-up
	$(BIN)/python -m benchmarks.upload --yardstick $(YARDSTICK) $(ARGS)

bench-preflight bench-processors bench-waiting bench-tracking: bench-%: $(STAMP)
	$(BIN)/python -m benchmarks.others $* $(ARGS)

bench-imports bench-triggerer: bench-%: $(YARDSTICK)/.set-up
	$(BIN)/python -m benchmarks.others $* --yardstick $(YARDSTICK) $(ARGS)

$(YARDSTICK)/.set-up: $(STAMP)
	@echo 'Putting airflow.providers.http into $(YARDSTICK)'
	$(UV) pip install --quiet --python $(BIN)/python --target $(YARDSTICK) --no-deps apache-airflow-providers-http requests-toolbelt
	@touch $@

.PHONY: cluster
cluster: $(CLUSTER)/.set-up ## Run a night over two Celery workers and two triggerers, and kill one of each
	$(CLUSTER)/bin/python -m devel.many_workers $(ARGS)

# Celery has an environment of its own: it belongs to this alone.
$(CLUSTER)/.set-up: $(STAMP) $(CELERY_CONSTRAINTS)
	@echo 'Installing Airflow with Celery into $(CLUSTER)'
	$(UV) venv --quiet --clear --python $(BIN)/python $(CLUSTER)
	$(UV) pip install --quiet --python $(CLUSTER)/bin/python --editable '.[sandbox]' $(CLUSTER_NEEDS) \
	  --constraints $(CONSTRAINTS) --constraints $(CELERY_CONSTRAINTS)
	@touch $@

.PHONY: demo
demo: $(STAMP) ## Run a night: a CRM export through a real Airflow into the sandbox
	$(BIN)/python -m devel.demo

.PHONY: ui
ui: $(STAMP) ## Leave that Airflow and the sandbox running, to look at in a browser (Ctrl-C ends it)
	$(BIN)/python -m devel.ui

.PHONY: clean
clean: ## Remove builds, caches and what the demo wrote (.venv stays)
	rm -rf build dist .demo .mypy_cache .ruff_cache .pytest_cache .hypothesis
	find . -name __pycache__ -type d -not -path './$(VENV)/*' -prune -exec rm -rf {} +
