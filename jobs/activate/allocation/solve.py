"""From terms to a choice: exploration first, then the programme on what is left, then whole people within every row."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from jobs.activate.allocation.board import Board, seats_for
from jobs.activate.allocation.choosers import DayZero, Exploring, Mixing, Policy
from jobs.activate.allocation.crowd import Crowd, Here, policy_people
from jobs.activate.allocation.dual import search
from jobs.activate.allocation.passes import SAMPLE, Passes
from jobs.activate.allocation.people import Layout
from jobs.activate.allocation.placed import Placed
from jobs.activate.allocation.program import Floats, Ints, Program
from jobs.activate.allocation.softened import softened_prices
from jobs.activate.allocation.sums import activity, objective_of, totals, violation
from jobs.activate.allocation.terms import Terms
from jobs.activate.allocation.use import at_its_use
from jobs.activate.allocation.whole import whole_people

SAMPLES, SAMPLE_GAP, SAMPLE_PASSES = (8_000, SAMPLE), 2e-4, 16
CORRECTIONS, LENT_CORRECTIONS = 2, 4
FULL_PASSES, MENDINGS = 16, 3
SPARE = 0.002  # of a budget, kept when a channel's price was met higher than planned for
UNCAPPED = 1e9
PEOPLE = "people"  # what binds where no row does: there are no more of them


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
    placed: Placed | None = None  # who is put by name
    binding: tuple[str, ...] | None = None  # rows that keep the floor out of reach; None where it is met


def allocate(passes: Passes, terms: Terms, people: int) -> Outcome:
    """Choose for everybody of a people frame; channels whose audience would be too small to serve are closed."""
    notes: list[str] = []
    used = 0
    passes = replace(passes, layout=replace(passes.layout, partners=passes.program.partners))
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
        why = ""
        if solved.split_gap <= terms.max_gap:
            why = f", as people are whole (one of {int(sizes.sum())} listed is some {1 / sizes.sum():.1g} of the plan)"
        notes.append(f"gap {gap:.2g} is above the {terms.max_gap:.2g} asked for{why}")
    prices = {row.name: float(p) for row, p in zip(solved.program.rows, solved.prices, strict=True)}
    told = (*notes, *solved.notes)
    return Outcome(
        chooser=solved.chooser,
        layout=passes.layout,
        sizes=solved.sizes,
        prices=prices,
        gap=gap,
        max_violation=solved.violation,
        notes=told,
        passes=used,
        placed=solved.placed,
        binding=solved.binding,
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
    split_gap: float  # before people were made whole
    placed: Placed
    is_short: bool = False
    binding: tuple[str, ...] | None = None

    @property
    def gap(self) -> float:
        return max(0.0, self.value + self.owed - self.bound) / max(abs(self.value), 1e-9)


def _once(passes: Passes, terms: Terms, people: int) -> _Solved:
    sample, share = passes.sample(people)
    terms = at_its_use(terms, sample.people, sample.luck, share)
    exploring, explored, asked = explore(passes, terms)
    solved = _kept(passes, terms, exploring, explored, people)
    if "floor" in [row.name for row in solved.program.rows] and solved.is_short:
        reach = at_its_use(terms.reach(), sample.people, sample.luck, share)
        best = _kept(passes, reach, exploring, explored, people)
        most = -best.bound + float(explored["good"].sum()) / passes.program.unit("good")
        if most < (terms.good_floor or 0.0):
            priced = zip(best.program.rows, best.prices, strict=True)
            binding = tuple(row.name for row, price in priced if price > 0) or (PEOPLE,)
            # Where use makes people dearer, a bound is one at the prices that were planned for.
            told = "at most" if terms.impact.is_flat else "about"
            note = (
                f"the floor of {terms.good_floor:g} good customers is out of reach: {told} {most:.4g}; "
                f"what binds: {', '.join(binding)}"
            )
            solved = replace(best, notes=(note,), passes=best.passes + solved.passes, binding=binding)
    return replace(solved, passes=solved.passes + asked)


def _kept(passes: Passes, terms: Terms, exploring: Exploring, explored: dict[str, Ints], people: int) -> _Solved:
    """Solved at the use planned for, budgets held tighter as long as the use that came of it breaks one."""
    asked_for = terms
    solved = _solve(passes, terms, terms.program(), exploring, explored, people)
    for _ in range(MENDINGS):
        if terms.impact.is_flat or _broken(asked_for, explored, solved, "cost") == 0.0:
            break
        terms = _within_budgets(asked_for, terms, solved.sizes)
        solved = _solve(passes, terms, terms.program(), exploring, explored, people)
    return replace(solved, violation=_broken(asked_for, explored, solved))


def explore(passes: Passes, terms: Terms) -> tuple[Exploring, dict[str, Ints], int]:
    """Explorers' choice, thinned to take, as expected, the exploration share of each channel's places and money."""
    count = len(terms.channels)
    program = passes.program
    partners = program.partners
    lend = np.ones(0 if partners is None else len(partners))
    exploring = Exploring(terms.exploration, (1.0,) * count, partners, tuple(lend.tolist()), _caps(program))
    sums = passes.tally([exploring])[0]
    load = np.array(terms.load or (1.0,) * count)
    places, cost = program.by_channel(sums["places"]) / 1.0, program.by_channel(sums["cost"]) / 1e6 * load
    share = terms.exploration
    keep = np.minimum(1.0, share * np.array(terms.capacity) / np.maximum(places, 1e-9))
    keep = np.minimum(keep, share * np.array(terms.budget_left) / np.maximum(cost, 1e-9))
    if terms.total_left is not None:
        keep = keep * min(1.0, share * terms.total_left / max(float((keep * cost).sum()), 1e-9))
    if partners is not None:
        quota = np.array([np.inf if one is None else one for one in partners.quota])
        lend = np.minimum(1.0, share * quota / np.maximum(_funded(program, sums), 1e-9))
    for asked in range(2, 12):
        exploring = replace(exploring, keep=tuple(float(x) for x in keep), lend=tuple(lend.tolist()))
        sums = passes.tally([exploring])[0]
        cost = program.by_channel(sums["cost"]) / 1e6 * load
        over = (program.by_channel(sums["places"]) > np.array(terms.capacity)) | (cost > np.array(terms.budget_left))
        if terms.total_left is not None and float(cost.sum()) > terms.total_left:
            over = np.ones(count, dtype=np.bool_)
        is_full = np.zeros(0, dtype=np.bool_) if partners is None else _funded(program, sums) > quota
        if not over.any() and not is_full.any():
            return exploring, sums, asked
        keep, lend = np.where(over, keep / 2, keep), np.where(is_full, lend / 2, lend)
    return replace(exploring, keep=(0.0,) * count), {name: 0 * total for name, total in sums.items()}, 11


def _caps(program: Program) -> tuple[tuple[str, tuple[float, ...]], ...]:
    """What one explorer may weigh with each partner, so that explorers alone break no partner's cap."""
    caps = []
    for name in ("late", "fraud"):
        own = {row.partner: row.less for row in program.rows if row.partner is not None and row.kind == name}
        if own:
            caps.append((name, tuple(own.get(m, UNCAPPED) for m in range(program.lenders))))
    return tuple(caps)


