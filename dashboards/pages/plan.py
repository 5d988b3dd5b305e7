"""Plan: what each channel is to spend and win, against what is left of its budget, with the plan's certificate."""

from __future__ import annotations

import pandas as pd

from dashboards.figures.bars import against_budget
from dashboards.figures.dots import Series, dots
from dashboards.nodes import Chart, Node, Tag, tag
from dashboards.numbers import DASH, count, interval, is_null, money, share
from dashboards.pages.context import HOW_INTERVALS, Context, named, remarks
from dashboards.parts import Show, chart, section, tile, tiles

ALL = "(all)"


def plan(context: Context) -> Node:
    """The page."""
    reading = context.read("channel_plan")
    if reading.is_empty:
        return tag("div", context.missing(reading))
    frame = reading.frame
    frame = frame.assign(is_total=frame["channel"] == ALL).sort_values(
        ["is_total", "expected_spend", "channel"], ascending=[True, False, True], kind="stable"
    )
    frame = frame.reset_index(drop=True)
    single = frame[~frame["is_total"]]
    return tag(
        "div",
        *[_tiles(row, context) for _, row in frame[frame["is_total"]].iterrows()],
        tag("div", _money(single, context), _good(single, context), class_="pair") if len(single) else None,
        _table(frame, context),
        _gate(context),
    )


def _gate(context: Context) -> Node:
    """What the plan's rule would have brought on past assignments, beside the policy that made them."""
    reading, words = context.read("plan_gate"), context.words
    if reading.is_empty:
        return context.missing(reading)
    names = ("current", "new_snips", "new_dr", "gain")
    shown = [Show("outcome", words("outcome")), *[Show(name, words(f"gate_{name}"), "plain") for name in names]]
    reasons = [str(text) for text in reading.frame["reason"] if not is_null(text)]
    return section(words("gate_table"), context.table(reading.frame, shown, "gate"), note=" ".join(reasons))


def _tiles(row: pd.Series, context: Context) -> Tag:
    words = context.words
    good = row["expected_good"]
    per_good = money(row["expected_spend"] / good) if good > 0 else DASH
    return tiles(
        tile(words("audience_size"), count(row["audience_size"])),
        tile(words("expected_spend"), money(row["expected_spend"]), _around(row, "expected_spend", "money")),
        tile(words("expected_good"), money(good), _around(row, "expected_good", "money")),
        tile(words("expected_cost_per_good"), per_good, context.conf.base.currency),
        tile(
            words("expected_late_rate"),
            DASH if is_null(row["expected_late_rate"]) else share(row["expected_late_rate"]),
            _around(row, "expected_late_rate", "share"),
        ),
        tile(words("gap"), DASH if is_null(row["gap"]) else share(row["gap"]), _violation(row, context)),
    )


def _violation(row: pd.Series, context: Context) -> str:
    worst = row["max_violation"]
    return "" if is_null(worst) else f"{context.words('max_violation')}: {share(worst)}"


def _around(row: pd.Series, name: str, kind: str) -> str:
    return interval(kind, row[f"{name}_lo"], row[f"{name}_hi"])


def _money(frame: pd.DataFrame, context: Context) -> Tag:
    words = context.words
    planned = pd.DataFrame(
        {"value": frame["expected_spend"], "lo": frame["expected_spend_lo"], "hi": frame["expected_spend_hi"]}
    )
    left = [None if is_null(value) else float(value) for value in frame["budget_left"]]
    titles = (words("budget_left"), words("expected_spend"))
    drawn = against_budget(named(words, frame["channel"]), left, planned, titles, context.conf.base.currency)
    summary = f"{words('plan_money')}: " + ", ".join(
        f"{channel} {money(spend)} / {words('no_limit') if limit is None else money(limit)}"
        for channel, spend, limit in zip(frame["channel"], frame["expected_spend"], left, strict=True)
    )
    return section(words("plan_money"), chart(Chart(drawn, summary), words))


def _good(frame: pd.DataFrame, context: Context) -> Tag:
    words = context.words
    names = named(words, frame["channel"])
    shown = pd.DataFrame(
        {
            "name": names,
            "value": frame["expected_good"].tolist(),
            "lo": frame["expected_good_lo"].tolist(),
            "hi": frame["expected_good_hi"].tolist(),
            "is_final": True,
        }
    )
    summary = f"{words('plan_good')}: " + ", ".join(
        f"{name} {value:.1f}" for name, value in zip(names, shown["value"], strict=True)
    )
    drawn = dots([Series(words("expected_good"), shown)], names, words("expected_good"))
    return section(words("plan_good"), chart(Chart(drawn, summary), words))


def _table(frame: pd.DataFrame, context: Context) -> Tag:
    words = context.words
    kinds = {
        "budget": "money",
        "budget_left": "money",
        "audience_size": "count",
        "expected_spend": "money",
        "expected_good": "plain",
        "expected_late_rate": "share",
        "expected_fraud_rate": "share",
        "shadow_price": "plain",
        "capacity_price": "plain",
    }
    columns = [Show("channel", words("channel"))]
    columns += [Show(name, words(name), kind) for name, kind in kinds.items() if name in frame.columns]
    how = [line for note in frame["note"] for line in remarks(note) if line.startswith(HOW_INTERVALS)]
    return section(words("plan_table"), context.table(frame, columns, "plan"), note=" ".join(how[:1]))
