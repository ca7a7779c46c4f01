# `make demo` and `make test` do all the set-up. Both create .venv if it is missing. `make demo` installs only the packages
# for detection; the other commands install all extras.
SHELL := bash
.SHELLFLAGS := -eu -o pipefail -c
# the first of these Pythons that runs and is new enough
PYTHON ?= $(shell for p in python3 python3.13 python3.12 python3.11; do \
  $$p -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && echo $$p && break; done)
VENV := .venv
LIGHT := $(VENV)/.light
READY := $(VENV)/.ready
DEMO_SEED := 20261123

# `dvc exp run -S` changes params.yaml: restore the user's file afterwards, also after an error
KEEP_PARAMS = mkdir -p .refinedet; cp params.yaml .refinedet/params.yaml; trap 'mv .refinedet/params.yaml params.yaml' EXIT;

# dvc.yaml calls `python`: make it the one of .venv
export PATH := $(CURDIR)/$(VENV)/bin:$(PATH)

.PHONY: setup demo pipeline weights lock test test-all coverage lint bench docs docs-serve qgis clean

setup: $(READY)

# without torch: about 650 MB, less than a minute with a warm package cache
$(LIGHT): pyproject.toml
	@test -n "$(PYTHON)" || \
	  { echo "expected Python 3.11 or newer, found none; install it, or name it: make PYTHON=/path/to/python3.12 demo"; exit 1; }
	@$(VENV)/bin/python -m pip --version >/dev/null 2>&1 || $(PYTHON) -m venv $(VENV) || \
	  { echo "$(PYTHON) cannot make $(VENV); on Debian and Ubuntu: apt install python3-venv"; exit 1; }
	@echo "Installing what detection needs into $(VENV) (about 650 MB) ..."
	@python -m pip install -q --disable-pip-version-check -e .
	@python -m compileall -q refinedet cli  # or the start takes a second more where PYTHONDONTWRITEBYTECODE is set
	@touch $(LIGHT)

$(READY): $(LIGHT)
	@echo "Installing all extras into $(VENV) (about 7 GB, less if torch's CPU build is there; some minutes) ..."
	@python -m pip install -q --disable-pip-version-check torch torchvision
	@python -m pip install -q --disable-pip-version-check -e '.[all,dev]'
	@touch $(READY)

# detection with the shipped weights, on a scene that no training has seen
demo: $(LIGHT)
	refinedet simulate demo/scene.tif --width-px 2048 --height-px 2048 --ships 60 --seed $(DEMO_SEED) --overwrite
	refinedet detect demo/scene.tif --out demo/ships --overwrite
	@echo; echo "Against the truth, and beside it a plain two-parameter CFAR:"
	refinedet score demo/ships/scene.geojson demo/scene.truth.geojson
	python benchmarks/accuracy/cfar.py demo/scene.tif demo/scene.truth.geojson
	@echo
	@echo "Quicklook:  demo/ships/scene.png"
	@echo "Ships:      demo/ships/scene.geojson"

# the whole workflow on simulated scenes: train, evaluate, report, then detect in the demo's scene with the new weights
pipeline: $(READY)
	@git rev-parse --is-inside-work-tree >/dev/null 2>&1 || \
	  { echo "expected a git checkout, since DVC works on one; run: git init && git add . && git commit -m start"; exit 1; }
	$(KEEP_PARAMS) dvc exp run -S recipe=simulated
	refinedet simulate demo/scene.tif --width-px 2048 --height-px 2048 --ships 60 --seed $(DEMO_SEED) --overwrite
	refinedet detect demo/scene.tif --weights outputs/train/model.safetensors --out demo/trained --overwrite
	refinedet score demo/trained/scene.geojson demo/scene.truth.geojson
	@echo
	@echo "Report:     outputs/report/report.html"
	@echo "Runs:       $(VENV)/bin/refinedet runs"

# one test process per core, at most four; each computes with one thread
PYTEST = OMP_NUM_THREADS=1 python -m pytest -n logical --maxprocesses 4 --dist loadfile

test: lint
	$(PYTEST)

test-all: lint
	$(PYTEST) -m "slow or not slow"

# the tests, a third slower, with a list of the lines that none of them runs; programs that tests start are not measured
coverage: lint
	$(PYTEST) --cov --cov-report=term:skip-covered

lint: $(READY)
	@ruff check . || { echo "lint: ruff found faults; 'ruff check --fix .' mends some of them"; exit 1; }
	@ruff format --check . || { echo "lint: files are not formatted; 'ruff format .' does it"; exit 1; }
	@codespell || { echo "lint: codespell found misspellings; words of our own go into pyproject.toml"; exit 1; }
	@mypy || { echo "lint: mypy found faults in types"; exit 1; }

# build the documentation into site/: a broken link or a missing page is an error; nothing is downloaded
docs: $(READY)
	NO_MKDOCS_2_WARNING=1 python -m mkdocs build --strict

# show the documentation in the browser, and rebuild it after each change
docs-serve: $(READY)
	NO_MKDOCS_2_WARNING=1 python -m mkdocs serve

# measure docs/results/speed.md on this machine, in about 20 minutes. PRODUCT=path.SAFE adds a whole Sentinel-1 scene, and INT8=path.xml
# a file of `refinedet export --int8`. QUICK=1 runs all but 8 bits in about two minutes and writes demo/benchmarks.md.
# OLD=revision times that revision and this one in turn instead; ROWS=demo,chips selects rows
bench: $(READY)
ifdef OLD
	python benchmarks/speed/against.py '$(OLD)' $(if $(QUICK),--quick) $(if $(ROWS),--rows '$(ROWS)')
