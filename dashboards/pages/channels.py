"""Channels: what each brought and cost, how late its customers are, what it added over the holdout."""

from __future__ import annotations

import pandas as pd

from dashboards.cells import SMALLEST
from dashboards.channels import channel_rows
from dashboards.cohorts import ALL_BANDS, by_channel, cohorts, without_repeats
from dashboards.figures.dots import Series, dots
from dashboards.nodes import Chart, Node, Tag, tag
from dashboards.numbers import DASH, share
from dashboards.pages.context import Context, named
from dashboards.pages.overview import comparison
from dashboards.parts import Show, chart, nothing, section


def channels(context: Context) -> Node:
    """The page."""
    return tag("div", _table(context), _cohorts(context), _lift(context))


def _table(context: Context) -> Tag:
    words, reading = context.words, context.read("channel_costs")
    if reading.is_empty:
        return section(words("channel_table"), context.missing(reading))
    frame, months = channel_rows(reading.frame)
    columns = [
        Show("channel", words("channel")),
        Show("spend", words("spend"), "money"),
        Show("clicks", words("clicks"), "count"),
        Show("applications", words("applications"), "count"),
        Show("funded", words("funded"), "count"),
        Show("cost_per_application", words("cost_per_application"), "money"),
        Show("cost_per_approval", words("cost_per_approval"), "money"),
        Show("cost_per_funded", words("cost_per_funded"), "money"),
        Show("spend_decided", words("spend_decided"), "money"),
        Show("good_decided", words("good_decided"), "count"),
        Show("cost_per_good", words("cost_per_good"), "money"),
        Show("late_rate", words("late_rate"), "share"),
    ]
    span = words("none_decided") if not months else f"{months[0]} {DASH} {months[-1]}"
    note = f"{words('channel_table_note', months=span)} {words('sort_hint')}"
    return section(words("channel_table"), context.table(frame, columns, "channels"), note=note)


def _cohorts(context: Context) -> Tag:
    words, reading = context.words, context.read("campaign_costs")
    if reading.is_empty:
        return section(words("campaign_table"), context.missing(reading))
    frame = cohorts(reading.frame)
    columns = [
        Show("period", f"{words('history')} / {words('campaign')}"),
        Show("channel", words("channel")),
        Show("band", words("band")),
        Show("spend", words("spend"), "money"),
        Show("funded", words("funded"), "count"),
        Show("cost_per_funded", words("cost_per_funded"), "money"),
        Show("good_mature", words("good_decided"), "count"),
        Show("cost_per_good", words("cost_per_good"), "money"),
        Show("late_rate", words("late_rate"), "share"),
        Show("fraud_rate", words("fraud_rate"), "share"),
    ]
    marked = without_repeats(frame)
    marked = marked.assign(is_total=(marked["channel"] == "(all)") & (marked["band"] == ALL_BANDS))
    return tag(
        "div",
        comparison(by_channel(frame), "late_rate", "channel", "late_by_channel", context, is_share=True),
        section(words("campaign_table"), context.table(marked, columns, "history-campaign"), note=words("sort_hint")),
    )


def lifts(frame: pd.DataFrame) -> pd.DataFrame:
    """channel_lift with a status beside lift and cost; arms with fewer than 11 outcomes on either side are hidden."""
    unknown = frame["lift_lo"].isna()
    small = ((frame["successes"] > 0) & (frame["successes"] < SMALLEST)) | (frame["assigned"] < SMALLEST)
    result = frame.rename(
        columns={f"incremental_cost{suffix}": f"incremental{suffix}" for suffix in ("", "_lo", "_hi")}
    )
    for name in ("lift", "incremental"):
        for suffix in ("", "_lo", "_hi"):
            result[f"{name}{suffix}"] = result[f"{name}{suffix}"].mask(small | unknown)
        reasons = result["reason"].fillna("final")
        result[f"{name}_status"] = reasons.where(~small, "hidden").where(small | unknown | result[name].isna(), "final")
    return result


def _lift(context: Context) -> Tag:
    words, reading = context.words, context.read("channel_lift")
    if reading.is_empty:
        return section(words("lift"), context.missing(reading))
    frame = lifts(reading.frame)
    parts: list[Node] = []
    latest = "campaign" if (frame["period"] == "campaign").any() else "history"
    for outcome in ("applied", "funded", "good"):
        rows = frame[(frame["outcome"] == outcome) & (frame["period"] == latest)]
        if rows["lift"].notna().any():
            parts += [tag("h3", f"{words(outcome)} · {words(latest)}"), _lift_chart(rows, context)]
    if not parts:
        parts = [nothing(words, words("lift"), words("why_few"))]
    columns = [
        Show("period", f"{words('history')} / {words('campaign')}"),
        Show("channel", words("channel")),
        Show("role", words("role")),
        Show("outcome", words("outcome")),
        Show("assigned", words("assigned"), "count"),
        Show("held_out", words("held_out"), "count"),
        Show("lift", words("lift_short"), "share"),
        Show("incremental", words("incremental"), "money"),
    ]
    return section(
        words("lift"),
        *parts,
        tag("details", tag("summary", words("show_numbers")), context.table(frame, columns, "lift")),
        note=words("lift_note"),
    )


def _lift_chart(rows: pd.DataFrame, context: Context) -> Tag:
    words = context.words
    series = []
    for role in ("exploration", "all"):
        part = rows[(rows["role"] == role) & rows["lift"].notna()]
        if len(part):
            shown = part.assign(name=named(words, part["channel"]), is_final=part["is_randomised"].astype(bool))
            ends = {"lift": "value", "lift_lo": "lo", "lift_hi": "hi"}
            series.append(Series(words(role), shown.drop(columns="rate").rename(columns=ends)))
    names = list(dict.fromkeys(name for item in series for name in item.rows["name"]))
    summary = f"{words('lift')}: " + ", ".join(
        f"{name} {share(value)}"
        for item in series
        for name, value in zip(item.rows["name"], item.rows["value"], strict=True)
    )
    return chart(Chart(dots(series, names, words("lift_short"), is_share=True, zero=True), summary), words)
