"""Partners in the programme: against an exact solver, its bound, its moves and its rows."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import scipy.sparse as sp
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import linprog
from test_allocation import luck_of, program_of, sold, world
from test_certificate import made, terms_of

from jobs.activate.allocation.answers import amounts_of, best_arms, offers, reduced_costs, weights
from jobs.activate.allocation.board import Board, moves_of
from jobs.activate.allocation.choosers import Exploring, Mixing, Policy
from jobs.activate.allocation.crowd import Here
from jobs.activate.allocation.dual import search
from jobs.activate.allocation.kept import of_text, to_text
from jobs.activate.allocation.partners import Partners
from jobs.activate.allocation.passes import Passes
from jobs.activate.allocation.people import LUCK, Layout
from jobs.activate.allocation.program import NOBODY, UNITS, People, Program, Row
from jobs.activate.allocation.solve import allocate
from jobs.activate.allocation.sums import activity, objective_of, totals, violation
from jobs.activate.allocation.terms import Terms
from jobs.activate.allocation.whole import whole_people
from support import make_conf, to_pandas

CLASSES, LENDERS = 7, 4


def lenders(seed: int, count: int = LENDERS, classes: int = CLASSES) -> Partners:
    """Partners who differ in whom they fund and what they pay; some take no part in a class, and one class has none."""
    dice = np.random.default_rng(seed)
    rate = np.exp(0.3 * dice.normal(size=(classes, count))) * (dice.random((classes, count)) < 0.7)
    rate[0] = 0.0
    rate[1] = 1.0
    return Partners(
        names=tuple(f"bank{m}" for m in range(count)),
        pass_rate=rate,
        quota=tuple(0.02 if m % 2 else None for m in range(count)),
        price=tuple(float(x) for x in 100 * dice.random(count)),
        max_late=tuple(0.05 if m % 3 == 0 else None for m in range(count)),
        max_fraud=(None,) * count,
    )


def lent(people: int, channels: int, seed: int) -> People:
    one, dice = world(people, channels, seed), np.random.default_rng(seed + 1000)
    funded = np.rint(np.abs(one.amounts["good"]) * 1.3).astype(np.int64)
    return People(one.may, {**one.amounts, "funded": funded}, dice.integers(0, CLASSES, people))


def lending_program(
    people: People, partners: Partners, objective: str = "value", floor: float | None = None
) -> Program:
    """The usual rows, then each partner's."""
    program = program_of(people, objective, floor)
    rows = list(program.rows)
    for place, name in enumerate(partners.names):
        quota, cap = partners.quota[place], partners.max_late[place]
        if quota is not None:
            rows.append(Row(f"quota:{name}", "funded", None, quota, place))
        if cap is not None:
            rows.append(Row(f"late:{name}", "late", None, 0.0, place, cap - 0.05))
    return replace(program, rows=tuple(rows), partners=partners)


def columns_of(program: Program, people: People) -> tuple[Any, Any, Any]:
    """Every open arm of everybody as a column: person, objective, rows."""
    assert program.partners is not None
    assert people.kind is not None
    takes = program.partners.rates[people.kind] > 0
    open_arms = (people.may[:, :, None] & takes[:, None, :]).reshape(len(people), -1)
    person, arm = np.nonzero(open_arms)
    return person, *weights(program, people, person, arm)


def exact(program: Program, people: People) -> Any:
    """The programme with a variable an arm, by HiGHS."""
    person, objective, rows = columns_of(program, people)
    each = sp.csr_matrix((np.ones(len(person)), (person, np.arange(len(person)))), shape=(len(people), len(person)))
    steps = [(nth, width, toll) for nth, row in enumerate(program.rows) for width, toll in program.steps_of(row)]
    limits = np.concatenate([program.limits, np.ones(len(people))])
    sold_in = np.zeros((len(limits), len(steps)))
    for number, (nth, width, _) in enumerate(steps):
        sold_in[nth, number] = -1.0
        limits[nth] -= width
    matrix = sp.hstack([sp.vstack([sp.csr_matrix(rows), each]), sp.csr_matrix(sold_in)]).tocsc()
    bounds = [(0, None)] * len(person) + [(0, width) for _, width, _ in steps]
    costs = np.concatenate([objective, [toll for _, _, toll in steps]])
    return linprog(costs, A_ub=matrix, b_ub=limits, bounds=bounds, method="highs")