else
	@python -c 'import sahi' 2>/dev/null || python -m pip install -q --disable-pip-version-check -e '.[bench]'
	python benchmarks/speed/report.py $(if $(QUICK),--quick) $(if $(PRODUCT),--product '$(PRODUCT)') $(if $(INT8),--int8 '$(INT8)')
endif

# train the shipped weights and their graph from the data sets and the real samples: docs/training/shipped-weights.md
weights: $(READY)
	@test -d "$$REFINEDET_DATA/real" || { echo "expected REFINEDET_DATA to name the folder of the real samples, which has a folder real"; exit 1; }
	$(KEEP_PARAMS) dvc exp run -S recipe=long
	cp outputs/train/model.safetensors .refinedet/long.safetensors
	for seed in 1 2; do \
	  ($(KEEP_PARAMS) dvc exp run -S recipe=real -S recipes.real.train.init=.refinedet/long.safetensors \
	    -S ++recipes.real.train.seed=$$seed) && cp outputs/train/model.safetensors .refinedet/real_$$seed.safetensors || exit 1; \
	done
	python -m pipeline.average_weights .refinedet/long.safetensors .refinedet/real_1.safetensors .refinedet/real_2.safetensors \
	  --out .refinedet/first.safetensors
	$(KEEP_PARAMS) dvc exp run -S recipe=real -S recipes.real.train.init=.refinedet/first.safetensors -S ++recipes.real.train.seed=3 \
	  -S recipes.real.train.epochs=6 -S recipes.real.train.lr=0.00025 -S recipes.real.scenes.seed=6100
	python -m pipeline.average_weights .refinedet/long.safetensors outputs/train/model.safetensors \
	  --out .refinedet/second.safetensors --chips outputs/tile
	$(KEEP_PARAMS) dvc exp run -S recipe=real -S recipes.real.train.init=.refinedet/second.safetensors -S ++recipes.real.train.seed=4 \
	  -S recipes.real.train.lr=0.0003 -S recipes.real.train.repeat=2 -S recipes.real.scenes.seed=7100 -S recipes.real.real.seed=4
	cp outputs/train/model.safetensors .refinedet/real_4.safetensors
	python -m pipeline.average_weights .refinedet/second.safetensors .refinedet/real_4.safetensors --out .refinedet/third.safetensors
	$(KEEP_PARAMS) dvc exp run -S recipe=real -S recipes.real.train.init=.refinedet/real_4.safetensors -S ++recipes.real.train.seed=5 \
	  -S recipes.real.train.epochs=10 -S recipes.real.train.lr=0.0003 -S recipes.real.train.repeat=2 \
	  -S recipes.real.scenes.seed=7200 -S recipes.real.real.seed=5
	cp outputs/train/model.safetensors .refinedet/real_5.safetensors
	rm -rf .refinedet/chips_5 && cp -r outputs/tile .refinedet/chips_5
	$(KEEP_PARAMS) dvc exp run -S recipe=real -S recipes.real.train.init=.refinedet/real_5.safetensors -S ++recipes.real.train.seed=6 \
	  -S recipes.real.train.epochs=8 -S recipes.real.train.lr=0.0003 -S recipes.real.train.repeat=2 \
	  -S recipes.real.scenes.seed=8400 -S recipes.real.real.seed=6 -S recipes.real.real.val=4
	python -m pipeline.average_weights .refinedet/third.safetensors outputs/train/model.safetensors \
	  --out .refinedet/fourth.safetensors --chips .refinedet/chips_5 outputs/tile
	cp .refinedet/fourth.safetensors .refinedet/last.safetensors
	for step in "9 7 0.0004" "10 5 0.0003" "11 6 0.0003"; do \
	  set -- $$step; \
	  ($(KEEP_PARAMS) dvc exp run -S recipe=real -S recipes.real.train.init=.refinedet/last.safetensors -S ++recipes.real.train.seed=$$1 \
	    -S recipes.real.train.epochs=$$2 -S recipes.real.train.lr=$$3 -S recipes.real.scenes=null -S recipes.real.real.seed=$$1 \
	    -S recipes.real.real.train=10 -S recipes.real.real.val=6) && cp outputs/train/model.safetensors .refinedet/last.safetensors || exit 1; \
	done
	python -m pipeline.average_weights .refinedet/fourth.safetensors .refinedet/last.safetensors \
	  --out .refinedet/mean.safetensors --chips outputs/tile
	python -m pipeline.package_weights .refinedet/mean.safetensors --gsd-m 7 14 10 --calibration outputs/tile

# pack the plugin for QGIS into a zip file to install
qgis:
	@rm -rf build/qgis; mkdir -p build/qgis dist
	@cp -r qgis/refinedet_qgis LICENSE build/qgis && mv build/qgis/LICENSE build/qgis/refinedet_qgis
	@rm -rf build/qgis/refinedet_qgis/__pycache__
	@cd build/qgis && $(PYTHON) -m zipfile -c ../../dist/refinedet_qgis.zip refinedet_qgis
	@echo dist/refinedet_qgis.zip

# write the tested versions as constraints, without torch and its dependencies, because its builds differ
lock: $(READY)
	@{ echo '# Versions that were tested, by `make lock`: pip install -c requirements.lock refinedet'; \
	  python -m pip freeze --exclude-editable | grep -E '^[A-Za-z0-9_.-]+==[0-9A-Za-z.]+$$' \
	  | grep -vE '^(torch|torchvision|triton|nvidia-.*|cuda-.*)=='; } > requirements.lock

clean:
	rm -rf demo outputs
