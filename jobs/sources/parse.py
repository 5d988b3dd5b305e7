"""Raw files to one typed frame: every row is kept, counted as a duplicate, or refused with a reason."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from jobs.model.learners import Features
from jobs.runtime.errors import DataRefused, UsageError
from jobs.sources.conf import DatedDay, Declared, Feature, SourceConf
from jobs.sources.days import read_days, walk

Rule = tuple[str, str, pd.Series]  # a code, the raw column, and which rows break it

ROW = ["record", "day", "channel", "campaign", "label", "units"]


@dataclass(frozen=True, eq=False)
class Parsed:
    """The rows of one source, in time order then record order: ROW columns, then the features.

    `day` is a date, `label` 0 or 1, `units` how many paid contacts a row took, `record` the raw record id.
    `refused` holds the raw rows not let in, with file, line, reason and column.
    """

    rows: pd.DataFrame
    features: Features
    refused: pd.DataFrame
    duplicates: int
    rows_in: int
    dropped_columns: tuple[str, ...]

    @property
    def reasons(self) -> dict[str, int]:
        """Refused rows by reason code."""
        return {str(k): int(v) for k, v in self.refused["reason"].value_counts().sort_index().items()}


def parse(conf: SourceConf, files: Sequence[Path]) -> Parsed:
    """Read and type the files, in the order given.

    UsageError without files; DataRefused when a file is unreadable, lacks a column, or repeats one.
    Exact repeats of a record are duplicates; a record that comes again with other content is refused
    (`record_repeats`). A source without record ids is taken row by row, as equal rows may be two people.
    """
    if not files:
        raise UsageError("no file given; name the source's raw files")
    raw, dropped = read(conf, files)
    rows_in = len(raw)
    content = sorted(set(raw.columns) - {"_file", "_line"})
    duplicate = raw.duplicated(content) if conf.record else pd.Series(False, index=raw.index)
    raw = raw[~duplicate]
    rows = _typed(conf, raw)
    reason = first_reason(_rules(conf, raw, rows), raw)
    is_bad = reason["reason"].notna()
    refused = pd.concat([reason, raw], axis=1)[is_bad].rename(columns={"_file": "file", "_line": "line"})
    kept = rows[~is_bad]
    order = ["day", "record"] if conf.record else ["day"]
    kept = kept.sort_values(order, kind="stable").reset_index(drop=True)
    kept["label"] = kept["label"].astype(np.int8)
    features = Features(tuple(conf.numeric), tuple(conf.categorical))
    return Parsed(kept, features, refused.reset_index(drop=True), int(duplicate.sum()), rows_in, dropped)


def read(conf: Declared, files: Sequence[Path]) -> tuple[pd.DataFrame, tuple[str, ...]]:
    """The used columns as text with each row's file and line, and the columns that have no use; errors as `parse`."""
    frames, dropped = [], set()
    for file in files:
        try:
            frame = pd.read_csv(file, dtype=str, sep=conf.separator, keep_default_na=False, encoding="utf-8-sig")
        except FileNotFoundError as error:
            raise UsageError(f"there is no file {file}; name the raw file of source {conf.name}") from error
        except (OSError, EOFError, UnicodeDecodeError, pd.errors.ParserError, pd.errors.EmptyDataError) as error:
            raise DataRefused(f"{file.name}: not readable as CSV ({type(error).__name__}); mend the file") from error
        if missing := sorted(conf.used - set(frame.columns)):
            raise DataRefused(f"{file.name}: columns {', '.join(missing)} are missing; is it this source's file?")
        dropped |= set(frame.columns) - conf.used - set(conf.refused)
        lines = np.arange(2, len(frame) + 2)
        frames.append(frame[sorted(conf.used)].fillna("").assign(_file=file.name, _line=lines))
    return pd.concat(frames, ignore_index=True), tuple(sorted(dropped))


def _typed(conf: SourceConf, raw: pd.DataFrame) -> pd.DataFrame:
    columns: dict[str, object] = {"record": raw[conf.record] if conf.record else _numbered(raw)}
    if isinstance(conf.day, DatedDay):
        columns["day"] = read_days(raw[conf.day.column], conf.day.format)
    else:
        columns["day"] = walk(raw[conf.day.month], raw[conf.day.weekday], conf.day.first_month)
    columns["channel"] = raw[conf.channel].replace("", None)
    columns["campaign"] = raw[conf.campaign].replace("", None) if conf.campaign else "all"
    columns["label"] = raw[conf.label.column].map({conf.label.positive: 1, conf.label.negative: 0})
    columns["units"] = pd.to_numeric(raw[conf.cost.count], errors="coerce") if conf.cost.count else 1
    return pd.DataFrame(columns | typed_features(conf, raw), index=raw.index)


def typed_features(conf: Declared, raw: pd.DataFrame) -> dict[str, pd.Series]:
    """The declared features: floats, and text with null for what means it."""
    numeric = {n: pd.to_numeric(_text(raw, f), errors="coerce").astype(float) for n, f in conf.numeric.items()}
    return numeric | {name: _text(raw, feature) for name, feature in conf.categorical.items()}


def _rules(conf: SourceConf, raw: pd.DataFrame, rows: pd.DataFrame) -> list[Rule]:
    day = conf.day.column if isinstance(conf.day, DatedDay) else conf.day.month
    rules: list[Rule] = [
        ("record_missing", conf.record or "", rows["record"] == ""),
        ("day_unreadable", day, rows["day"].isna()),
        ("channel_missing", conf.channel, rows["channel"].isna()),
        ("campaign_missing", conf.campaign or "", rows["campaign"].isna()),
        ("label_unknown", conf.label.column, rows["label"].isna()),
        ("units_unreadable", conf.cost.count or "", ~(rows["units"] >= 0) | (rows["units"] % 1 != 0)),
    ]
    repeats = [("record_repeats", conf.record, rows["record"].duplicated())] if conf.record else []
    return rules + feature_rules(conf, raw, rows) + repeats


def feature_rules(conf: Declared, raw: pd.DataFrame, rows: pd.DataFrame) -> list[Rule]:
    """What a numeric feature may break."""
    rules: list[Rule] = []
    for name, feature in conf.numeric.items():
        text, value = _text(raw, feature), rows[name]
        rules.append(("not_a_number", feature.column, text.notna() & ~np.isfinite(value.fillna(np.inf))))
        low = -np.inf if feature.min is None else feature.min
        high = np.inf if feature.max is None else feature.max
        rules.append(("out_of_range", feature.column, value.notna() & ~value.between(low, high)))
    return rules


def first_reason(rules: Sequence[Rule], raw: pd.DataFrame) -> pd.DataFrame:
    """The first rule each row breaks: its code and the raw column; null where it breaks none."""
    out = pd.DataFrame({"reason": None, "column": None}, index=raw.index, dtype=object)
    for code, column, broken in reversed(rules):
        out.loc[broken, ["reason", "column"]] = [code, column]
    return out


def _text(raw: pd.DataFrame, feature: Feature) -> pd.Series:
    text = raw[feature.column].str.strip()
    return text.where(~text.isin(["", *feature.nulls]), None)


def _numbered(raw: pd.DataFrame) -> pd.Series:
    """A record id for a source without one: the row's place in its file, digested with the file's name."""
    pairs = zip(raw["_file"], raw["_line"], strict=True)
    return pd.Series([digest("row", file, str(line)) for file, line in pairs], index=raw.index)


def digest(*parts: str) -> str:
    """32 hex digits that stand for the parts and do not show them."""
    return hashlib.sha256("\x1f".join(parts).encode()).hexdigest()[:32]
