"""Mix does not pass for price, and the effects of a bridge add up to the move."""

from __future__ import annotations

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from jobs.measure.comparison.bridge import EFFECTS, Cell, bridge
from jobs.measure.comparison.mix import pooled_mix, standardised

X = {"prime": (300.0 * 100, 100.0), "sub": (100.0 * 900, 900.0)}
Y = {"prime": (270.0 * 900, 900.0), "sub": (90.0 * 100, 100.0)}


def test_simpson() -> None:
    blended = [sum(s for s, _ in cells.values()) / sum(n for _, n in cells.values()) for cells in (X, Y)]
    assert blended == [120, 252]
    mix = pooled_mix({"x": X, "y": Y})
    assert mix == {"prime": 0.5, "sub": 0.5}
    assert (standardised(X, mix)[0], standardised(Y, mix)[0]) == (200, 180)
    assert standardised({"prime": (10.0, 1.0), "sub": (5.0, 0.0)}, mix) == (None, ("sub",))
    assert standardised(X, {}) == (None, ())


def cells() -> st.SearchStrategy[dict[str, Cell]]:
    count = st.integers(0, 50)
    one = st.builds(Cell, st.integers(0, 10_000), st.integers(0, 500), count, count)
    return st.dictionaries(st.sampled_from(["feed", "search", "sms"]), one, min_size=1)


@given(before=cells(), after=cells())
def test_effects_add_up_and_turn_round_with_time(before: dict[str, Cell], after: dict[str, Cell]) -> None:
    told = bridge(before, after)
    assume(None not in (told.before, told.after, told.effects["mix"]))
    assert sum(told.effects[name] or 0 for name in EFFECTS) == pytest.approx(
        (told.after or 0) - (told.before or 0), abs=1e-6, rel=1e-9
    )
    back = bridge(after, before)
    for name in EFFECTS:
        assert back.effects[name] == pytest.approx(-(told.effects[name] or 0), abs=1e-6, rel=1e-9)


def test_one_thing_changed_is_one_effect() -> None:
    base = {"feed": Cell(1000, 500, 50, 10), "search": Cell(900, 300, 60, 20)}
    cases = {
        "price": {"feed": Cell(1500, 500, 50, 10), "search": Cell(900, 300, 60, 20)},
        "mix": {"feed": Cell(2000, 1000, 100, 20), "search": Cell(900, 300, 60, 20)},
        "conversion": {"feed": Cell(1000, 500, 100, 20), "search": Cell(900, 300, 60, 20)},
        "approval": {"feed": Cell(1000, 500, 50, 30), "search": Cell(900, 300, 60, 20)},
    }
    for effect, after in cases.items():
        told = bridge(base, after)
        assert told.before == pytest.approx(1900 / 30)
        for name in EFFECTS:
            move = (told.after or 0) - (told.before or 0) if name == effect else 0.0
            assert told.effects[name] == pytest.approx(move, abs=1e-9), (effect, name)


def test_a_channel_that_comes_is_mix_and_no_customer_is_no_cost() -> None:
    base = {"feed": Cell(1000, 500, 50, 10)}
    told = bridge(base, base | {"sms": Cell(10, 100, 1, 1)})
    assert {name for name, effect in told.effects.items() if abs(effect or 0) > 1e-9} == {"mix"}
    assert bridge(base, {"feed": Cell(10, 5, 0, 0)}).effects["price"] is None
    assert bridge({}, base).before is None
