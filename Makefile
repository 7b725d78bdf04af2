# Two commands do everything: `make run` and `make test`. Everything is installed into .venv and nowhere else.
# Works with GNU make 3.81 (macOS) and later; on Windows use the plain commands in README.md.

# The environment that is there, else the newest Python that the project is tested with, else any from 3.11 on.
# A candidate must run and bring venv and ensurepip (Debian packs them apart as python3-venv).
PROBE = import sys, venv, ensurepip, ssl, sqlite3; sys.exit(not (3, 11) <= sys.version_info < (3, 15))
PYTHON ?= $(shell for python in .venv/bin/python python3.13 python3.12 python3.11 python3 python3.14; do \
	"$$python" -c '$(PROBE)' >/dev/null 2>&1 && echo "$$python" && break; done)
VENV_PYTHON = .venv/bin/python
# Test workers: one a core and four at most. Tests of one xdist_group (the embedded model's) share a worker.
WORKERS ?= auto
PYTEST = $(VENV_PYTHON) -m pytest -n $(WORKERS) --maxprocesses 4 --dist loadgroup
CHECKED = $(wildcard app.py assembly.py moa storage scripts tests)

.DEFAULT_GOAL := help
.PHONY: help run setup test check bench coverage screenshot lock clean environment-run environment-test

help: ## Show this list
	@sed -n 's/^\([a-z-]*\):[^#]*## /\1|/p' Makefile | awk -F'|' '{ printf "  make %-10s %s\n", $$1, $$2 }'

run: environment-run ## Start the chat on http://127.0.0.1:7860 (SHARE=1: also a public link)
	@$(if $(SHARE),MOA_SHARE=$(SHARE)) exec $(VENV_PYTHON) app.py

setup: environment-run ## Only install what `make run` needs

test: environment-test ## Run all tests, in parallel (ARGS="tests/unit -k fold" for some)
	@$(PYTEST) $(ARGS)

check: environment-test ## Lint (ruff), types (mypy --strict), arrows between rooms (import-linter)
	@$(VENV_PYTHON) -m ruff check .
	@$(VENV_PYTHON) -m mypy $(CHECKED)
	@.venv/bin/lint-imports --no-logo

bench: environment-test ## Measure the engine against a plain baseline and a floor
	@$(VENV_PYTHON) -m tests.bench
	@$(VENV_PYTHON) -m tests.bench.api

coverage: environment-test ## Run all tests and say which lines none of them reached
	@$(PYTEST) --cov --cov-report=term-missing:skip-covered $(ARGS)

screenshot: environment-test ## Take the README's picture from the running app
	@$(VENV_PYTHON) scripts/screenshot.py

lock: environment-test ## Pin the newest releases that pyproject.toml allows
	@$(VENV_PYTHON) -m pip install --quiet --disable-pip-version-check uv
	@UV_CUSTOM_COMPILE_COMMAND="make lock" && export UV_CUSTOM_COMPILE_COMMAND && \
	set -- --quiet --upgrade --universal --python-version 3.11 --no-annotate --no-emit-index-url pyproject.toml && \
	.venv/bin/uv pip compile "$$@" -o requirements.txt && \
	.venv/bin/uv pip compile "$$@" -c requirements.txt --all-extras --group dev -o requirements-dev.txt

clean: ## Delete .venv and what tools left behind; your chats in data/ stay
	@rm -rf .venv .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .hypothesis htmlcov .coverage .coverage.*

environment-run environment-test:
	@python='$(PYTHON)'; if [ -z "$$python" ]; then \
	echo 'MoA Chat needs Python 3.11, 3.12, 3.13 or 3.14 with venv, and found none.' \
	'Debian: apt install python3 python3-venv. macOS: brew install python@3.13.' \
	'Or name one: make run PYTHON=/path/to/python3' >&2; exit 1; fi; \
	"$$python" scripts/environment.py $(patsubst environment-%,%,$@)
