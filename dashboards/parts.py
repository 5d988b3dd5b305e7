"""The parts every page is put together from: tiles, banners, charts with their numbers, tables with their CSV."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from dataclasses import dataclass
from urllib.parse import quote

import pandas as pd

from dashboards.cells import FINAL
from dashboards.nodes import Chart, Node, Tag, tag
from dashboards.numbers import DASH, WRITERS, interval, is_null
from dashboards.warehouse import Reading
from dashboards.words import Words, slug

SHORT = 24


@dataclass(frozen=True)
class Show:
    """One column of a table: the frame's column, its heading, how it is written (text, money, count, share, plain).

    `name_lo`, `name_hi` and `name_status` of the frame are shown with it where they are there.
    """

    name: str
    title: str
    kind: str = "text"


def banner(kind: str, *lines: str) -> Tag | None:
    """Lines the reader must not miss; None when there are none. `kind` is note or warning."""
    kept = [line for line in lines if line]
    return tag("div", *[tag("p", line) for line in kept], class_=f"banner {kind}", role="note") if kept else None


def tile(title: str, value: str, detail: str = "", formula: str | None = None) -> Tag:
    """One headline number with its name, its interval and, as a hint, how it is computed."""
    hint = {"title": formula} if formula else {}
    return tag(
        "div",
        tag("div", title, class_="tile-name", **hint),
        tag("div", value, class_="tile-value"),
        tag("div", detail or "\u00a0", class_="tile-detail"),
        class_="tile",
    )


def tiles(*items: Tag) -> Tag:
    """Headline numbers in a row."""
    return tag("div", *items, class_="tiles")


def section(title: str, *children: Node | None, note: str = "", class_: str = "card") -> Tag:
    """A titled part of a page."""
    lead = tag("p", note, class_="lead") if note else None
    return tag("section", tag("h2", title), lead, *children, class_=class_)


def chart(chart_of: Chart, words: Words, numbers: Tag | None = None) -> Tag:
    """A chart with its numbers folded away below it."""
    folded = tag("details", tag("summary", words("show_numbers")), numbers) if numbers is not None else None
    return tag("figure", chart_of, folded)


def missing(words: Words, reading: Reading, as_of: str) -> Tag:
    """Says which table is empty and which command fills it."""
    command = f"huoke run --day {as_of}"
    text = words("missing_table", table=reading.table, day=as_of, command="\0").split("\0")
    return tag("div", tag("strong", words("missing")), tag("p", text[0], tag("code", command), text[1]), class_="empty")


def nothing(words: Words, what: str, why: str) -> Tag:
    """Says why a chart or table has nothing to show."""
    return tag("div", tag("p", words("missing_part", what=what, why=why)), class_="empty")


def table(frame: pd.DataFrame, columns: Sequence[Show], words: Words, name: str, stamp: dict[str, str]) -> Tag:
    """A table that sorts by a click on a heading, with its rows as CSV; `stamp` says on each CSV row what it is as of.

    Rows of a column named `is_total` that are true stay at the bottom in heavier type.
    """
    sums = frame["is_total"] if "is_total" in frame.columns else pd.Series(False, index=frame.index)
    head = tag("tr", *[_heading(column) for column in columns])
    body = [tag("tr", *[_cell(row, c, words) for c in columns]) for _, row in frame[~sums].iterrows()]
    foot = [tag("tr", *[_cell(row, c, words) for c in columns]) for _, row in frame[sums].iterrows()]
    grid = tag(
        "table",
        tag("thead", head),
        tag("tbody", *body),
        tag("tfoot", *foot) if foot else None,
        class_="sortable",
    )
    link = tag(
        "a",
        words("download"),
        href="data:text/csv;charset=utf-8," + quote("\ufeff" + csv_text(frame, columns, words, stamp)),
        download=f"huoke-{slug(name)}-{slug(stamp.get('as_of', ''))}.csv",
        class_="download",
    )
    return tag("div", tag("div", grid, class_="scroll", tabIndex="0", role="group"), link, class_="grid")


def _heading(column: Show) -> Tag:
    kind = "text" if column.kind == "text" else "number"
    return tag("th", tag("button", column.title, type="button"), class_=kind, scope="col")


def _cell(row: pd.Series, column: Show, words: Words) -> Tag:
    value, status = row[column.name], row.get(f"{column.name}_status", FINAL)
    if column.kind == "text":
        text = DASH if is_null(value) else words.note(str(value))
        return tag("td", text, class_="text short" if len(text) < SHORT else "text")
    if is_null(value):
        why = words.note(str(status)) if status not in (FINAL, None) else DASH
        return tag("td", tag("span", why, class_="none"), class_="number", data_sort="")
    shown: list[Node] = [WRITERS[column.kind](float(value))]
    around = interval(column.kind, row.get(f"{column.name}_lo"), row.get(f"{column.name}_hi"))
    if around:
        shown.append(tag("span", around, class_="interval"))
    if status not in (FINAL, None):
        shown.append(tag("span", words.note(str(status)), class_="flag"))
    return tag("td", *shown, class_="number", data_sort=repr(float(value)))


def csv_text(frame: pd.DataFrame, columns: Sequence[Show], words: Words, stamp: dict[str, str]) -> str:
    """The table's rows as CSV: values unrounded, ends of intervals and statuses as columns, totals included."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\r\n")
    wanted = [
        f"{column.name}{suffix}"
        for column in columns
        for suffix in ("", "_lo", "_hi", "_status")
        if f"{column.name}{suffix}" in frame.columns
    ]
    writer.writerow([*stamp, *wanted])
    for row in frame[wanted].itertuples(index=False):
        writer.writerow([*stamp.values(), *[_guarded(value) for value in row]])
    return out.getvalue()


def _guarded(value: object) -> str:
    """A value as a spreadsheet may safely open it: text that begins like a formula is quoted."""
    if is_null(value):
        return ""
    text = str(value)
    return f"'{text}" if isinstance(value, str) and text[:1] in "=+-@\t\r" else text
