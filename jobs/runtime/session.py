"""The one place that starts or reaches Spark."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from jobs.runtime.class_archive import java_options
from jobs.runtime.errors import TryAgain
from jobs.runtime.settings import SparkConf

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

# What makes results the same everywhere: UTC, ANSI, the same bytes for the same rows.
SETTINGS = {
    "spark.sql.session.timeZone": "UTC",
    "spark.sql.ansi.enabled": "true",
    "spark.sql.execution.arrow.pyspark.enabled": "true",
    "spark.sql.parquet.outputTimestampType": "TIMESTAMP_MICROS",
    "spark.sql.sources.parallelPartitionDiscovery.threshold": "100000",
    "spark.sql.execution.pythonUDF.arrow.enabled": "true",
    # HotSpot interprets methods over 8,000 bytes of code; Spark then had better split them.
    "spark.sql.codegen.hugeMethodLimit": "8000",
}
# What can only be said when a driver starts, not over Spark Connect.
DRIVER_SETTINGS = {
    "spark.ui.enabled": "false",
    "spark.ui.showConsoleProgress": "false",
    "spark.sql.catalogImplementation": "in-memory",
    "spark.driver.host": "127.0.0.1",
    "spark.driver.bindAddress": "127.0.0.1",
    # Code made for a plan serves it again on the next day, or world. By default 100 are kept; a chain makes hundreds.
    "spark.sql.codegen.cache.maxEntries": "2000",
    # Telling the JVM of the line of every call: 11 calls for one. A traceback names the line as well.
    "spark.python.sql.dataFrameDebugging.enabled": "false",
}
# Of a machine that sleeps for more than two minutes Spark would think, on waking, that its one executor had died.
ONE_PROCESS = {"spark.storage.blockManagerHeartbeatTimeoutMs": "7d"}


def environment() -> None:
    """Point Spark's workers at this very Python and its JVM at loopback."""
    os.environ["PYSPARK_PYTHON"] = sys.executable
    os.environ["PYSPARK_DRIVER_PYTHON"] = sys.executable
    os.environ.setdefault("SPARK_LOCAL_IP", "127.0.0.1")
    root = str(Path(__file__).resolve().parents[2])
    paths = os.environ.get("PYTHONPATH", "").split(os.pathsep)
    if root not in paths:
        os.environ["PYTHONPATH"] = os.pathsep.join([root, *filter(None, paths)])


def spark_session(conf: SparkConf, scratch: Path) -> SparkSession:
    """A session on `conf.master`: local[N], spark://host:port, yarn, k8s://…, or a Spark Connect sc://host:port."""
    environment()
    from pyspark.sql import SparkSession

    shuffle = {"spark.sql.shuffle.partitions": str(conf.shuffle_partitions)}
    try:
        if conf.master.startswith("sc://"):
            session = SparkSession.builder.remote(conf.master).getOrCreate()
            for key, value in (SETTINGS | shuffle).items():
                session.conf.set(key, value)
            return session
        builder = SparkSession.builder.master(conf.master).appName("huoke")
        scratch.mkdir(parents=True, exist_ok=True)
        fixed = {
            "spark.driver.memory": conf.driver_memory,
            "spark.local.dir": str(scratch),
            "spark.sql.warehouse.dir": str(scratch / "spark-warehouse"),
        }
        own = ONE_PROCESS if conf.master.startswith("local") else {}
        for key, value in (DRIVER_SETTINGS | own | java_options() | SETTINGS | shuffle | fixed | conf.settings).items():
            builder = builder.config(key, value)
        with errors_to(scratch / "spark.log"):
            return builder.getOrCreate()
    except Exception as error:
        raise TryAgain(
            f"Spark at {conf.master} could not be reached ({type(error).__name__}: {str(error)[:200]}); "
            f"check that it is up and that Java 17 or newer is on PATH ({scratch}/spark.log says more), "
            "then run the same command again"
        ) from error


@contextmanager
def running(conf: SparkConf, scratch: Path) -> Iterator[SparkSession]:
    """A session for the block, stopped after it. Raises TryAgain when its JVM ends before the block does."""
    spark = spark_session(conf, scratch)
    try:
        yield spark
    except Exception as error:
        if not has_ended(spark):
            raise
        raise TryAgain(
            f"Spark ended while it was working; {scratch}/spark.log says what it saw, and where that tells nothing "
            "it was killed, often for want of memory (spark.driver_memory in base.yaml says how much it may take); "
            "run the same command again: what was published stays, and it goes on from there"
        ) from error
    finally:
        if not has_ended(spark):
            spark.stop()


def has_ended(spark: Any) -> bool:
    """Whether a session's own JVM is gone or its context was stopped; of a Spark elsewhere that is never said."""
    from py4j.protocol import Py4JError  # type: ignore[import-untyped]

    context = getattr(spark, "_sc", None)
    if context is None or context._jsc is None:
        return context is not None
    try:
        return bool(context._jsc.sc().isStopped())
    except (OSError, Py4JError):
        return True


@contextmanager
def errors_to(log: Path) -> Iterator[None]:
    """Let a JVM started inside the block write what it has to say to a file, not among a command's own words."""
    sys.stderr.flush()
    kept = os.dup(2)
    target = os.open(log, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o644)
    try:
        os.dup2(target, 2)
        yield
    finally:
        os.dup2(kept, 2)
        os.close(kept)
        os.close(target)
