# The only door: `make help` lists what there is.
# What a bare Debian machine lacks (PostgreSQL, a C linker) is installed or named by scripts/need.

SHELL := /bin/bash
.DEFAULT_GOAL := help
CARGO ?= cargo
HANDRAIL := target/debug/handrail
# PostgreSQL's programs, where scripts/need had to fetch them.
export PG_BIN_DIR ?= $(wildcard $(CURDIR)/.data/pg/bin)

.PHONY: help run run-with-stripe test lint fmt docs demo-data migrate openapi config release clean build need tools

help: ## List the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-16s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

run: need build ## Build and serve on port 3000, with a private PostgreSQL unless DATABASE_URL is set
	@exec $(HANDRAIL) serve

run-with-stripe: need build ## The same beside a stand-in for Stripe on port 12111, so that everything can be bought without an account
	@$(CARGO) build --quiet --package fake-stripe
	@target/debug/fake-stripe --webhook-url http://127.0.0.1:$${PORT:-3000}/api/webhooks/stripe --webhook-secret whsec_development & \
	trap "kill $$!" EXIT; \
	STRIPE_API_BASE=http://127.0.0.1:12111 STRIPE_SECRET_KEY=sk_test_fake STRIPE_WEBHOOKS_SECRET=whsec_development $(HANDRAIL) serve

test: need ## Run all tests on a throw-away PostgreSQL
	$(CARGO) build --quiet --package api --package tests
	INSTA_UPDATE=no target/debug/with-postgres $(CARGO) test --workspace --all-targets --quiet
	$(CARGO) test --package api --package persistence --doc --quiet

lint: ## Check format, clippy, crate graph, documents and licences
	$(CARGO) fmt --all --check
	$(CARGO) clippy --workspace --all-targets --quiet -- -D warnings
	scripts/crate-graph
	scripts/deny

tools: ## Install what lint uses beyond the toolchain: cargo-deny (takes minutes, once)
	@$(CARGO) deny --version >/dev/null 2>&1 || $(CARGO) install cargo-deny --locked --quiet

fmt: ## Format the code
	$(CARGO) fmt --all

docs: build ## Write the documents that are made from the code anew
	$(HANDRAIL) config --example > .env.example
	$(HANDRAIL) errors > docs/errors.md

demo-data: need build ## Add 10 000 users and 100 000 posts to the database
	@$(HANDRAIL) demo-data

migrate: need build ## Bring the database up to date
	@$(HANDRAIL) migrate

openapi: build ## Print the API description
	@$(HANDRAIL) openapi

config: build ## Print the settings in force, secrets as stars
	@$(HANDRAIL) config

release: need ## Build the optimised program: target/release/handrail
	$(CARGO) build --release --package api

clean: ## Remove what was built, and the development data
	$(CARGO) clean
	rm -rf .data

build:
	@$(CARGO) build --package api

need:
	@scripts/need
