"""Every rung but the product, judged: what needs no plan of the product's, so that it may be played beside them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from multiprocessing import get_context
from multiprocessing.queues import Queue
from pathlib import Path
from threading import Thread

import numpy as np

from jobs.evaluate.baselines import lateness
from jobs.evaluate.cutoff import cut_off
from jobs.evaluate.judge import Caps, Stakes, Verdict
from jobs.evaluate.ladder import Candidates, Paid, judged, orders
from jobs.evaluate.optima import optima
from jobs.market.taking import TakingOrder

Say = Callable[[str], None]
Verdicts = dict[tuple[float, int], Verdict | None]


@dataclass(frozen=True)
class Climb:
    """Who asks for which volumes (good customers by share), of whom, under which caps."""

    stakes: Stakes
    truth: Path
    people: Candidates
    paid: Paid
    rungs: tuple[int, ...]
    goals: dict[float, float]
    caps: Caps


@dataclass(frozen=True)
class Climbed:
    """Verdicts by volume and rung, those of rungs cut off to keep the caps, and rung 8's errors.

    A verdict is None where a rung runs out of people before it reaches a volume.
    """

    verdicts: Verdicts
    cut: Verdicts
    errors: dict[float, float]


def climb(asked: Climb, say: Say) -> Climbed:
    """Judge the rungs one after another."""
    taken = orders(asked.stakes, asked.people, asked.paid, asked.rungs, say)
    verdicts: Verdicts = judged(asked.stakes, taken, asked.goals)
    cut = _cut_off(asked, taken, verdicts)
    errors: dict[float, float] = {}
    verdicts |= optima(asked.stakes, asked.truth, asked.people, asked.goals, asked.rungs, asked.caps, errors, say)
    return Climbed(verdicts, cut, errors)


@contextmanager
def beside(asked: Climb, say: Say) -> Iterator[Future[Climbed]]:
    """The climb in a process of its own, while the caller does something else; what it says is said at once.

    An error of the caller is not kept waiting for the climb's end.
    """
    context = get_context("spawn")
    lines: Queue[str | None] = context.Queue()
    pool = ProcessPoolExecutor(1, mp_context=context, initializer=_speak_into, initargs=(lines,))
    teller = Thread(target=_tell, args=(lines, say), daemon=True)
    teller.start()
    try:
        yield pool.submit(_climb, asked)
    except BaseException:
        pool.shutdown(wait=False, cancel_futures=True)
        raise
    pool.shutdown()
    lines.put(None)
    teller.join()


_spoken: list[Queue[str | None]] = []  # in the climbing process: where its lines go


def _speak_into(lines: Queue[str | None]) -> None:
    _spoken.append(lines)


def _climb(asked: Climb) -> Climbed:
    return climb(asked, _spoken[-1].put)


def _tell(lines: Queue[str | None], say: Say) -> None:
    while (line := lines.get()) is not None:
        say(line)


def _cut_off(asked: Climb, taken: dict[int, TakingOrder], verdicts: Verdicts) -> Verdicts:
    """The rungs that break the caps, each cut off by what mature loans tell of lateness."""
    broken = [key for key, verdict in verdicts.items() if verdict is not None and not asked.caps.keeps(verdict)]
    if not broken:
        return {}
    risk = np.zeros(len(asked.stakes.late))
    risk[asked.people.row] = lateness(asked.people.seen)
    return {
        (share, rung): cut_off(asked.stakes, taken[rung], risk, asked.goals[share], asked.caps)
        for share, rung in broken
    }
