# Everything a developer or a visitor does here; `make help` lists it.
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
MAKEFLAGS += --no-print-directory

VENV := .venv
PY := $(VENV)/bin/python -P
# Versions as tested, for what is installed and for what builds it.
LOCKED := PIP_CONSTRAINT=requirements.lock PIP_BUILD_CONSTRAINT=requirements.lock \
	PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_ROOT_USER_ACTION=ignore
CODE := proto gateway coordinator worker shared client tests

.PHONY: help
help: ## list these targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-10s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

# The first interpreter that is new enough and can make a virtual environment; the distribution's
# comes first, which is built with profiles and so faster than one that was only compiled.
$(VENV)/bin/python:
	@for candidate in $(PYTHON) /usr/bin/python3 python3 python3.13 python3.12 python3.11; do \
		$$candidate -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null || continue; \
		recent=$$candidate; \
		$$candidate -c 'import ensurepip, venv' 2>/dev/null || continue; \
		echo "making $(VENV) with $$($$candidate --version)"; \
		exec $$candidate -m venv --clear $(VENV); \
	done; \
	if [ -n "$$recent" ]; then \
		echo "$$recent cannot make virtual environments: apt-get install python3-venv" >&2; \
	else \
		echo "no python3 of at least 3.11 found: apt-get install python3 python3-venv" >&2; \
	fi; exit 1

$(VENV)/.server: $(VENV)/bin/python pyproject.toml requirements.lock
	@echo "installing dcodex and what it runs on"
	@$(LOCKED) $(PY) -m pip install -qq -e '.[server]'
	@touch $@

$(VENV)/.dev: $(VENV)/.server
	@echo "installing the development tools"
	@$(LOCKED) $(PY) -m pip install -qq -e '.[server,dev]'
	@touch $@

.PHONY: install
install: $(VENV)/.server ## make .venv with the dcodex command in it

.PHONY: demo
demo: $(VENV)/.server ## start a farm, run the examples through it, stop it
	@$(PY) -m dcodex.demo

.PHONY: test
test: $(VENV)/.dev ## everything that must hold: all tests, then lint
	@# Real processes on a machine that may be busy: what failed is tried once more, by itself, and
	@# the first run's report stays in the output, so that whatever is flaky can be seen and mended.
	@$(PY) -m pytest || { echo "trying once more what failed"; \
		$(PY) -m pytest --last-failed --last-failed-no-failures none; }
	@$(MAKE) lint

.PHONY: lint
lint: $(VENV)/.dev ## style, types and generated code
	@$(VENV)/bin/ruff check --quiet .
	@$(VENV)/bin/ruff format --quiet --check .
	@$(VENV)/bin/mypy --no-error-summary
	@if $(PY) -c 'import grpc_tools, mypy_protobuf' 2>/dev/null; then \
		PATH="$(CURDIR)/$(VENV)/bin:$$PATH" PYTHON=python sh proto/generate.sh && \
		git diff --exit-code --stat -- proto; \
	fi

# How long `make simulate` and `make fuzz` go on, in seconds; ARGS reaches each of these as it is.
SECONDS ?= 60

.PHONY: bench
bench: $(VENV)/.dev ## every workload against a start by hand; writes bench.json
	@PYTHONPATH=. $(PY) -m tests.bench --json bench.json $(ARGS)

.PHONY: soak
soak: $(VENV)/.dev ## 1000 mixed runs, attacks included: what is left, before and after
	@PYTHONPATH=. $(PY) -m tests.bench.soak $(ARGS)

.PHONY: guest
guest: $(VENV)/.server ## the sandbox on cgroup v2, in an emulated machine; minutes
	@PYTHONPATH=. $(PY) -m tests.guest $(ARGS)

.PHONY: chaos
chaos: $(VENV)/.dev ## faults at random under load, every answer checked
	@PYTHONPATH=. $(PY) -m tests.chaos $(ARGS)

.PHONY: fuzz
fuzz: $(VENV)/.dev ## hostile frames and callers against codec, sockets and gRPC port for SECONDS
	@PYTHONPATH=. $(PY) -m tests.fuzz --seconds $(SECONDS) $(ARGS)

.PHONY: simulate
simulate: $(VENV)/.dev ## the coordinator in simulated storms for SECONDS
	@PYTHONPATH=. $(PY) -m tests.simulation --seconds $(SECONDS) $(ARGS)

.PHONY: format
format: $(VENV)/.dev ## put the code into its standard form
	@$(VENV)/bin/ruff check --quiet --fix .
	@$(VENV)/bin/ruff format --quiet .

.PHONY: lock
lock: ## renew requirements.lock from what pyproject.toml allows
	@rm -rf $(VENV)/lock && $(MAKE) $(VENV)/bin/python
	@$(PY) -m venv $(VENV)/lock
	@$(VENV)/lock/bin/pip install -qq -e '.[server,dev]' hatchling
	@{ sed '/^[^#]/,$$d' requirements.lock; \
		$(VENV)/lock/bin/pip freeze --exclude-editable; } > requirements.lock.new
	@mv requirements.lock.new requirements.lock && rm -rf $(VENV)/lock

.PHONY: clean
clean: ## remove .venv and what tools left
	@rm -rf $(VENV) .mypy_cache .pytest_cache .ruff_cache .hypothesis dist bench.json
	@find $(CODE) -name __pycache__ -type d -prune -exec rm -rf {} +
