# Two commands do everything on a machine with git, python3.11, pip and make:
#   make run     the gateway, its worker and both simulated providers, on loopback
#   make test    everything that CI asks, PostgreSQL included

PYTHON ?= $(shell command -v python3.11 || command -v python3)
# Debian's python3 has no ensurepip, and refuses to install outside a virtual environment:
# so the environment is made without pip, and the machine's pip installs into it.
PIP = $(shell $(PYTHON) -m pip --version >/dev/null 2>&1 && echo "$(PYTHON) -m pip" || echo pip) \
	--python .venv/bin/python --disable-pip-version-check
HASHED = install --quiet --require-hashes --only-binary :all:
PORT ?= 8000
KILLS ?= 100

.PHONY: help install run test crash check fix fuzz memory bench bench-smoke openapi lock clean

help: ## this list
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 12

install: .venv/.installed ## .venv with the gateway and its command, from the hashed locks

run: install ## gateway, worker and both simulators on loopback, and a curl per channel
	@.venv/bin/multicanal dev --port $(PORT)

test: check ## everything that CI asks
	.venv/bin/pytest -n 2 --dist loadfile --no-loadscope-reorder

crash: .venv/.tested ## KILLS=100 kills on each store, under load: what was lost, what was sent twice
	.venv/bin/python -m tests.crash --database sqlite --kills $(KILLS)
	.venv/bin/python -m tests.crash --database postgresql --kills $(KILLS)

check: .venv/.tested ## the quick part: format, lint, types, contracts
	.venv/bin/ruff format --check .
	.venv/bin/ruff check .
	.venv/bin/mypy
	.venv/bin/lint-imports

fix: .venv/.tested ## let ruff mend what it can
	.venv/bin/ruff format .
	.venv/bin/ruff check --fix .

EXAMPLES ?= 200

fuzz: .venv/.tested ## EXAMPLES=200 of each operation, made up from the OpenAPI document, other ones each time
	FUZZ_EXAMPLES=$(EXAMPLES) .venv/bin/pytest tests/contract/test_schemathesis.py

MESSAGES ?= 10000
SIZE ?= 65536

memory: .venv/.tested ## 10,000 e-mails with attachments, and what the processes keep of them
	.venv/bin/python -m tests.memory --messages $(MESSAGES) --size $(SIZE)

ROWS ?= all
SECONDS_EACH ?= 5
REPETITIONS ?= 5

bench: .venv/.tested ## ROWS="accept read": what docs/performance.md promises, measured here beside its baselines
	.venv/bin/python -m bench $(ROWS) --seconds $(SECONDS_EACH) --repetitions $(REPETITIONS)

bench-smoke: .venv/.tested ## every row of the benchmarks, tiny: it works, however fast (make test does it too)
	.venv/bin/pytest -n 2 tests/bench

openapi: install ## write openapi/openapi.json anew
	.venv/bin/multicanal openapi > openapi/openapi.json

lock: ## requirements/*.txt anew from pyproject.toml (maintainers only: needs uv)
	uv lock --quiet --upgrade
	uv export -q --format requirements-txt --no-emit-project --no-header --no-default-groups --no-annotate -o requirements/runtime.txt
	uv export -q --format requirements-txt --no-emit-project --no-header --only-group build --no-annotate -o requirements/build.txt
	uv export -q --format requirements-txt --no-emit-project --no-header --only-group test --no-annotate -o requirements/test.txt
	uv pip compile -q --universal --python-version 3.11 --generate-hashes --no-header --no-annotate --upgrade requirements/contract.in -o requirements/contract.txt
	@! grep -nE 'https?://|index-url' requirements/*.txt

clean: ## remove what make install and make run made
	rm -rf .venv spool multicanal.db multicanal.db-wal multicanal.db-shm multicanal.db.incarnation

.venv/bin/python:
	@$(PYTHON) -m venv --without-pip .venv

.venv/.installed: .venv/bin/python requirements/runtime.txt requirements/build.txt pyproject.toml
	@echo "installing into .venv (about a minute the first time)"
	@$(PIP) $(HASHED) -r requirements/runtime.txt -r requirements/build.txt
	@PATH="$(CURDIR)/.venv/bin:$$PATH" $(PIP) install --quiet --no-deps --no-build-isolation -e .
	@touch $@

.venv/.tested: .venv/.installed requirements/test.txt .venv/contract/.installed
	@$(PIP) $(HASHED) -r requirements/runtime.txt -r requirements/test.txt
	@touch $@

# What makes clients from the OpenAPI document wants other versions than the gateway: apart from it.
.venv/contract/.installed: .venv/bin/python requirements/contract.txt
	@$(PYTHON) -m venv --without-pip .venv/contract
	@$(subst .venv/bin,.venv/contract/bin,$(PIP)) $(HASHED) -r requirements/contract.txt
	@touch $@
