"""What every page is given: the warehouse on a day, the words, the configuration, the lines it must not leave out."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from pathlib import Path

import pandas as pd

from dashboards.cells import IMMATURE, NOT_FINAL
from dashboards.nodes import Tag, tag
from dashboards.numbers import is_null, share
from dashboards.parts import Show, banner, missing, table
from dashboards.warehouse import READABLE, Reading, Warehouse
from dashboards.words import Words, speak
from jobs.runtime.conf import Conf, load_conf

HOW_INTERVALS = "intervals:"


@dataclass(frozen=True)
class Context:
    """A warehouse as it stood on a day, to be told in one language."""

    house: Warehouse
    words: Words
    conf: Conf

    @classmethod
    def open(cls, warehouse: Path, conf_dir: Path, day: date | None, lang: str) -> Context:
        """A context from folders; UsageError for an unknown language, a broken conf, an empty warehouse and no day."""
        conf = load_conf(conf_dir)
        return cls(Warehouse.at(warehouse, day), speak(lang, conf.metrics), conf)

    @property
    def as_of(self) -> str:
        """The day, YYYY-MM-DD."""
        return self.house.as_of.isoformat()

    @property
    def stamp(self) -> dict[str, str]:
        """What each CSV row carries so that it can be read alone."""
        return {"as_of": self.as_of, "currency": self.conf.base.currency}

    def read(self, name: str) -> Reading:
        """A table of the warehouse."""
        return self.house.read(name)

    def missing(self, reading: Reading) -> Tag:
        """The empty state of a table."""
        return missing(self.words, reading, self.as_of)

    def table(self, frame: pd.DataFrame, columns: list[Show], name: str) -> Tag:
        """A sortable table with its CSV."""
        return table(frame, columns, self.words, name, self.stamp)


def header(context: Context) -> Tag:
    """The line that says what the page is as of: day, data-through day, currency, time zone."""
    words, base = context.words, context.conf.base
    ledger = context.read("spend_ledger").frame
    through = None if ledger.empty else ledger["spend_day"].max()
    parts = [
        words("as_of", day=context.as_of),
        words("no_spend_yet") if is_null(through) else words("data_through", day=f"{through:%Y-%m-%d}"),
        words("in_currency", currency=base.currency),
        words("days", zone=base.time_zone),
        words("intervals"),
    ]
    return tag("p", *[tag("span", part) for part in parts], class_="stamp")


def warnings(context: Context) -> Tag | None:
    """What a reader must know before any figure: consent assumed, no model yet, costs assumed, limits that bind.

    From the plan's notes; that consent is assumed is said even where there is no plan yet.
    """
    plan = context.read("channel_plan").frame
    notes: dict[str, list[str]] = {}
    for channel, note in zip(plan["channel"], plan["note"], strict=True):
        for line in remarks(note):
            if not line.startswith(HOW_INTERVALS):
                notes.setdefault(line, []).append(str(channel))
    lines = [line if "(all)" in channels else f"{', '.join(channels)}: {line}" for line, channels in notes.items()]
    if context.conf.policy.consent == "assumed" and not any("consent" in line for line in lines):
        lines.insert(0, context.words("consent_assumed"))
    gate = context.read("plan_gate").frame
    for _, row in gate[(gate["outcome"] == "value") & (gate["released_share"] < 1)].iterrows():
        lines.append(context.words("released", share=share(row["released_share"]), reason=row["reason"]))
    return banner("warning", *lines)


def remarks(note: str | None) -> list[str]:
    """The separate remarks of a plan's note."""
    return [line for line in (note or "").split("; ") if line]


def sources(context: Context) -> Tag:
    """Which published day of which table the figures come from."""
    words = context.words
    readings = [context.read(name) for name in READABLE]
    rows = [
        {"table": r.table, "day": r.day.isoformat() if r.day else None, "rows": float(len(r.frame))} for r in readings
    ]
    columns = [Show("table", words("table")), Show("day", words("published_day")), Show("rows", words("rows"), "count")]
    folded = tag(
        "details",
        tag("summary", words("sources")),
        context.table(pd.DataFrame(rows), columns, "sources"),
    )
    return tag("footer", tag("p", words("small_rule")), folded, class_="sources")


def named(words: Words, names: pd.Series) -> list[str]:
    """Names from the data as the reader sees them."""
    return [words.note(str(name)) for name in names]


def is_final(statuses: pd.Series) -> pd.Series:
    """True where a figure will not change because customers mature."""
    return ~statuses.isin([NOT_FINAL, IMMATURE])
