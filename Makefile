# huoke: everything a person or a build machine starts. A bare `make` explains the targets.
.DEFAULT_GOAL := help
.PHONY: help setup demo test storm lint bench dashboard clean

ROOT := $(CURDIR)
BIN := $(ROOT)/.venv/bin
PY := $(BIN)/python

# Spark finds its own folder with the python3 on PATH, its workers start PYSPARK_PYTHON, and all of it stays on loopback.
export PATH := $(BIN):$(PATH)
export PYSPARK_PYTHON := $(PY)
export PYSPARK_DRIVER_PYTHON := $(PY)
export SPARK_LOCAL_IP := 127.0.0.1
export AIRFLOW_HOME := $(ROOT)/var/airflow
unexport SPARK_HOME SPARK_CONF_DIR SPARK_REMOTE PYTHONPATH PYTHONHOME
# Airflow and Spark start dozens of processes: without cached bytecode each compiles its imports anew.
unexport PYTHONDONTWRITEBYTECODE

help: ## explain the targets
	@echo "make TARGET, with all state under var/ (PYTHON=... and JAVA_HOME=... choose among several):"
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "  %-10s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

setup: ## make .venv from uv.lock (needs Python 3.11 or 3.12, a C compiler, Java 17+; says what is missing)
	@.ci/setup

demo: setup ## run the whole chain on a sample market: Airflow, Spark, the campaign, the cost table, the report
	@$(PY) -m jobs.demo

test: setup ## run every test but the storms (HUOKE_REAL_DATA=DIR adds those on real data)
	@$(PY) -m pytest -m "not storm" -n 2 --dist loadfile --no-loadscope-reorder

storm: setup ## run the long fault and equality runs (under an hour, resumable)
	@HUOKE_STORM=$(ROOT)/var/storm $(PY) -m pytest -m storm -n 2 --dist loadfile

lint: setup ## check style, format and types
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy

bench: setup ## measure speeds side by side
	@$(PY) tests/bench

dashboard: setup ## open the dashboard over the demo's warehouse
	@$(PY) -m dashboards

clean: ## remove var/ and every cache (.venv stays; remove it by hand to install anew)
	rm -rf var .pytest_cache .ruff_cache .mypy_cache .hypothesis spark-warehouse metastore_db derby.log artifacts
	find . -name __pycache__ -type d -not -path './.venv/*' -prune -exec rm -rf {} +
