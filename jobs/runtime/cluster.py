"""Spark on this machine's loopback: a Spark Connect server, or a standalone cluster, for the length of a block."""

from __future__ import annotations

import importlib.util
import json
import os
import socket
import sys
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path

from jobs.runtime.child import child, wait_until
from jobs.runtime.class_archive import java_options
from jobs.runtime.errors import Fault, TryAgain
from jobs.runtime.session import DRIVER_SETTINGS, SETTINGS

HOST = "127.0.0.1"
START_SECONDS = 120.0
# A port that was free a moment ago may be taken by the time the JVM binds it.
ATTEMPTS = 3
ROOT = Path(__file__).resolve().parents[2]


@contextmanager
def connect_server(
    folder: Path, *, cores: int = 2, memory: str = "4g", settings: Mapping[str, str] | None = None
) -> Iterator[str]:
    """Start a Spark Connect server (`local[cores]`) and yield its address `sc://127.0.0.1:port`.

    Logs and scratch lie under `folder`; `settings` add to Spark's. The server and its JVM are gone when the block ends,
    and also when this process is killed. TryAgain (75) when it does not come up.
    """
    folder = folder.resolve()
    folder.mkdir(parents=True, exist_ok=True)
    log = folder / "connect-server.log"
    with ExitStack() as stack:
        for attempt in range(ATTEMPTS):
            port = free_port()
            chosen = {
                **DRIVER_SETTINGS,
                **java_options(),
                **SETTINGS,
                "spark.local.dir": str(folder / "scratch"),
                "spark.sql.warehouse.dir": str(folder / "spark-warehouse"),
                "spark.log.level": "WARN",
                **(settings or {}),
                "spark.connect.grpc.binding.address": HOST,
                "spark.connect.grpc.binding.port": str(port),
            }
            command = [
                str(spark_home() / "bin" / "spark-submit"),
                *("--class", "org.apache.spark.sql.connect.service.SparkConnectServer"),
                *("--name", "huoke", "--master", f"local[{cores}]", "--driver-memory", memory),
                *(part for key, value in chosen.items() for part in ("--conf", f"{key}={value}")),
                "spark-internal",
            ]
            try:
                with ExitStack() as start:
                    server = start.enter_context(child(command, log=log, env=spark_environment(), cwd=folder))
                    wait_until(
                        lambda port=port: is_listening(port),  # type: ignore[misc]
                        [server],
                        what="the Spark Connect server",
                        log=log,
                        seconds=START_SECONDS,
                    )
                    stack.enter_context(start.pop_all())
                break
            except TryAgain:
                if attempt == ATTEMPTS - 1:
                    raise
        yield f"sc://{HOST}:{port}"


@contextmanager
def standalone_cluster(folder: Path, *, workers: int = 2, cores: int = 1, memory: str = "1g") -> Iterator[str]:
    """Start a standalone master and workers (each `cores` and `memory`) and yield the master's `spark://host:port`.

    Logs and work folders lie under `folder`. Every process is gone when the block ends, and also when this process is
    killed. TryAgain (75) when the workers do not register.
    """
    folder = folder.resolve()
    folder.mkdir(parents=True, exist_ok=True)
    spark_class = str(spark_home() / "bin" / "spark-class")
    env = {**spark_environment(), "SPARK_WORKER_DIR": str(folder / "work"), "SPARK_LOCAL_DIRS": str(folder / "scratch")}
    port, page = free_port(), free_port()
    master = f"spark://{HOST}:{port}"
    with ExitStack() as stack:
        command = [spark_class, "org.apache.spark.deploy.master.Master", "--host", HOST, "--port", str(port)]
        log = folder / "master.log"
        running = [
            stack.enter_context(child([*command, "--webui-port", str(page)], log=log, env=env, cwd=folder)),
        ]
        wait_until(lambda: is_listening(port), running, what="the Spark master", log=log, seconds=START_SECONDS)
        for number in range(workers):
            log = folder / f"worker-{number}.log"
            command = [spark_class, "org.apache.spark.deploy.worker.Worker", "--host", HOST, "--webui-port", "0"]
            command += ["--cores", str(cores), "--memory", memory, "--work-dir", str(folder / "work"), master]
            running.append(stack.enter_context(child(command, log=log, env=env, cwd=folder)))
        wait_until(
            lambda: alive_workers(page) == workers,
            running,
            what=f"a cluster of {workers} Spark workers",
            log=log,
            seconds=START_SECONDS,
        )
        yield master


def spark_home() -> Path:
    """The folder of the installed pyspark, found without importing it; a SPARK_HOME of another Spark is never used."""
    spec = importlib.util.find_spec("pyspark")
    if spec is None or spec.origin is None:
        raise Fault("pyspark is not installed in this Python; run `make setup`, then call huoke from .venv/bin")
    return Path(spec.origin).parent


def spark_environment() -> dict[str, str]:
    """The environment of Spark's own processes: this very Python for workers, our packages in sight, loopback only."""
    path = [str(Path(sys.executable).parent), os.environ.get("PATH", os.defpath)]
    python_path = [str(ROOT), *filter(None, os.environ.get("PYTHONPATH", "").split(os.pathsep))]
    dropped = {"SPARK_CONF_DIR", "SPARK_REMOTE", "PYSPARK_SUBMIT_ARGS"}
    return {key: value for key, value in os.environ.items() if key not in dropped} | {
        "SPARK_HOME": str(spark_home()),
        "SPARK_LOCAL_IP": HOST,
        "PYSPARK_PYTHON": sys.executable,
        "PYSPARK_DRIVER_PYTHON": sys.executable,
        "PYTHONPATH": os.pathsep.join(dict.fromkeys(python_path)),
        "PATH": os.pathsep.join(path),
    }


def free_port() -> int:
    """A loopback port nobody listens on at this moment."""
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        return int(probe.getsockname()[1])


def is_listening(port: int) -> bool:
    """True when something accepts connections on a loopback port."""
    with socket.socket() as probe:
        probe.settimeout(1.0)
        return probe.connect_ex((HOST, port)) == 0


def alive_workers(page: int) -> int:
    """How many workers have registered, by the master's own page; 0 while it is not up, or answers another page yet."""
    try:
        with urllib.request.urlopen(f"http://{HOST}:{page}/json/", timeout=2.0) as answer:
            return int(json.load(answer)["aliveworkers"])
    except (urllib.error.URLError, TimeoutError, ConnectionError, json.JSONDecodeError):
        return 0
