# make toy: the whole workflow on the toy slides. make test: lint, types, layers, tests.
PYTHON ?= python3
CORES ?= $(shell getconf _NPROCESSORS_ONLN)
export PATH := $(CURDIR)/.venv/bin:$(PATH)

.PHONY: toy test lint unit workflow-test bench campaigns lock docs clean

toy: .venv
	snakemake --cores $(CORES)

test: lint unit workflow-test

lint: .venv
	ruff check .
	ruff format --check .
	mypy
	lint-imports
	snakefmt --check Snakefile workflow/rules
	snakemake --lint

unit: .venv
	pytest -m "not workflow" -n $(CORES)

workflow-test: .venv
	pytest tests/workflow

# The table of all measures; benchmarks/results.md. Public packages are compared with where .venv-peers is there.
bench: .venv
	python benchmarks/table.py $(BENCH)

.venv-peers: benchmarks/requirements-peers.txt
	$(PYTHON) -m venv $@
	$@/bin/pip install --quiet --disable-pip-version-check --requirement $<
	touch $@

# Kills, faults and repeats: about an hour on two cores. With a Slurm at hand: python benchmarks/slurm_campaign.py
campaigns: .venv
	python benchmarks/determinism.py
	python benchmarks/without_snakemake.py
	python benchmarks/kill_campaign.py
	python benchmarks/fault_campaign.py

# Everything that is generated from the source: config/README.md, docs/cli.md, envs/sthelar.yaml, the picture of the rules.
docs: .venv
	python docs/generate.py
	python docs/rule_graph.py

# Afresh from pyproject.toml; then build a new .venv and run make test.
lock: .venv
	pip-compile --quiet --strip-extras --no-emit-index-url --no-emit-find-links --no-emit-trusted-host \
		--extra slurm --extra dev --constraint constraints.txt \
		--output-file requirements.lock pyproject.toml
	sed -i 's/^\(torch==[0-9.]*\)+cpu/\1/' requirements.lock
	python docs/generate.py

.venv: .venv/complete

# The stamp is written last: an installation that was cut short is taken up again.
# The first import of umap compiles what it keeps for all later ones.
.venv/complete: requirements.lock pyproject.toml
	$(PYTHON) -m venv .venv
	.venv/bin/pip install --quiet --disable-pip-version-check --requirement requirements.lock
	.venv/bin/pip install --quiet --disable-pip-version-check --no-deps --editable .
	.venv/bin/python -W ignore -c "import umap"
	touch $@

clean:
	rm -rf results resources logs
