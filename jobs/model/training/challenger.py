"""A newly trained model that does worse than the one in force, on the same held-out rows, does not replace it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd

from jobs.model.learners import FittedModel
from jobs.model.learners.features import Floats
from jobs.model.learners.metrics import Interval, row_log_loss
from jobs.model.serving.funnel import CLICK_SCORE, INTENT, Funnel, Part, log_odds
from jobs.model.training.stage import Fitted, Labelled
from jobs.runtime.errors import DataRefused
from jobs.runtime.settings import Challenger

# Stages that read each other stand or fall together. What a unit costs is told by invoices alone: always the newest.
GROUPS = {
    "response": ("click", "clicks", "units", "apply", "organic", "asked", "wins", "lift"),
    **{stage: (stage,) for stage in ("approve", "fund", "late", "fraud")},
}
LEAST_RARER = 10  # held-out rows of the rarer class, below which nothing is judged
Row = tuple[Any, ...]


@dataclass(frozen=True)
class Verdict:
    """One group of stages: log-loss of both on the same held-out rows, and the paired gap (challenger - in force)."""

    group: str
    challenger: float
    in_force: float
    gap: Interval
    says: str
    is_refused: bool = False

    def rows(self) -> list[Row]:
        """Rows of the table model_cards."""
        told = [("log_loss: challenger", self.challenger), ("log_loss: in force", self.in_force)]
        is_told = not np.isnan(self.gap.value)
        known: list[Row] = [(self.group, "challenger", item, x, None, None, None) for item, x in told if is_told]
        if is_told:
            gap = (self.gap.value, self.gap.lo, self.gap.hi)
            known.append((self.group, "challenger", "log_loss: challenger - in force", *gap, None))
        return [*known, (self.group, "challenger", "verdict", None, None, None, self.says)]


def challenge(fits: Sequence[Fitted], earlier: pd.DataFrame, rule: Challenger) -> tuple[list[Fitted], list[Verdict]]:
    """What goes into force, and the verdict on each group of stages; `earlier` holds the rows in force before.

    Both are asked as they would be served today. A group is refused when the interval of its
    gap lies wholly above 0; then the earlier rows go on, byte for byte. Without earlier rows everything is new.
    """
    if rule == "off" or earlier.empty:
        return list(fits), []
    mine = Funnel.of([Part(f.stage, f.channel, f.scale, f.payload) for f in fits], "")
    columns = (earlier["stage"], earlier["channel"], earlier["scale"], earlier["payload"])
    old = [Part(str(s), str(c), float(x), bytes(p)) for s, c, x, p in zip(*columns, strict=True)]
    theirs = Funnel.of(old, "")
    verdicts = [_verdict(group, fits, mine, theirs, rule) for group in GROUPS]
    refused = {stage for v in verdicts if v.is_refused for stage in GROUPS[v.group]}
    judged = {f.stage: f.judged for f in fits if f.channel == "*" and f.judged is not None}
    asked = {stage: _own_inputs(stage, rows, theirs) for stage, rows in judged.items() if stage in refused}
    kept = [_kept(row, asked) for row in earlier.to_dict("records") if row["stage"] in refused]
    return [*(f for f in fits if f.stage not in refused), *kept], verdicts


def _own_inputs(stage: str, rows: Labelled, funnel: Funnel) -> Labelled:
    """The rows with what the funnel's own stages tell this one."""
    if stage == "apply":
        score = log_odds(served(funnel, "click", rows.frame))
        return replace(rows, frame=rows.frame.assign(**{CLICK_SCORE: score}))
    return replace(rows, frame=rows.frame.assign(**{INTENT: funnel.intent(rows.frame)})) if stage == "organic" else rows


def _kept(row: dict[Any, Any], judged: dict[str, Labelled]) -> Fitted:
    """A row in force as it stands, to be judged on today's held-out rows."""
    stage, channel, payload = str(row["stage"]), str(row["channel"]), bytes(row["payload"])
    rows = judged.get(stage) if channel == "*" else None
    model = FittedModel.from_bytes(payload) if rows is not None else None
    told = Fitted(stage, channel, model, str(row["learner"]), int(row["rows"]), int(row["positives"]))
    note = ("of an earlier training: this one's did worse and was refused",)
    return replace(told, scale=float(row["scale"]), judged=rows, stored=payload, notes=note)


def _verdict(group: str, fits: Iterable[Fitted], mine: Funnel, theirs: Funnel, rule: Challenger) -> Verdict:
    judged = {f.stage: f.judged for f in fits if f.stage in GROUPS[group] and f.channel == "*" and f.judged is not None}
    judged = {stage: rows for stage, rows in judged.items() if rows.rarer >= LEAST_RARER}
    nothing = Interval(float("nan"), float("nan"), float("nan"))
    if not judged:
        return Verdict(group, np.nan, np.nan, nothing, "taken: too little held out to judge")
    try:
        pairs = [_losses(stage, rows, mine, theirs) for stage, rows in judged.items()]
    except (KeyError, DataRefused):  # other inputs, or bytes of another version
        return Verdict(group, np.nan, np.nan, nothing, "taken: the model in force cannot be asked about today's rows")
    new, old = (np.concatenate([pair[at] for pair in pairs]) for at in (0, 1))
    weight = np.concatenate([rows.weight for rows in judged.values()])
    person = np.concatenate([_person(rows, stage) for stage, rows in judged.items()])
    gap = paired(new - old, weight, person)
    figures = (group, float(np.average(new, weights=weight)), float(np.average(old, weights=weight)), gap)
    if gap.lo <= 0:
        return Verdict(*figures, "taken: better beyond its interval" if gap.hi < 0 else "taken: not worse")
    if rule == "replace":
        return Verdict(*figures, "taken all the same: worse beyond its interval")
    return Verdict(*figures, "refused: worse beyond its interval, the model in force goes on", is_refused=True)


def paired(gap: Floats, weight: Floats, person: np.ndarray[tuple[int], np.dtype[Any]]) -> Interval:
    """The weighted mean gap with its 95 % normal interval, rows of one person taken together."""
    total = float(weight.sum())
    mean = float((weight * gap).sum()) / total
    by_person = np.bincount(np.unique(person, return_inverse=True)[1], weights=weight * (gap - mean))
    half = 1.959964 * float(np.sqrt(np.square(by_person).sum())) / total
    return Interval(mean, mean - half, mean + half)


def _person(rows: Labelled, stage: str) -> np.ndarray[tuple[int], np.dtype[Any]]:
    """Whose each row is; an application of the book stands alone."""
    if "prospect_key" in rows.frame:
        return rows.frame["prospect_key"].to_numpy(dtype=str)
    return np.array([f"{stage} {at}" for at in range(len(rows.frame))])


def _losses(stage: str, rows: Labelled, mine: Funnel, theirs: Funnel) -> tuple[Floats, Floats]:
    new, old = (row_log_loss(rows.label, served(funnel, stage, rows.frame)) for funnel in (mine, theirs))
    return new, old


def served(funnel: Funnel, stage: str, frame: pd.DataFrame) -> Floats:
    """What a funnel says of a stage, each row on its own channel, every input that stages tell each other its own."""
    if stage == "organic":
        return funnel.organic(frame)
    if stage not in ("click", "apply"):
        return funnel.credit(stage, frame)
    found = np.empty(len(frame))
    channel = frame["channel"].to_numpy(dtype=object)
    for name in sorted(set(channel)):
        mask = channel == name
        own = frame[mask]
        click = funnel.click(own, name)
        found[mask] = click if stage == "click" else funnel.apply_given_click(own, click, name)
    return found
