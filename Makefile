# Everything here works on a fresh machine with Python 3.11 or newer and make; the rest comes from PyPI.
# `make tools` additionally wants go, npm and cargo, and root for the system's packages.

PYTHON  ?= $(firstword $(foreach name,python3 python3.14 python3.13 python3.12 python3.11,$(shell \
             $(name) -c 'import sys; print("$(name)" * (sys.version_info >= (3, 11)))' 2>/dev/null)) python3)
VENV    := .venv
# Not absolute: a folder may have spaces in its name.
BIN     := $(VENV)/bin
export PATH := $(CURDIR)/$(BIN):$(PATH)
PYTEST  := $(BIN)/pytest --numprocesses auto --maxprocesses 4
# The newest one is what all other tests run on.
MAJORS  := 14 15 16 17
# What the server's version decides is tested on each; all the rest on the oldest and the newest.
BY_VERSION := tests/contract tests/conformance $(addprefix tests/integration/,migrate observe schema)
# Fewer of them:  make test TESTS=tests/unit
TESTS   ?= tests
DEMO    := examples/kaimu
# Kaimu's own port is PostgreSQL's; where something else has it, this one.
DEMO_PORT ?= 55432

.DEFAULT_GOAL := help
.PHONY: help demo demo-stop test test-long test-all lint check fix docs bench tools wheel clean

help:  ## this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## /{printf "make %-10s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

demo: $(VENV)/.demo  ## install howdah into .venv and bring up examples/kaimu: a server with its schema
	cd $(DEMO) && howdah dev up || { test $$? = 2 && howdah dev up --port $(DEMO_PORT); }
	cd $(DEMO) && howdah migrate status
	@echo
	@echo "It keeps running, and keeps its data. Look inside:  cd $(DEMO) && ../../.venv/bin/howdah dev psql"
	@echo "Stop it:  make demo-stop"

demo-stop: $(VENV)/.demo  ## stop what `make demo` started
	cd $(DEMO) && howdah dev down

test: $(VENV)/.dev  ## everything that takes no more than Python: unit, integration, acceptance, documents
	$(PYTEST) -m "not slow and not interop" $(TESTS)

test-long: $(VENV)/.dev  ## the rest: kill and race suites, other tools' programs, every server version
	$(PYTEST) -m "slow or interop" --interop-report build/interop.json
	$(BIN)/python tools/interop.py --check build/interop.json
	$(PYTEST) -m "not slow and not interop" --pg-major $(firstword $(MAJORS)) tests/contract tests/conformance tests/integration
	for major in $(wordlist 2,$(words $(MAJORS)),$(MAJORS)); do \
	  $(PYTEST) -m "not slow and not interop" --pg-major $$major $(BY_VERSION) || exit; \
	done

test-all: test tools test-long  ## all tests, with the other tools installed

lint: $(VENV)/.dev  ## format, lint, types, layers
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports

check: lint  ## the same, and the unit tests and documents: what to run before a commit
	$(PYTEST) tests/unit tests/test_docs.py

fix: $(VENV)/.dev  ## let the formatter and the linter mend what they can, and rewrite the generated pages
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .
	$(BIN)/python tools/locks.py
	$(BIN)/python tools/docs.py

bench: $(VENV)/.dev  ## speed and memory, in one run with the other tools
	$(BIN)/python tools/peers.py install migrate goose sqlx dbmate alembic squawk postgresql-15 postgresql-18
	$(BIN)/python benchmarks/migrate_speed.py
	$(BIN)/python benchmarks/every_peer.py
	$(BIN)/python benchmarks/stall.py
	$(BIN)/python benchmarks/judges.py

tools: $(VENV)/.demo  ## other migration tools and server versions, for tests and benchmarks
	$(BIN)/python tools/peers.py install

wheel: $(VENV)/.demo  ## build the wheel, look inside, and run it from an environment of its own
	$(BIN)/python tools/wheel.py

clean:  ## forget what was built; running demo servers are stopped first
	test ! -x $(BIN)/howdah || $(MAKE) demo-stop
	rm -rf $(VENV) dist build .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .hypothesis

# The stamps make repeated calls quick; a changed pyproject.toml installs again.
$(VENV)/.demo: pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(None if sys.version_info >= (3, 11) else \
	  "howdah needs Python 3.11 or newer; name one: make PYTHON=/path/to/python3 ...")'
	test -x $(BIN)/pip || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --upgrade 'pip>=25.1'
	$(BIN)/python -m pip install --quiet --editable '.[server]'
	@touch $@

$(VENV)/.dev: $(VENV)/.demo
	$(BIN)/python -m pip install --quiet --group dev
	@touch $@
