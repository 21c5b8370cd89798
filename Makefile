# Everything a person does here goes through these targets; CI runs the same ones.
.DEFAULT_GOAL := help
SHELL := /bin/sh
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
export UV_PYTHON_DOWNLOADS := never
export UV_PROJECT_ENVIRONMENT := $(CURDIR)/$(VENV)
unexport PYTHONDONTWRITEBYTECODE # where it is set, each of many processes would compile all again
ARGS ?=

.PHONY: help setup demo up down test test-browser test-compose year check compile mutation bench clean

help: ## Show this list
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sort | awk -F':.*## ' '{printf "  %-13s %s\n", $$1, $$2}'

setup: $(VENV)/.ready ## Make the virtual environment from the lock file

$(VENV)/.ready: pyproject.toml uv.lock
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "Relais needs Python 3.11 or later; name one with: make PYTHON=python3.12 …"; exit 1; }
	@test -x $(BIN)/pip || $(PYTHON) -m venv $(VENV)
	@test -x $(BIN)/uv || $(BIN)/python -m pip install --quiet --disable-pip-version-check uv
	@$(BIN)/uv sync --quiet --frozen --inexact --python $(BIN)/python
	@touch $@

ifeq ($(TARGET),compose)
demo:
	@docker compose --progress quiet run --rm demo demo --running $(ARGS)
else
demo: setup ## Play the whole story on a federation of its own, then stop (ARGS=--json, TARGET=compose)
	@$(BIN)/relais demo $(ARGS)
endif

up: setup ## Start the embedded federation; its data stays between runs
	@$(BIN)/relais up

down: setup ## Stop the embedded federation
	@$(BIN)/relais down

test: check ## Check the code, then run every test on SQLite and PostgreSQL
	@$(BIN)/pytest -n 2 --dist worksteal $(ARGS)

test-browser: setup ## Look at the pages and play the stories in a Chromium (CHROMIUM, else PATH)
	@if command -v "$${CHROMIUM:-chromium}" || command -v chromium-browser || command -v google-chrome; then \
		$(BIN)/uv sync --quiet --frozen --inexact --group browser --python $(BIN)/python && \
		RELAIS_SHOTS="$${RELAIS_SHOTS:-$(CURDIR)/.shots}" $(BIN)/pytest tests/browser -m browser -p no:randomly -n 2 --dist worksteal $(ARGS); \
	else \
		echo "No Chromium is here: the pages were not looked at. On Debian: apt-get install chromium"; \
	fi

test-compose: setup ## Run docker-compose.yml for real, kill each container; needs a Docker Engine
	@if docker info >/dev/null 2>&1; then \
		$(BIN)/pytest tests/compose -m compose -p no:randomly $(ARGS); \
	else \
		echo "No Docker Engine answers here: docker-compose.yml was not run."; \
	fi

year: setup ## Live a year of the whole federation: 200 young people, 12 schools, every text (some minutes)
	@RELAIS_YEAR=whole $(BIN)/pytest tests/year -p no:randomly $(ARGS)

check: setup ## Lint, types, import arrows, generated files
	@$(BIN)/ruff check
	@$(BIN)/ruff format --check --quiet
	@$(BIN)/mypy
	@$(BIN)/lint-imports --no-logo
	@$(BIN)/relais compile --check

compile: setup ## Write what is derived from the conventions: schemas, matrix, registers
	@$(BIN)/relais compile

mutation: setup ## Change each rule of the gate and the conventions, see a test notice (ARGS=--only NAME)
	@$(BIN)/python -m tests.mutation $(ARGS)

bench: setup ## Measure the whole road against its peers, as ratios in one run
	@$(BIN)/relais bench $(ARGS)

clean: ## Remove the virtual environment, the embedded federation's data, and pictures
	@rm -rf $(VENV) .relais .shots
