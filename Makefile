# Every target sets up what it needs, and ends with one line: its result and its time.
# The work is in tests/setup/*.sh and tests/interop/run.sh, which say how.

SHELL := /bin/bash
.DEFAULT_GOAL := help
.PHONY: help demo test test-interop torture soak bench bench-growth mutants deb fmt

# Arguments for the program behind a target: make demo ARGS='--count 200 --keep out'
ARGS ?=
TIMED = @bash tests/setup/timed.sh

help: ## this list
	@printf 'make TARGET [ARGS=…]\n\n'
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/  \1|\2/p' Makefile | while IFS='|' read -r name text; do \
	  printf '%-16s %s\n' "$$name" "$$text"; done
	@printf '\nFirst build on a machine: about half an hour, mostly RocksDB; it is kept afterwards.\n'
	@printf 'cargo by hand, with the kept library: tests/setup/cargo.sh test -p zhao-ledger\n'

demo: ## a licence office from nothing: issue, change, prove, verify offline, catch the cheat
	$(TIMED) demo bash tests/setup/demo.sh $(ARGS)

test: ## every gate of a change: format, lints, documentation, tests in Rust and JavaScript
	$(TIMED) test bash tests/setup/test.sh

test-interop: ## other people's implementations judge ours (npm, PyPI, Go), and cargo deny
	$(TIMED) test-interop bash tests/interop/run.sh

torture: ## kill a loaded ledger 500 times, an office 300 times (half in bulk), cut its power 1,000 times, refuse it every call (an hour)
	$(TIMED) torture bash tests/setup/cargo.sh test --locked -p zhao-tests --test torture --test power \
	  -- --ignored --nocapture

soak: ## a served registry: ten minutes of load, then twice what it can do; killed 300 times (half an hour)
	$(TIMED) soak bash tests/setup/soak.sh

bench: ## what the ledger costs, beside this machine and its peers: a quarter of an hour (ARGS='--quick')
	$(TIMED) bench bash tests/setup/bench.sh $(ARGS)

bench-growth: ## admission, proofs and restart from 1 to 10 million subjects: half an hour, 60 GB free
	$(TIMED) bench-growth bash tests/setup/bench.sh growth $(ARGS)

mutants: ## change the verifying code in every small way; each change must fail a test (hours; ARGS=credentials: one of them)
	$(TIMED) mutants bash tests/setup/mutants.sh $(ARGS)

deb: ## a Debian package of the release, with units for systemd, in target/debian (a quarter of an hour)
	$(TIMED) deb bash tests/setup/deb.sh

fmt: ## format the Rust code
	$(TIMED) fmt bash -c 'bash tests/setup/system.sh lint && cargo fmt --all'
