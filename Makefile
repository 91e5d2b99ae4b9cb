# Every target sets up all it needs: git, make and python3 (3.11 or newer) are enough to begin. "make help" lists them.

PYTHON ?= python3
BIN := .venv/bin
PLAN ?= examples/example.tech.toml
ARGS ?=
WORKERS ?= 3

# Branch coverage, in percent, that the packages without input and output must reach.
PURE_COVERAGE ?= 96
PURE := zone wire answer transfer plan mail dnssec imports
comma := ,
empty :=
PURE_FILES := $(subst $(empty) $(empty),$(comma),$(PURE:%=src/mailname/%/*))

# What is tested a second time with the core uncompiled: MAILNAME_PURE=1.
CORE_TESTS := tests/answer tests/wire tests/zone tests/transfer tests/server/test_udp_workers.py tests/server/test_folder_zones.py \
	tests/server/test_image_library.py
# What else is run then, to see which of its branches are gone through: measuring doubles the time of the tests, so it is done once.
COVERED_TESTS := tests/plan tests/mail tests/dnssec tests/imports

SOURCES := src tests bench scripts bootstrap.py

.NOTPARALLEL:
.PHONY: help host-image setup setup-dev setup-docs system-packages rehearse test check format fuzz asan leaks soak bench docs reference pins clean

help: ## List the targets.
	@sed -n 's/^\([a-z-]*\):.*## /\1	/p' $(MAKEFILE_LIST) | expand -t 18

rehearse: setup ## Set up, then walk the whole journey in a private Internet on this machine. ARGS="--serve" goes on.
	$(BIN)/mailname rehearse $(PLAN) $(ARGS)

host-image: system-packages setup-dev
	@mkdir -p build && { $(BIN)/python -m tests.hosts.image >build/host-image.log 2>&1 & } # the tests that need it wait for it

test: system-packages setup-dev host-image check ## Set up, then run everything: checks, all tests, the core uncompiled too with branch coverage.
	rm -f .coverage .coverage.*
	@MAILNAME_PURE=1 $(BIN)/pytest -q -n 1 --dist loadfile -p no:cacheprovider --cov --cov-report= $(CORE_TESTS) $(COVERED_TESTS) \
		>build/uncompiled.log 2>&1 & uncompiled=$$!; \
	$(BIN)/pytest -n $(WORKERS) --dist loadfile --no-loadscope-reorder $(ARGS); all=$$?; \
	echo 'The core once more, uncompiled:'; wait $$uncompiled; again=$$?; cat build/uncompiled.log; test $$all = 0 -a $$again = 0
	$(BIN)/coverage report --include='$(PURE_FILES)' --skip-covered --show-missing --fail-under=$(PURE_COVERAGE)

check: setup-dev ## Format, lint, types, layers.
	$(BIN)/ruff format --check $(SOURCES)
	$(BIN)/ruff check $(SOURCES)
	$(BIN)/mypy
	$(BIN)/lint-imports

format: setup-dev ## Put the source into the one format, and mend what the linter can mend.
	$(BIN)/ruff check --fix $(SOURCES)
	$(BIN)/ruff format $(SOURCES)

SECONDS ?= 60
fuzz: setup-dev ## Feed what strangers can send, spoiled, to what reads it. SECONDS=600 ARGS="--target query"
	@$(BIN)/python -c 'import atheris' 2>/dev/null || $(BIN)/uv pip install --quiet --python $(BIN)/python 'atheris>=3' || echo 'without atheris: not guided by coverage'
	$(BIN)/python -m scripts.fuzz --seconds $(SECONDS) $(ARGS)

asan: setup-dev ## Test and fuzz the compiled core under the address and undefined-behaviour sanitizers. SECONDS=600
	scripts/asan $(SECONDS)

leaks: setup-dev ## Ask and reload a server again and again; print what it holds before and after.
	$(BIN)/python bench/leaks.py $(ARGS)

soak: setup-dev ## Publish, kill and cut at random under questions, a primary and two secondaries. SECONDS=3600
	$(BIN)/python -m scripts.soak --seconds $(SECONDS) $(ARGS)

bench: setup-dev ## Measure mailname, and the peers that are installed, on this machine.
	$(BIN)/python bench/run.py $(ARGS)

docs: setup-docs ## Build the pages into build/docs.
	$(BIN)/mkdocs build --strict --quiet --site-dir build/docs
	@echo 'build/docs/index.html'

reference: setup-dev ## Write the commands' options into docs/commands.md.
	@$(BIN)/python -m scripts.command_reference

setup: ## Make .venv with what mailname needs to run.
	@$(PYTHON) bootstrap.py runtime

setup-dev: ## The same, with what checks and tests it.
	@$(PYTHON) bootstrap.py dev

setup-docs:
	@$(PYTHON) bootstrap.py docs

system-packages: ## Install the name servers and clients that the tests talk to (apt).
	@scripts/system-packages

COMPILE := $(BIN)/uv pip compile --quiet --universal --generate-hashes --no-emit-index-url --no-annotate --no-header --python-version 3.11
pins: setup-dev ## Write requirements/*.txt anew from pyproject.toml. ARGS="--upgrade" takes the newest versions.
	$(COMPILE) $(ARGS) pyproject.toml requirements/install.in --output-file requirements/runtime.txt
	$(COMPILE) $(ARGS) pyproject.toml requirements/install.in requirements/dev.in --extra dev --constraints requirements/runtime.txt --output-file requirements/dev.txt
	$(COMPILE) $(ARGS) pyproject.toml requirements/install.in requirements/docs.in --constraints requirements/dev.txt --output-file requirements/docs.txt

clean: ## Remove all that was built or set up.
	rm -rf .venv build dist src/*.egg-info .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache .coverage .coverage.* htmlcov
	find src tests bench -name __pycache__ -type d -prune -exec rm -rf {} +
