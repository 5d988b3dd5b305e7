"""Airflow on this machine's loopback for the length of a block: its own metadata database, scheduler and API server."""

from __future__ import annotations

import importlib.metadata
import json
import os
import secrets
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from jobs.demo.airflow_api import AirflowApi
from jobs.runtime.child import child, log_tail, signal_group, wait_until
from jobs.runtime.cluster import HOST, free_port, is_listening, spark_environment
from jobs.runtime.errors import Fault

START_SECONDS = 180.0
USER = "huoke"


@dataclass(frozen=True)
class AirflowHome:
    """Where an Airflow lives and which DAGs it runs."""

    home: Path
    dags: Path
    parallelism: int = 2

    def environment(self, extra: Mapping[str, str]) -> dict[str, str]:
        """The whole configuration as variables: nothing of another Airflow on this machine gets in."""
        inherited = {key: value for key, value in spark_environment().items() if not key.startswith("AIRFLOW")}
        settings = {
            "CORE__DAGS_FOLDER": str(self.dags.resolve()),
            "CORE__LOAD_EXAMPLES": "False",
            "CORE__EXECUTOR": "LocalExecutor",
            "CORE__PARALLELISM": str(self.parallelism),
            "CORE__DAGS_ARE_PAUSED_AT_CREATION": "False",
            "CORE__SIMPLE_AUTH_MANAGER_USERS": f"{USER}:admin",
            "CORE__SIMPLE_AUTH_MANAGER_PASSWORDS_FILE": str(self.home / "passwords.json"),
            "DATABASE__SQL_ALCHEMY_CONN": f"sqlite:///{self.home.resolve()}/airflow.db",
            "DATABASE__LOAD_DEFAULT_CONNECTIONS": "False",
            # The DAG files do not change while it runs: parse them once, not every few seconds.
            "DAG_PROCESSOR__MIN_FILE_PROCESS_INTERVAL": "3600",
            "DAG_PROCESSOR__REFRESH_INTERVAL": "3600",
            "DAG_PROCESSOR__PARSING_PROCESSES": "1",
            "SCHEDULER__SCHEDULER_IDLE_SLEEP_TIME": "0.3",
            "SCHEDULER__ENABLE_HEALTH_CHECK": "False",
            # The supervisor of a task looks this often (seconds) whether its task has ended: 5 by default.
            "WORKERS__MIN_HEARTBEAT_INTERVAL": "1",
            "LOGGING__BASE_LOG_FOLDER": str(self.home.resolve() / "logs"),
            "USAGE_DATA_COLLECTION__ENABLED": "False",
        }
        return {
            **inherited,
            "AIRFLOW_HOME": str(self.home.resolve()),
            "HUOKE_SCHEDULE": "manual",
            **{f"AIRFLOW__{key}": value for key, value in settings.items()},
            **extra,
        }

    def prepare(self, env: Mapping[str, str]) -> bool:
        """Bring the metadata database to this Airflow's version; False when it was there already."""
        self.home.mkdir(parents=True, exist_ok=True)
        stamp, version = self.home / "migrated", importlib.metadata.version("apache-airflow")
        if stamp.is_file() and stamp.read_text() == version and (self.home / "airflow.db").is_file():
            return False
        log = self.home / "migrate.log"
        with log.open("wb") as sink:
            done = subprocess.run([airflow(), "db", "migrate"], env=env, stdout=sink, stderr=sink, check=False)
        if done.returncode != 0:
            raise Fault(f"airflow db migrate ended with {done.returncode}; its log {log} ends: {log_tail(log)}")
        stamp.write_text(version)
        return True


@contextmanager
def airflow_running(
    place: AirflowHome, extra: Mapping[str, str], tell: Callable[[str], None] = lambda _: None
) -> Iterator[AirflowApi]:
    """Start API server, DAG processor and scheduler, and yield the way to talk to them; all are gone afterwards.

    `extra` is what the tasks see in their environment (HUOKE_SPARK, HUOKE_LANDING, …). TryAgain (75) when one of the
    three does not come up.
    """
    port = free_port()
    password = secrets.token_urlsafe(24)
    env = place.environment(extra) | {
        "AIRFLOW__API__HOST": HOST,
        "AIRFLOW__API__PORT": str(port),
        "AIRFLOW__API__WORKERS": "1",
        "AIRFLOW__API__SECRET_KEY": secrets.token_urlsafe(32),
        "AIRFLOW__API_AUTH__JWT_SECRET": secrets.token_urlsafe(64),
        "AIRFLOW__CORE__EXECUTION_API_SERVER_URL": f"http://{HOST}:{port}/execution/",
    }
    if place.prepare(env):
        tell(f"airflow: made the metadata database in {place.home}")
    passwords = place.home / "passwords.json"
    passwords.touch(mode=0o600)
    passwords.write_text(json.dumps({USER: password}))
    with ExitStack() as stack:
        running = []
        for part in ("api-server", "dag-processor", "scheduler"):
            log = place.home / f"{part}.log"
            running.append(stack.enter_context(child([airflow(), part], log=log, env=env, cwd=place.home)))
        api = AirflowApi(f"http://{HOST}:{port}", running)
        log = place.home / "api-server.log"
        wait_until(lambda: is_listening(port), running, what="Airflow's API server", log=log, seconds=START_SECONDS)
        api.log_in(USER, password)
        tell(f"airflow: up, its logs are in {place.home}")
        try:
            yield api
        finally:
            # All at once, since each takes seconds; leaving the stack then waits for them and insists.
            for process in running:
                signal_group(process.pid, signal.SIGTERM)


def run_in_process(place: AirflowHome, extra: Mapping[str, str], dag_id: str, conf: Mapping[str, str]) -> bool:
    """One DAG run by `airflow dags test`, task after task in one process without a scheduler; True when it succeeded.

    The way out where three Airflow processes are too many; its log is `dags-test.log` in the home.
    """
    env = place.environment(extra)
    place.prepare(env)
    log = place.home / "dags-test.log"
    command = [airflow(), "dags", "test", dag_id, "--conf", json.dumps(dict(conf))]
    with child(command, log=log, env=env, cwd=place.home) as process:
        return process.wait() == 0


def airflow() -> str:
    """The command `airflow` of this very Python."""
    beside = Path(sys.executable).parent / "airflow"
    found = str(beside) if beside.is_file() else shutil.which("airflow", path=os.environ.get("PATH"))
    if found is None:
        raise Fault("the command airflow is not installed beside this Python; run `make setup`")
    return found
