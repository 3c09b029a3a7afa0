# One vocabulary at the desk and in CI. `make help` lists it.
PYTHON ?= python3
BIN := .venv/bin
READY := .venv/ready
ARGS ?=

.DEFAULT_GOAL := help
.PHONY: help demo start quick test chaos chaos-real bench bench-checks bench-ids bench-remote polling infra-check infra-types cold-start check fix lock clean

help: ## this list
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 14

$(READY): requirements-dev.txt requirements-node.txt package-lock.json devkit/bootstrap.py
	@$(PYTHON) devkit/bootstrap.py

demo: $(READY) ## the main job, end to end, on this machine: ends by itself
	@$(BIN)/python -m devkit demo $(ARGS)

start: $(READY) ## Azurite, the GEM simulator and the app stay up until Ctrl-C
	@$(BIN)/python -m devkit start $(ARGS)

# Containers often set this; each process would compile every test again.
unexport PYTHONDONTWRITEBYTECODE
# A process a core, each test file whole in one of them: each starts Azurite and the app once.
SIDE_BY_SIDE := -n auto --maxprocesses 4 --dist loadfile
quick: $(READY) ## the tests that need no Azurite, no browser and less than a second: half a minute in all
	@$(BIN)/python -m pytest -q $(SIDE_BY_SIDE) -m "not azurite and not browser and not slow" $(ARGS)

test: $(READY) ## every test (ARGS="-k audit" picks some, in one process without the coverage gate)
	@$(BIN)/python -m pytest $(if $(ARGS),$(ARGS),$(SIDE_BY_SIDE) --cov)

chaos-real: $(READY) ## 50 jobs on Azurite while the app is killed and storage restarts (ARGS="--seed 2")
	@$(BIN)/python -m tests.integration.campaign $(ARGS)

infra-check: $(READY) ## the infrastructure, without Azure
	@$(BIN)/python -m pytest -q -s tests/infra
	@$(BIN)/python -m tests.infra.seeding

infra-types: $(READY) ## the types of Azure's resources again, after a new type or API version in infra/
	@$(UV) run --quiet --no-project --python $(BIN)/python --with msmcp-azure==3.0.0 -m devkit.azure_types

cold-start: $(READY) ## what an instance imports before it works, beside azure.functions alone
	@$(BIN)/python -m devkit.cold_start $(ARGS)

bench-checks: $(READY) ## jobs checked a second, storage operations of a job, the cost of a tick
	@$(BIN)/python -m bench.checking $(ARGS)

polling: $(READY) ## requests and delay of the polling policy, in simulated time
	@$(BIN)/python -m bench.polling

BENCH := .venv-bench/bin
$(BENCH)/ready: requirements-bench.txt | $(READY)
	@$(UV) venv --quiet --clear --python $(BIN)/python .venv-bench
	@$(UV) pip sync --quiet --require-hashes --python .venv-bench requirements-bench.txt
	@touch $@

bench-remote: $(READY) ## the audit over a network beside its bounds: bytes, requests, time
	@$(BIN)/python -m bench.remote $(ARGS)

bench: $(BENCH)/ready ## the audit beside other tools (ARGS="--quick": a minute)
	@$(BENCH)/python -m bench $(ARGS)

bench-ids: $(BENCH)/ready ## ids out of order against an input, counted exactly in 256 MiB
	@for ids in dense sparse text; do $(BENCH)/python -m bench.ids $$ids $(ARGS) || exit 1; done

chaos: $(READY) ## the simulated world against the app (ARGS="--help")
	@$(BIN)/python -m tests.world $(ARGS)

check: $(READY) ## format, lint, types
	@$(BIN)/ruff format --check .
	@$(BIN)/ruff check .
	@$(BIN)/mypy

fix: $(READY) ## format, and the lint fixes that are safe
	@$(BIN)/ruff format .
	@$(BIN)/ruff check --fix .

UV := $(shell command -v uv || echo .tools/bin/uv)
COMPILE := $(UV) pip compile --quiet --universal --generate-hashes --python-version 3.13 \
	--custom-compile-command "make lock"

lock: $(READY) ## the lock files again, from pyproject.toml and package.json
	$(COMPILE) pyproject.toml -o requirements.txt
	$(COMPILE) -c requirements.txt --group dev pyproject.toml -o requirements-dev.txt
	$(COMPILE) -c requirements.txt --group bench pyproject.toml -o requirements-bench.txt
	$(COMPILE) --group node -o requirements-node.txt
	npm install --package-lock-only

clean: ## everything that set-up and runs left in the checkout
	rm -rf .venv .venv-bench .tools node_modules .dev .mypy_cache .ruff_cache .pytest_cache .hypothesis .coverage* artifacts
	find . -name __pycache__ -prune -exec rm -rf {} +
