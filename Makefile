# The verbs of this house. People and CI lean on them: they stay stable (DESIGN, section 11).
SHELL := bash
.SHELLFLAGS := -euo pipefail -c
.DELETE_ON_ERROR:
.DEFAULT_GOAL := help
.PHONY: help setup test lint format demo bench kafka chaos soak

LOG ?= embedded
WORKLOADS ?=
SECONDS := 600
SEED ?= 1
MINUTES ?= 30
PYTHON := .venv/bin/python

help: ## This list
	@grep -hE '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed -E 's/^([a-z]+):.*## /make \1\t/' | expand -t 14

setup: .venv/.complete ## A .venv from uv.lock; nothing global

.venv/.complete: pyproject.toml uv.lock scripts/setup
	@scripts/setup

test: setup ## All tests on this Python, the quick ones on the others found
	@scripts/test

lint: setup ## Format check, ruff, import contracts, mypy and pyright strict
	@scripts/lint

format: setup ## Format the code and sort its imports
	@.venv/bin/ruff check --fix-only --quiet .
	@.venv/bin/ruff format .

demo: setup ## The demo: make demo LOG=kafka|embedded
	@$(PYTHON) -m scripts.kafka --log $(LOG) -- $(PYTHON) -m examples.demo --log $(LOG)

bench: setup ## JSON lines on stdout: make bench WORKLOADS="W1 W2" LOG=kafka|embedded
	@$(PYTHON) -m scripts.kafka --log $(LOG) -- $(PYTHON) -m benchmarks --log $(LOG) $(WORKLOADS)

kafka: setup ## A broker for developing, in the foreground; Ctrl-C stops it
	@$(PYTHON) -m scripts.kafka

chaos: setup ## Faults on a real broker, then an audit: make chaos SECONDS=600 SEED=1
	@$(PYTHON) -m tests.chaos run --seconds $(SECONDS) --seed $(SEED)

soak: setup ## Half as many faults, memory watched: make soak MINUTES=30 SEED=1
	@$(PYTHON) -m tests.chaos soak --minutes $(MINUTES) --seed $(SEED)
