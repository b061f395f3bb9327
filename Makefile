# Accord's one entry point: people and CI run the same targets. It needs make and Python 3.11 or newer, nothing else.
#
#   make PYTHON=/path/to/python3.12 install    to name the interpreter yourself
#   make unit ARGS='-k salla -x'               to hand arguments on (also: run, bench)

VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed
SOURCES = $(wildcard gateway tests bench dashboards helm image)

# The tests that must cover the whole core; all others; and how these share the cores: who is done takes over from others.
CORE_TESTS = $(wildcard tests/unit tests/examples tests/property)
OTHER_TESTS = tests $(CORE_TESTS:%=--ignore=%)
SHARED = -n auto --maxprocesses 4 --dist worksteal

# uv.lock pins uv as well; this is the version that it names.
UV_VERSION = $(shell sed -n '/^name = "uv"$$/{n;s/^version = "\(.*\)"$$/\1/p;}' uv.lock)
# uv works in .venv with the interpreter that is there, and is patient with a slow network.
export UV_PROJECT_ENVIRONMENT := $(VENV)
export UV_PYTHON_DOWNLOADS := never
export UV_HTTP_TIMEOUT ?= 120
unexport VIRTUAL_ENV
# Where pip was told which certificates to trust, uv is told the same.
ifdef PIP_CERT
export SSL_CERT_FILE ?= $(PIP_CERT)
endif

.DEFAULT_GOAL := help
.NOTPARALLEL:
.DELETE_ON_ERROR:

.PHONY: help
help: ## Print this list
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "  make %-9s %s\n", $$1, $$2 }' Makefile

.PHONY: install
install: $(STAMP) ## Make .venv with everything in it: .venv/bin/accord and the tools

.PHONY: run
run: install ## Start the gateway with three demo upstreams
	$(BIN)/accord demo $(ARGS)

.PHONY: check
check: lint types layers test ## Lint, types, layers and all tests: what CI runs

.PHONY: test
test: install ## All tests; those of the core must cover every line and branch of it
	$(BIN)/pytest -n auto $(CORE_TESTS) --cov --cov-fail-under=100
	$(BIN)/pytest $(SHARED) $(OTHER_TESTS)

.PHONY: unit
unit: install ## The fast tests alone: units, examples, properties
	$(BIN)/pytest $(CORE_TESTS) $(ARGS)

.PHONY: lint
lint: install ## ruff's rules and format, and the addresses in the lock
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	@! grep -noE '(https?|file)://[^/"]*' uv.lock | grep -vE '://(pypi\.org|files\.pythonhosted\.org)$$' \
		|| { echo 'uv.lock names a host that is not PyPI: take the index settings out and run "make lock".' >&2; exit 1; }

.PHONY: types
types: install ## mypy, strict
	$(BIN)/mypy $(SOURCES)

.PHONY: layers
layers: install ## The import contracts of docs/architecture.md
	$(BIN)/lint-imports --no-logo

.PHONY: format
format: install ## Write the format, and mend what ruff can mend safely
	$(BIN)/ruff check --fix-only
	$(BIN)/ruff format

.PHONY: pages
pages: install ## Write the pages, schemas and dashboards that are made from code and presets
	$(BIN)/python -m gateway.config.reference configuration > docs/reference/configuration.md
	$(BIN)/python -m gateway.config.reference dialects > docs/reference/dialects.md
	$(BIN)/python -m gateway.catalog > docs/reference/codes.md
	$(BIN)/python -m gateway.pipeline.reference > docs/reference/views.md
	$(BIN)/python -m gateway.pipeline.presets docs/reference/presets
	$(BIN)/python -m gateway.config.schema config/schema
	$(BIN)/python -m gateway.pipeline.words > gateway/pipeline/words.new && mv gateway/pipeline/words.new gateway/pipeline/words.txt
	$(BIN)/python -m helm.schema helm/accord
	$(BIN)/python -m dashboards helm/accord/files/dashboards

.PHONY: bench
bench: install ## Measure (see bench/)
	$(BIN)/uv sync --locked --quiet --inexact --group bench
	$(BIN)/python -m bench $(ARGS)

.PHONY: wheel
wheel: install ## Build dist/: the wheel with the way of a request compiled; needs a C compiler
	rm -rf dist
	HATCH_BUILD_HOOKS_ENABLE=true $(BIN)/uv build --quiet
	@ls dist

# With what there is: docker, podman or buildah. Which files of a caller's become secrets of the build says docs/how-to/docker.md.
ENGINE = $(shell command -v docker || command -v podman || command -v buildah || echo docker)
VERSION = $(shell sed -n 's/^__version__ = "\(.*\)"$$/\1/p' gateway/__init__.py)
IMAGE = accord:$(VERSION)

.PHONY: image
image: ## Build the container's image with docker, podman or buildah (ENGINE=, IMAGE=, ARGS=)
	$(ENGINE) build $(if $(findstring docker,$(notdir $(ENGINE))),,--format docker) --tag $(IMAGE) \
		--build-arg VERSION=$(VERSION) \
		--build-arg REVISION=$$(git rev-parse HEAD 2>/dev/null || echo unknown) \
		--build-arg CREATED=$$(date -u +%Y-%m-%dT%H:%M:%SZ) \
		--build-arg SOURCE_DATE_EPOCH=$$(git log -1 --format=%ct 2>/dev/null || echo 0) \
		$(ARGS) .

.PHONY: lock
lock: $(BIN)/python ## Write uv.lock anew after a change of pyproject.toml (ARGS=--upgrade for newer versions)
	$(bootstrap)
	$(BIN)/uv lock $(ARGS)

.PHONY: clean
clean: ## Remove all that make made, .venv too
	rm -rf $(VENV) build dist htmlcov .coverage .coverage.* .hypothesis .mypy_cache .pytest_cache .ruff_cache .import_linter_cache
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

# The stamp is older than its sources when one of them changed; a run with nothing changed costs nothing.
$(STAMP): pyproject.toml uv.lock | $(BIN)/python
	$(bootstrap)
	$(BIN)/uv sync --locked --quiet
	@touch $@
	@echo "Installed: $(BIN)/accord"

# Puts the locked uv into .venv, unless it is there.
define bootstrap
@test "$$($(BIN)/uv --version 2>/dev/null | cut -d ' ' -f 2)" = "$(UV_VERSION)" \
	|| $(BIN)/python -m pip install --quiet --disable-pip-version-check 'uv==$(UV_VERSION)'
endef

# A broken link counts as missing, so a .venv whose interpreter went away is made anew.
$(BIN)/python:
	@for python in $(or $(PYTHON),python3 python3.14 python3.13 python3.12 python3.11); do \
		"$$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && break; \
		python=; \
	done; \
	if [ -z "$$python" ]; then \
		echo "Accord needs Python 3.11 or newer; $(or $(PYTHON),python3) is $$($(or $(PYTHON),python3) --version 2>&1 || true)" >&2; \
		echo "Name one with: make PYTHON=/path/to/python3.11 install" >&2; \
		exit 1; \
	fi; \
	if ! "$$python" -c 'import ensurepip, venv' 2>/dev/null; then \
		echo "$$python cannot make a virtual environment: its modules venv and ensurepip are missing." >&2; \
		echo "On Debian and Ubuntu they are a package of their own: apt-get install python3-venv" >&2; \
		exit 1; \
	fi; \
	"$$python" -m venv --clear $(VENV) || { rm -rf $(VENV); exit 1; }
