# One command each; CI calls the same ones.
PYTHON ?= python3
HOST ?= 127.0.0.1
PORT ?= 8000
KAFKA_LISTEN ?=
KAFKA_PORT ?= 9092
GATEWAY_PORT ?= 8083
DASHBOARD_PORT ?= 8081
VENV ?= .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.ready
DEV := $(VENV)/.ready-dev

# 3.15 and musl (Alpine) have no wheels of confluent-kafka: pip would try to compile it.
RIGHT := import sys; sys.exit(not (3, 11) <= sys.version_info < (3, 15))
MUSL := import sys, sysconfig; sys.exit("musl" not in str(sysconfig.get_config_var("SOABI")))
# autobahn has none for an older macOS, cryptography none for Intel's processors.
MAC := import platform, sys; sys.exit(sys.platform == "darwin" and (platform.machine() != "arm64" or int(platform.mac_ver()[0].split(".")[0]) < 15))
# Modules compiled once: a system that forbids it would have each of the tests' processes do it again.
unexport PYTHONDONTWRITEBYTECODE
# Settings of one's own pip (user, target, prefix; in the environment or in pip.conf) would put packages somewhere else.
PIP := $(BIN)/python -m pip install --quiet --disable-pip-version-check --no-user --target= --prefix="$(abspath $(VENV))" \
	--require-hashes

# pip's own last words without a network are "no matching distribution", as if the lock were wrong.
define WHY_NOT
if ! $(BIN)/python .ci/online.py; then exit 1; fi; \
echo "pip could not install the packages: its words above say which one and why" >&2; exit 1
endef

# In a line what would otherwise come as a traceback of venv or pip
define MAKE_VENV
if ! $(PYTHON) -c '$(RIGHT)' 2>/dev/null; then \
	found=$$($(PYTHON) --version 2>/dev/null || echo "not there"); \
	echo "Python 3.11 to 3.14 is needed; $(PYTHON) is $$found. Another one: make run PYTHON=python3.12" >&2; exit 1; \
elif $(PYTHON) -c '$(MUSL)' 2>/dev/null; then \
	echo "There is no confluent-kafka for musl (Alpine). Use a system with glibc, such as Debian" >&2; exit 1; \
elif ! $(PYTHON) -c '$(MAC)' 2>/dev/null; then \
	echo "There are packages for macOS 15 and later on Apple's own processors only. Docker runs the lab on others: docs/installation.md" >&2; exit 1; \
elif ! $(PYTHON) -c 'import ensurepip, venv' 2>/dev/null; then \
	echo "$(PYTHON) lacks venv or ensurepip. On Debian and Ubuntu: apt install python3-venv" >&2; exit 1; \
fi; \
$(PYTHON) -m venv --clear $(VENV)
endef

.PHONY: help run flink setup lock files test test-fast test-full test-integration lint audit migrate

run: setup ## the whole lab on http://127.0.0.1:8000 (PORT=8100, HOST=0.0.0.0 for the room)
	@exec $(BIN)/python manage.py runlab $(HOST):$(PORT) $(if $(KAFKA_LISTEN),--kafka $(KAFKA_LISTEN))

# Jars come by Maven; where there is none, by jgo, a Maven client in Python.
flink: setup ## the lab with a real Kafka and a real Flink beside it
	@command -v mvn >/dev/null 2>&1 || $(BIN)/python -c 'import jgo' 2>/dev/null || { \
		echo "Adding jgo, which fetches jars where there is no Maven"; \
		$(PIP) -r requirements-flink.lock; }
	@exec $(BIN)/python manage.py run_flink $(HOST):$(PORT) --kafka-port $(KAFKA_PORT) \
		--gateway-port $(GATEWAY_PORT) --dashboard-port $(DASHBOARD_PORT)

setup: $(STAMP) migrate ## packages and database, without a start

migrate: $(STAMP)
	@$(BIN)/python manage.py migrate --verbosity 0

$(STAMP): requirements.lock requirements.txt
	@$(BIN)/python -c 'import pip; $(RIGHT)' 2>/dev/null || { $(MAKE_VENV); }
	@$(BIN)/python .ci/lock.py --check
	@echo "Setting up $(VENV) with the packages of requirements.lock (once, about a minute)"
	@$(PIP) -r requirements.lock || { $(WHY_NOT); }
	@touch $@

$(DEV): requirements-dev.lock requirements-dev.txt $(STAMP)
	@echo "Adding the packages of requirements-dev.lock"
	@$(PIP) -r requirements-dev.lock
	@touch $@

# The locks from the short requirements files. The newest versions: make lock UPGRADE=--upgrade
lock: $(BIN)/uv ## the locks from the short requirements files
	@PATH="$(CURDIR)/$(BIN):$$PATH" $(BIN)/python .ci/lock.py $(UPGRADE)

$(BIN)/uv:
	@$(BIN)/python -c 'import pip; $(RIGHT)' 2>/dev/null || { $(MAKE_VENV); }
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check "$$(grep ^uv== requirements-dev.txt)"

lint: $(DEV) ## all checks of the code without tests
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy . .ci/audit.py .ci/files.py .ci/lock.py .ci/online.py .ci/structure.py
	$(BIN)/lint-imports
	$(BIN)/python .ci/structure.py
	$(BIN)/python .ci/files.py --check
	$(BIN)/python .ci/lock.py --check
	$(BIN)/python manage.py makemigrations --check --dry-run
	$(BIN)/python manage.py check --fail-level WARNING
	DJANGO_HTTPS=1 $(BIN)/python manage.py check --deploy --fail-level WARNING

files: $(DEV) ## the list of files in docs/architecture.md
	$(BIN)/python .ci/files.py

audit: $(DEV) ## known faults of the packages
	$(BIN)/python .ci/audit.py

# Three to a core: many tests wait for a race's clock.
WORKERS ?= 6
test: $(DEV) migrate lint ## checks and tests, browser tests too where there is a Chromium
	$(BIN)/pytest -n $(WORKERS) --dist worksteal -m "not full and not integration and not browser" tests
	$(BIN)/pytest -n 3 --dist loadfile e2e -m "browser and not full"

# Without browsers and without the gate's other checks, for another Python beside. Some rooms only: make test-fast ROOMS=tests/sim
ROOMS ?= tests
test-fast: $(DEV) migrate ## tests without browsers
	$(BIN)/pytest -n $(WORKERS) --dist worksteal -m "not full and not integration and not browser" $(ROOMS)

test-full: $(DEV) migrate ## the long sweeps too
	$(BIN)/pytest -n 4 --dist worksteal -m "not integration and not browser" tests
	$(BIN)/pytest -n 3 --dist loadfile e2e -m browser

test-integration: $(DEV) migrate ## against a real Kafka, Flink and PostgreSQL (needs Java)
	$(BIN)/pytest -m integration tests

help: ## this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "make %-18s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)
