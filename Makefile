# Everything a stranger needs: `make demo`, `make test`.
SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help
.PHONY: help setup setup-dev system demo test check format lint types imports evaluate bench neo4j lock clean

PYTHON ?= python3.11
UV_VERSION := 0.13.9
PROCESSES ?= 2
BIN := .venv/bin
DEMO ?= demo
SERVE ?= 1
UI_PORT ?= 8700
API_PORT ?= 8600
export UV_LINK_MODE ?= hardlink

help: ## What there is
	@grep -hE '^[a-z0-9-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*##/\t/' | expand -t 14

$(BIN)/uv:
	@command -v $(PYTHON) >/dev/null || { echo "ringroad: $(PYTHON) is missing; install Python 3.11 or newer, or name yours: make PYTHON=python3 …"; exit 1; }
	@$(PYTHON) -m venv .venv || { echo "ringroad: $(PYTHON) has no venv; on Debian: apt-get install python3-venv"; exit 1; }
	@$(BIN)/pip install -q uv==$(UV_VERSION)

.venv/.ringroad: requirements.lock pyproject.toml | $(BIN)/uv
	@$(BIN)/uv pip install -q --python $(BIN)/python --require-hashes -r requirements.lock
	@$(BIN)/uv pip install -q --python $(BIN)/python --no-deps -e .
	@touch $@

.venv/.ringroad-dev: requirements-dev.lock .venv/.ringroad | $(BIN)/uv
	@$(BIN)/uv pip install -q --python $(BIN)/python --require-hashes -r requirements-dev.lock
	@touch $@

setup: .venv/.ringroad ## Prepare .venv with all that ringroad needs

setup-dev: .venv/.ringroad-dev

system:
	@tools/system.sh

demo: setup ## A portfolio, its rings and scores, then workbench and score service until Ctrl-C (SERVE=0: without)
	@rm -rf $(DEMO)
	@mkdir -p $(DEMO)
	@export RINGROAD_HOME="$(abspath $(DEMO))/home"; \
	echo "1. a synthetic portfolio: 3,000 applications, six months, $(DEMO)/portfolio"; \
	$(BIN)/ringroad generate --preset tiny --seed 8 --out $(DEMO)/portfolio; \
	echo; echo "2. into the graph"; \
	$(BIN)/ringroad load $(DEMO)/portfolio/input; \
	echo; echo "3. rings, as a night's run would have found them in spring and as they are now"; \
	for day in 2025-04-30 2025-05-31; do $(BIN)/ringroad rings --window 180d --as-of $$day --json >/dev/null; done; \
	$(BIN)/ringroad rings --window 180d --out $(DEMO)/rings.csv; \
	echo; echo "4. the first of them in full; any other: RINGROAD_HOME=$(DEMO)/home $(BIN)/ringroad ring RING_ID"; \
	$(BIN)/ringroad ring "$$(sed -n '2s/,.*//p' $(DEMO)/rings.csv)"; \
	echo; echo "5. scores: learn from what was known by 15 June, score what came after it"; \
	$(BIN)/ringroad train --until 2025-06-15; \
	$(BIN)/ringroad score --since 2025-06-16 --out $(DEMO)/scores.csv; \
	echo; echo "6. why the highest has its score"; \
	$(BIN)/ringroad explain "$$(tail -n +2 $(DEMO)/scores.csv | sort -t, -k3,3gr | sed -n '1s/,.*//p')"; \
	echo; echo "7. the week's report of rings, for managers"; \
	$(BIN)/ringroad report make rings --language en --format pdf --format html --out $(DEMO)/reports; \
	echo; echo "8. who may sign in to the workbench"; \
	$(BIN)/ringroad users demo --yes; \
	if [ "$(SERVE)" = 1 ]; then \
	  echo; echo "9. workbench and score service; Ctrl-C ends both"; \
	  exec $(BIN)/ringroad serve all --ui-port $(UI_PORT) --api-port $(API_PORT); \
	fi

test: setup-dev system ## Everything that is tested, in under 15 minutes
	@$(BIN)/python -m pytest -q -n $(PROCESSES) --dist worksteal $(ARGS)

check: setup-dev format lint types imports test ## What CI runs

format: setup-dev
	@$(BIN)/ruff format -q --check . || { echo "run: $(BIN)/ruff format ."; exit 1; }

lint: setup-dev
	@$(BIN)/ruff check -q .

types: setup-dev
	@$(BIN)/mypy

imports: setup-dev
	@$(BIN)/lint-imports

evaluate: setup-dev ## Slow evaluation on pooled portfolios
	@$(BIN)/python -m pytest -q -m evaluate -o timeout=3600 $(ARGS)

bench: setup-dev ## Measure what benchmarks/README.md reports
	@$(BIN)/python -m benchmarks.run $(ARGS)

neo4j: setup ## A real Neo4j on this machine, without Docker (JDK 17 and Maven)
	@$(BIN)/python tools/neo4j/serve.py $(ARGS)

lock: | $(BIN)/uv ## Resolve the dependencies anew
	@$(BIN)/uv pip compile pyproject.toml --universal --generate-hashes --no-annotate --no-header -q -o requirements.lock
	@$(BIN)/uv pip compile pyproject.toml --extra dev -c requirements.lock --universal --generate-hashes --no-annotate --no-header -q -o requirements-dev.lock

clean:
	rm -rf $(DEMO) .pytest_cache .mypy_cache .ruff_cache .hypothesis tools/neo4j/target
