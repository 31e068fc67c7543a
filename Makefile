# What a checkout needs, from a machine that has nothing but Python 3.11 and make.
# Every target makes the virtual environment that it uses; see scripts/venv.

SHELL := /bin/bash
BIN := .venv/bin
WORKFLOWS := $(wildcard .github/workflows/*.yml examples/workflows/*.yml examples/own-toolchain/workflow.yml)
ACTIONS := $(wildcard action.yml examples/own-toolchain/action.yml)
DOCKERFILES := Dockerfile examples/own-toolchain/Dockerfile

.DEFAULT_GOAL := help
.NOTPARALLEL:
.PHONY: help demo test check lint e2e bench lock clean

help: ## list the targets
	@sed -n 's/^\([a-z0-9-]*\):.*## /\1\t/p' $(MAKEFILE_LIST) | expand -t 8

demo: ## 40 trials of a flaky simulated agent: no key, no cost
	@scripts/venv run
	@$(BIN)/reliability demo

test: check ## ruff, mypy and every test that needs neither an engine nor patience
	$(BIN)/pytest -q -n 2

check:
	@scripts/venv run dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

lint: check ## all linters: code, spelling, workflows, action, Dockerfiles
	$(BIN)/codespell
	$(BIN)/zizmor --offline --no-progress --persona pedantic $(WORKFLOWS) $(ACTIONS) .github/dependabot.yml
	PATH="$(CURDIR)/$(BIN):$$PATH" $(BIN)/actionlint $(WORKFLOWS)
	$(BIN)/check-jsonschema --builtin-schema vendor.github-workflows $(WORKFLOWS)
	$(BIN)/check-jsonschema --builtin-schema vendor.github-actions $(ACTIONS)
	$(BIN)/check-jsonschema --builtin-schema vendor.dependabot .github/dependabot.yml
	$(BIN)/hadolint $(DOCKERFILES)

e2e: ## crashes, the real Claude Code CLI, the image and workflows under act
	@scripts/venv run dev e2e claude
	$(BIN)/pytest -q -m "crash or claude or docker"

bench: ## this project beside its peers, about 50 minutes; writes docs/benchmarks.md
	@scripts/venv run
	@benchmarks/install
	$(BIN)/python benchmarks/peers.py
	$(BIN)/python benchmarks/peers.py --document

lock: ## resolve requirements/*.in again
	@scripts/venv run
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check uv
	@cd requirements && for name in run dev e2e claude; do \
	  ../$(BIN)/uv pip compile --quiet --upgrade --universal --python-version 3.11 --generate-hashes --no-header \
	    $$(test $$name != claude || echo --no-deps) -o $$name.lock $$name.in || exit; \
	done

clean: ## remove what the targets made
	rm -rf .venv benchmarks/.venv .mypy_cache .pytest_cache .ruff_cache .hypothesis demo-results reliability-results
	find . -name __pycache__ -prune -exec rm -rf {} +
