"""`kill -9` at many moments of a run: no half table is ever read, and the re-run ends where an undisturbed one does.

Every third kill hits Spark's JVM alone: the command must then say so, and leave with 75 (try again).
"""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from datetime import date
from pathlib import Path

import psutil
import pyarrow.parquet as pq
import pytest

sys.path.insert(0, str(Path(__file__).parent))
import chain

from jobs.runtime.errors import TryAgain
from jobs.runtime.store import Store
from support import LIGHT_JVM

Run = Callable[..., str]


class Reader(threading.Thread):
    """Reads every published table over and over; a table that is not whole is a torn read."""

    def __init__(self, warehouse: Path) -> None:
        super().__init__(daemon=True)
        self.store, self.stopped = Store(warehouse), threading.Event()
        self.reads, self.torn = 0, list[str]()

    def run(self) -> None:
        while not self.stopped.is_set():
            for table in self.store.tables():
                for day in self.store.days(table):
                    self._read(table, day)
            time.sleep(0.05)

    def _read(self, table: str, day: date) -> None:
        pointer = self.store.pointer(table, day)
        if pointer is None:
            return
        try:
            found = sum(pq.ParquetFile(f).metadata.num_rows for f in self.store.path(pointer).glob("*.parquet"))
        except OSError as error:
            self.torn.append(f"{table}@{day}: {error}")
            return
        self.reads += 1
        if found != pointer.rows:
            self.torn.append(f"{table}@{day}: {found} rows of {pointer.rows}")


def start(landing: Path, warehouse: Path, jobs: tuple[str, ...], said: Path) -> subprocess.Popen[bytes]:
    words = chain.words(landing, warehouse, chain.LAST.isoformat(), *jobs, extra=["--no-send"])
    with said.open("wb") as errors:
        quiet = {"stdout": subprocess.DEVNULL, "stderr": errors, "stdin": subprocess.DEVNULL}
        return subprocess.Popen(
            chain.command(*words), env=chain.environment(**LIGHT_JVM), cwd=chain.ROOT, start_new_session=True, **quiet
        )


def kill_jvm(process: subprocess.Popen[bytes], said: Path) -> None:
    """Kill the JVM that a run started, and no other of its processes."""
    (jvm,) = [child for child in psutil.Process(process.pid).children() if child.name() == "java"]
    jvm.kill()
    assert process.wait(60) == TryAgain.exit_code, said.read_text(encoding="utf-8")[-2000:]
    assert "run the same command again" in said.read_text(encoding="utf-8")


def open_stages(warehouse: Path) -> int:
    """How many tables were staged by a run that never published them: kills that fell between the two."""
    staged, settled = set(), set()
    for event in chain.events(warehouse):
        key = (event.get("run"), event.get("table"))
        if event["event"] == "staged":
            staged.add(key)
        elif event["event"] in ("published", "same"):
            settled.add(key)
    return len(staged - settled)


def kill_storm(folder: Path, kills: int, between: int, run: Run, jobs: tuple[str, ...] = ()) -> None:
    """`run` is how the undisturbed run is made, and the one that ends what was killed."""
    landing = chain.market(folder)
    calm, torn = folder / "calm", folder / "torn"
    if not chain.versions(calm):
        run(landing, calm, chain.LAST.isoformat(), *jobs, extra=["--no-send"])
    reader = Reader(torn)
    reader.start()
    tally = folder / "fired"
    fired = int(tally.read_text(encoding="utf-8")) if tally.is_file() else 0
    chance = random.Random(5 + fired)
    while fired < kills:
        at_stage = open_stages(torn) < between or chance.random() < 0.3
        before = sum(event["event"] == "staged" for event in chain.events(torn))
        process = start(landing, torn, jobs, folder / "said")
        moment = time.monotonic() + (120 if at_stage else chance.uniform(5, 25))
        while process.poll() is None and time.monotonic() < moment:
            staged = sum(event["event"] == "staged" for event in chain.events(torn))
            if at_stage and staged > before + chance.randint(0, 1):
                time.sleep(chance.uniform(0, 0.05))
                break
            time.sleep(0.005)
        if process.poll() is not None:
            assert process.returncode == 0
            # Everything is published already: take the newest tables away so that there is work to be killed in.
            _forget(torn, chance)
            continue
        if fired % 3 == 2:
            kill_jvm(process, folder / "said")
        else:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()
        fired += 1
        tally.write_text(str(fired), encoding="utf-8")
    fell_between = open_stages(torn)
    run(landing, torn, chain.LAST.isoformat(), *jobs, extra=["--no-send"])
    reader.stopped.set()
    reader.join()
    assert fired == kills
    assert fell_between >= between
    assert reader.reads > 0
    assert reader.torn == []
    assert chain.versions(torn) == chain.versions(calm)


def _forget(warehouse: Path, chance: random.Random) -> None:
    store = Store(warehouse)
    for table in chance.sample(store.tables(), k=len(store.tables()) // 2):
        for day in store.days(table)[-3:]:
            (store.folder(table, day) / "pointer.json").unlink()


def test_three_kills(tmp_path: Path, run_here: Run) -> None:
    kill_storm(tmp_path, 3, 2, run_here, ("ingest_loans", "ingest_repayments"))


@pytest.mark.storm
@pytest.mark.timeout(3000)
def test_thirty_kills(storm_folder: Path) -> None:
    kill_storm(storm_folder / "kill", 30, 15, chain.run)
