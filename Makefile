# Two commands are enough: `make demo` shows it, `make test` proves it. `make help` lists the rest.

SHELL := /bin/sh
BIN := .venv/bin
STAMP := .venv/.complete
# Whole stories of kills mostly wait: two more processes than cores keep a machine of two busy.
TEST_PROCESSES ?= 4
ARGS ?=
export PYTHON

.DEFAULT_GOAL := help
.PHONY: help setup demo test chaos bench check check-style check-types check-floors check-gate format lock

help: ## list these targets
	@awk 'BEGIN {FS = ":.*## "} /^[a-z]+:.*## / {printf "make %-8s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

setup: $(STAMP) ## make .venv with the ringfence command
	@echo "setup: .venv is complete; the command is .venv/bin/ringfence"

$(STAMP): requirements.lock pyproject.toml .ci/setup
	@.ci/setup
	@touch $@

demo: $(STAMP) ## run a whole campaign against simulated phones: make demo ARGS="--customers 200"
	@$(BIN)/ringfence demo $(ARGS)

test: $(STAMP) ## run all tests against real Postgres and Valkey: make test ARGS="-k pacing"
	@$(BIN)/pytest -n $(TEST_PROCESSES) $(ARGS)

chaos: $(STAMP) ## every fault many times, half an hour, and the table of it: make chaos ARGS="--trials 5 --write"
	@PYTHONPATH="tests/e2e:$$PYTHONPATH" $(BIN)/python -m harness.long_run $(ARGS)

bench: $(STAMP) ## every benchmark beside its control, some twenty minutes: make bench ARGS="--quick dialing"
	@$(BIN)/python -m benchmarks $(ARGS)

check: $(STAMP) ## format, lint, types, import floors, and every branch of the gate tried, in seconds
	@$(MAKE) --no-print-directory --jobs=2 check-types check-floors check-style check-gate

check-style: $(STAMP)
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .

check-types: $(STAMP)
	$(BIN)/mypy

check-floors: $(STAMP)
	$(BIN)/lint-imports --no-logo

check-gate: $(STAMP)
	$(BIN)/coverage run --branch --source=campaigns/compliance -m pytest -q tests/unit/compliance tests/unit/files/test_rule_files.py
	@# The gate is what people answer for: no branch of it may go untried.
	$(BIN)/coverage report --skip-covered --show-missing --fail-under=100

format: $(STAMP) ## format and mend what can be mended by itself
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

lock: $(STAMP) ## pin all dependencies anew, with hashes, for every Python and platform
	@$(BIN)/uv pip compile --no-config --quiet --generate-hashes --no-emit-index-url --universal \
		--python-version 3.11 --extra dev --upgrade --no-header pyproject.toml -o requirements.lock
	@echo "lock: $$(grep -c '^[a-z0-9]' requirements.lock) packages"