def _funded(program: Program, sums: dict[str, Ints]) -> Floats:
    return np.asarray(program.by_partner(sums["funded"]) / program.unit("funded"))


def _solve(
    passes: Passes, terms: Terms, program: Program, exploring: Exploring, explored: dict[str, Ints], people: int
) -> _Solved:
    program = program.beside(activity(program, explored), passes.program.by_channel(explored["places"]))
    passes = replace(passes, program=program)
    share, target = exploring.exploration, terms.max_gap / 4
    sample, part = passes.sample(people)
    crowd = passes.crowd(share, people)
    start = start_prices(program, crowd, policy_people(sample, share), part, target)
    seats = seats_for(program, people)
    found = search(program, crowd.ask, crowd.near, start=start, max_gap=target, max_passes=FULL_PASSES, seats=seats)
    if found.board is None or found.moves is None:
        raise ValueError("the search came back without a board")
    mixing = Mixing(program, tuple((plan.prices, weight) for plan, weight in found.used()), share)
    board, everybody = found.board, passes.tally([mixing])[0]
    mixed = totals(program, board.people, mixing.choose(board.people, board.luck))
    others = {name: everybody[name] - mixed[name] for name in everybody}
    whole = whole_people(program, board, found.moves, others, found.penalty)
    sums = whole.sums
    over = np.maximum(activity(program, sums) - program.limits, 0.0)
    short = float((found.slack / np.maximum(np.abs(program.limits), 1e-9)).max(initial=0.0))
    return _Solved(
        chooser=Policy(exploring, mixing, terms.holdout),
        program=program,
        prices=found.prices,
        sizes=program.by_channel(explored["places"] + sums["places"]),
        sums=sums,
        value=objective_of(program, sums) + program.tolls(program.by_channel(sums["places"])),
        owed=float(np.dot(found.prices, over)),
        bound=found.bound,
        violation=violation(program, activity(program, sums)),
        notes=(),
        passes=found.passes + 1,
        split_gap=found.gap,
        placed=Placed(board.keys, whole.choice),
        is_short=short > 1e-6,
    )


