"""The same day gives the same content on local threads, on a standalone cluster and over Spark Connect.

Both really start, run Python on two partitions, and end without a trace.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))
import chain
from probe import no_process_mentions, probe

from jobs.runtime.child import log_tail
from jobs.runtime.cluster import connect_server, is_listening, standalone_cluster
from support import LIGHT_JVM

Run = Callable[..., str]


def partitions_at_work(logs: Path) -> int:
    """The most tasks that one stage of a Spark event log ran."""
    most = 0
    for file in (f for f in logs.rglob("*") if f.is_file() and not f.name.startswith(".")):
        for line in file.read_text(encoding="utf-8", errors="replace").splitlines():
            event = json.loads(line) if line.startswith("{") else {}
            if event.get("Event") == "SparkListenerStageCompleted":
                most = max(most, event["Stage Info"]["Number of Tasks"])
    return most


def logged(folder: Path) -> dict[str, str]:
    folder.mkdir(parents=True, exist_ok=True)
    return {
        "spark.eventLog.enabled": "true",
        "spark.eventLog.dir": folder.as_uri(),
        "spark.eventLog.compress": "false",
        "spark.eventLog.rolling.enabled": "false",
    }


def conf_with(folder: Path, settings: dict[str, str]) -> Path:
    """The deployment's conf with more Spark settings."""
    import shutil

    import yaml

    target = folder / "conf"
    shutil.copytree(chain.ROOT / "conf", target, dirs_exist_ok=True)
    base = yaml.safe_load((target / "base.yaml").read_text(encoding="utf-8"))
    base["spark"]["settings"] |= settings
    (target / "base.yaml").write_text(yaml.safe_dump(base, sort_keys=False), encoding="utf-8")
    return target


def python_runs(address: str, folder: Path) -> None:
    """Python at work on two partitions there, the very Python of this process."""
    assert is_listening(int(address.rsplit(":", 1)[1]))
    assert not no_process_mentions(folder)
    total, workers, *pythons = probe(address, folder / "scratch")
    assert (total, workers, pythons) == (str(sum(range(1000))), "2", [sys.executable])


def nothing_is_left(address: str, folder: Path) -> None:
    assert not is_listening(int(address.rsplit(":", 1)[1])), log_tail(folder / "connect-server.log")
    assert no_process_mentions(folder)


def engines_agree(folder: Path, jobs: tuple[str, ...], run_locally: Run) -> None:
    """`run_locally` is how the run on local threads is made."""
    landing, day = chain.market(folder), chain.LAST.isoformat()
    at_work: dict[str, int] = {}
    run_locally(landing, folder / "w-local", day, *jobs, extra=["--no-send"])

    with standalone_cluster(folder / "cluster", workers=2, cores=1, memory="1g") as master:
        there = conf_with(folder / "alone", logged(folder / "alone" / "events"))
        chain.run(landing, folder / "w-cluster", day, *jobs, spark=master, extra=["--no-send", "--conf", str(there)])
        python_runs(master, folder / "cluster")
    nothing_is_left(master, folder / "cluster")
    at_work["cluster"] = partitions_at_work(folder / "alone" / "events")

    with connect_server(folder / "connect", memory="2g", settings=logged(folder / "connect-events")) as address:
        chain.run(landing, folder / "w-connect", day, *jobs, spark=address, extra=["--no-send"])
        python_runs(address, folder / "connect")
    nothing_is_left(address, folder / "connect")
    at_work["connect"] = partitions_at_work(folder / "connect-events")

    expected = chain.versions(folder / "w-local")
    assert expected
    assert chain.versions(folder / "w-cluster") == expected
    assert chain.versions(folder / "w-connect") == expected
    assert min(at_work.values()) >= 2, at_work


def test_ingest_agrees(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, run_here: Run) -> None:
    for name, value in LIGHT_JVM.items():
        monkeypatch.setenv(name, value)
    engines_agree(tmp_path, ("ingest_prospects",), run_here)


@pytest.mark.storm
@pytest.mark.timeout(3000)
def test_the_whole_chain_agrees(storm_folder: Path) -> None:
    engines_agree(storm_folder / "engines", (), chain.run)
