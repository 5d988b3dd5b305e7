"""What today's plan would have brought on past assignments of known chance, and how much of it is released."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
from pyspark.sql import functions as F

from jobs.activate.allocation.kept import Kept, of_text
from jobs.activate.allocation.narrow import people_frame
from jobs.activate.allocation.prudence import prudent
from jobs.activate.allocation.sober import model_errors_of, sobered
from jobs.activate.allocation.terms import terms_of
from jobs.activate.judging import judged
from jobs.activate.lenders import read_lenders
from jobs.activate.past import NAMES, prepared
from jobs.contract import job
from jobs.runtime.conf import Conf
from jobs.tables.activate import PLAN_GATE, PLAN_POLICIES
from jobs.tables.ingest import PROSPECTS
from jobs.tables.link import ASSIGNMENT_OUTCOMES
from jobs.tables.model import MODEL_ERRORS, PARTNER_PASSES, SCORES
from segments.impact import Impact
from segments.release import Step, broken, is_refuted, step

if TYPE_CHECKING:
    import pandas as pd
    from pyspark.sql import DataFrame

    from jobs.activate.judging import Judged
    from jobs.runtime.shell import Shell

COLUMNS = [c.name for c in PLAN_GATE.columns]
UNSEEN = (
    "not seen: what the plan's own use does to prices and places, and what the models learned from these same rows "
    "(the scores are not cross-fitted); features are today's"
)


@job(
    reads={
        "policies": PLAN_POLICIES,
        "scores": SCORES,
        "assignments": ASSIGNMENT_OUTCOMES,
        "before": PLAN_GATE.before(),
        "errors": MODEL_ERRORS.latest(),
        "lent": PARTNER_PASSES.latest(),
        "prospects": PROSPECTS.latest(),
    },
    writes=PLAN_GATE,
)
def plan_gate(
    policies: DataFrame,
    scores: DataFrame,
    assignments: DataFrame,
    before: DataFrame,
    errors: DataFrame,
    lent: DataFrame,
    prospects: DataFrame,
    *,
    day: date,
    conf: Conf,
    shell: Shell,
) -> pd.DataFrame:
    """A row an outcome; with `gate: ramp` a plan that is not shown to be better goes to a growing share of people."""
    mode, limits = conf.policy.gate, conf.policy.gate_limits
    rule = shell.small(policies.select("payload"), 1)
    earlier = _earlier(before, mode, shell)
    if mode == "off" or rule.empty:
        share = _step(day, conf, False, False, earlier)
        reason = "the gate is off" if mode == "off" else "no model was fitted yet: there is no rule to judge"
        return _rows([_unjudged(name, reason if name == "value" else None) for name in NAMES], mode, share)
    kept = of_text(str(rule["payload"].iloc[0]))
    since = day - timedelta(days=limits.window_days)
    recent = assignments.where(F.col("assigned_day") >= F.lit(since))
    off = model_errors_of(errors, shell)
    told = sobered(scores, off, float(conf.base.plan.value_of_good))
    if kept.layout.has_kind and (lenders := read_lenders(lent, conf, shell)):
        told = lenders.with_kind(told, prospects.drop("day"))
    chances = shell.cut(_chances(told, kept, prudent(conf, off), day))
    rows = shell.cut(prepared(recent, scores, chances, kept.layout.channels, conf, day))
    found = judged(rows, kept.layout.channels, shell)
    figures = [found.get(name) for name in NAMES]
    value = found.get("value")
    reasons = ["no decided assignment meets the plan"] if value is None else broken(value.evidence, value.gain, limits)
    is_worse = value is not None and is_refuted(value.gain)
    share = _step(day, conf, not reasons, is_worse, earlier)
    lines = []
    for name, one in zip(NAMES, figures, strict=True):
        row = _unjudged(name, None) if one is None else _judged(name, one)
        if name == "value":
            row |= {"is_passed": not reasons, "reason": "; ".join([*reasons, UNSEEN])}
        lines.append(row)
    return _rows(lines, mode, share)


def _step(day: date, conf: Conf, is_passed: bool, is_worse: bool, earlier: Step | None) -> Step:
    limits = conf.policy.gate_limits
    return step(day, conf.policy.gate, is_passed, is_worse, earlier, limits.steps, limits.step_days)


def _earlier(before: DataFrame, mode: str, shell: Shell) -> Step | None:
    """The last day's step, unless it was released under another mode."""
    last = before.where((F.col("outcome") == "value") & (F.col("mode") == mode))
    rows = shell.small(last.select("released_share", "since_day"), 1)
    return None if rows.empty else Step(float(rows["released_share"].iloc[0]), rows["since_day"].iloc[0])


def _unjudged(name: str, reason: str | None) -> dict[str, Any]:
    nothing = {"people": 0, "opportunities": 0.0, "ess": 0.0, "max_weight": 0.0}
    return {"outcome": name, **nothing, "is_passed": False, "reason": reason}


def _judged(name: str, one: Judged) -> dict[str, Any]:
    found, gain = one.values, one.gain
    return {
        "outcome": name,
        "current": found.current,
        "new_ips": found.ips,
        "new_snips": found.snips,
        "new_dr": found.dr,
        "gain": gain.gain,
        "gain_lo": gain.lo,
        "gain_hi": gain.hi,
        "gain_snips_lo": gain.snips_lo,
        "gain_snips_hi": gain.snips_hi,
        "disagreement": gain.disagreement if np.isfinite(gain.disagreement) else None,
        "people": one.evidence.people,
        "opportunities": one.opportunities,
        "ess": one.evidence.ess,
        "max_weight": one.evidence.max_weight,
        "mean_weight": found.mean_weight,
        "is_passed": False,
        "reason": None,
    }


def _rows(lines: list[dict[str, Any]], mode: str, share: Step) -> pd.DataFrame:
    import pandas as pd

    frame = pd.DataFrame(lines).reindex(columns=COLUMNS)
    return frame.assign(mode=mode, released_share=share.share, since_day=share.since)


def _chances(scores: DataFrame, kept: Kept, conf: Conf, day: date) -> DataFrame:
    """The plan's chance of each channel for everybody with scores, whatever their gates say: prospect_key, chances.

    People who became customers are suppressed today; leaving them out would leave out just those who answered.
    """
    nothing = dict.fromkeys(conf.channels, 0.0)
    terms = terms_of(conf, nothing, None, Impact((), ()))
    named = scores.where(F.col("channel").isin(*kept.layout.channels)).withColumn("person_key", F.col("prospect_key"))
    wide = people_frame(named, kept.layout, terms, conf.policy.holdout_salt, day)
    return wide.mapInArrow(_Chances(kept), "prospect_key string, chances array<double>")


@dataclass(frozen=True)
class _Chances:
    kept: Kept

    def __call__(self, batches: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        for batch in batches:
            columns: dict[str, Any] = dict(zip(batch.schema.names, batch.columns, strict=True))
            people, _ = self.kept.layout.people(columns)
            chances = self.kept.policy.chances(people)
            count = chances.shape[1]
            offsets = pa.array(np.arange(0, (len(people) + 1) * count, count, dtype=np.int32))
            values = pa.ListArray.from_arrays(offsets, pa.array(chances.ravel()))
            keys = batch.column("prospect_key").cast(pa.string())
            yield pa.RecordBatch.from_arrays([keys, values], names=["prospect_key", "chances"])
