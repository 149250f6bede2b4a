# `make demo` and `make test` need nothing but Python >= 3.12, a C compiler and gmsh's system libraries;
# scripts/bootstrap names what is missing.
.PHONY: bench bench-growth bench-peers bench-solvers demo test verify paper lint format lock image clean help

BIN := .venv/bin
INSTALLED := .venv/installed
RANKS ?= 2
ENGINE ?= $(firstword $(notdir $(shell command -v docker) $(shell command -v podman)))

# The parallelism is MPI's; threads of the linear algebra would fight for the same cores. On one machine
# shared memory and TCP are all that MPI needs, and network cards that it cannot use stay untouched.
export OMP_NUM_THREADS ?= 1
export UCX_TLS ?= self,sm,tcp

help:            ## what the targets do
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/\1\t\2/p' $(MAKEFILE_LIST) | expand -t 10

demo: $(INSTALLED)    ## simulate a small Se-MSe cathode over one cycle: results/demo
	$(BIN)/mpirun -n $(RANKS) $(BIN)/creep-fem run configs/demo.yaml

test: $(INSTALLED)    ## run all tests, serial and under mpirun
	$(BIN)/pytest

verify: $(INSTALLED)  ## run all verification cases, the long ones too, and write docs/verification.md
	$(BIN)/python -W error tests/verification/book.py
	$(BIN)/pytest tests/verification --ignore=tests/verification/test_verification.py

paper: $(INSTALLED)   ## make all runs of docs/paper.md, write its tables and figures; options in PAPER
	$(BIN)/python -m benchmarks.paper $(PAPER)

lint: $(INSTALLED)    ## check style (ruff) and types (mypy strict)
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy

format: $(INSTALLED)  ## rewrite the sources in the agreed style
	$(BIN)/ruff check --fix
	$(BIN)/ruff format

bench-peers: $(INSTALLED)    ## compare with CalculiX and MOOSE on three problems; options in PEERS
	$(BIN)/python -m benchmarks.peers $(PEERS)

bench: $(INSTALLED)    ## time runs against their bare linear algebra; options in BENCH
	$(BIN)/python -m benchmarks.speed limits $(BENCH)

bench-growth: $(INSTALLED)    ## time larger and larger packings; options in BENCH
	$(BIN)/python -m benchmarks.speed growth $(BENCH)

bench-solvers: $(INSTALLED)    ## compare the linear solvers on the same matrices; options in BENCH
	$(BIN)/python -m benchmarks.speed solvers $(BENCH)

lock: $(INSTALLED)    ## record the versions installed in .venv in requirements.lock
	{ echo "# Versions the tests passed with, used as constraints. Written by 'make lock'."; \
	  $(BIN)/pip list --format=freeze --exclude-editable --exclude pip; } > requirements.lock
	touch $(INSTALLED)

image:           ## build the container image creep-fem with docker or podman
	@test -n "$(ENGINE)" || { echo "make image: found neither docker nor podman; on Debian: apt-get install podman" >&2; exit 1; }
	$(ENGINE) build --tag creep-fem .

clean:           ## remove the environment and all caches, not results/
	rm -rf .venv .mypy_cache .pytest_cache .ruff_cache dist
	find . -name __pycache__ -prune -exec rm -rf {} +

$(INSTALLED): pyproject.toml requirements.lock scripts/bootstrap
	@scripts/bootstrap
