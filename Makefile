# Two commands do everything: `make run` and `make test`. The rest are their parts.
PYTHON ?= python3
VERSION := $(shell $(PYTHON) -c 'import sys; print("%d.%d" % sys.version_info[:2])')
VENV := build/venv-$(VERSION)
BIN := $(VENV)/bin
READY := $(VENV)/.ready
MINISTACK := build/venv-ministack-$(VERSION)
RUNTIME ?= python3.13
ARCHITECTURE ?= x86_64
TEMPLATES := $(filter-out infra/app-merge.yaml,$(wildcard infra/*.yaml))

.PHONY: ohif run test check unit coverage exhaustive package rehearse checkov lock bench province bases cost clean hammer

run: $(READY)  ## the local cloud: plays the story, then keeps serving (ONCE=1: stops after the story)
	$(BIN)/python -m infra.local $(if $(ONCE),--once)

test: check unit  ## style, types, architecture and all tests but the long ones of `make exhaustive`

check: $(READY)  ## style, types, architecture
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/cfn-lint -r us-east-1 cn-north-1 -- $(TEMPLATES)

unit: $(READY) $(MINISTACK)/.ready
	$(BIN)/pytest -n 2 --dist loadfile -m "not exhaustive"

coverage: $(READY) $(MINISTACK)/.ready  ## the same tests once more with each line and branch counted, which takes twice as long; fails below 90 %
	$(BIN)/coverage erase
	$(BIN)/pytest -n 2 --dist loadfile --cov --cov-report=term -m "not exhaustive" --ignore=tests/e2e/test_ohif.py

exhaustive: $(READY) $(MINISTACK)/.ready  ## the long runs that `make test` leaves out, and CI does not
	$(BIN)/pytest -n 2 --dist loadfile -m exhaustive

bases: $(READY)  ## every basis of a grant against the local cloud, and what the patient reads of it
	$(BIN)/python -m infra.local.bases

bench: $(READY)  ## the budgets, as ratios within one run, in build/bench.json
	$(BIN)/python -m tests.bench

province: $(READY)  ## a day of 1,578 hospitals and 300,000 exams through the ledger, compared with what was injected, in build/province.json (SEED=1)
	$(BIN)/python -m tests.bench.province $(if $(SEED),--seed $(SEED))

hammer: $(READY)  ## the hospital's client killed KILLS times (100), on a bad line: every image arrives once
	$(BIN)/python -m tests.bench.killing $(KILLS)

package: $(READY)  ## build/package/: the functions' zip and plain CloudFormation (ARCHITECTURE=arm64, RUNTIME=python3.12)
	$(BIN)/python -m infra.package --architecture $(ARCHITECTURE) --runtime $(RUNTIME)
	$(BIN)/cfn-lint -r us-east-1 cn-north-1 -- build/package/app.json

rehearse: $(READY) $(MINISTACK)/.ready  ## both stacks and the zip on an emulated AWS with IAM enforced: the story, every break-in that must fail, the operator's guide
	$(BIN)/python -m infra.rehearse
	$(BIN)/python -m infra.rehearse.operate

checkov: package  ## what checkov says of the templates; in an environment of its own, so not part of `make test`
	test -x build/venv-checkov/bin/checkov || { $(PYTHON) -m venv build/venv-checkov && build/venv-checkov/bin/pip install --quiet checkov==3.3.30; }
	build/venv-checkov/bin/checkov --quiet --compact --skip-download --framework cloudformation -f $(TEMPLATES) build/package/app.json

cost: $(READY)  ## what a day and a month cost, from recorded calls and list prices
	$(BIN)/python -m infra.cost

OHIF := 3.12.10
OHIF_SHA256 := fbabd410be33e5b9898931b725229b9da9553aac339914b5c29796d3aa5d4b2d
build/ohif/package:  # it stands there whole or not at all: its tests run where it does
	rm -rf build/ohif && mkdir -p build/ohif/unpacked
	cd build/ohif && npm pack --silent @ohif/app@$(OHIF) && echo "$(OHIF_SHA256)  ohif-app-$(OHIF).tgz" | sha256sum --check --quiet
	cd build/ohif && tar -xzf ohif-app-$(OHIF).tgz -C unpacked && rm ohif-app-$(OHIF).tgz && mv unpacked/package package

ohif: $(READY) build/ohif/package  ## OHIF's published build opens studies of the local cloud in Chromium
	$(BIN)/pytest tests/e2e/test_ohif.py -q

lock: $(READY)  ## regenerate requirements.txt and requirements-dev.txt from pyproject.toml
	$(BIN)/python -m pip install --quiet --disable-pip-version-check 'uv>=0.13.9'
	$(BIN)/uv pip compile pyproject.toml --universal --python-version 3.11 --upgrade --no-header --quiet -o requirements.txt
	$(BIN)/uv pip compile pyproject.toml --group dev --universal --python-version 3.11 --constraint requirements.txt --upgrade --no-header --quiet -o requirements-dev.txt

$(READY): requirements-dev.txt
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -r requirements-dev.txt
	touch $@

$(MINISTACK)/.ready: infra/rehearse/requirements.txt
	$(PYTHON) -m venv $(MINISTACK)
	$(MINISTACK)/bin/python -m pip install --quiet --disable-pip-version-check -r $< || { echo "cannot install the rehearsal's environment ($<): is the package registry reachable?" >&2; exit 1; }
	touch $@

clean:
	rm -rf build
