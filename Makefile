# One command each; CI calls the same ones.
PYTHON ?= python3
HOST ?= 127.0.0.1
PORT ?= 8000
BIN := .venv/bin
STAMP := .venv/.ready
DEV := .venv/.ready-dev

.PHONY: run setup test test-full test-integration lint audit migrate

run: setup
	@exec $(BIN)/python manage.py runlab $(HOST):$(PORT)

setup: $(STAMP) migrate

migrate: $(STAMP)
	@$(BIN)/python manage.py migrate --verbosity 0

$(STAMP): requirements.txt
	@echo "Setting up .venv with the packages of requirements.txt (once, about a minute)"
	@test -x $(BIN)/python || $(PYTHON) -m venv .venv
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check -r requirements.txt
	@touch $@

$(DEV): requirements-dev.txt $(STAMP)
	@echo "Adding the packages of requirements-dev.txt"
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check -r requirements-dev.txt
	@touch $@

lint: $(DEV)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy . .ci/audit.py
	$(BIN)/lint-imports
	$(BIN)/python manage.py makemigrations --check --dry-run
	$(BIN)/python manage.py check --fail-level WARNING
	DJANGO_HTTPS=1 $(BIN)/python manage.py check --deploy --fail-level WARNING

audit: $(DEV)
	$(BIN)/python .ci/audit.py

test: $(DEV) migrate lint
	$(BIN)/pytest -n 2 -m "not full and not integration and not browser" tests
	$(BIN)/pytest -n 2 e2e -m "browser and not full"

test-full: $(DEV) migrate
	$(BIN)/pytest -n 2 -m "not integration and not browser" tests
	$(BIN)/pytest -n 2 e2e -m browser

test-integration: $(DEV) migrate
	$(BIN)/pytest -m integration tests
