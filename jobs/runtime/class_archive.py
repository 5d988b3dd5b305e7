"""The classes every Spark driver loads at its start, read and verified once: a class data sharing archive (JEP 350).

Without it a driver takes them from some two hundred jars again each time: half of what it does until its first query
has run. `python -m jobs.runtime.class_archive` makes it (`make setup` does). A JVM that finds it made by another Java,
or of other jars, goes on without it.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
import tempfile
from importlib.metadata import version
from pathlib import Path

DUMP_SECONDS = 300.0
QUIET = "-Xlog:cds=off -Xlog:cds+dynamic=off"  # that an archive does not fit helps nobody who runs a job
FOLDER = Path("share") / "huoke"


def archive() -> Path:
    """Where the archive for this Python's Spark and the Java on PATH (or of JAVA_HOME) lies, made or not."""
    home = os.environ.get("JAVA_HOME")
    java = Path(home) / "bin" / "java" if home else Path(shutil.which("java") or "java")
    release = java.resolve().parent.parent / "release"
    of = f"{version('pyspark')}\n{release.read_text(encoding='utf-8') if release.is_file() else java.resolve()}"
    return Path(sys.prefix) / FOLDER / f"spark-{hashlib.sha256(of.encode()).hexdigest()[:12]}.jsa"


def java_options() -> dict[str, str]:
    """The setting that lets a driver start from the archive; none where there is no archive."""
    found = archive()
    # Quoted, as a checkout's path may hold spaces, at which Spark parts options.
    return {"spark.driver.defaultJavaOptions": f'"-XX:SharedArchiveFile={found}" {QUIET}'} if found.is_file() else {}


def make() -> Path:
    """Run a few queries of every kind in a driver that writes its classes down as it ends; archives of before go.

    CalledProcessError or TimeoutExpired where that fails.
    """
    path = archive()
    if path.is_file():
        return path
    path.parent.mkdir(parents=True, exist_ok=True)
    for old in path.parent.glob("spark-*"):
        old.unlink()
    part = path.with_suffix(".part")
    with tempfile.TemporaryDirectory(dir=path.parent) as scratch:
        words = [sys.executable, "-m", "jobs.runtime.class_archive", "--rehearse", str(part)]
        subprocess.run(words, cwd=scratch, check=True, timeout=2 * DUMP_SECONDS, stdout=subprocess.DEVNULL)
    part.rename(path)
    return path


def rehearse(part: Path) -> None:
    """What every chain asks of Spark, on a few rows, in the present folder; then the driver ends and is waited for."""
    from pyspark.sql import SparkSession
    from pyspark.sql import functions as F
    from pyspark.sql.window import Window

    from jobs.runtime.session import DRIVER_SETTINGS, SETTINGS, environment

    environment()
    builder = SparkSession.builder.master("local[2]").config("spark.sql.shuffle.partitions", "2")
    for key, value in (DRIVER_SETTINGS | SETTINGS).items():
        builder = builder.config(key, value)
    spark = builder.config("spark.driver.extraJavaOptions", f"-XX:ArchiveClassesAtExit={part}").getOrCreate()
    said = [(f"k{n % 7}", n, n / 3, "2026-01-01T00:00:00Z") for n in range(1_000)]
    spark.createDataFrame(said, "key string, number bigint, share double, at string").createOrReplaceTempView("said")
    rows = spark.table("said").select("*", F.to_timestamp("at").alias("moment"), F.to_date("at").alias("day"))
    rows.withColumn("whole", F.col("share").cast("decimal(18,2)")).write.partitionBy("day").parquet("rows")
    found = spark.read.parquet("rows").where("number > 3 and key is not null")
    newest = Window.partitionBy("key").orderBy(F.desc("number"))
    nth = found.withColumn("nth", F.row_number().over(newest)).where("nth <= 3")
    counted = found.groupBy("key").agg(
        F.sum("whole").alias("total"),
        F.count_if(F.col("number") > 5).alias("many"),
        F.collect_list(F.struct("number", "day")).alias("each"),
        F.min_by("share", "number").alias("first"),
    )
    digest = F.sha2(F.concat_ws("|", "key", F.xxhash64("number").cast("string")), 256).alias("digest")
    both = nth.join(counted, "key", "left").join(F.broadcast(counted.select("key")), "key").select("*", digest)
    both.repartition(2, "key").write.parquet("both")
    told = spark.read.parquet("both").unionByName(spark.read.parquet("both"))
    told.mapInArrow(lambda batches: batches, told.schema).select("key", F.explode("each").alias("one")).toPandas()
    told.orderBy("digest").drop("each").limit(5).toPandas()
    jvm = spark.sparkContext._gateway.proc  # type: ignore[union-attr]
    spark.stop()
    jvm.stdin.close()
    if (code := jvm.wait(timeout=DUMP_SECONDS)) or not part.is_file():
        raise SystemExit(f"the JVM ended with {code} and wrote no archive")


if __name__ == "__main__":
    if sys.argv[1:2] == ["--rehearse"]:
        rehearse(Path(sys.argv[2]))
    else:
        made = make()
        sys.stdout.write(f"{made.stat().st_size / 2**20:.0f} MiB of classes for Spark's drivers to start from\n")
