# Everything that one does with this repository. Needs python3 >= 3.11 with pip, git and make; the rest it sets up itself.

.DEFAULT_GOAL := help
SHELL := /bin/sh
BIN := .venv/bin
# Tests wait more than they work: a worker more than the two cores that they are made for.
WORKERS ?= 3

.PHONY: help
help: ## List these targets
	@awk 'BEGIN { FS = ":.*## " } /^[a-z-]+:.*## / { printf "  make %-11s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

.PHONY: setup
setup: ## Set up .venv (every other target does so too)
	@tools/bootstrap.sh

.PHONY: up
up: setup ## Run the whole system on this machine, with a mail catcher, until Ctrl-C
	@tools/web.sh build || true
	@MAILLANE_WEB_DIR="$${MAILLANE_WEB_DIR:-$(CURDIR)/.build/web/dist}" exec $(BIN)/python -m maillane_local up

.PHONY: demo
demo: setup ## Send a campaign of 100 mails to the catcher, on the running system or on one of its own
	@exec $(BIN)/python -m maillane_local demo

.PHONY: test
test: setup ## Run all tests (ARGS="services/sender -k pipelining" for some, WORKERS=0 for one after another)
	@tools/web.sh test
	@$(BIN)/pytest -n $(WORKERS) --dist loadfile --no-loadscope-reorder $(ARGS)

.PHONY: web
web: setup ## Build the web UI (make up does so too); MAILLANE_WEB_DIR=.build/web/dist tells a gateway of it
	@tools/web.sh build

.PHONY: test-web
test-web: setup ## Test the web UI: its own logic, then all of it in a browser (make test does so too; ARGS="-k phone" for some)
	@tools/web.sh test
	@$(BIN)/pytest -n $(WORKERS) --dist loadfile --no-loadscope-reorder tests/web $(ARGS)

.PHONY: screenshots
screenshots: setup ## Take the pictures of the web UI in docs/images anew, of a system of their own
	@tools/browser.sh
	@tools/web.sh build
	@$(BIN)/python -m tests.web.screenshots

.PHONY: faults
faults: setup ## Break the whole system in every way, at length, and print what held (ARGS="3 9" picks rows)
	@exec $(BIN)/python -m tests.faults $(ARGS)

.PHONY: mutants
mutants: setup ## Plant faults in the code, one at a time, and show which test catches each (some ten minutes)
	@$(BIN)/python tests/mutants/run.py $(ARGS)

.PHONY: bench
bench: setup ## Measure everything beside its limits and peers, in some forty minutes (ARGS="mails0 null --quick")
	@exec $(BIN)/python -m tests.bench $(ARGS)

.PHONY: bench-peers
bench-peers: setup ## Set up what Maillane is measured beside: BullMQ and nodemailer, arq, procrastinate
	@tools/peers.sh

.PHONY: check
check: setup ## Run every check but the tests: style, types, layers, protos, locks, deploy files
	@$(BIN)/python tools/check.py $(ARGS)

.PHONY: format
format: setup ## Format the code and the protos
	@$(BIN)/ruff check --fix-only --quiet .
	@$(BIN)/ruff format --quiet .
	@$(BIN)/python tools/generate_protos.py --format

.PHONY: proto
proto: setup ## Generate protos/python, and the comments of the API's documentation, from protos/maillane
	@$(BIN)/python tools/generate_protos.py
	@$(BIN)/python tools/extract_comments.py

.PHONY: lock
lock: setup ## Resolve the dependencies anew into requirements.lock
	@tools/lock.sh

.PHONY: clean
clean: ## Remove what was set up and built; the data in .maillane stays
	rm -rf .venv .uv .node .build gateway/web/node_modules .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