def here_of(program: Program, people: People) -> Here:
    keys = np.array([f"p{n:06d}" for n in range(len(people))], dtype=object)
    return Here(program, Board(keys, people, luck_of(len(people), 0)))


def prices_for(program: Program, seed: int) -> Any:
    dice = np.random.default_rng(seed)
    return dice.exponential(2.0, len(program.rows)) * (dice.random(len(program.rows)) < 0.6)


@settings(max_examples=40, deadline=None)
@given(seed=st.integers(0, 1000), objective=st.sampled_from(["value", "cost", "good"]), loaded=st.booleans())
def test_the_best_arm_is_the_least_of_all_arms_one_by_one(seed: int, objective: str, loaded: bool) -> None:
    people, partners = lent(50, 4, seed % 5), lenders(seed)
    program = lending_program(people, partners, objective, 0.1)
    program = sold(program, seed) if loaded else program
    prices = prices_for(program, seed)
    person, cost, rows = columns_of(program, people)
    least = np.zeros(len(people))
    np.minimum.at(least, person, cost + prices @ rows)
    best = best_arms(program, people, prices)
    mine, takes = weights(program, people, np.arange(50), best)
    assert mine + prices @ takes == pytest.approx(least, abs=1e-9)
    assert np.array_equal(best == NOBODY, least >= 0)
    assert np.minimum(reduced_costs(program, people, prices).min(axis=1), 0) == pytest.approx(least, abs=1e-9)
    half = best_arms(program, people.only(slice(20, 50)), prices)
    assert np.array_equal(half, best[20:]), "a person's answer depends on who else is asked"


@settings(max_examples=30, deadline=None)
@given(seed=st.integers(0, 1000))
def test_offers_are_the_two_cheapest_partners_of_each_channel(seed: int) -> None:
    people, partners = lent(30, 4, seed % 5), lenders(seed)
    program = lending_program(people, partners)
    prices = prices_for(program, seed)
    found = offers(program, people, prices)
    for i in range(30):
        for k in range(4):
            open_to = np.flatnonzero((partners.rates[people.kind[i]] > 0) & people.may[i, k])  # type: ignore[index]
            arms = k * LENDERS + open_to
            cost, rows = weights(program, people, np.full(len(arms), i), arms)
            wanted = np.sort(cost + prices @ rows)[:2]
            told = found.cost[i, [k, 4 + k]]
            assert told[: len(wanted)] == pytest.approx(wanted, abs=1e-9)
            assert np.isinf(told[len(wanted) :]).all()
            assert len({int(one) for one in found.arm[i, [k, 4 + k]][: len(wanted)]}) == len(wanted)


@settings(max_examples=40, deadline=None)
@given(seed=st.integers(0, 3), at=st.integers(0, 1000))
def test_any_prices_give_a_bound(seed: int, at: int) -> None:
    people = lent(60, 4, seed)
    program = lending_program(people, lenders(seed))
    prices = prices_for(program, at)
    sums = here_of(program, people).ask([prices])[0]
    bound = objective_of(program, sums) + float(np.dot(prices, activity(program, sums) - program.limits))
    best = BEST.setdefault(seed, float(exact(program, people).fun))
    assert bound <= best + 1e-9 * max(1.0, abs(best))


BEST: dict[int, float] = {}


