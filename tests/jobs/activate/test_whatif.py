"""What-if: the plan's own road, other terms, and not a byte of the warehouse changed."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from test_audiences import DAY, inputs, small_conf

from jobs.registry import job_named
from jobs.runtime.errors import Fault, UsageError
from jobs.runtime.keys import Keys
from jobs.runtime.shell import Shell
from jobs.whatif.changes import WHOLE, Changes, amount, changed, named
from jobs.whatif.compare import ALL
from jobs.whatif.rehearse import Answer, answer
from support import make_conf


def tree(folder: Path) -> dict[str, str]:
    """Every file and folder of a warehouse with what it holds."""
    found = sorted(folder.rglob("*"))
    return {
        str(f.relative_to(folder)): hashlib.sha256(f.read_bytes()).hexdigest() if f.is_file() else "" for f in found
    }


def publish(shell: Shell, given: dict[str, Any]) -> None:
    """Publish a job's inputs as tables, then the plan made from them."""
    plan = job_named("audiences")
    for name, read in plan.reads.items():
        frame = given[name]
        made = replace(
            plan, name=f"writes_{name}", function=lambda f=frame: f, reads={}, writes=(read.table,), asks=frozenset()
        )
        shell.run(made, DAY)
    shell.run(plan, DAY)


@pytest.fixture(scope="module")
def ask(spark: Any, rows: Any, tmp_path_factory: pytest.TempPathFactory, light_searches: None) -> Callable[..., Answer]:
    """Asks one published plan; every answer must leave its warehouse as it was, so all tests may ask the same."""
    home = tmp_path_factory.mktemp("asked")
    conf = small_conf(home)
    shell = Shell(home / "warehouse", home / "none", conf, Keys(bytes(32)), spark)
    publish(shell, inputs(rows, "m1", conf))
    before = tree(home / "warehouse")

    def run(changes: Changes) -> Answer:
        beside = Shell(home / "warehouse", home / "none", conf, shell.keys, shell.spark, home / "elsewhere")
        found = answer(beside, changes)
        assert tree(home / "warehouse") == before
        assert not list((home / "elsewhere").iterdir())
        return found

    return run


def by_channel(rows: list[dict[str, Any]]) -> dict[str, dict[str, Any]]:
    return {row["channel"]: row for row in rows}


def test_asked_nothing_the_answer_is_the_published_plan_and_nothing_is_written(ask: Callable[..., Answer]) -> None:
    found = ask(Changes())
    assert found.day == DAY
    assert not found.is_moved
    assert found.verdict.is_feasible
    assert len(found.published) == 4
    for old, new in zip(found.published, found.what_if, strict=True):
        numbers = {name: value for name, value in new.items() if isinstance(value, (int, float))}
        assert numbers == pytest.approx({name: old[name] for name in numbers}, rel=1e-6, abs=1e-6)
        assert {name: new[name] for name in set(new) - set(numbers)} == {n: old[n] for n in set(new) - set(numbers)}


def test_more_money_wins_no_less_and_no_money_nothing(ask: Callable[..., Answer]) -> None:
    more = ask(Changes({"sms": "+50%"}, {"feed_a": "90"}))
    old, new = by_channel(more.published), by_channel(more.what_if)
    assert new["sms"]["budget"] == 180.0
    assert new["sms"]["budget_left"] == old["sms"]["budget_left"] + 60.0
    assert 55 <= old["feed_a"]["audience_size"] <= 60 < new["feed_a"]["audience_size"] <= 90

    def worth(rows: dict[str, dict[str, Any]]) -> float:
        return float(500 * rows[ALL]["expected_good"] - rows[ALL]["expected_spend"])

    assert worth(new) > worth(old)
    none = by_channel(ask(Changes({"sms": "0"})).what_if)
    assert none["sms"]["audience_size"] == 0
    assert none["sms"]["cost_per_good"] is None


