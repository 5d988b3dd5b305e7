"""A machine that sleeps in the middle of a run: Spark does not take its one executor for dead on waking."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import textwrap
import time
from pathlib import Path

import pytest

# Spark's patience is made short, so that a short sleep is longer than it.
IMPATIENT = {
    "spark.network.timeout": "6s",
    "spark.network.timeoutInterval": "2s",
    "spark.storage.blockManagerTimeoutIntervalMs": "2s",
    "spark.executor.heartbeatInterval": "1s",
}
SLEEP = 12.0
RUN = textwrap.dedent("""
    import json
    import sys
    from pathlib import Path
    from jobs.runtime.session import running
    from jobs.runtime.settings import SparkConf

    def slow(batches):
        import time
        for batch in batches:
            time.sleep(8)
            yield batch

    with running(SparkConf(driver_memory="1g", settings=json.loads(sys.argv[2])), Path(sys.argv[1])) as spark:
        print("begun", flush=True)
        print(spark.range(0, 1000, 1, 2).mapInArrow(slow, "id long").count(), flush=True)
""")


@pytest.mark.storm
@pytest.mark.parametrize("patience", ["ours", "Spark's own"])
def test_a_run_that_slept_goes_on(tmp_path: Path, patience: str) -> None:
    # What Spark would do by itself is asked too: else a sleep that nobody noticed would pass for one that was survived.
    own = {} if patience == "ours" else {"spark.storage.blockManagerHeartbeatTimeoutMs": "6s"}
    line = [sys.executable, "-c", RUN, str(tmp_path), json.dumps(IMPATIENT | own)]
    with subprocess.Popen(line, stdout=subprocess.PIPE, text=True, start_new_session=True) as run:
        assert run.stdout
        assert run.stdout.readline() == "begun\n"
        time.sleep(3)
        os.killpg(run.pid, signal.SIGSTOP)
        time.sleep(SLEEP)
        os.killpg(run.pid, signal.SIGCONT)
        counted = run.stdout.read()
    was_given_up = "Removing executor driver" in (tmp_path / "spark.log").read_text(encoding="utf-8")
    if patience == "ours":
        assert counted == "1000\n"
    assert was_given_up == (patience != "ours")
