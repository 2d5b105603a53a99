# One command a habit; each installs what it needs into .venv first.
.DEFAULT_GOAL := help
PYTHON ?= $(shell for p in python3.11 python3.12 python3.13 python3.14 python3; do command -v $$p >/dev/null 2>&1 && $$p -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && echo $$p && break; done)
BIN := .venv/bin
# Where a shell forbids it, each of the many processes that tests start would compile everything again.
unexport PYTHONDONTWRITEBYTECODE

.PHONY: help demo demo-conflict demo-learning test test-flower test-s3 check quick-first quick-second quick-rest lint bench chaos dev lock docs clean

help: ## list the commands
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed 's/:.*##/\t/'

# Into a virtual environment of its own, $(@D), what is locked in the requirements, and this project.
define install
@test -n "$(PYTHON)" || { echo "Python 3.11 or newer is needed: install it, or name it with PYTHON=..."; exit 1; }
@echo "installing into $(@D) (a minute or two the first time)"
@test -x $(@D)/bin/python || $(PYTHON) -m venv $(@D)
@$(@D)/bin/python -m pip install -q --disable-pip-version-check --require-hashes -r $<
@$(@D)/bin/python -m pip install -q --disable-pip-version-check --no-deps --no-build-isolation -e .
@touch $@
endef

.venv/.installed: requirements.txt pyproject.toml
	$(install)

# Peers and servers of tests, whose requirements ours cannot meet.
.venv-%/.installed: requirements-%.txt pyproject.toml
	$(install)

.venv/.dev: .venv/.installed requirements-dev.txt
	@$(BIN)/python -m pip install -q --disable-pip-version-check --require-hashes -r requirements-dev.txt
	@touch $@

.venv/.learning: .venv/.installed requirements-learning.txt
	@echo "installing what learning needs into .venv (about a minute the first time)"
	@$(BIN)/python -m pip install -q --disable-pip-version-check --require-hashes -r requirements-learning.txt
	@touch $@

demo: .venv/.installed ## decide 45 real cases on a real stack, then prove it
	@$(BIN)/moot demo

demo-conflict: .venv/.installed ## concurrent writes in three regions, and a case at each of four levels
	@$(BIN)/moot demo conflict

demo-learning: .venv/.learning ## 20 nodes learn digits, while some die, hide or lie
	@$(BIN)/moot demo learning

dev: .venv/.installed ## everything on this machine until Ctrl-C
	@$(BIN)/moot dev

# Files in their order, so that the long tests of faults begin and the quick ones fill up the end. Three at once
# keep two cores busy: most tests of servers wait now and then.
test: .venv/.dev ## every test, with the real Kafka, Postgres and Temporal; the rules wholly covered
	@$(BIN)/python -m coverage erase
	@$(BIN)/python -m pytest -n 3 --dist loadfile --no-loadscope-reorder -p tests.measured
	@$(BIN)/python -m coverage combine -q
	@$(BIN)/python -m coverage report

check: lint ## lint, types, the dependency rule, and the tests that need no server
	@$(MAKE) -s -j3 quick-first quick-second quick-rest

# In parts at once: dealing thousands of quick tests out one by one, and collecting all of them in each process,
# took longer than the tests themselves.
FIRST = $(addprefix tests/unit/,domain embedded eventlog)
SECOND = $(addprefix tests/unit/,audit bench consensus docs privacy)
QUICK = HYPOTHESIS_PROFILE=quick $(BIN)/python -m pytest -q

quick-first: .venv/.dev
	@$(QUICK) $(FIRST)

quick-second: .venv/.dev
	@$(QUICK) $(SECOND)

quick-rest: .venv/.dev
	@$(QUICK) tests/unit $(addprefix --ignore=,$(FIRST) $(SECOND))

lint: .venv/.dev
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check -q .
	@$(BIN)/mypy
	@$(BIN)/lint-imports

bench: .venv/.dev ## every figure, as a table and as JSON under bench/results
	@$(BIN)/python -m bench

chaos: .venv/.dev ## the long fault tests: kills by the dozen, seeded runs on shared context and under learning
	@$(BIN)/python -m pytest -m chaos tests/faults tests/integration/reaction tests/integration/test_demo.py

test-flower: .venv-flower/.installed ## ours and Flower's strategies on the same updates, and Flower's clients here
	@.venv-flower/bin/python -m pytest -q tests/peers

test-s3: .venv-s3/.installed ## the artifact store on a server that speaks S3
	@.venv-s3/bin/python -m pytest -q tests/unit/workers/test_artifacts.py tests/unit/workers/test_collecting.py

docs: .venv/.dev ## write the generated reference again
	@$(BIN)/python -m docs.generate
	@$(BIN)/python -m bench.readme

lock: .venv/.dev ## resolve the dependencies again, with hashes and without index lines
	@$(BIN)/uv pip compile -q --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-emit-find-links --custom-compile-command "make lock" --extra embedded --extra texts --group build pyproject.toml -o requirements.txt
	@$(BIN)/uv pip compile -q --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-emit-find-links --custom-compile-command "make lock" -c requirements.txt --group dev -o requirements-dev.txt
	@$(BIN)/uv pip compile -q --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-emit-find-links --custom-compile-command "make lock" -c requirements-dev.txt --extra embedded --extra texts --extra learning --extra encryption --group build pyproject.toml -o requirements-learning.txt
	@$(BIN)/uv pip compile -q --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-emit-find-links --custom-compile-command "make lock" --extra learning --group flower --group build pyproject.toml -o requirements-flower.txt
	@$(BIN)/uv pip compile -q --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-emit-find-links --custom-compile-command "make lock" --extra s3 --group s3 --group build pyproject.toml -o requirements-s3.txt

clean: ## remove the virtual environment, caches and the embedded stack's data
	rm -rf .venv .venv-flower .venv-s3 .folkmoot .mypy_cache .ruff_cache .pytest_cache .hypothesis .coverage