def test_a_floor_is_met_at_its_price_or_refused_with_the_rows_that_bind(ask: Callable[..., Answer]) -> None:
    low, high = ask(Changes(good=3.0)), ask(Changes(good=5.0))
    cheap, dear = (by_channel(found.what_if)[ALL] for found in (low, high))
    assert low.verdict.is_feasible
    assert high.verdict.is_feasible
    assert cheap["expected_good"] >= 3.0 * (1 - cheap["max_violation"])
    assert dear["expected_good"] >= 5.0 * (1 - dear["max_violation"])
    assert 0 < cheap["shadow_price"] <= dear["shadow_price"]
    # The price of one more good customer is what the next one costs: the mean of the step lies between both.
    step = (dear["expected_spend"] - cheap["expected_spend"]) / (dear["expected_good"] - cheap["expected_good"])
    assert 0.9 * cheap["shadow_price"] <= step <= 1.1 * dear["shadow_price"]
    far = ask(Changes(good=500.0))
    assert not far.verdict.is_feasible
    assert "places:feed_a" in far.verdict.binding
    assert "500 good customers cannot be won" in far.verdict.why
    assert by_channel(far.what_if)["sms"]["shadow_price"] is None
    # What is said to bind does: with more of it more is won, with more of the rest nothing is.
    most = by_channel(far.what_if)[ALL]["expected_good"]
    bound = {name: "+100%" for kind, _, name in (b.partition(":") for b in far.verdict.binding) if kind == "budget"}
    roomy = {name: "+100%" for kind, _, name in (b.partition(":") for b in far.verdict.binding) if kind == "places"}
    assert by_channel(ask(Changes(bound, roomy, good=500.0)).what_if)[ALL]["expected_good"] > 1.1 * most
    free = {c: "+100%" for c in ("feed_a", "feed_b", "sms") if c not in bound}
    assert by_channel(ask(Changes(free, good=500.0)).what_if)[ALL]["expected_good"] == pytest.approx(most, rel=0.01)


def test_a_cap_on_lateness_that_nobody_keeps_leaves_nobody(ask: Callable[..., Answer]) -> None:
    found = ask(Changes(max_late_rate=0.01))
    whole = by_channel(found.what_if)[ALL]
    # Explorers are chosen before the caps; they alone break this one, and that is no plan to have.
    assert not found.verdict.is_feasible
    assert "broken by" in found.verdict.why
    assert whole["expected_spend"] < by_channel(found.published)[ALL]["expected_spend"]


def test_without_a_model_no_number_of_customers_is_promised(rows: Any, make_shell: Any, tmp_path: Path) -> None:
    conf = small_conf(tmp_path)
    shell = make_shell(conf)
    publish(shell, inputs(rows, "prior", conf))
    found = answer(shell, Changes(good=1.0))
    assert not found.verdict.is_feasible
    assert "no model was fitted" in found.verdict.why
    with pytest.raises(UsageError, match="no day"):
        answer(shell, Changes(), DAY + timedelta(days=1))
    with pytest.raises(Fault, match="cannot be rehearsed"):
        shell.rehearse(job_named("deliveries"), DAY)


@given(now=st.decimals(0, 10**9, places=2), by=st.integers(0, 300))
def test_amounts_change_by_per_cent_or_are_replaced(now: Decimal, by: int) -> None:
    assert amount(now, f"+{by}%") - now == now * by / 100
    assert amount(now, f"-{by}%") == max(Decimal(0), now - now * by / 100)
    assert amount(now, str(by)) == by


@given(budget=st.sampled_from(["feed_a", "sms"]), by=st.sampled_from(["+20%", "-10%", "777"]))
def test_a_change_changes_what_it_names_only(budget: str, by: str) -> None:
    conf = make_conf()
    made = changed(conf, Changes({budget: by}))
    assert made.channels[budget].budget == amount(conf.channels[budget].budget, by)
    back = {**made.channels, budget: conf.channels[budget]}
    assert made.model_copy(update={"channels": back}) == conf
    assert changed(conf, Changes()) == conf


def test_what_cannot_be_asked_is_refused_in_one_sentence() -> None:
    assert named(["feed_a=+20%", "sms=50000"], "--budget") == {"feed_a": "+20%", "sms": "50000"}
    for text in ("feed_a", "feed_a=", "=5", "feed_a=20%", "feed_a=+20", "feed_a=-5", "feed_a=lots"):
        with pytest.raises(UsageError, match="is not understood"):
            named([text], "--budget")
    with pytest.raises(UsageError, match="twice"):
        named(["sms=1", "sms=2"], "--budget")
    refused = {
        "there is no channel radio": Changes({"radio": "+1%"}),
        "there is no channel .all.": Changes(capacities={WHOLE: "5"}),
        "no budget over all channels": Changes({WHOLE: "+20%"}),
        "not above 0": Changes(good=0.0),
        "not between 0 and 1": Changes(max_late_rate=2.0),
    }
    for words, changes in refused.items():
        with pytest.raises(UsageError, match=words):
            changed(make_conf(), changes)