def _broken(terms: Terms, explored: dict[str, Ints], solved: _Solved, kind: str | None = None) -> float:
    """By how much explorers and the others together break the worst row, at the prices that so many people make.

    `kind`: of rows of that kind alone.
    """
    rows = {row.name for row in solved.program.rows}
    program = terms.program()
    kept = tuple(row for row in program.rows if row.name in rows and kind in (None, row.kind))
    program = replace(program, rows=kept)
    if program.load:
        program = replace(program, load=tuple(terms.impact.factor(solved.sizes).tolist()))
    return violation(program, activity(program, explored) + activity(program, solved.sums))


def _within_budgets(asked_for: Terms, terms: Terms, sizes: Ints) -> Terms:
    """Terms whose budgets hold where a channel was used more, and so became dearer, than was planned for."""
    over = np.maximum(terms.impact.factor(sizes) / np.array(terms.load), 1.0) * (1.0 + SPARE)
    left = tuple(float(left) for left in np.array(asked_for.budget_left) / over)
    total = None if asked_for.total_left is None else asked_for.total_left / float(over.max())
    return replace(terms, budget_left=left, total_left=total)


def start_prices(program: Program, crowd: Crowd, few: Board, share: float, max_gap: float) -> list[Floats]:
    """Prices to start from: those that are best for a sample of people, found on a smaller sample first.

    `few`: a sample of the policy people, `share` of them all. What the sample does at its prices is set against what
    everybody does there, and the sample asked anew under limits that make up for the difference: it need then only tell
    how people change with prices, not how many there are of whom.
    """
    start: list[Floats] = []
    gap = max(max_gap, SAMPLE_GAP)
    for size in SAMPLES:
        part = min(1.0, size / max(len(few), 1))
        is_search_itself = part * share == 1.0 and not program.has_partner_rows
        if not is_search_itself and (part < 1.0 or size == SAMPLES[-1]):
            scaled, some = program.scaled(share * part), few.only(few.luck["pick"] < share * part)
            start = _centres(Here(scaled, some), start, gap)
    if share == 1.0:
        return start
    scaled, own = program.scaled(share), np.array([row.partner is not None for row in program.rows])
    for _ in range(LENT_CORRECTIONS if program.has_partner_rows else CORRECTIONS):
        mine, all_of_them = Here(scaled, few).ask(start[-1:])[0], crowd.ask(start[-1:])[0]
        more = share * activity(program, all_of_them) - activity(program, mine)
        left = scaled.limits - more
        # A few people of a partner's cannot make up for what everybody breaks its row by.
        left = np.where(own & (scaled.limits >= 0.0), np.maximum(left, 0.0), left)
        here = Here(scaled.with_limits(left), few)
        start.extend(_centres(here, start[-1:], max_gap))
    return start[-2:]


def _centres(here: Here, start: list[Floats], max_gap: float) -> list[Floats]:
    """The prices of the best bound for people in memory; where partners have rows, then those of the last master.

    There the first prices are climbed to.
    """
    if here.program.has_partner_rows and not start:
        return [softened_prices(here.program, here.board.people, _without_partners_rows(here, max_gap))]
    seats = seats_for(here.program, len(here.board))
    found = search(
        here.program, here.ask, here.near, start=start, max_gap=max_gap, max_passes=SAMPLE_PASSES, seats=seats
    )
    return [found.centre, found.prices] if here.program.has_partner_rows else [found.centre]


def _without_partners_rows(here: Here, max_gap: float) -> Floats:
    """Prices that are best as if partners took everybody sent to them."""
    ours = np.array([row.partner is None for row in here.program.rows], dtype=np.bool_)
    program = replace(here.program, rows=tuple(row for row in here.program.rows if row.partner is None))
    prices = np.zeros(len(ours))
    prices[ours] = _centres(Here(program, here.board), [], max_gap)[-1]
    return prices
