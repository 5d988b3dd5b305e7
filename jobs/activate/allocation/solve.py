"""From terms to a choice: exploration first, then the programme on what is left, then whole people within every row."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from jobs.activate.allocation.choosers import AtPrices, DayZero, Exploring, Mixing, Policy
from jobs.activate.allocation.dual import Mixture, mix, search
from jobs.activate.allocation.passes import Passes
from jobs.activate.allocation.people import Layout
from jobs.activate.allocation.program import (
    Floats,
    Ints,
    Program,
    activity,
    objective_of,
    totals,
    violation,
)
from jobs.activate.allocation.terms import Terms
from jobs.activate.allocation.use import at_its_use

SAMPLE_PASSES, FULL_PASSES, ROUNDINGS, MENDINGS = 80, 24, 6, 3
SPARE = 0.002  # of a budget, kept when a channel's price was met higher than planned for
PEOPLE = "people"  # what binds where no row does: there are no more of them
MARGINS = (0.8, 1.0, 1.1, 1.25, 1.5, 2.0, 3.0)


@dataclass(frozen=True)
class Outcome:
    """The day's choice with its certificate; `prices` by row name, per natural unit of the row; `sizes` by channel."""

    chooser: Policy | DayZero
    layout: Layout
    sizes: Ints
    prices: dict[str, float]
    gap: float | None
    max_violation: float
    notes: tuple[str, ...]
    passes: int
    binding: tuple[str, ...] | None = None  # rows that keep the floor out of reach; None where it is met


def allocate(passes: Passes, terms: Terms, people: int) -> Outcome:
    """Choose for everybody of a people frame; channels whose audience would be too small to serve are closed."""
    notes: list[str] = []
    used = 0
    while True:
        solved = _once(passes, terms, people)
        used += solved.passes
        sizes = solved.sizes
        small = [k for k in range(len(sizes)) if 0 < sizes[k] < terms.smallest[k]]
        if not small:
            break
        worst = min(small, key=lambda k: (sizes[k] / terms.smallest[k], k))
        name = terms.channels[worst]
        notes.append(
            f"{name}: closed, {sizes[worst]} people are fewer than its smallest audience {terms.smallest[worst]}"
        )
        passes = replace(passes, layout=replace(passes.layout, closed=passes.layout.closed | {name}))
    # Certified for the channels that are open: closing one also changes what exploration takes, so bounds before and
    # after it are not of one programme.
    gap = solved.gap
    if solved.violation > 0.0:
        notes.append(f"a row is broken by {solved.violation:.2g}, which the gap charges at its price")
    if gap > terms.max_gap:
        notes.append(f"gap {gap:.2g} is above the {terms.max_gap:.2g} asked for")
    prices = {row.name: float(p) for row, p in zip(solved.program.rows, solved.prices, strict=True)}
    told = (*notes, *solved.notes)
    return Outcome(
        solved.chooser, passes.layout, solved.sizes, prices, gap, solved.violation, told, used, solved.binding
    )


@dataclass(frozen=True)
class _Solved:
    chooser: Policy
    program: Program
    prices: Floats
    sizes: Ints
    sums: dict[str, Ints]
    value: float
    owed: float  # what keeping the rows it breaks would cost at their prices: breaking a row must not look cheap
    bound: float
    violation: float
    notes: tuple[str, ...]
    passes: int
    is_short: bool = False
    binding: tuple[str, ...] | None = None

    @property
    def gap(self) -> float:
        return max(0.0, self.value + self.owed - self.bound) / max(abs(self.value), 1e-9)


def _once(passes: Passes, terms: Terms, people: int) -> _Solved:
    terms = at_its_use(terms, *passes.sample(people))
    exploring, explored, asked = explore(passes, terms)
    solved = _solve(passes, terms, terms.program(), exploring, explored, people)
    asked_for = terms
    for _ in range(MENDINGS):
        solved = replace(solved, violation=_broken(asked_for, explored, solved))
        if solved.violation == 0.0 or terms.impact.is_flat:
            break
        terms = _within_budgets(asked_for, terms, solved.sizes)
        solved = _solve(passes, terms, terms.program(), exploring, explored, people)
    solved = replace(solved, violation=_broken(asked_for, explored, solved))
    if "floor" in [row.name for row in solved.program.rows] and solved.is_short:
        best = _solve(passes, terms, terms.reach(), exploring, explored, people)
        at_most = -best.bound + float(explored["good"].sum()) / 1e9
        if at_most < (terms.good_floor or 0.0):
            priced = zip(best.program.rows, best.prices, strict=True)
            binding = tuple(row.name for row, price in priced if price > 0) or (PEOPLE,)
            note = (
                f"the floor of {terms.good_floor:g} good customers is out of reach: at most {at_most:.4g}; "
                f"what binds: {', '.join(binding)}"
            )
            solved = replace(best, notes=(note,), passes=best.passes + solved.passes, binding=binding)
    return replace(solved, passes=solved.passes + asked)


