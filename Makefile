# The same targets for developers and CI. `make help` lists them.
PYTHON ?= python3
BIN := .venv/bin
READY := .venv/ready
ARGS ?=

.DEFAULT_GOAL := help
.PHONY: help demo start quick test chaos chaos-real bench bench-checks bench-deliveries bench-idle bench-ids bench-process bench-remote polling infra-check cold-start pictures check fix lock clean

help: ## prints this list
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 14

$(READY): requirements-dev.txt requirements-node.txt requirements-uv.txt package-lock.json devkit/bootstrap.py
	@$(PYTHON) devkit/bootstrap.py

demo: $(READY) ## the main job, end to end, on this machine; ends by itself
	@$(BIN)/python -m devkit demo $(ARGS)

start: $(READY) ## Azurite, the GEM simulator and the app stay up until Ctrl-C
	@$(BIN)/python -m devkit start $(ARGS)

# Containers often set this variable; then each process would compile every test again.
unexport PYTHONDONTWRITEBYTECODE
# A test file runs in one process, which starts Azurite and the app once. The order of the files is
# that of tests/conftest.py.
SIDE_BY_SIDE := -n auto --maxprocesses 4 --dist loadfile --no-loadscope-reorder
quick: $(READY) ## the fast tests, without Azurite and browser: a minute or two
	@$(BIN)/python -m pytest -q $(SIDE_BY_SIDE) -m "not azurite and not browser and not slow" $(ARGS)

test: $(READY) ## every test (ARGS="-k audit" selects some, in one process, without the coverage limit)
	@$(BIN)/python -m pytest $(if $(ARGS),$(ARGS),$(SIDE_BY_SIDE) --cov)

chaos-real: $(READY) ## 50 jobs on Azurite while the app is killed and storage restarts (ARGS="--seed 2")
	@$(BIN)/python -m tests.integration.campaign $(ARGS)

infra-check: $(READY) ## checks the infrastructure without Azure; also compiles it where `bicep` is on the PATH
	@$(BIN)/python -m pytest -q -s tests/infra
	@$(BIN)/python -m tests.infra.seeding

cold-start: $(READY) ## measures what an instance imports before it works, and azure.functions alone
	@$(BIN)/python -m devkit.cold_start $(ARGS)

pictures: $(READY) ## takes pictures of every page into artifacts/, and those of README from the last demo
	@$(BIN)/python -m tests.page.pictures

bench-checks: $(READY) ## measures jobs checked a second, storage operations of a job, the cost of a tick
	@$(BIN)/python -m bench.checking $(ARGS)

bench-deliveries: $(READY) ## requests and CPU of a small delivery, and a burst of 300; memory of worker and audit process
	@$(BIN)/python -m bench.deliveries $(ARGS)

bench-idle: $(READY) ## counts what a month without a job costs: runs, GB-seconds, log lines
	@$(BIN)/python -m bench.idle $(ARGS)

polling: $(READY) ## requests and delay of the polling policy in simulated time
	@$(BIN)/python -m bench.polling

BENCH := .venv-bench/bin
$(BENCH)/ready: requirements-bench.txt | $(READY)
	@$(UV) venv --quiet --clear --python $(BIN)/python .venv-bench
	@$(UV) pip sync --quiet --require-hashes --python .venv-bench requirements-bench.txt
	@touch $@

bench-remote: $(READY) ## the audit over a network compared with its limits: bytes, requests, time
	@$(BIN)/python -m bench.remote $(ARGS)

bench-process: $(READY) ## the audit process: CPU to the floor, cost of serving, cold and warm start, the command
	@$(BIN)/python -m bench.process $(ARGS)

bench: $(BENCH)/ready ## compares the audit with other tools (ARGS="--quick": a minute)
	@$(BENCH)/python -m bench $(ARGS)

bench-ids: $(BENCH)/ready ## compares ids out of order with an input, exactly, in 256 MiB
	@for ids in dense sparse text; do $(BENCH)/python -m bench.ids $$ids $(ARGS) || exit 1; done

chaos: $(READY) ## runs the app in the simulated world (ARGS="--help")
	@$(BIN)/python -m tests.world $(ARGS)

check: $(READY) ## checks format, lint and types
	@$(BIN)/ruff format --check .
	@$(BIN)/ruff check .
	@$(BIN)/mypy

fix: $(READY) ## formats, and makes the safe corrections of lint
	@$(BIN)/ruff format .
	@$(BIN)/ruff check --fix .

UV := $(shell command -v uv || echo .tools/bin/uv)
COMPILE := $(UV) pip compile --quiet --universal --generate-hashes --python-version 3.13 \
	--custom-compile-command "make lock"

lock: $(READY) ## makes the lock files from pyproject.toml and package.json
	$(COMPILE) pyproject.toml -o requirements.txt
	$(COMPILE) -c requirements.txt --group dev pyproject.toml -o requirements-dev.txt
	$(COMPILE) -c requirements.txt --group bench pyproject.toml -o requirements-bench.txt
	$(COMPILE) --group node -o requirements-node.txt
	$(COMPILE) --group uv -o requirements-uv.txt
	npm install --package-lock-only

clean: ## removes what set-up and runs left in the checkout
	rm -rf .venv .venv-bench .tools node_modules .dev .mypy_cache .ruff_cache .pytest_cache .hypothesis .coverage* artifacts
	find . -name __pycache__ -prune -exec rm -rf {} +