@settings(max_examples=30, deadline=None)
@given(seed=st.integers(0, 1000), objective=st.sampled_from(["value", "cost"]))
def test_moves_and_sums_say_the_same(seed: int, objective: str) -> None:
    """Sums of a choice are its people's weights, and a move changes them by what it says."""
    people = lent(40, 4, seed % 5)
    program = sold(lending_program(people, lenders(seed), objective, 0.1), seed)
    board = here_of(program, people).board
    moves = moves_of(program, board, prices_for(program, seed))
    dice = np.random.default_rng(seed)
    made = np.zeros(len(moves), dtype=np.bool_)
    for person in np.unique(moves.person):
        made[dice.choice(np.flatnonzero(moves.person == person))] = dice.random() < 0.5
    after = moves.after(made)
    sums = totals(program, people, after)
    cost, rows = weights(program, people, np.arange(40), after)
    assert objective_of(program, sums) == pytest.approx(cost.sum(), abs=1e-9)
    assert activity(program, sums) == pytest.approx(rows.sum(axis=1), abs=1e-9)
    changed = objective_of(program, sums) - objective_of(program, moves.sums)
    assert changed == pytest.approx(moves.objective[made].sum(), abs=1e-9)
    assert activity(program, sums) - activity(program, moves.sums) == pytest.approx(
        moves.rows[:, made].sum(axis=1), abs=1e-9
    )
    assert set(moves.person[moves.arm == NOBODY]) == set(np.flatnonzero(moves.base != NOBODY))


@pytest.mark.parametrize(("objective", "share"), [("value", None), ("cost", 0.5)])
@pytest.mark.parametrize("seed", [1, 2])
def test_plans_agree_with_the_exact_solver(objective: str, share: float | None, seed: int) -> None:
    people, partners = lent(300, 3, seed), lenders(seed)
    floor = None if share is None else share * -exact(lending_program(people, partners, "good"), people).fun
    program = lending_program(people, partners, objective, floor)
    truth = float(exact(program, people).fun)
    here = here_of(program, people)
    found = search(program, here.ask, here.near, max_gap=1e-6, max_passes=40)
    assert found.value == pytest.approx(truth, rel=1e-5)
    assert found.bound <= truth + 1e-9 * abs(truth)
    assert found.board is not None
    assert found.moves is not None
    others = {name: 0 * whole for name, whole in found.moves.sums.items()}
    whole = whole_people(program, found.board, found.moves, others, found.penalty)
    assert violation(program, activity(program, whole.sums)) == 0.0
    person = abs(truth) / whole.sums["places"].sum()
    assert truth - 1e-9 * abs(truth) <= objective_of(program, whole.sums) <= truth + 2 * person
    kind, listed = found.board.people.kind, whole.choice >= 0
    assert kind is not None
    taken = partners.rates[kind[listed], program.partners_of(whole.choice[listed])]
    assert (taken > 0).all(), "somebody went to a partner that does not take them"


def test_quotas_cost_what_the_exact_solver_says_and_are_named_where_they_bind() -> None:
    people, partners = lent(300, 3, 3), lenders(3)
    program = lending_program(people, partners)
    here = here_of(program, people)
    found = search(program, here.ask, here.near, max_gap=1e-6, max_passes=40)
    truth = exact(program, people)
    binding = [row.name for row, price in zip(program.rows, found.prices, strict=True) if price > 1e-9]
    assert any(name.startswith("quota:") for name in binding)
    assert found.prices == pytest.approx(-truth.ineqlin.marginals[: len(program.rows)], rel=1e-2, abs=1e-2)


def test_with_one_partner_who_is_the_average_nothing_changes() -> None:
    people = lent(200, 4, 1)
    alone = Partners(("bank",), np.ones((CLASSES, 1)), (None,), (0.0,), (None,), (None,))
    for objective in ("value", "cost", "good"):
        plain = program_of(people, objective, 0.1)
        program = replace(plain, partners=alone)
        for seed in range(5):
            prices = prices_for(program, seed)
            choice = best_arms(plain, people, prices)
            assert np.array_equal(best_arms(program, people, prices), choice)
            sums = totals(program, people, choice)
            assert activity(program, sums) == pytest.approx(activity(plain, totals(plain, people, choice)), rel=1e-12)


