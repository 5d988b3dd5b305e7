"""Overview: what a good customer cost in the history and in the campaign, where the money went, the funnel."""

from __future__ import annotations

from itertools import pairwise

import pandas as pd

from dashboards.cells import SMALLEST
from dashboards.channels import funnel, spend_months
from dashboards.cohorts import PERIODS, by_channel, cohorts, overall
from dashboards.figures.bars import stacked_months, steps
from dashboards.figures.dots import Series, dots
from dashboards.nodes import Chart, Node, Tag, tag
from dashboards.numbers import DASH, count, interval, is_null, money, share
from dashboards.pages.context import Context, is_final
from dashboards.parts import Show, chart, nothing, section, tile, tiles
from dashboards.words import Words

MINOR_UNITS = 100


def overview(context: Context) -> Node:
    """The page."""
    reading = context.read("campaign_costs")
    compared: list[Node | None] = [context.missing(reading)]
    if not reading.is_empty:
        frame = cohorts(reading.frame)
        compared = [_headline(frame, context.words), *_tiles(frame, context), _compared(frame, context)]
    return tag("div", *compared, tag("div", _spend(context), _funnel(context), class_="pair"))


def _headline(frame: pd.DataFrame, words: Words) -> Tag | None:
    rows = [overall(frame, period) for period in ("campaign", "history")]
    if any(row is None or is_null(row["cost_per_good"]) for row in rows):
        return None
    said = [f"{money(row['cost_per_good'])}{_mark(row, words)}" for row in rows if row is not None]
    return tag("p", words("headline_good", campaign=said[0], history=said[1]), class_="headline")


def _mark(row: pd.Series, words: Words) -> str:
    return f" ({words('not_final')})" if row["cost_per_good_status"] == "not_final" else ""


def _tiles(frame: pd.DataFrame, context: Context) -> list[Node]:
    words, found = context.words, []
    for period in PERIODS:
        row = overall(frame, period)
        if row is None:
            continue
        found.append(
            tag(
                "section",
                tag("h2", words(period)),
                tiles(
                    tile(words("spend"), money(row["spend"]), context.conf.base.currency, words.formula("spend")),
                    _tile(row, "funded", "count", words),
                    _tile(row, "cost_per_funded", "money", words),
                    _tile(row, "good_mature", "count", words, "good_decided"),
                    _tile(row, "cost_per_good", "money", words),
                    _tile(row, "late_rate", "share", words),
                ),
            )
        )
    return list(found)


def _tile(row: pd.Series, name: str, kind: str, words: Words, title: str = "") -> Tag:
    status, value = str(row[f"{name}_status"]), row[name]
    write = {"count": count, "money": money, "share": share}[kind]
    around = "" if is_null(value) else interval(kind, row.get(f"{name}_lo"), row.get(f"{name}_hi"))
    detail = " · ".join(filter(None, [around, "" if status == "final" else words.note(status)]))
    return tile(words(title or name), DASH if is_null(value) else write(value), detail, words.formula(name))


def compared_series(frame: pd.DataFrame, name: str, over: str, words: Words) -> list[Series]:
    """History and campaign as series of one figure over `channel` or `band`; a period without a value is left out."""
    found = []
    for period in PERIODS:
        rows = frame[frame["period"] == period]
        shown = pd.DataFrame(
            {
                "name": [words.note(str(value)) for value in rows[over]],
                "value": rows[name].tolist(),
                "lo": rows[f"{name}_lo"].tolist(),
                "hi": rows[f"{name}_hi"].tolist(),
                "is_final": is_final(rows[f"{name}_status"]).tolist(),
            }
        )
        if shown["value"].notna().any():
            found.append(Series(words(period), shown))
    return found


def ordered_names(frame: pd.DataFrame, over: str, words: Words) -> list[str]:
    """Channels by spend, most first; bands by name."""
    if over == "band":
        return [words.note(str(name)) for name in sorted(frame[over].unique(), key=lambda n: (n == "(none)", n))]
    spend = frame.groupby(over)["spend"].sum().sort_values(ascending=False, kind="stable")
    return [words.note(str(name)) for name in spend.index]


