"""Models: what each learned from, how good it is, what each input is worth."""

from __future__ import annotations

import pandas as pd

from dashboards.figures.dots import Series, dots
from dashboards.nodes import Chart, Node, Tag, tag
from dashboards.numbers import plain
from dashboards.pages.context import Context
from dashboards.parts import Show, chart, section

LARGEST = 12


def models(context: Context) -> Node:
    """The page."""
    reading = context.read("model_cards")
    if reading.is_empty:
        return tag("div", context.missing(reading))
    frame = reading.frame
    worths = [_inputs(stage, frame, context) for stage in dict.fromkeys(frame["stage"])]
    return tag(
        "div",
        _section(frame, ("note",), "model_notes", context),
        _section(frame, ("challenger",), "model_challenger", context),
        _section(frame, ("quality", "calibration"), "model_quality", context),
        _section(frame, ("learners",), "model_learners", context),
        tag("div", *worths, class_="pair"),
        _section(frame, ("data",), "model_data", context),
    )


def _section(frame: pd.DataFrame, wanted: tuple[str, ...], title: str, context: Context) -> Tag | None:
    words = context.words
    rows = frame[frame["section"].isin(wanted)].sort_values(["section", "stage", "item"], kind="stable")
    if rows.empty:
        return None
    shown = rows.rename(columns={"lo": "value_lo", "hi": "value_hi"}).reset_index(drop=True)
    columns = [Show("stage", words("stage"))]
    if wanted != ("note",):
        columns += [Show("item", words("item"))]
        if shown["value"].notna().any():
            columns += [Show("value", words("value"), "plain")]
    if shown["text"].notna().any():
        columns += [Show("text", words("text"))]
    return section(words(title), context.table(shown, columns, title))


def _inputs(stage: str, frame: pd.DataFrame, context: Context) -> Tag | None:
    words = context.words
    rows = frame[(frame["stage"] == stage) & (frame["section"] == "inputs") & frame["value"].notna()]
    if rows.empty:
        return None
    largest = rows.sort_values(["value", "item"], ascending=[False, True]).head(LARGEST)
    shown = largest.rename(columns={"item": "name"}).assign(is_final=True)
    title = words("model_inputs", stage=words.note(stage))
    summary = f"{title}: " + ", ".join(
        f"{name} {plain(value)}" for name, value in zip(shown["name"], shown["value"], strict=True)
    )
    drawn = dots([Series(title, shown)], shown["name"].tolist(), words("loss_growth"), zero=True)
    numbers = context.table(
        rows.rename(columns={"lo": "value_lo", "hi": "value_hi"}).reset_index(drop=True),
        [Show("item", words("item")), Show("value", words("loss_growth"), "plain")],
        f"inputs-{stage}",
    )
    return section(title, chart(Chart(drawn, summary), words, numbers), note=words("model_inputs_note"))
