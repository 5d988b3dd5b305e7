"""Which job runs on which day, in which order: the graph that the declarations imply, walked through the shell."""

from __future__ import annotations

import heapq
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from typing import Any, Literal

from jobs.contract import Job
from jobs.registry import jobs, upstream
from jobs.runtime.shell import Published, Shell

Node = tuple[str, date]


@dataclass(frozen=True)
class Step:
    """One job on one day, done: what it published, and how long it took."""

    job: Job
    day: date
    published: list[Published]
    seconds: float
    nth: int
    of: int

    def line(self) -> str:
        """The step as one line of progress."""
        new = [item for item in self.published if item.is_new]
        days = len({item.day for item in new})
        tables = ", ".join(
            f"{t} {sum(i.rows for i in new if i.table == t):,}" for t in dict.fromkeys(i.table for i in new)
        )
        what = tables or "unchanged"
        over = f" over {days} days" if days > 1 else ""
        return (
            f"[{self.nth}/{self.of}] {self.day} {self.job.stage}/{self.job.name}: {what}{over} ({self.seconds:.1f} s)"
        )


def plan(
    days: Sequence[date],
    names: Sequence[str] = (),
    *,
    cadence: Literal["all", "daily"] = "all",
    send: bool = False,
) -> list[Node]:
    """The (job, day) pairs to run, in an order that keeps every declared read.

    Days are taken in the order given, except that a job which reads its past waits for the earlier days asked for.
    An ingest job runs once, for the last day: it takes every landed day up to it. Sending is left out unless asked for.
    """
    chosen = [job for job in jobs().values() if _is_chosen(job, names, cadence, send)]
    last = max(days)
    nodes = [(job.name, day) for job in chosen for day in ([last] if job.landing else days)]
    waits = {node: _waits(node, set(nodes), last) for node in nodes}
    rank = {name: place for place, name in enumerate(jobs())}
    turn = {day: place for place, day in enumerate(days)}
    order = {node: (-1 if jobs()[node[0]].landing else turn[node[1]], rank[node[0]]) for node in nodes}
    return _topological(waits, order)


def _is_chosen(job: Job, names: Sequence[str], cadence: str, send: bool) -> bool:
    if names:
        return job.name in names
    return (cadence == "all" or job.cadence == "daily") and (send or not job.sends)


def _waits(node: Node, nodes: set[Node], last: date) -> set[Node]:
    name, day = node
    job, writers = jobs()[name], {table.name: item for item in jobs().values() for table in item.writes}
    found = {(other, last if jobs()[other].landing else day) for other in upstream(jobs(), name)}
    for read in job.reads.values():
        writer = writers.get(read.table.name)
        if writer and read.mode != "day" and not writer.landing:
            found |= {(other, d) for other, d in nodes if other == writer.name and d < day}
    return (found & nodes) - {node}


def _topological(waits: dict[Node, set[Node]], order: dict[Node, tuple[int, int]]) -> list[Node]:
    left = {node: len(before) for node, before in waits.items()}
    after: dict[Node, list[Node]] = {node: [] for node in waits}
    for node, before in waits.items():
        for other in before:
            after[other].append(node)
    ready = [(order[node], node) for node, count in left.items() if count == 0]
    heapq.heapify(ready)
    result: list[Node] = []
    while ready:
        _, node = heapq.heappop(ready)
        result.append(node)
        for other in after[node]:
            left[other] -= 1
            if left[other] == 0:
                heapq.heappush(ready, (order[other], other))
    if len(result) != len(waits):
        stuck = sorted({name for (name, _), count in left.items() if count})
        raise ValueError(f"jobs {stuck} wait for each other; change a read to `.before()`")
    return result


def run(
    shell: Shell,
    nodes: Sequence[Node],
    *,
    force: bool = False,
    ledger: Callable[[date], Any] | None = None,
    at_once: int = 1,
) -> Iterator[Step]:
    """Run planned steps, yielding each when it is done; up to `at_once` that do not wait for each other side by side.

    When a step fails, those under way are finished, none is begun, and its error is raised.
    """
    waits = {node: _waits(node, set(nodes), max((day for _, day in nodes), default=date.max)) for node in nodes}
    left, done = list(nodes), set[Node]()
    under_way: dict[Future[tuple[list[Published], float]], Node] = {}
    with ThreadPoolExecutor(at_once) as pool:
        while left or under_way:
            ready = [node for node in left if waits[node] <= done][: at_once - len(under_way)]
            for node in ready:
                left.remove(node)
                own = shell if at_once == 1 else shell.beside()
                under_way[pool.submit(_step, own, node, force, ledger)] = node
            for future in wait(under_way, return_when=FIRST_COMPLETED).done:
                name, day = under_way.pop(future)
                published, seconds = future.result()
                done.add((name, day))
                yield Step(jobs()[name], day, published, seconds, len(done), len(nodes))


def _step(shell: Shell, node: Node, force: bool, ledger: Callable[[date], Any] | None) -> tuple[list[Published], float]:
    name, day = node
    job, started = jobs()[name], time.monotonic()
    if job.landing:
        published = shell.run_landing(job, day, force=force)
    else:
        held = ledger(day) if ledger and "ledger" in job.asks else None
        published = shell.run(job, day, force=force, ledger=held)
    return published, time.monotonic() - started


@contextmanager
def opened(warehouse: Any, landing: Any, conf: Any) -> Iterator[Shell]:
    """A shell on a warehouse with its Spark session, ended on the way out."""
    from jobs.runtime.keys import load_keys
    from jobs.runtime.session import running

    with running(conf.base.spark, warehouse / "scratch") as spark:
        yield Shell(warehouse, landing, conf, load_keys(warehouse), spark)