@pytest.mark.parametrize("caps", [(), (("late", (0.0, 9.0, 0.005, -0.01)),)])
def test_explorers_meet_each_partner_that_takes_them_as_often_as_its_quota_says(caps: Any) -> None:
    people, partners = lent(40, 4, 5), replace(lenders(5), quota=(1.0, 3.0, None, 2.0))
    exploring = Exploring(0.5, (1.0, 0.5, 0.3, 0.0), partners, (1.0, 0.5, 1.0, 1.0), caps)
    program = lending_program(people, partners)
    policy = Policy(exploring, Mixing(program, ((None, 1.0),), 0.5), 0.1)
    draws, met = 3000, np.zeros((40, 4, LENDERS))
    for number in range(draws):
        choice = policy.choose(people, luck_of(40, number))
        rows = np.flatnonzero(choice != NOBODY)
        met[rows, program.channels_of(choice)[rows], program.partners_of(choice)[rows]] += 1
    wanted = policy.chances(people) / 0.9
    spread = np.sqrt(wanted * (1 - wanted) / draws)
    assert np.all(np.abs(met.sum(axis=2) / draws - wanted) <= 6 * spread + 1e-9)
    assert met[people.kind == 0].sum() == 0, "nobody takes this class"
    for name, by_partner in caps:
        beyond = people.amounts[name][:, :, None] > np.array(by_partner) * people.amounts["funded"][:, :, None]
        assert met[beyond].sum() == 0
        return
    share = met[people.kind == 1].sum(axis=(0, 1))
    assert share / share.sum() == pytest.approx(np.array([1.0, 1.5, 3.0, 2.0]) / 7.5, abs=0.03)


def test_a_kept_rule_with_partners_chooses_the_same() -> None:
    people, partners = lent(100, 4, 2), lenders(2)
    program = lending_program(people, partners)
    plans = ((prices_for(program, 1), 0.5), (prices_for(program, 2), 0.5))
    caps = (("late", (0.0, 9.0, 0.005, -0.01)),)
    policy = Policy(Exploring(0.2, (1.0, 0.5, 0.3, 1.0), partners, (0.5,) * 4, caps), Mixing(program, plans, 0.2), 0.1)
    layout = Layout(program.channels, program.quantities, frozenset({"c1"}), has_kind=True)
    back = of_text(to_text(policy, layout))
    assert np.array_equal(back.policy.chances(people), policy.chances(people))
    assert back.layout == layout
    assert back.policy.mixing.program.rows == program.rows


def test_whole_numbers_times_a_pass_rate_are_whole() -> None:
    people, partners = lent(50, 4, 1), lenders(1)
    program = lending_program(people, partners)
    person, arm = np.arange(50), np.full(50, 2 * LENDERS + 3)
    found = amounts_of(program, people, person, arm)
    rate = partners.pass_rate[people.kind, 3]  # type: ignore[index]
    for name in ("funded", "late"):
        natural = people.amounts[name][:, 2] / UNITS[name] * rate
        assert found[name] / program.unit(name) == pytest.approx(natural, abs=1e-3 * np.abs(natural).max())


def planned_terms(people: int) -> Terms:
    """Rows of channels and partners, most of which bind."""
    dice = np.random.default_rng(3)
    rate = np.exp(0.3 * dice.normal(size=(CLASSES, LENDERS)))
    funded = people * 1e-3
    partners = Partners(
        tuple(f"bank{m}" for m in range(LENDERS)),
        rate,
        tuple(funded * share for share in (0.1, 0.1, 0.05, 0.2)),
        (0.0,) * LENDERS,
        (0.03, 0.028, None, 0.032),
        (None,) * LENDERS,
    )
    return replace(terms_of(people, 0.0), objective="value", good_floor=None, partners=partners)


