"""Bands: how many people, what is expected of them, what they cost, what sets them apart."""

from __future__ import annotations

import pandas as pd

from dashboards.cells import rate
from dashboards.cohorts import by_band, cohorts
from dashboards.figures.bars import sizes
from dashboards.figures.dots import Series, dots
from dashboards.nodes import Chart, Node, Tag, tag
from dashboards.numbers import count, share
from dashboards.pages.context import Context
from dashboards.pages.overview import comparison
from dashboards.pages.segments import segments
from dashboards.parts import Show, chart, section

APART = 5
LATE = ("p_late", "late_rate", "late")


def bands(context: Context) -> Node:
    """The page."""
    reading = context.read("profiles")
    costs = context.read("campaign_costs")
    compared = (
        section(context.words("band_compared"), context.missing(costs))
        if costs.is_empty
        else comparison(by_band(cohorts(costs.frame)), "cost_per_good", "band", "band_compared", context)
    )
    frame = reading.frame[reading.frame["kind"] == "band"]
    if frame.empty:
        return tag("div", context.missing(reading), compared, _cuts(context), *segments(context))
    return tag(
        "div",
        tag("div", _sizes(frame, context), _late(frame, context), class_="pair"),
        compared,
        _expected(frame, context),
        _apart(frame, context),
        _cuts(context),
        *segments(context),
    )


def _sizes(frame: pd.DataFrame, context: Context) -> Tag:
    words, rows = context.words, frame[frame["section"] == "size"].sort_values("name")
    summary = f"{words('band_size')}: " + ", ".join(
        f"{name} {count(people)}" for name, people in zip(rows["name"], rows["people"], strict=True)
    )
    drawn = sizes(rows["name"].tolist(), rows["people"].tolist(), words("people"))
    return section(words("band_size"), chart(Chart(drawn, summary), words))


def _late(frame: pd.DataFrame, context: Context) -> Tag | None:
    words = context.words
    rows = frame[(frame["section"] == "expected") & frame["item"].isin(LATE)].sort_values("name")
    if rows.empty:
        return None
    shown = rows.assign(lo=rows["value"], hi=rows["value"], is_final=True)
    summary = f"{words('band_late')}: " + ", ".join(
        f"{name} {share(value)}" for name, value in zip(rows["name"], rows["value"], strict=True)
    )
    drawn = dots([Series(words("band_late"), shown)], rows["name"].tolist(), words("expected_late_rate"), is_share=True)
    return section(words("band_late"), chart(Chart(drawn, summary), words))


def _expected(frame: pd.DataFrame, context: Context) -> Tag | None:
    words, rows = context.words, frame[frame["section"] == "expected"]
    if rows.empty:
        return None
    wide = rows.pivot_table(index="name", columns="item", values="value", sort=True).reset_index()
    items = [str(name) for name in wide.columns if name != "name"]
    columns = [Show("name", words("band"))] + [
        Show(item, words.note(item), "share" if item.startswith("p_") else "plain") for item in items
    ]
    return section(
        words("band_expected"), context.table(wide, columns, "bands-expected"), note=words("band_expected_note")
    )


def apart(frame: pd.DataFrame) -> pd.DataFrame:
    """The features in which each band differs most from everybody, by the size of the ratio; at most 5 a band."""
    rows = frame[(frame["section"] == "feature") & (frame["lift"] > 0)]
    far = rows["lift"].where(rows["lift"] >= 1, 1 / rows["lift"])
    ordered = rows.assign(far=far).sort_values(["name", "far", "item"], ascending=[True, False, True])
    return ordered.groupby("name").head(APART).reset_index(drop=True)


def _apart(frame: pd.DataFrame, context: Context) -> Tag | None:
    words, rows = context.words, apart(frame)
    if rows.empty:
        return None
    columns = [
        Show("name", words("band")),
        Show("item", words("feature")),
        Show("people", words("people"), "count"),
        Show("value", words("in_band"), "plain"),
        Show("reference", words("everybody"), "plain"),
        Show("lift", words("times"), "plain"),
    ]
    return section(
        words("band_features"), context.table(rows, columns, "bands-features"), note=words("band_features_note")
    )


def _cuts(context: Context) -> Tag:
    words, reading = context.words, context.read("band_cuts")
    if reading.is_empty:
        return section(words("band_cuts_title"), context.missing(reading))
    frame = reading.frame.sort_values("band").reset_index(drop=True)
    cells = [rate(done, of) for done, of in zip(frame["responses"].fillna(0), frame["assigned"].fillna(0), strict=True)]
    parts = pd.DataFrame(cells, columns=["rate", "rate_lo", "rate_hi", "rate_status"])
    columns = [
        Show("band", words("band")),
        Show("lower", words("band_cut"), "plain"),
        Show("rows", words("people"), "count"),
        Show("rate", words("band_response"), "share"),
    ]
    return section(words("band_cuts_title"), context.table(pd.concat([frame, parts], axis=1), columns, "band-cuts"))
