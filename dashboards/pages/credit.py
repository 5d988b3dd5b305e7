"""Attribution: what each channel is credited with under each model, and how far that is from what it caused."""

from __future__ import annotations

from dashboards.credit import SHOWN, awaited, by_model, dots_of, moved
from dashboards.figures.dots import Series, dots
from dashboards.nodes import Chart, Node, Tag, tag
from dashboards.pages.context import Context, named
from dashboards.parts import Show, banner, chart, nothing, section


def credit(context: Context) -> Node:
    """The page."""
    return tag(
        "div",
        banner("note", context.words("not_causal")),
        _models(context),
        _calibrations(context),
        _moves(context),
        _nowcasts(context),
    )


def _models(context: Context) -> Tag:
    words, reading = context.words, context.read("channel_attributions")
    title = words("models_compared")
    if reading.is_empty:
        return section(title, context.missing(reading))
    rows, stage = by_model(reading.frame)
    if stage is None:
        return section(title, nothing(words, title, words("why_few")))
    models = [str(name) for name in rows if f"{name}_status" in rows]
    drawn = rows[rows["channel"] != "(unattributed)"]
    series = [Series(words.note(model), dots_of(drawn, model)) for model in SHOWN if model in models]
    for item in series:
        item.rows["name"] = named(words, item.rows["name"])
    names = named(words, drawn["channel"])
    summary = f"{title}: " + "; ".join(
        f"{item.title} "
        + ", ".join(
            f"{name} {value:,.0f}"
            for name, value in zip(item.rows["name"], item.rows["value"], strict=True)
            if value == value
        )
        for item in series
    )
    columns = [Show("channel", words("channel")), *[Show(model, words.note(model), "count") for model in models]]
    table = context.table(rows, columns, "models-of-attribution")
    return section(title, chart(Chart(dots(series, names, words(f"conversions_{stage}")), summary), words, table))


def _calibrations(context: Context) -> Tag:
    words, reading = context.words, context.read("calibrations")
    if reading.is_empty:
        return section(words("calibrations_title"), context.missing(reading))
    frame = reading.frame.assign(factor_status=reading.frame["reason"].fillna("final"))
    columns = [
        Show("period", f"{words('history')} / {words('campaign')}"),
        Show("channel", words("channel")),
        Show("outcome", words("outcome")),
        Show("factor", words("factor"), "plain"),
    ]
    note = words("calibrations_note")
    return section(words("calibrations_title"), context.table(frame, columns, "calibrations"), note=note)


def _moves(context: Context) -> Tag:
    words, reading = context.words, context.read("cost_moves")
    if reading.is_empty:
        return section(words("moves_title"), context.missing(reading))
    columns = [
        Show("period", words("period")),
        Show("before", words("month_before")),
        *[
            Show(name, words(f"move_{name}"), "money")
            for name in ("cost_before", "price", "mix", "conversion", "approval", "cost")
        ],
        Show("maturity", words("status")),
    ]
    return section(
        words("moves_title"), context.table(moved(reading.frame), columns, "cost-moves"), note=words("moves_note")
    )


def _nowcasts(context: Context) -> Tag:
    words, reading = context.words, context.read("nowcasts")
    if reading.is_empty:
        return section(words("nowcasts_title"), context.missing(reading))
    columns = [
        Show("outcome", words("outcome")),
        Show("week", words("week")),
        Show("observed", words("arrived_so_far"), "count"),
        Show("arrived", words("share_arrived"), "share"),
        Show("total", words("will_arrive"), "count"),
    ]
    table = context.table(awaited(reading.frame), columns, "nowcasts")
    return section(words("nowcasts_title"), table, note=words("nowcasts_note"))
