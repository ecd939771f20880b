# Short targets, no logic: what needs more than a line is in scripts/.
.PHONY: help setup build run demo test lint fmt docs purity openapi openapi-check contract fuzz-quick fuzz examples examples-check faults faults-quick licences deny audit sbom tour bench ci
.NOTPARALLEL:

help: ## list the targets
	@sed -n 's/^\([a-z-]*\):[^#]*## /\1\t/p' $(MAKEFILE_LIST) | expand -t 16

setup: ## install what a build needs beside Rust (nothing, as a rule)
	@scripts/setup

# There is one example, for the faults; naming them asks of every crate what the tests ask, so that what they compiled serves the program too.
build: setup ## build the program and its demo
	cargo build --bins --examples

# The debug profile: a newcomer's first answer comes minutes sooner than from an optimised build.
run: setup ## serve on 127.0.0.1, from ./data or DATABASE_URL
	cargo run -p dps -- serve

demo: build ## play a whole market over HTTP; OFSTED=<file> takes the regulator's real list
	$${CARGO_TARGET_DIR:-target}/debug/dps-demo $(if $(OFSTED),--ofsted "$(OFSTED)")

test: setup ## every test, on SQLite and on a PostgreSQL of its own
	scripts/postgres run -- cargo test --no-fail-fast

lint: setup ## paths that are named, formatting and clippy, warnings are errors; the fuzz targets compile
	@scripts/paths
	cargo fmt --all --check
	cargo clippy --workspace --all-targets -- -D warnings
	cargo check --locked --manifest-path fuzz/Cargo.toml --target-dir $${CARGO_TARGET_DIR:-target}

fmt: ## format the code
	cargo fmt --all

# The examples again, so that what clippy checked is not checked twice.
docs: setup ## the code's own documentation, warnings are errors
	RUSTDOCFLAGS=-Dwarnings cargo doc --workspace --no-deps --lib --bins --examples

purity: ## prove that the domain has no I/O, clock or randomness
	@scripts/purity

openapi: setup ## publish the contract: write openapi/openapi.json and its changelog
	scripts/openapi write

openapi-check: setup ## fail when the published contract differs from the code
	scripts/openapi check

contract: build ## lint the contract, generate clients from it and use them, open /docs in a browser
	@scripts/openapi-diff check
	@scripts/contract

fuzz-quick: build ## attack a server by its own document, the same on each run
	@scripts/fuzz-api quick

fuzz: build ## attack it at length, on both databases, and fuzz every parser; SECONDS=60 each, EXAMPLES=60 an operation
	@scripts/fuzz-api long
	@scripts/postgres run -- scripts/fuzz-api long
	@scripts/fuzz-parsers

examples: ## take over the last test run's exchanges as the contract's examples
	scripts/examples write
	scripts/openapi write

examples-check: ## fail when the contract's examples are not what the last test run had
	@scripts/examples check

# SKIPS=--allow-skips on a machine that cannot have every fault, such as for want of root.
faults: build ## break servers under load at length: a hundred kills on each database, and the rest; ROOMS="kills pair" for some
	@scripts/faults $(SKIPS) $(ROOMS)

faults-quick: build ## break them a few times each, the same on each run
	@scripts/faults --quick $(SKIPS)

licences: setup ## every crate's licence against deny.toml
	@scripts/licences

# These two ask for the advisory database of GitHub, so they are no part of ci: a build must not fail for what was published since.
deny: setup ## advisories, bans and sources too; not in ci: asks GitHub, and builds cargo-deny in a minute or two where it is missing
	scripts/cargo-tool deny --locked check

audit: setup ## Cargo.lock against the advisories, as RustSec's own tool reads it; not in ci, for the same reasons
	scripts/cargo-tool audit

sbom: setup ## write what the program is made of: target/sbom.cdx.json (CycloneDX), checked against its schema
	@scripts/sbom

tour: build ## run the commands of README.md's tour and compare what they print
	@scripts/tour

bench: setup ## measure beside ceilings; QUICK=1, EVENTS=10000000, PEERS=<folder>, BEFORE=<folder> (docs/benchmarks.md)
	@scripts/bench

ci: test lint docs purity openapi-check contract fuzz-quick licences tour faults-quick ## all that CI runs
