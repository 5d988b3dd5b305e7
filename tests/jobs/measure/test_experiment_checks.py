"""A holdout that is not as drawn is told; attribution's factor holds the one that was planted."""

from __future__ import annotations

from typing import Any

import pytest

from jobs.measure.experiment_checks import experiment_checks
from jobs.tables.activate import ELIGIBILITY
from jobs.tables.measure.costs import CAMPAIGN_COSTS
from jobs.tables.measure.experiments import CHANNEL_LIFT


def people(channel: str, eligible: int, held: int, shut: int = 0) -> list[dict[str, Any]]:
    reasons = [None] * eligible + ["holdout"] * held + ["no_consent"] * shut
    return [
        {
            "prospect_key": f"{i}",
            "person_key": f"{i}",
            "channel": channel,
            "is_eligible": reason is None,
            "reason": reason,
            "is_holdout": reason == "holdout",
        }
        for i, reason in enumerate(reasons)
    ]


@pytest.fixture
def told(rows: Any, make_shell: Any, conf: Any) -> Any:
    def run(eligible: Any, lift: Any = (), costs: Any = ()) -> Any:
        frames = (rows(ELIGIBILITY, eligible), rows(CHANNEL_LIFT, lift), rows(CAMPAIGN_COSTS, costs))
        balances, factors = experiment_checks(*frames, conf=conf, shell=make_shell())
        return balances.set_index(["basis", "channel"]), factors.set_index(["period", "channel", "outcome"])

    return run


def test_a_lost_holdout_is_a_mismatch_and_a_fair_draw_is_none(told: Any, conf: Any) -> None:
    share = conf.policy.holdout_share
    fair = round(3000 * share)
    found, factors = told([*people("sms", 3000 - fair, fair), *people("feed", 3000 - fair, fair // 2)])
    assert found.loc[("reachable", "sms"), ["people", "held_out", "is_mismatch"]].tolist() == [3000 - fair, fair, False]
    assert found.loc[("reachable", "feed"), "is_mismatch"], "half of the held out are gone"
    assert found.loc[("drawn", "(all)"), "people"] + found.loc[("drawn", "(all)"), "held_out"] == 3000
    assert set(found["share"]) == {share}
    assert factors.empty


def test_attribution_says_three_times_what_was_caused(told: Any) -> None:
    arm = {"period": "campaign", "channel": "feed", "outcome": "funded"}
    lift = {**arm, "role": "exploration", "is_randomised": True, "assigned": 90_000, "spend": 12_000.0}
    gap = {"lift": 0.004, "lift_lo": 0.003, "lift_hi": 0.005}
    chosen = {**lift, **gap, "role": "all", "is_randomised": False}
    costs = {"period": "campaign", "channel": "feed", "band": "(all)", "spend": 120_000.0, "funded": 10_800}
    _, found = told([], [{**lift, **gap}, chosen], [costs, {**costs, "band": "A", "funded": 1}])
    row = found.loc[("campaign", "feed", "funded")]
    assert (row["attributed"], row["incremental"]) == (0.09, 0.03)
    assert row["factor"] == pytest.approx(1 / 3)
    assert row["factor_lo"] < 0.25 < row["factor"] < 0.41 < row["factor_hi"] < 0.43
    _, unsure = told([], [{**lift, **gap, "lift_lo": -0.001}], [costs])
    assert unsure["reason"].tolist() == ["not_identified"]
    assert unsure["factor"].isna().all()
    assert unsure["factor_lo"].item() < 0 < unsure["factor_hi"].item()
    _, none = told([], [{**lift, **gap}], [{**costs, "funded": 0}])
    assert none["reason"].tolist() == ["no_outcome"]
