"""Sources without time or channels: a book of loans with what became of them, and a randomised trial."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Literal, Self

import numpy as np
import pandas as pd
from pydantic import Field, model_validator

from jobs.model.learners import Features
from jobs.runtime.errors import DataRefused, UsageError
from jobs.sources.conf import Closed, Declared, Label, SourceConf, checked, load_source, read_yaml
from jobs.sources.parse import Parsed, Rule, feature_rules, first_reason, read, typed_features

ARM = "arm"
SHARES_ADD_UP = 1e-3


class LoansConf(Declared):
    """Loans of one kind, each with whether it was late; `views` name smaller sets of inputs to judge as well."""

    kind: Literal["loans"]
    label: Label
    views: dict[str, tuple[str, ...]] = Field(default_factory=dict)

    @model_validator(mode="after")
    def _views_are_features(self) -> Self:
        if unknown := sorted({n for names in self.views.values() for n in names} - set(self.features.names)):
            raise ValueError(f"views name features that are not declared: {', '.join(unknown)}")
        return self

    @property
    def features(self) -> Features:
        """Every declared input."""
        return Features(tuple(self.numeric), tuple(self.categorical))

    @property
    def single(self) -> frozenset[str]:
        """The raw columns it needs beside its features."""
        return super().single | {self.label.column}

    def seen(self, view: str) -> Features:
        """The inputs of a view."""
        names = self.views[view]
        return Features(tuple(n for n in self.numeric if n in names), tuple(n for n in self.categorical if n in names))


class Arm(Closed):
    """One arm of a trial: its value in the file, and the share of people it was drawn for."""

    value: str
    share: Annotated[float, Field(gt=0, lt=1)]


class TrialConf(Declared):
    """People given one of several arms by chance; `control` is the arm that does nothing.

    `outcomes` maps names to raw columns of numbers not below 0; `learn` names the one, of 0 or 1, that policies learn.
    """

    kind: Literal["trial"]
    arm: str
    control: str
    arms: dict[str, Arm]
    learn: str
    outcomes: dict[str, str]

    @model_validator(mode="after")
    def _arms_and_outcomes_are_known(self) -> Self:
        if self.control not in self.arms or len(self.arms) < 2:
            raise ValueError(f"arms must hold the control {self.control!r} and another one")
        if abs(sum(a.share for a in self.arms.values()) - 1) > SHARES_ADD_UP:
            raise ValueError("the arms' shares do not add up to 1")
        if self.learn not in self.outcomes:
            raise ValueError(f"outcomes lack {self.learn!r}, which policies are to learn")
        return self

    @property
    def arm_names(self) -> tuple[str, ...]:
        """The control, then the others as declared."""
        return (self.control, *(n for n in self.arms if n != self.control))

    @property
    def single(self) -> frozenset[str]:
        """The raw columns it needs beside its features."""
        return super().single | {self.arm, *self.outcomes.values()}


def load(folder: Path, name: str) -> SourceConf | LoansConf | TrialConf:
    """Read `folder`/sources/<name>.yaml as what its `kind` says (a history where it says nothing)."""
    content = read_yaml(folder, name)
    match content.get("kind", "history"):
        case "loans":
            return checked(LoansConf, folder, content)
        case "trial":
            return checked(TrialConf, folder, content)
        case "history":
            return load_source(folder, name)
        case other:
            raise UsageError(f"source {name!r}: kind is {other!r}; use history, loans or trial")


def parse_loans(conf: LoansConf, files: Sequence[Path]) -> Parsed:
    """Rows with `record` (if any), `label` 0 or 1, and the features; order and errors as `_settled`."""
    raw, dropped, repeated = _read_once(conf, files)
    label = raw[conf.label.column].str.strip().map({conf.label.positive: 1, conf.label.negative: 0})
    parsed = _settled(
        conf, raw, {"label": label}, [("label_unknown", conf.label.column, label.isna())], dropped, repeated
    )
    parsed.rows["label"] = parsed.rows["label"].astype(np.int8)
    return parsed


def parse_trial(conf: TrialConf, files: Sequence[Path]) -> Parsed:
    """Rows with `record` (if any), `arm` (its place in `arm_names`), the outcomes by name, and the features."""
    raw, dropped, repeated = _read_once(conf, files)
    codes = {conf.arms[name].value: at for at, name in enumerate(conf.arm_names)}
    columns: dict[str, pd.Series] = {ARM: raw[conf.arm].str.strip().map(codes)}
    rules: list[Rule] = [("arm_unknown", conf.arm, columns[ARM].isna())]
    for name, column in conf.outcomes.items():
        value = pd.to_numeric(raw[column], errors="coerce").astype(float)
        is_known = value.isin([0.0, 1.0]) if name == conf.learn else (value >= 0) & np.isfinite(value)
        columns[name] = value
        rules.append(("outcome_unreadable", column, ~is_known))
    parsed = _settled(conf, raw, columns, rules, dropped, repeated)
    parsed.rows[ARM] = parsed.rows[ARM].astype(np.int8)
    return parsed


def _read_once(conf: Declared, files: Sequence[Path]) -> tuple[pd.DataFrame, tuple[str, ...], int]:
    """As `read`, without exact repeats of a record, and their count; without ids equal rows may be two people."""
    raw, dropped = read(conf, files)
    content = sorted(set(raw.columns) - {"_file", "_line"})
    repeated = raw.duplicated(content) if conf.record else pd.Series(False, index=raw.index)
    return raw[~repeated], dropped, int(repeated.sum())


def _settled(
    conf: Declared,
    raw: pd.DataFrame,
    columns: dict[str, pd.Series],
    rules: list[Rule],
    dropped: tuple[str, ...],
    repeated: int,
) -> Parsed:
    """Rows that break no rule, in an order that follows from the set of rows and from nothing in any one of them.

    Sorted by all they hold, then dealt by a fixed shuffle: neither the file's order nor an outcome tells a place.
    A record that comes with different content is refused throughout. DataRefused when no row is left.
    """
    record = {"record": raw[conf.record]} if conf.record else {}
    rows = pd.DataFrame({**record, **columns, **typed_features(conf, raw)}, index=raw.index)
    rules = rules + feature_rules(conf, raw, rows)
    if conf.record:
        rules.append(("record_missing", conf.record, rows["record"] == ""))
        rules.append(("record_repeats", conf.record, rows["record"].duplicated(keep=False)))
    reason = first_reason(rules, raw)
    is_bad = reason["reason"].notna()
    refused = pd.concat([reason, raw], axis=1)[is_bad].rename(columns={"_file": "file", "_line": "line"})
    kept = rows[~is_bad].sort_values(list(rows.columns), kind="stable")
    if not len(kept):
        raise DataRefused(f"{conf.name}: none of {len(raw)} rows can be used; is it this source's file?")
    kept = kept.iloc[np.random.default_rng(0).permutation(len(kept))].reset_index(drop=True)
    features = Features(tuple(conf.numeric), tuple(conf.categorical))
    return Parsed(kept, features, refused.reset_index(drop=True), repeated, len(raw) + repeated, dropped)
