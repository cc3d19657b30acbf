# Set-up, tests and the demo. `make demo` and `make test` need Rust, Node.js and the package registries, nothing else.

FORGE := script/forge

.PHONY: demo build bench test test-solidity test-rust gas gas-check page-test python-test prove mutants mutants-smoke deep deep-differential deep-campaigns deep-fuzz deep-smoke audit audit-smoke lint fmt size setup clean

# A real crash, replayed against the real contracts under three liquidation policies, with its report.
demo: setup
	cargo run --release --locked -p breakwater-cli -- simulate black-thursday --out results/black-thursday

# The `breakwater` program.
build: setup
	cargo build --release --locked -p breakwater-cli

# Every figure asked of the keeper, in one table; a quarter of an hour on two cores.
bench: setup
	cargo bench --locked -p breakwater-cli --bench keeper

test: setup test-solidity gas-check test-rust

test-solidity: setup
	$(FORGE) test

test-rust: setup
	cargo test --workspace --locked

# What every action of the pool, plain and full, and of the backstop costs, written to test/snapshots.
gas: setup
	rm -f test/snapshots/*.json
	$(FORGE) test --isolate --gas-snapshot-emit true --match-path $(GAS_TESTS) -vv

# Fails unless the committed figures are those of the code, key by key. (forge's own comparison passes over missing keys.)
gas-check: setup
	rm -rf cache/gas-check
	FOUNDRY_SNAPSHOTS=cache/gas-check $(FORGE) test --isolate --gas-snapshot-emit true --match-path $(GAS_TESTS)
	diff -ru test/snapshots cache/gas-check

GAS_TESTS := 'test/{system/Gas,backstop/BackstopGas}.t.sol'

# The keeper's page in a headless Chromium, which is installed first where there is none (Debian, as root).
page-test: setup
	command -v chromium || (apt-get update && apt-get install --yes --no-install-recommends chromium)
	CHROMIUM=chromium cargo test --workspace --locked --test page --test keeper_page -- --nocapture

# The Python example on a sweep, with a library that reads Parquet, which is installed first. `make test` skips it where there is none.
python-test: setup
	test -x target/python/bin/python || python3 -m venv target/python
	target/python/bin/python -c "import polars" || target/python/bin/pip install --quiet polars==2.1.0
	PYTHON=$(CURDIR)/target/python/bin/python cargo test --workspace --locked --test sweep -- --nocapture

# What the tests above only count: how often the port and the mirror were compared with the contracts, by branch; and that
# `forge script` deploys the very system that `breakwater deploy` does, and what the backstop owes to what a ledger of rational numbers
# says (Python 3).
prove: setup
	cargo test --workspace --locked --test policy --test drift -- --nocapture
	cargo test --locked -p breakwater-deploy --test equality -- --ignored --nocapture
	BACKSTOP_TRACES=10000 $(FORGE) test --match-contract BackstopTraces
	python3 test/backstop/ledger.py

# Plants the bugs of test/mutants one by one and tells what detects each: hours for all of them. ONLY=text takes some.
mutants: setup
	cargo run --release --locked -p breakwater-fuzz --example mutants -- $(ONLY)

# One that has a result again: all that detected it must still do so.
mutants-smoke: setup
	cargo run --release --locked -p breakwater-fuzz --example mutants -- --again $(SMOKE)

SMOKE := write-off-counts-unpaid-debt-as-cash

# Hours: a million comparisons with exact arithmetic (minutes), the properties in campaigns of thousands of calls with a seed of their own, and half an
# hour of each native campaign. Each can be run alone.
deep: deep-differential deep-campaigns deep-fuzz

deep-differential: setup
	BREAKWATER_DIFFERENTIAL_CASES=1050000 cargo test --workspace --locked --test differential -- --nocapture

deep-campaigns: setup
	FOUNDRY_PROFILE=deep $(FORGE) test --match-path '$(DEEP)' --fuzz-seed $(RANDOM_SEED)

deep-fuzz: setup
	for world in default variant backstop; do \
		cargo run --release --locked -p breakwater-cli -- fuzz --minutes 30 --seed $(RANDOM_SEED) --world $$world || exit 1; \
	done

DEEP := test/{adversaries,backstop,breaker,invariants,lending,libraries,liquidation,oracle,rates,standards,symbolic,system}/**
RANDOM_SEED := $$(od -An -N6 -tu8 /dev/urandom)

# The same profile and a seed of its own with 200 runs of each fuzz test, for which `make test` has always the same seed. Campaigns that say their
# length by profile themselves are left out: `make test` has them short, as it has the comparisons and the native campaigns.
deep-smoke: setup
	FOUNDRY_PROFILE=deep FOUNDRY_FUZZ_RUNS=200 FOUNDRY_INVARIANT_RUNS=1 $(FORGE) test --match-path '$(DEEP)' \
		--no-match-path '$(LONG)' --fuzz-seed $(RANDOM_SEED)

LONG := test/{invariants/**,breaker/CircuitBreakerInvariant.t.sol,backstop/BackstopInvariants.t.sol}

# Symbolic tests by halmos and static analysis by Slither; needs Python 3.11, and the package index once.
audit: setup .venv/ready
	FOUNDRY_PROFILE=symbolic $(FORGE) build
	$(HALMOS)
	$(SLITHER)

# Of the symbolic tests, the lemmas on the pool's books and on the policies.
audit-smoke: setup .venv/ready
	FOUNDRY_PROFILE=symbolic $(FORGE) build
	$(HALMOS) --match-contract 'Books|Policies'
	$(SLITHER)

# Both call `forge`.
AUDIT_PATH := PATH="$(CURDIR)/script:$(CURDIR)/.venv/bin:$$PATH"
HALMOS := $(AUDIT_PATH) FOUNDRY_PROFILE=symbolic halmos --config test/symbolic/halmos.toml
SLITHER := $(AUDIT_PATH) python test/audit/slither.py slither

.venv/ready: test/symbolic/requirements.txt
	python3 -m venv .venv
	.venv/bin/pip install --quiet --disable-pip-version-check --requirement $<
	@touch $@

lint: setup
	$(FORGE) fmt --check
	$(FORGE) build --sizes contracts
	cargo fmt --all --check
	cargo clippy --workspace --all-targets --locked -- -D warnings

fmt: setup
	$(FORGE) fmt
	cargo fmt --all

setup: node_modules/.package-lock.json

# npm writes this file last, so a broken install is tried again.
node_modules/.package-lock.json: package.json package-lock.json
	npm ci --no-audit --no-fund
	@touch $@

clean:
	rm -rf out cache target results
