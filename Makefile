# The two commands: `make demo` and `make test`. Needs Python 3.11+, make and a package index; nothing else.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/installed

.DEFAULT_GOAL := help
.PHONY: help demo docs test lock chaos fuzz eval eval-whatif viewer lint clean

help:  ## Show this list
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed 's/:.*##/ —/'

demo: $(STAMP)  ## Run real SDK calls against simulated providers and print the priced ledger (STAY=1 keeps it up)
	@$(BIN)/farebox demo $(if $(filter 1,$(STAY)),--stay) $(DEMO)

# Two processes: each file's tests stay in one, with an embedded ClickHouse of its own.
test: $(STAMP)  ## Run the tests
	@$(BIN)/python -m pytest -q $(if $(TEST),$(TEST),-n 2 --dist loadfile)

chaos: $(STAMP)  ## Kill, freeze and starve the collector under load with 200 seeds, and compare the ledger with what was sent
	@PYTHONPATH=tests $(BIN)/python -m end_to_end.chaos $(CHAOS)

fuzz: $(STAMP)  ## Send random bytes to the ports of OTLP for five minutes
	@FAREBOX_FUZZ_S=$${FAREBOX_FUZZ_S:-300} $(BIN)/python -m pytest -q tests/collector/test_fuzz.py tests/collector/test_hostile.py

eval: $(STAMP)  ## Score the failure detectors on labelled answers (FAREBOX_SHARED), and fail below the bars
	@PYTHONPATH=tests FAREBOX_SHARED="$${FAREBOX_SHARED:-$(wildcard $(CURDIR)/../shared)}" $(BIN)/python -m evaluation $(EVAL)

docs: $(STAMP)  ## Write the generated pages anew: settings, commands, schema
	@UPDATE_GOLDEN=1 $(BIN)/python -m pytest -q tests/test_house.py tests/ledger/test_schema.py

lock:  ## Renew the hashes of what the collector's image installs, at the versions of constraints.txt
	@$(PYTHON) -m venv $(VENV)/lock && $(VENV)/lock/bin/python -m pip install --quiet --disable-pip-version-check uv
	@$(VENV)/lock/bin/uv pip compile --quiet pyproject.toml --extra collector --extra dashboards --extra grpc \
	  --constraint constraints.txt --generate-hashes --python-version 3.13 --python-platform linux \
	  --no-header --no-annotate --output-file collector/requirements.lock

# The one target that needs Node (20.19 or newer, with npm); what it builds is committed, so nobody else does.
viewer:  ## Build the viewer's page into the package that ships it
	@cd dashboards/viewer && npm ci --no-progress --loglevel=error && npm run --silent build

eval-whatif: $(STAMP)  ## Hold what-ifs against the truth at ten seeds (some minutes)
	@PYTHONPATH=tests $(BIN)/python -m evaluation.whatif $(EVAL)

screenshots: $(STAMP)  ## Take the README's screenshots anew, of seeded traffic (needs Chromium)
	@PYTHONPATH=tests $(BIN)/python -m viewer.screenshots dashboards/screenshots

lint: $(STAMP)  ## Check style, types and import arrows
	@$(BIN)/ruff check . && $(BIN)/ruff format --check . && $(BIN)/mypy && $(BIN)/mypy instrumentation/examples && \
	  $(BIN)/pyright && $(BIN)/lint-imports

# Constraints hold every version, so that a fresh install tomorrow is the one tested today.
$(STAMP): pyproject.toml constraints.txt
	@$(PYTHON) -c 'import sys; sys.exit(0 if sys.version_info >= (3, 11) else "farebox: $(PYTHON) is Python %d.%d; it needs 3.11 or newer: make PYTHON=python3.11" % sys.version_info[:2])'
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@echo "Installing into $(VENV) (once; about 1.5 GB, most of it the embedded ClickHouse) ..."
	@PIP_CONSTRAINT=constraints.txt $(BIN)/python -m pip install --quiet --disable-pip-version-check -e '.[all,detect,dev]'
	@touch $@

clean:  ## Remove the virtual environment and the demo's data
	rm -rf $(VENV) .farebox-demo
