"""Credit quality: how vintages aged, how balances rolled, and what the money spent has earned back."""

from __future__ import annotations

from dashboards.figures.lines import curves
from dashboards.loans import ENDS, STATES, aged, earned, rolled
from dashboards.nodes import Chart, Node, Tag, tag
from dashboards.numbers import share
from dashboards.pages.context import Context
from dashboards.parts import Show, chart, nothing, section


def loans(context: Context) -> Node:
    """The page."""
    return tag("div", _vintages(context), _rolls(context), _paybacks(context))


def _vintages(context: Context) -> Tag:
    words, reading = context.words, context.read("vintages")
    title = words("vintages_title")
    if reading.is_empty:
        return section(title, context.missing(reading))
    points = aged(reading.frame)
    if points.empty:
        return section(title, nothing(words, title, words("why_few")))
    cohorts = [(str(name), rows) for name, rows in points.groupby("vintage", sort=True)]
    last = [(name, rows.iloc[-1]) for name, rows in cohorts]
    summary = f"{title}: " + ", ".join(f"{name} {share(row['value'])} ({int(row['age'])})" for name, row in last)
    columns = [
        Show("vintage", words("vintage")),
        Show("age", words("months_on_book"), "count"),
        Show("loans", words("loans_counted"), "count"),
        Show("value", words("ever_late"), "share"),
    ]
    told = points.rename(columns={"lo": "value_lo", "hi": "value_hi"})
    told = told.assign(value_status=["final" if final else "to_come" for final in told["is_final"]])
    figure = Chart(curves(cohorts, words("months_on_book"), words("ever_late")), summary)
    return section(title, chart(figure, words, context.table(told, columns, "vintages")), note=words("vintages_note"))


def _rolls(context: Context) -> Tag:
    words, reading = context.words, context.read("roll_rates")
    if reading.is_empty:
        return section(words("rolls_title"), context.missing(reading))
    rows, month = rolled(reading.frame)
    columns = [Show("state", words("state")), *[Show(name, words.note(name), "share") for name in (*STATES, *ENDS)]]
    note = words("rolls_note", month=month)
    return section(words("rolls_title"), context.table(rows, columns, "roll-rates"), note=note)


def _paybacks(context: Context) -> Tag:
    words, reading = context.words, context.read("paybacks")
    if reading.is_empty:
        return section(words("paybacks_title"), context.missing(reading))
    columns = [
        Show("period", words("period")),
        Show("loans", words("loans_counted"), "count"),
        Show("spend", words("spend"), "money"),
        Show("months_on_book", words("months_on_book"), "count"),
        Show("contribution", words("earned_so_far"), "money"),
        Show("paid_back", words("paid_back"), "count"),
        Show("maturity", words("status")),
    ]
    table = context.table(earned(reading.frame), columns, "paybacks")
    return section(words("paybacks_title"), table, note=words("paybacks_note"))
