# Two commands: `make refresh` runs the main job, `make test` passes the tests. Each sets up all it needs.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready

export DO_NOT_TRACK := 1
export DAGSTER_DISABLE_TELEMETRY := 1
export GX_ANALYTICS_ENABLED := false
export PIP_DISABLE_PIP_VERSION_CHECK := 1

.PHONY: refresh test check dev bench fuzz lock clean

refresh: $(READY)
	$(BIN)/fincenter refresh

test: check
	$(BIN)/python -m pytest

# Style, types, import directions, and the lock: part of the tests.
check: $(READY)
	$(BIN)/ruff check dagster_project tests
	$(BIN)/ruff format --check dagster_project tests
	$(BIN)/mypy
	$(BIN)/lint-imports --config pyproject.toml
	$(BIN)/python -m tests.tools.check_lock

dev: $(READY)
	$(BIN)/python -m dagster_project.automation.run
	DAGSTER_HOME=$(CURDIR)/warehouse/dagster $(BIN)/dagster dev -m dagster_project.definitions -p 3000

bench: $(READY)
	$(BIN)/python -m tests.bench.bench_reading
	$(BIN)/python -m tests.bench.bench_refresh

# Mangled files by the thousand; those that raise something unforeseen are kept in warehouse/fuzz.
fuzz: $(READY)
	$(BIN)/python -m tests.fuzz 5000

$(READY): requirements.lock pyproject.toml
	@$(PYTHON) -c "import sys, venv, ensurepip; sys.exit(sys.version_info[:2] != (3, 11))" || { echo "Python 3.11 with venv is needed (Debian 12: apt-get install python3-venv), or set PYTHON=…"; exit 1; }
	$(PYTHON) -m venv --clear $(VENV)
	$(BIN)/python -m pip install --quiet --require-hashes --no-deps -r requirements.lock
	$(BIN)/python -m pip install --quiet --no-deps --no-build-isolation --editable .
	@touch $(READY)

lock:
	uv pip compile pyproject.toml --extra dev --universal --no-strip-extras --python-version 3.11 --generate-hashes \
	  --no-emit-index-url --no-annotate --custom-compile-command "make lock" -o requirements.lock

clean:
	rm -rf $(VENV) warehouse
