"""A Connect server and a standalone cluster really start, run Python on two partitions, and end without a trace."""

from __future__ import annotations

import os
import subprocess
import sys
import textwrap
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import pytest

from jobs.runtime.child import log_tail
from jobs.runtime.cluster import alive_workers, connect_server, is_listening, spark_home, standalone_cluster
from support import LIGHT_JVM

ROOT = Path(__file__).resolve().parents[3]
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


def test_a_master_that_still_answers_another_page_has_no_workers_yet() -> None:
    """While a master starts, its server gives its main page whatever is asked of it."""
    pages = [b"<!DOCTYPE html><html></html>", b'{"aliveworkers": 2}']

    class Starting(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.end_headers()
            self.wfile.write(pages.pop(0))

        def log_message(self, *_: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Starting) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        assert [alive_workers(server.server_port) for _ in range(2)] == [0, 2]
        server.shutdown()
    assert not pages


@pytest.mark.parametrize("kind", ["connect", "standalone"])
def test_python_runs_on_two_partitions_and_nothing_is_left(
    kind: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in LIGHT_JVM.items():
        monkeypatch.setenv(name, value)
    folder = tmp_path / kind
    start = connect_server(folder, memory="1g") if kind == "connect" else standalone_cluster(folder)
    with start as address:
        port = int(address.rsplit(":", 1)[1])
        assert is_listening(port)
        assert not no_process_mentions(folder)
        total, workers, *pythons = probe(address, tmp_path / "scratch")
        assert (total, workers, pythons) == (str(sum(range(1000))), "2", [sys.executable])
    assert not is_listening(port), log_tail(folder / "connect-server.log")
    assert no_process_mentions(folder)
