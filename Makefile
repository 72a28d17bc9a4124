# PYTHON, LOCK and TORCH_INDEX are handed to deploy/setup.sh, which explains them.
SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
BIN := .venv/bin
export PYTHON LOCK TORCH_INDEX

.PHONY: help setup demo demo-stack talk services services-down secrets stack stack-test containers monitor test coverage fuzz mutants attack chaos load check format bench lock clean

help:  ## List what can be made
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## /  make \1\t/' | expand -t 22

setup:  ## Make .venv from the locks (PYTHON=python3.12, TORCH_INDEX=… for CUDA)
	@deploy/setup.sh

demo: setup  ## From a video to an answer on this machine (URL=https://… or FILE=talk.mp4, QUERY="…", KEEP=1)
	@$(BIN)/python -m deploy.tools.demo $(if $(URL),--url "$$URL") $(if $(FILE),--file "$$FILE") \
		$(if $(QUERY),--query "$$QUERY") $(if $(KEEP),--keep)

talk: setup  ## Make the demo's talk anew (needs the packages that deploy/tools/talk.py names)
	$(BIN)/python deploy/tools/talk.py

services:  ## Start RabbitMQ and MariaDB for tests, installing them if need be (apart from the system's own)
	@deploy/services.sh up

services-down:  ## Stop them (deploy/services.sh down --purge deletes their data too)
	@deploy/services.sh down

secrets:  ## Make the passwords that docker-compose.yml reads, and .env; what is there already stays
	@deploy/secrets.sh

stack: setup  ## Run the production form of docker-compose.yml without Docker until Ctrl-C (API_PORT=8000)
	@$(BIN)/python -m deploy.tools.stack

stack-test: setup  ## Send one video through the production form, and search it
	@$(BIN)/python -m deploy.tools.stack --once

containers: setup  ## Run docker-compose.yml in a Docker engine and see that it works (without one, as root: in Debian's)
	@tests/containers/engine.sh up
	@tests/containers/engine.sh run $(BIN)/python -m pytest -q -s tests/containers

demo-stack: setup  ## The demo through the production form: in containers where Docker answers, else without
	@$(BIN)/python -m deploy.tools.demo_stack

monitor: setup  ## Load the production form under a real Prometheus and Alertmanager; draws var/monitor.html (KEEP=1)
	@$(BIN)/python -m deploy.tools.monitor $(if $(KEEP),--keep)

# 69: no servers to be had here. What needs them is then skipped, in CI failed.
# Each process (one more than there are processors, since tests wait, too) starts servers of its own.
define suite
mkdir -p var; deploy/chromium.sh || [ $$? = 69 ]; status=0; \
$(1) -m pytest -n $${PROCESSES:-$$(($$(nproc) + 1))} --dist loadgroup --no-loadscope-reorder $(ARGS) 2>&1 \
	| tee var/test.log || status=$$?
endef

test: setup  ## Run the whole test suite (ARGS="-k search", PROCESSES=1)
	@$(call suite,$(BIN)/python); \
	exit $$status

coverage: setup  ## The same, half as long again, with the lines and branches that it meets, in all processes
	@rm -rf var/coverage; \
	$(call suite,$(BIN)/coverage run); \
	$(BIN)/coverage combine --quiet && $(BIN)/coverage report || status=1; \
	grep -E '(passed|failed|skipped|errors?|no tests ran).* in [0-9.]+s' var/test.log | tail -n 1; \
	exit $$status

fuzz: setup  ## Send the API what its description allows and forbids, on both databases (CASES=2000 each)
	@deploy/services.sh up || [ $$? = 69 ]
	@eval "$$(deploy/services.sh env)"; YTRAG_TEST_CASES=$${CASES:-2000} \
	$(BIN)/python -m pytest -q -s -o timeout=1800 tests/integration/test_openapi.py

mutants: setup  ## Break the program in known ways, and see the named tests fail (ARGS="fence priority")
	@deploy/services.sh up
	@$(BIN)/python -m tests.mutants.run $(ARGS)

attack: setup  ## Run all attacks that the tests know in one go, and audit the dependencies where that is possible
	@deploy/services.sh up
	@$(BIN)/python -m tests.attack

chaos: setup  ## Let random faults loose on the production form (CHAOS_S=120 SEED=…); a table of what it survived
	@deploy/services.sh up
	@$(BIN)/python -m tests.chaos.run

load: setup  ## Send jobs and tiny videos through everything while clients poll and listen (JOBS=10000 VIDEOS=200)
	@deploy/services.sh up
	@$(BIN)/python -m tests.load.bench load --through $${JOBS:-10000} --videos $${VIDEOS:-200}

check: setup  ## Check format, lint, types and who imports whom
	@$(BIN)/ruff format --check
	@$(BIN)/ruff check
	@$(BIN)/mypy
	@$(BIN)/lint-imports --no-logo

format: setup  ## Format the code and mend what can be mended
	@$(BIN)/ruff check --fix-only --quiet
	@$(BIN)/ruff format

bench: setup  ## Measure speed (ARGS=…)
	@$(BIN)/python -m tests.load.bench $(ARGS)

lock: setup  ## Resolve the dependencies anew into deploy/requirements
	@$(BIN)/python deploy/tools/lock.py

clean:  ## Remove .venv, caches and coverage, not the data in var
	rm -rf .venv .mypy_cache .pytest_cache .ruff_cache .import_linter_cache *.egg-info build var/coverage
