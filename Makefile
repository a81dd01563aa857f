# Every target works in a fresh clone with python3, make and a package index alone.
# uv builds the environment; where it is missing, a private virtual environment fetches it with pip,
# which also works where the system Python is externally managed.
PYTHON ?= python3
UV ?= $(shell command -v uv 2>/dev/null || echo .build/bin/uv)
RUN = $(UV) run --frozen --no-sync
# uv brings certificates of its own; a machine behind a proxy that signs with its own has them in the system's file.
CERTIFICATES := $(firstword $(wildcard /etc/ssl/certs/ca-certificates.crt /etc/pki/tls/certs/ca-bundle.crt /etc/ssl/cert.pem))
ifneq ($(CERTIFICATES),)
export SSL_CERT_FILE ?= $(CERTIFICATES)
endif

.PHONY: help coverage pictures demo test torture soak lint bench prices docs site format clean package extras sbom notices audit
help:
	@echo "make demo    record six mock calls and print what they cost"
	@echo "make test    every test"
	@echo "make torture kills, restarts, full disks and bad networks, many rounds; prints a table"
	@echo "make soak    64 threads and 500 tasks over ten SDKs for two minutes; prints a table"
	@echo "make lint    ruff, mypy, import-linter; mypy, pyright and ty on the public types; the site"
	@echo "make coverage branches of core, extract, pricing, journal and ledger; fails below 100 %"
	@echo "make bench   the benchmarks, peers beside us in one run"
	@echo "make prices  rebuild the generated price data"
	@echo "make pictures  the pictures of README and docs, by Chromium"
	@echo "make docs    write the pages that are made from the code"
	@echo "make site    the documentation as a site, in site/; fails at a broken link"
	@echo "make package wheel and sdist into dist/; make extras tries the wheel with each extra alone"
	@echo "make sbom    CycloneDX list of all that outlay with every extra is made of: sbom.cdx.json"
	@echo "make notices NOTICES.md out of the licences of the price lists"
	@echo "make audit   known vulnerabilities of the locked packages; fails if the service does not know one"

.build/bin/uv:
	@( $(PYTHON) -m venv .build && .build/bin/python -m pip install --quiet --disable-pip-version-check uv ) \
	|| $(PYTHON) -m pip install --quiet --disable-pip-version-check --break-system-packages --target .build uv

.venv/.%: pyproject.toml uv.lock | $(filter .build/bin/uv,$(UV))
	@$(UV) sync --frozen --quiet --inexact $(if $(filter core,$*),,--group $*)
	@touch $@

demo: .venv/.core
	@$(RUN) outlay demo

# Hundreds of tests start Python: what they import is compiled once, whatever the machine says of bytecode.
test: .venv/.dev
	@PYTHONDONTWRITEBYTECODE= $(RUN) pytest -n auto --dist worksteal --durations=25

torture: .venv/.dev
	@$(RUN) python -m tests.torture

# The rooms in which money is reckoned and kept, by their own tests and those of import and export, which write and
# read the ledger's tables and Parquet. Processes that tests start are measured too; where they are killed, nobody is
# left to write down what ran. Left out are a test of what is loaded, which the measuring itself changes, two under
# a limit of file sizes, which what is written down would exceed, and five of SIGTERM and os._exit, which the measuring
# takes for itself; the handler is measured in the test's own process.
ROOMS = tests/core tests/extract tests/pricing tests/journal tests/ledger tests/cli/test_import_export.py \
  tests/importing/test_beside.py tests/importing/test_own.py
COVERED = 100
WORKERS = auto
coverage: .venv/.dev
	@rm -f .coverage .coverage.*
	@$(RUN) coverage run -m pytest -n $(WORKERS) $(ROOMS) \
	  --deselect tests/pricing/test_book.py::test_importing_reads_no_data_and_no_package_but_our_own \
	  --deselect tests/journal/test_processes.py::test_a_file_size_limit_only_means_more_segments \
	  --deselect tests/journal/test_processes.py::test_a_program_that_ends_without_room_says_how_many_calls_it_lost_in_all \
	  --deselect tests/journal/test_endings.py::test_a_process_that_ends_itself_by_a_signal_writes_what_is_pending \
	  --deselect tests/journal/test_endings.py::test_leaving_the_block_of_a_pool_loses_nothing \
	  --deselect tests/journal/test_endings.py::test_a_worker_whose_main_thread_is_not_interrupted_ends_all_the_same \
	  --deselect tests/journal/test_endings.py::test_a_program_that_is_no_pools_worker_keeps_its_signals \
	  --deselect tests/journal/test_endings.py::test_the_wrapped_functions_are_told_from_the_plain_ones_by_nobody
	@$(RUN) coverage combine --quiet
	@$(RUN) coverage report --fail-under=$(COVERED)

soak: .venv/.dev
	@$(RUN) python -m tests.soak

lint: .venv/.dev
	@$(RUN) ruff check .
	@$(RUN) ruff format --check .
	@$(RUN) mypy
	@$(RUN) lint-imports
	@$(RUN) python -m tools.public_types
	@$(RUN) zensical build --clean --strict

bench: .venv/.dev .venv/.bench
	@$(RUN) python -m benchmarks

prices: .venv/.dev
	@$(RUN) python -m tools.build_prices

pictures: .venv/.dev
	@$(RUN) python -m tools.pictures

docs: .venv/.dev
	@$(RUN) python -m tools.command_pages
	@$(RUN) python -m tools.reference_pages

site: .venv/.dev
	@$(RUN) zensical build --clean --strict

package: .venv/.dev
	@mkdir -p dist && rm -f dist/outlay-*.whl dist/outlay-*.tar.gz
	@$(RUN) python -m hatchling build -d dist

extras: package
	@$(RUN) python -m tools.extras dist/*.whl

# In an environment of their own: what lists the packages must not be among them.
supply = UV_PROJECT_ENVIRONMENT=.build/supply $(UV) run --frozen --only-group supply
sbom: | $(filter .build/bin/uv,$(UV))
	@mkdir -p dist
	@UV_PROJECT_ENVIRONMENT=.build/whole $(UV) sync --frozen --quiet --python 3.11 --all-extras --no-default-groups
	@$(supply) cyclonedx-py environment .build/whole/bin/python --pyproject pyproject.toml \
	  --mc-type library --output-reproducible --validate -o dist/outlay.cdx.json
	@.build/whole/bin/python -m tools.sbom dist/outlay.cdx.json

notices: .venv/.dev
	@$(RUN) python -m tools.notices

audit: | $(filter .build/bin/uv,$(UV))
	@mkdir -p dist
	@$(UV) export --frozen --quiet --all-extras --no-default-groups --no-emit-project -o dist/requirements.txt
	@$(supply) pip-audit --strict --disable-pip --require-hashes -r dist/requirements.txt 2>dist/audit.log \
	|| { tail -n 1 dist/audit.log; echo "$$audit_says"; exit 1; } >&2
define audit_says
make audit: not known to be clean. If a table above names packages: uv lock --upgrade-package NAME, make test.
Without a table no advisory service answered: try again where it can be reached. All of it: dist/audit.log
endef
export audit_says

format: .venv/.dev
	@$(RUN) ruff format .
	@$(RUN) ruff check --fix .

clean:
	rm -rf .venv .build .mypy_cache .ruff_cache .pytest_cache
