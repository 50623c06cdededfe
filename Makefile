# `make help` lists what there is. Every target prepares what it needs itself: see scripts/setup.

SHELL := /bin/bash
PYTHON := .venv/bin/python
export PYTHONPATH := $(CURDIR)/lambda/src:$(CURDIR)/tests:$(CURDIR)

EXAMPLE ?= products
PYTEST := $(PYTHON) -m pytest
timed = @echo "== $(1) =="; began=$$SECONDS; $(2) && echo "== $(1): $$((SECONDS - began)) s =="

.DEFAULT_GOAL := help
.PHONY: help setup lint format test test-unit test-terraform test-opensearch test-localstack test-e2e test-aws prove \
	bench demo drill stop package docs lock release-check host deploy destroy clean

help: ## Show this list
	@sed -n 's/^\([a-z0-9-]*\):.*## \(.*\)/\1|\2/p' $(firstword $(MAKEFILE_LIST)) | \
		while IFS='|' read -r target text; do printf '  make %-16s %s\n' "$$target" "$$text"; done

setup: ## Install everything that any target needs
	@scripts/setup demo tests lint checkov terraform engines

lint: ## Formatting, ruff, mypy, terraform fmt and validate
	@scripts/setup tests lint terraform
	$(call timed,lint,scripts/lint)

format: ## Format Python and Terraform files
	@scripts/setup lint terraform
	@$(PYTHON) -m ruff format . && $(PYTHON) -m ruff check --fix-only --quiet . && terraform fmt -recursive

test: lint ## Everything: lint, then all tests, from fast to slow
	@scripts/setup tests checkov terraform engines
	$(call timed,tests,$(PYTHON) scripts/test.py $(ARGS))

test-unit: ## Tests that need no engine
	@scripts/setup tests
	@$(PYTEST) tests/unit tests/docs tests/demo tests/engines_unit tests/release tests/trial_unit $(ARGS)

test-terraform: ## Tests of the modules with mocked providers
	@scripts/setup tests checkov terraform
	@$(PYTEST) tests/terraform $(ARGS)

test-opensearch: ## Tests against a real OpenSearch
	@scripts/setup tests engines
	@$(PYTEST) tests/opensearch tests/convergence $(ARGS)

test-localstack: ## Tests of the whole on LocalStack, DynamoDB Local and OpenSearch
	@scripts/setup tests terraform engines
	@$(PYTEST) tests/localstack $(ARGS)

test-e2e: ## Tests against real engines: OpenSearch, then LocalStack
	@scripts/setup tests terraform engines
	@$(PYTEST) tests/engines_live tests/opensearch tests/localstack $(ARGS)

test-aws: ## Prove EXAMPLE=products in your AWS account: says what it costs, asks, destroys it again (PROFILE=… REGION=…)
	@scripts/setup tests terraform
	@$(PYTHON) -m trial $(if $(RESUME),--destroy "$(RESUME)",$(EXAMPLE)) $(if $(PROFILE),--profile "$(PROFILE)") \
		$(if $(REGION),--region "$(REGION)") $(ARGS)

prove: ## Search for histories that do not converge, for longer (SEED=N replays one)
	@scripts/setup tests engines
	@HYPOTHESIS_PROFILE=prove PROVE_HISTORIES=$${PROVE_HISTORIES:-100000} PROVE_SCHEDULES=$${PROVE_SCHEDULES:-1000} \
		PROVE_BACKFILLS=$${PROVE_BACKFILLS:-50} $(if $(SEED),PROVE_SEED=$(SEED)) \
		$(PYTEST) --timeout=0 tests/convergence tests/opensearch/test_backfill.py $(ARGS)

bench: ## Measure throughput and latency against real engines: transforms, the function, then backfill and verify
	@scripts/setup tests engines
	@$(PYTHON) -m benchmarks.transforms $(if $(findstring --quick,$(ARGS)),--quick)
	@$(PYTHON) -m benchmarks $(ARGS)
	@$(PYTHON) -m benchmarks.jobs $(if $(findstring --quick,$(ARGS)),--quick)

demo: ## See it work on real engines (KEEP=1 leaves them running)
	@scripts/setup demo terraform engines
	@$(PYTHON) -m demo

drill: ## Break a sync for real and mend it by its runbook (NAME=…; without: list the drills)
	@scripts/setup tests terraform engines
	@$(PYTHON) -m drills $(NAME) $(ARGS)

stop: ## Stop engines that were left running
	@scripts/setup demo
	@$(PYTHON) -m engines stop

package: ## Build lambda/dist/dynamodb-opensearch.zip and its bill of materials
	@scripts/setup tests
	@$(PYTHON) lambda/build.py && $(PYTHON) lambda/sbom.py

docs: ## Write what is generated: tables of inputs and outputs, validations, the command's help
	@scripts/setup tests terraform
	@$(PYTHON) scripts/docs.py
	@$(PYTHON) scripts/cli_docs.py
	@$(PYTHON) scripts/flow.py
	@$(PYTHON) -m terraform.validations

lock: ## Resolve the lock files anew, hash-pinned
	@scripts/setup tests lint
	@scripts/lock

deploy: ## Apply EXAMPLE=products to your AWS account; shows the plan and asks
	@scripts/deploy apply $(EXAMPLE) $(ARGS)

destroy: ## Destroy EXAMPLE=products in your AWS account; shows the plan and asks
	@scripts/deploy destroy $(EXAMPLE) $(ARGS)

release-check: ## Check that this commit can be released; says what to do (ARGS="--only NAME")
	@scripts/setup tests terraform
	@$(PYTHON) scripts/release_check.py $(ARGS)

host: ## Write the repository's ADDRESS=github.com/acme, or the version that callers pin, REF=v0.1.0, into all pages
	@scripts/setup tests
	@$(PYTHON) scripts/host.py $${ADDRESS:+"$$ADDRESS"} $${REF:+--ref "$$REF"}

clean: ## Remove everything that can be made again, but not your Terraform state
	@rm -rf .venv .mypy_cache .pytest_cache .ruff_cache .hypothesis .coverage htmlcov build
	@find . -name __pycache__ -type d -prune -exec rm -rf {} +
