# `make run` tries Omarty out, `make test` runs the whole suite, `make check` lint, types and the rest.

PYTHON ?= python3
PORT ?= 8000
BIN := .venv/bin
MANAGE := $(BIN)/python manage.py
PIP := $(BIN)/pip --disable-pip-version-check install --quiet --require-hashes

.PHONY: run test check audit fuzz attack requirements messages screenshots

run: .venv/installed .env
	@$(BIN)/python -m omarty.port $(PORT)
	@$(MANAGE) migrate --verbosity 0
	@$(MANAGE) demo
	@echo
	@echo "  Back-office   http://127.0.0.1:$(PORT)/admin/"
	@echo "  API pages     http://127.0.0.1:$(PORT)/omartyapis/docs/"
	@echo "  Sign in as    admin@example.org, manager@example.org (or 01000000001), resident@example.org,"
	@echo "                partner@, pending@, banned@, outsider@, neighbour@example.org"
	@echo "  Password      omarty-demo"
	@echo
	@exec $(BIN)/granian --interface wsgi --http 1 --host 127.0.0.1 --port $(PORT) \
		--workers 1 --blocking-threads 4 omarty.wsgi:application

test: .venv/installed
	@$(BIN)/python -m tests.both $(ARGS)

# Everything but the tests: style, types, migrations, secrets, and what an installation made as the README says is told.
check: .venv/installed
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/python -m tests.environment $(BIN)/mypy .
	$(BIN)/python -m tests.environment $(MANAGE) makemigrations --check
	$(BIN)/python -m tests.environment $(MANAGE) check
	$(BIN)/python -m tests.secret_scan
	$(BIN)/python -m tests.environment $(BIN)/python -m tests.installation

# Known vulnerabilities of the pinned packages; ends with 2, and says so, where their database is not reachable.
audit: .venv/installed
	@test -x build/audit/bin/pip || $(PYTHON) -m venv build/audit
	@build/audit/bin/pip --disable-pip-version-check install --quiet --require-hashes -r requirements/audit.txt
	@$(BIN)/python -m tests.dependency_audit build/audit/bin/pip-audit

# More than ten thousand requests of every kind, alone and one after another (schemathesis.toml).
fuzz: .venv/installed
	@$(BIN)/python -m tests.fuzz

# Every attack that was ever tried on Omarty, against a server of its own.
attack: .venv/installed
	@$(BIN)/python -m tests.attacks $(ARGS)

# Pin the newest versions that the .in files allow.
requirements: .venv/installed
	for set in base mysql dev audit; do \
		$(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-header \
			--upgrade requirements/$$set.in --output-file requirements/$$set.txt || exit 1; \
	done

.env:
	@umask 077 && rm -f .env.new && $(PYTHON) -c 'import secrets; print("SECRET_KEY=" + secrets.token_urlsafe(48)); \
		print("JWT_SIGNING_KEY=" + secrets.token_urlsafe(48)); print("DEBUG=true")' > .env.new
	@mv .env.new .env
	@echo "Wrote .env with fresh secrets."

.venv/installed: requirements/base.txt requirements/dev.txt requirements/mysql.txt
	@echo "Installing what requirements/ lists …"
	@test -x $(BIN)/pip || $(PYTHON) -m venv .venv
	@$(PIP) -r requirements/base.txt -r requirements/dev.txt
	@if sh requirements/can-build-mysql $(BIN)/python; then $(PIP) -r requirements/mysql.txt; else \
		echo "MariaDB's driver cannot be built here, SQLite serves. To add it:"; \
		echo "  apt-get install gcc python3-dev pkg-config libmariadb-dev && rm .venv/installed"; fi
	@touch $@

# Collect the strings into locale/ and compile them. New ones are translated by hand.
messages: .venv/installed
	$(BIN)/python -m tests.environment $(MANAGE) makemessages --locale ar \
		--no-location --no-obsolete --ignore .venv --ignore build --ignore tests
	$(BIN)/python -m tests.environment $(MANAGE) compilemessages --ignore .venv

# Take the pictures in docs/images again.
screenshots: .venv/installed
	SCREENSHOTS=1 $(BIN)/python -m pytest tests/browser/test_journeys.py
