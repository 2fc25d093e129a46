# The commands for developers: demo, test, test-all, matrix, recordings, lint, bench, docs, lock, clean. Each makes its
# own virtual environment in .venv first, from Python 3.10 or newer and nothing else. Another interpreter:
# make PYTHON=python3.12 test

PYTHON ?= python3
VENV   := .venv
BIN    := $(VENV)/bin
# One stamp per Python version, so that another PYTHON builds a new environment.
STAMP  := $(VENV)/.installed-$(shell '$(PYTHON)' -c 'import sys; print("%d.%d.%d" % sys.version_info[:3])' 2>&-)
LOCKER := .venv-lock
UV     := uv==0.13.8
PIP    := -m pip --disable-pip-version-check -qq install

# One case of each long test; `make test CASES=` runs every case, as make matrix does.
CASES  := --quick

# Otherwise each program that the tests start would compile the whole package, and each run every test.
unexport PYTHONDONTWRITEBYTECODE

.PHONY: help demo test test-exhaustive test-all matrix recordings lint bench bench-quick docs lock clean
.DELETE_ON_ERROR:

help:
	@echo "make demo   the whole flow on the bundled examples, against a local emulator"
	@echo "make test   all but slow tests, in four minutes; one file: make test ARGS=tests/test_layers.py"
	@echo "make test-all  every case of every test, and the branch coverage"
	@echo "make matrix the tests on every Python from 3.10 on that is found here, each in its own environment"
	@echo "make recordings DIR=FOLDER   decode recorded answers of real services, and take them through a plan"
	@echo "make lint   formatting, ruff and mypy --strict"
	@echo "make bench  measure against the transport's floor, in full; under a minute: make bench-quick"
	@echo "make docs   write docs/cli.md and docs/support-matrix.md from the program"
	@echo "make lock   write constraints.txt from pyproject.toml; newest versions: make lock UPGRADE=1"
	@echo "make clean  remove everything that these commands created"

demo: $(STAMP)
	$(BIN)/assistants-migrate demo --dir demo

test: $(STAMP)
	$(BIN)/python -m pytest $(CASES) -n 3 --dist loadscope --no-loadscope-reorder $(ARGS)

# Every case of the exhaustive matrices. PERCENT=25 runs a quarter of each matrix, always the same one: .ci/run has
# no more time.
test-exhaustive: $(STAMP)
	$(BIN)/python -m pytest -n 3 --dist worksteal --exhaustive --percent $(or $(PERCENT),100) \
		-m "exhaustive or exhaustive_only or hypothesis" $(ARGS)

# First every test with its cases, of the exhaustive matrices a sample, measured; then the matrices, not measured: that
# would nearly double the time that they take.
test-all: $(STAMP)
	rm -rf build/coverage
	mkdir -p build/coverage
	$(BIN)/python -m coverage run -m pytest -n 3 --dist loadscope --no-loadscope-reorder $(ARGS)
	$(BIN)/python -m coverage combine -q
	$(BIN)/python -m coverage report $(if $(ARGS),--fail-under=0)
	$(MAKE) test-exhaustive

# Finding them needs none of our packages, so any Python may do it.
matrix:
	@$(call check_python)
	@'$(PYTHON)' tests/matrix/run.py $(ARGS)

recordings: $(STAMP)
	@test -n "$(DIR)" || { echo "name a folder, as in: make recordings DIR=../recorded" >&2; exit 2; }
	@$(BIN)/python -m tests.recordings "$(DIR)"

lint: $(STAMP)
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy --strict

bench: $(STAMP)
	$(BIN)/python -m benchmarks --size full

bench-quick: $(STAMP)
	$(BIN)/python -m benchmarks --size quick

docs: $(STAMP)
	@mkdir -p docs
	$(BIN)/python -m tools.docs.cli_reference > docs/cli.md.new
	@mv docs/cli.md.new docs/cli.md
	$(BIN)/python -m tools.docs.support_matrix > docs/support-matrix.md.new
	@mv docs/support-matrix.md.new docs/support-matrix.md

$(STAMP): constraints.txt pyproject.toml
	@$(call check_python)
	@echo "Making $(VENV) with $(PYTHON)"
	@$(call make_venv,$(VENV))
	$(BIN)/python $(PIP) --require-hashes --no-deps -r constraints.txt
	$(BIN)/python $(PIP) --no-deps --no-build-isolation -e .
	@touch $@

# Hashes for every system and Python 3.10 or newer. Pins stay as they are unless UPGRADE is given.
lock:
	@$(call check_python)
	@$(call make_venv,$(LOCKER))
	$(LOCKER)/bin/python $(PIP) '$(UV)'
	$(LOCKER)/bin/uv pip compile pyproject.toml --quiet --extra dev --universal --python-version 3.10 \
		--generate-hashes --no-emit-index-url --no-emit-find-links --custom-compile-command "make lock" \
		$(if $(UPGRADE),--upgrade) --output-file constraints.txt

clean:
	rm -rf $(VENV) $(VENV)-matrix $(LOCKER) demo build dist .pytest_cache .ruff_cache .mypy_cache .hypothesis docs/*.md.new
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

define check_python
command -v '$(PYTHON)' >/dev/null || { echo "$(PYTHON) was not found: install Python 3.10 or newer, \
or name yours, as in: make PYTHON=python3.12 test" >&2; exit 1; }; \
'$(PYTHON)' -c 'import sys; sys.exit(sys.version_info < (3, 10))' || { echo "$$('$(PYTHON)' --version 2>&1) \
is too old: 3.10 or newer is needed; name one, as in: make PYTHON=python3.12 test" >&2; exit 1; }
endef

define make_venv
'$(PYTHON)' -m venv --clear '$(1)' || { echo "$(PYTHON) cannot make virtual environments: install its venv \
package (on Debian and Ubuntu: apt install python3-venv), then run make again" >&2; exit 1; }
endef