def comparison(
    frame: pd.DataFrame, name: str, over: str, title: str, context: Context, *, is_share: bool = False
) -> Tag:
    """A section that compares one figure between history and campaign, over channels or bands."""
    words = context.words
    series = compared_series(frame, name, over, words)
    if not series:
        waiting = (frame[f"{name}_status"] == "immature").any()
        why = words("why_immature") if waiting else words("why_few")
        return section(words(title), nothing(words, words(name), why))
    axis = words(name) if is_share else f"{words(name)}, {context.conf.base.currency}"
    valued = {place for item in series for place in item.rows.loc[item.rows["value"].notna(), "name"]}
    names = [name for name in ordered_names(frame, over, words) if name in valued]
    drawn = dots(series, names, axis, is_share=is_share)
    summary = f"{words(title)}: " + "; ".join(
        f"{item.title}: "
        + ", ".join(
            f"{place} {share(value) if is_share else money(value)}"
            for place, value in zip(item.rows["name"], item.rows["value"], strict=True)
            if not is_null(value)
        )
        for item in series
    )
    hollow = any(not item.rows["is_final"].all() for item in series)
    columns = [
        Show("period", f"{words('history')} / {words('campaign')}"),
        Show(over, words(over)),
        Show("spend", words("spend"), "money"),
        Show(name, words(name), "share" if is_share else "money"),
    ]
    numbers = context.table(frame.reset_index(drop=True), columns, title)
    return section(
        words(title), chart(Chart(drawn, summary), words, numbers), note=words("not_final_note") if hollow else ""
    )


def _compared(frame: pd.DataFrame, context: Context) -> Tag:
    rows = by_channel(frame)
    return tag(
        "div",
        comparison(rows, "cost_per_good", "channel", "cost_compared", context),
        comparison(rows, "cost_per_funded", "channel", "funded_compared", context),
        class_="pair",
    )


def _spend(context: Context) -> Tag:
    words, reading = context.words, context.read("spend_ledger")
    if reading.is_empty:
        return section(words("spend_months"), context.missing(reading))
    months = spend_months(reading.frame, MINOR_UNITS)
    shown = months.assign(period=months["month"].dt.strftime("%Y-%m"))
    columns = [
        Show("period", words("period")),
        Show("channel", words("channel")),
        Show("spend", words("spend"), "money"),
    ]
    totals = shown.groupby("period")["spend"].sum()
    summary = f"{words('spend_months')}: " + ", ".join(f"{month} {money(total)}" for month, total in totals.items())
    drawn = stacked_months(months, context.conf.base.currency)
    return section(
        words("spend_months"), chart(Chart(drawn, summary), words, context.table(shown, columns, "spend_months"))
    )


def _funnel(context: Context) -> Tag:
    words, reading = context.words, context.read("channel_costs")
    if reading.is_empty:
        return section(words("funnel"), context.missing(reading))
    counts, months = funnel(reading.frame)
    if not months:
        return section(words("funnel"), nothing(words, words("funnel"), words("why_immature")))
    shown = {name: value for name, value in counts.items() if value >= SMALLEST}
    if not shown:
        return section(words("funnel"), nothing(words, words("funnel"), words("why_few")))
    titles, values = [words(name) for name in shown], list(shown.values())
    notes = ["", *[words("of_step", share=share(now / before)) for before, now in pairwise(values)]]
    said = [f"{title} {count(value)}" for title, value in zip(titles, values, strict=True)]
    drawn = steps(titles, values, notes)
    span = months[0] if len(months) == 1 else f"{months[0]} {DASH} {months[-1]}"
    return section(words("funnel"), chart(Chart(drawn, "; ".join(said)), words), note=words("funnel_note", months=span))
