# Needs make and Python 3.11 or newer, nothing else. Everything that is installed goes into .venv, pinned by hash.
#
#   make demo     real shop data, from a card view to a payout report (DATA=file.csv.gz LIMIT=2000 for another file)
#   make test     lint, types, import contracts, template checks and all tests
#   make serve    the whole deployment on 127.0.0.1, until Ctrl-C (PORT=9000: on 9000 to 9004; or STAFF_PORT, SANDBOX_PORT,
#                 PLATFORMS_PORT, FILES_PORT of your own; STATE=.local/demo: what make demo left; PARAMETERS="FreightFen=800 ..." for the template's parameters)
#   make bench    what the main operations cost, in AWS calls, capacity units and Python calls
#                 (PAYEES=10000: instead, one payout to so many people in seconds and memory; about four minutes)
#   make lint     lint, formatting and spelling only
#   make build    package for AWS with SAM, without containers
#   make lock     resolve pyproject.toml into the lock files
#   make clean    remove what was built, installed and written

PYTHON ?= $(shell for python in python3.13 python3.12 python3.11 python3 python; do \
	$$python -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && command -v $$python && break; done)
BIN := .venv/bin
READY := .venv/.ready
SAM_READY := .venv-sam/.ready
PACKAGES := layers/cardstock/python/cardstock functions infra tests
TEMPLATES := template.yaml $(wildcard infra/*.yaml)

export PIP_DISABLE_PIP_VERSION_CHECK := 1
# Empty is unset: a run starts a hundred processes, and without stored bytecode each compiles the package again.
export PYTHONDONTWRITEBYTECODE :=

.PHONY: demo test serve bench lint build lock clean
.DEFAULT_GOAL := test

demo: $(READY)
	@$(BIN)/python -m infra.demo demo $(if $(DATA),--data "$(DATA)") $(if $(LIMIT),--limit "$(LIMIT)")

serve: $(READY)
	@$(BIN)/python -m infra.demo serve $(if $(PORT),--port "$(PORT)") $(if $(STAFF_PORT),--staff-port "$(STAFF_PORT)") \
		$(if $(SANDBOX_PORT),--sandbox-port "$(SANDBOX_PORT)") \
		$(if $(PLATFORMS_PORT),--platforms-port "$(PLATFORMS_PORT)") $(if $(FILES_PORT),--files-port "$(FILES_PORT)") $(if $(STATE),--state "$(STATE)") \
		$(if $(PARAMETERS),--parameter "$(PARAMETERS)")

test: lint
	$(BIN)/cfn-lint $(TEMPLATES) & templates=$$!; $(BIN)/mypy $(PACKAGES); types=$$?; wait $$templates && exit $$types
	$(BIN)/lint-imports
	$(BIN)/pytest -n auto --dist loadfile

lint: $(READY)
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/codespell . .github

bench: $(READY)
	@$(BIN)/python -m tests.bench $(if $(PAYEES),--payees "$(PAYEES)")

lock: $(READY)
	$(BIN)/python -m infra.packaging.lock

# PYTHON313 compiles the bundles' bytecode; wheels are those of Lambda (arm64, Python 3.13), whatever machine builds them.
build: PYTHON313 ?= $(shell python3.13 -c 'import sys; print(sys.executable)' 2>/dev/null || \
	$(BIN)/uv python find --managed-python 3.13 2>/dev/null)
build: $(READY) $(SAM_READY)
	@test -n "$(PYTHON313)" || echo "Python 3.13 was not found: the bundles get no bytecode and start slower. Install it \
	(.venv/bin/uv python install 3.13) or name it (make build PYTHON313=/path/to/python3.13)." >&2
	PIP="$(CURDIR)/$(BIN)/pip" PYTHON313="$(PYTHON313)" SAM_CLI_TELEMETRY=0 \
		.venv-sam/bin/sam build --template template.yaml --manifest "$(CURDIR)/infra/build.mk" --parallel
	@$(BIN)/python -m infra.packaging.bundles

clean:
	rm -rf .venv .venv-sam .local .aws-sam .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
	find functions layers infra tests -name __pycache__ -type d -prune -exec rm -rf {} +

$(READY): requirements.lock
	@test -n "$(PYTHON)" || { echo "Python 3.11 or newer was not found; name one: make PYTHON=/path/to/python" >&2; exit 1; }
	@echo "Setting up .venv with $(PYTHON): about a minute, once"
	@$(PYTHON) -m venv .venv
	@# Without bytecode: Python compiles what it imports, pip all of it, which takes 20 s.
	@$(BIN)/python -m pip install --quiet --no-compile --require-hashes --no-deps -r requirements.lock
	@$(BIN)/python -c 'import pathlib, sysconfig; root = pathlib.Path.cwd(); \
	pathlib.Path(sysconfig.get_path("purelib"), "cardstock.pth").write_text(f"{root}\n{root}/layers/cardstock/python\n", "utf-8")'
	@printf '#!/bin/sh\nexec "$${0%%/*}/python" -m infra.commands.cli "$$@"\n' > $(BIN)/cardstock
	@chmod +x $(BIN)/cardstock
	@touch $@

$(SAM_READY): requirements-sam.lock $(READY)
	@echo "Setting up .venv-sam: about a minute, once"
	@$(BIN)/python -m venv .venv-sam
	@.venv-sam/bin/python -m pip install --quiet --require-hashes --no-deps -r requirements-sam.lock
	@touch $@
