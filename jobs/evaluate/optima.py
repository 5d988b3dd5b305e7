"""Rungs 7 and 8: the plans of who knows everything, and of who knows all that observing can tell, within the caps."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

from jobs.evaluate.judge import Caps, Stakes, Verdict, judge_at
from jobs.evaluate.ladder import LIMIT, ORACLE, RUNGS, Candidates
from jobs.evaluate.limit import expectations, teachers
from jobs.evaluate.optimum import NO_CAPS, Hopes, cheapest_plan
from jobs.model.learners.threads import one_thread

BEYOND = (1.0, 1.08, 1.2, 1.5)  # of a volume: who expects too much must plan for more to reach it
# Of the caps, tried until they are kept: what is expected is not what comes.
TIGHTER = (1.04, 1.02, 1.0, 0.97, 0.93, 0.85, 0.7)


def optima(
    stakes: Stakes,
    truth: Path,
    people: Candidates,
    goals: dict[float, float],
    rungs: Sequence[int],
    caps: Caps,
    errors: dict[float, float],
    say: Callable[[str], None],
) -> dict[tuple[float, int], Verdict | None]:
    """Verdicts by volume and rung.

    `errors` is given, by volume, how much dearer rung 8 is at most for what it has not learned (base currency a good
    customer).
    """
    row = people.row
    exact = Hopes(stakes.cost[row], stakes.good[row], stakes.late[row], stakes.fraud[row])
    found: dict[tuple[float, int], Verdict | None] = {}
    if ORACLE in rungs:
        found |= {(share, ORACLE): planned(stakes, people, exact, goal, caps) for share, goal in goals.items()}
        say(f"rung {ORACLE}, {RUNGS[ORACLE]}: planned")
    if LIMIT in rungs:
        known = expectations(people.seen, exact, teachers(truth, people.seen))
        for share, goal in goals.items():
            best, rough = (planned(stakes, people, hopes, goal, caps) for hopes in (known.best, known.rough))
            found[(share, LIMIT)] = best
            if best and rough:
                errors[share] = max(rough.cost_per_good - best.cost_per_good, 0.0)
        say(f"rung {LIMIT}, {RUNGS[LIMIT]}: planned")
    return found


def planned(stakes: Stakes, people: Candidates, hopes: Hopes, goal: float, caps: Caps) -> Verdict | None:
    """The true verdict of the cheapest plan on such hopes; caps are planned for where they bind.

    Where no plan keeps them, the one made for the tightest; None where the volume is out of reach.
    """
    verdict = _planned(stakes, people, hopes, goal, NO_CAPS)
    for part in TIGHTER:
        if verdict is None or caps.keeps(verdict):
            break
        verdict = _planned(stakes, people, hopes, goal, caps.tightened(part))
    return verdict


def _planned(stakes: Stakes, people: Candidates, hopes: Hopes, goal: float, caps: Caps) -> Verdict | None:
    is_open = people.seen.is_open.to_numpy()
    for beyond in BEYOND:
        with one_thread():
            order = cheapest_plan(hopes, is_open, stakes.capacity, stakes.impact, goal * beyond, caps)
        if (verdict := judge_at(stakes, people.taken(order), goal)) is not None:
            return verdict
    return None