def people_columns(people: int, seed: int) -> Any:
    import pandas as pd

    natural, dice = made(people, seed), np.random.default_rng(seed)
    natural |= {"funded": 1.2 * natural["good"], "value": 2000 * natural["good"] - natural["cost"]}
    columns = {"prospect_key": [f"p{n:07d}" for n in range(people)]}
    columns |= {name: dice.random(people) for name in LUCK}
    program = planned_terms(people).program()
    for name in program.quantities:
        for k in range(len(program.channels)):
            columns[f"{name}_{k}"] = np.rint(natural[name][:, k] * UNITS[name]).astype(np.int64)
    return pd.DataFrame({**columns, "kind": dice.integers(0, CLASSES, people)})


@pytest.mark.usefixtures("light_search")
@pytest.mark.usefixtures("several_partitions")
def test_everybody_in_memory_and_in_spark_get_the_same_channel_and_partner(
    make_shell: Any, spark: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    people = 800
    terms, columns = planned_terms(people), people_columns(people, 1)
    program = terms.program()
    layout = Layout(terms.channels, program.quantities, has_kind=True)
    shell, frame = make_shell(make_conf()), spark.createDataFrame(columns).repartition(3).select(*layout.columns)
    told = []
    for held in (0, people):
        monkeypatch.setattr("jobs.activate.allocation.passes.HELD", held)
        passes = Passes(shell, frame, layout, program).holding(people)
        assert (passes.held is None) == (held == 0)
        outcome = allocate(passes, terms, people)
        settled = passes.settle(outcome.chooser, outcome.layout, outcome.placed)
        told.append((outcome.prices, outcome.gap, to_pandas(settled, "prospect_key")))
    assert told[0][:2] == told[1][:2]
    assert told[0][2].equals(told[1][2])
    rows = told[0][2].rename(columns={"role": "chosen_by"}).merge(columns, on="prospect_key")
    channel, partner = (
        rows[one].map(list(names).index)
        for one, names in (("channel", terms.channels), ("partner", terms.partners.names))
    )  # type: ignore[union-attr]
    sums = totals(
        program,
        layout.people({name: rows[name] for name in layout.columns})[0],
        (channel * LENDERS + partner).to_numpy(dtype=np.int64),
    )
    assert violation(program, activity(program, sums)) == 0.0
    assert outcome.max_violation == 0.0
    assert outcome.gap is not None
    assert outcome.gap < 0.03
    assert any(name.startswith("quota:") and price > 0 for name, price in outcome.prices.items())
    assert (rows["chosen_by"] == "exploration").any()


def test_quotas_of_partners_who_are_alike_are_filled() -> None:
    """No price tells alike partners which people are whose; some twenty are listed, each a twentieth of a plan."""
    people, count = 1500, 6
    alike = Partners(
        tuple(f"b{m}" for m in range(count)),
        np.ones((CLASSES, count)),
        (people * 2e-5,) * count,
        (0.0,) * count,
        (None,) * count,
        (None,) * count,
    )
    terms = replace(planned_terms(people), partners=alike)
    program, nowhere, gaps = terms.program(), None, list[float]()
    layout = Layout(terms.channels, program.quantities, has_kind=True)
    for seed in (1, 2):
        columns = people_columns(people, seed)
        held = {name: columns[name] for name in columns}
        outcome = allocate(Passes(nowhere, nowhere, layout, program, held=held), terms, people)  # type: ignore[arg-type]
        assert outcome.max_violation == 0.0
        assert outcome.gap is not None
        gaps.append(outcome.gap)
        assert sum(name.startswith("quota:") and price > 0 for name, price in outcome.prices.items()) == count
    assert sum(gaps) / 2 < 0.06