def explore(passes: Passes, terms: Terms) -> tuple[Exploring, dict[str, Ints], int]:
    """Explorers' choice, thinned so that they take at most the exploration share of each channel's places and money."""
    count = len(terms.channels)
    exploring = Exploring(terms.exploration, (1.0,) * count)
    sums = passes.tally([exploring])[0]
    load = np.array(terms.load or (1.0,) * count)
    places, cost = sums["places"] / 1.0, sums["cost"] / 1e6 * load
    share = terms.exploration
    keep = np.minimum(1.0, share * np.array(terms.capacity) / np.maximum(places, 1e-9))
    keep = np.minimum(keep, share * np.array(terms.budget_left) / np.maximum(cost, 1e-9))
    if terms.total_left is not None:
        keep = keep * min(1.0, share * terms.total_left / max(float((keep * cost).sum()), 1e-9))
    for asked in range(2, 12):
        exploring = Exploring(terms.exploration, tuple(float(x) for x in keep))
        sums = passes.tally([exploring])[0]
        over = (sums["places"] > np.array(terms.capacity)) | (sums["cost"] / 1e6 * load > np.array(terms.budget_left))
        if terms.total_left is not None and float((sums["cost"] / 1e6 * load).sum()) > terms.total_left:
            over = np.ones(count, dtype=np.bool_)
        if not over.any():
            return exploring, sums, asked
        keep = np.where(over, keep / 2, keep)
    return Exploring(terms.exploration, (0.0,) * count), {name: 0 * total for name, total in sums.items()}, 11


def _solve(
    passes: Passes, terms: Terms, program: Program, exploring: Exploring, explored: dict[str, Ints], people: int
) -> _Solved:
    program = program.beside(activity(program, explored), explored["places"])
    passes = replace(passes, program=program)
    target = terms.max_gap / 4
    start = sample_prices(passes, program, exploring.exploration, people, target)
    found = search(
        program,
        lambda questions: passes.ask(questions, exploring.exploration),
        start=start,
        max_gap=target,
        max_passes=FULL_PASSES,
    )
    mixing, sums, asked = round_people(passes, program, found, exploring.exploration)
    over = np.maximum(activity(program, sums) - program.limits, 0.0)
    short = float((found.slack / np.maximum(np.abs(program.limits), 1e-9)).max(initial=0.0))
    return _Solved(
        chooser=Policy(exploring, mixing, terms.holdout),
        program=program,
        prices=found.prices,
        sizes=explored["places"] + sums["places"],
        sums=sums,
        value=objective_of(program, sums) + program.tolls(sums["places"]),
        owed=float(np.dot(found.prices, over)),
        bound=found.bound,
        violation=violation(program, activity(program, sums)),
        notes=(),
        passes=found.passes + asked,
        is_short=short > 1e-6,
    )


def _broken(terms: Terms, explored: dict[str, Ints], solved: _Solved) -> float:
    """By how much explorers and the others together break the worst row, at the prices that so many people make."""
    rows = {row.name for row in solved.program.rows}
    program = terms.program()
    program = replace(program, rows=tuple(row for row in program.rows if row.name in rows))
    if program.load:
        program = replace(program, load=tuple(terms.impact.factor(solved.sizes).tolist()))
    return violation(program, activity(program, explored) + activity(program, solved.sums))


def _within_budgets(asked_for: Terms, terms: Terms, sizes: Ints) -> Terms:
    """Terms whose budgets hold where a channel was used more, and so became dearer, than was planned for."""
    over = np.maximum(terms.impact.factor(sizes) / np.array(terms.load), 1.0) * (1.0 + SPARE)
    left = tuple(float(left) for left in np.array(asked_for.budget_left) / over)
    total = None if asked_for.total_left is None else asked_for.total_left / float(over.max())
    return replace(terms, budget_left=left, total_left=total)


def sample_prices(passes: Passes, program: Program, exploration: float, people: int, max_gap: float) -> list[Floats]:
    """Prices to start from: those of the best mixture for a hashed sample of people, solved on the driver."""
    batch, luck, share = passes.sample(people)
    scaled = program.scaled(share)

    def ask(questions: Sequence[Floats]) -> list[dict[str, Ints]]:
        choosers = [AtPrices(scaled, prices, exploration) for prices in questions]
        return [totals(scaled, batch, chooser.choose(batch, luck)) for chooser in choosers]

    found = search(scaled, ask, max_gap=max_gap / 2, max_passes=SAMPLE_PASSES)
    # The pure prices give the bound, those of the plans in use the mixture.
    prices = [found.centre, found.prices, *[plan.prices for plan, _ in found.used() if plan.prices is not None]]
    return list({one.tobytes(): one for one in prices}.values())


def round_people(
    passes: Passes, program: Program, found: Mixture, exploration: float
) -> tuple[Mixing, dict[str, Ints], int]:
    """Draw whole people from a mixture. Rows the draw breaks are tightened, by several margins in one pass, until a
    draw keeps every row; of those that do, the best. After ROUNDINGS passes the least broken draw is returned."""
    hard = np.array([row.kind in ("places", "cost") for row in program.rows], dtype=np.bool_)
    limits, tightenings = program.limits, [np.zeros(len(program.rows))]
    for number in range(1, ROUNDINGS + 1):
        candidates = []
        for tightening in tightenings:
            tight = np.where(hard, np.maximum(limits - tightening, 0.0), limits - tightening)
            mixed = mix(program.with_limits(tight), found.plans, bound=found.bound, passes=found.passes)
            candidates.append(Mixing(program, tuple((plan.prices, w) for plan, w in mixed.used()), exploration))
        tallies = passes.tally(candidates)
        broken = [violation(program, activity(program, sums)) for sums in tallies]
        worth = [objective_of(program, sums) + program.tolls(sums["places"]) for sums in tallies]
        best = min(range(len(candidates)), key=lambda n: (broken[n], worth[n], n))
        if broken[best] == 0.0 or number == ROUNDINGS:
            break
        over = np.maximum(activity(program, tallies[best]) - program.limits, 0.0)
        tightenings = [tightenings[best] + factor * over for factor in MARGINS]
    return candidates[best], tallies[best], number
