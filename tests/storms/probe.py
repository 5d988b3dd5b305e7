"""What a Spark that was started somewhere does with Python, and whether anything of it is left."""

from __future__ import annotations

import os
import subprocess
import sys
import textwrap
from pathlib import Path

from jobs.runtime.cluster import spark_home

ROOT = Path(__file__).resolve().parents[2]
# Runs in its own process: one Python process can hold either a classic or a Connect session, and only one of them.
PROBE = textwrap.dedent("""
    import sys
    from pathlib import Path
    from jobs.runtime.settings import SparkConf
    from jobs.runtime.session import spark_session

    def mark(batches):
        import os
        import sys
        import pyarrow as pa
        import jobs.contract
        for batch in batches:
            names = pa.array([f"{os.getpid()} {sys.executable}"] * batch.num_rows)
            yield pa.RecordBatch.from_arrays([batch.column(0), names], ["id", "worker"])

    spark = spark_session(SparkConf(master=sys.argv[1], driver_memory="1g"), Path(sys.argv[2]))
    rows = spark.range(0, 1000, 1, 2).mapInArrow(mark, "id long, worker string").collect()
    workers = {r.worker for r in rows}
    print(sum(r.id for r in rows), len(workers), *{w.split(" ", 1)[1] for w in workers})
    spark.stop()
""")


def probe(address: str, scratch: Path) -> list[str]:
    """The sum of ids, the number of Python workers seen, and the Pythons they ran."""
    env = {**os.environ, "PYTHONPATH": str(ROOT), "SPARK_HOME": str(spark_home())}
    done = subprocess.run(
        [sys.executable, "-c", PROBE, address, str(scratch)], capture_output=True, text=True, timeout=180, env=env
    )
    assert done.returncode == 0, done.stderr[-2000:]
    return done.stdout.split()


def no_process_mentions(folder: Path) -> bool:
    """True when no process of this machine has the folder on its command line."""
    table = subprocess.run(["ps", "-axww", "-o", "args"], capture_output=True, text=True, check=True).stdout
    return str(folder) not in table
