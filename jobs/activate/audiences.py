"""Who is put on which channel's audience today, and the plan that says why: exploration, allocation, holdout."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from datetime import date
from typing import TYPE_CHECKING

from pyspark.sql import functions as F

from jobs.activate.allocation.budgets import budgets
from jobs.activate.allocation.choosers import DayZero
from jobs.activate.allocation.dayzero import best_first, spread
from jobs.activate.allocation.kept import to_text
from jobs.activate.allocation.narrow import measures, people_frame
from jobs.activate.allocation.passes import Passes
from jobs.activate.allocation.people import Layout
from jobs.activate.allocation.prudence import cap_notes, prudent
from jobs.activate.allocation.report import expected, plan_rows
from jobs.activate.allocation.sober import model_errors_of, sobered
from jobs.activate.allocation.solve import Outcome, allocate
from jobs.activate.allocation.terms import terms_of
from jobs.activate.lenders import read_lenders
from jobs.contract import job
from jobs.runtime.conf import Conf
from jobs.tables.activate import AUDIENCES, CHANNEL_PLAN, ELIGIBILITY, PLAN_POLICIES
from jobs.tables.ingest import FX_RATES, PROSPECTS, SPEND
from jobs.tables.link import ASSIGNMENT_OUTCOMES
from jobs.tables.model import MODEL_ERRORS, PARTNER_PASSES, SCORES, STAGE_MODELS
from segments.audiences import audience_name, bid_multiplier, partner_of
from segments.impact import Impact

if TYPE_CHECKING:
    import pandas as pd
    from pyspark.sql import Column, DataFrame

    from jobs.runtime.shell import Shell

PRIOR = "prior"  # the model version of scores that no data stand behind
USE_STAGES = ("load", "usual")


@job(
    reads={
        "eligibility": ELIGIBILITY,
        "scores": SCORES,
        "models": STAGE_MODELS.latest(),
        "errors": MODEL_ERRORS.latest(),
        "lent": PARTNER_PASSES.latest(),
        "prospects": PROSPECTS.latest(),
        "assignments": ASSIGNMENT_OUTCOMES,
        "spend": SPEND.in_force(),
        "rates": FX_RATES.in_force(),
    },
    writes=(AUDIENCES, CHANNEL_PLAN, PLAN_POLICIES),
)
def audiences(
    eligibility: DataFrame,
    scores: DataFrame,
    models: DataFrame,
    errors: DataFrame,
    lent: DataFrame,
    prospects: DataFrame,
    assignments: DataFrame,
    spend: DataFrame,
    rates: DataFrame,
    *,
    day: date,
    conf: Conf,
    shell: Shell,
) -> tuple[DataFrame, pd.DataFrame, pd.DataFrame]:
    """At most one channel a person, within every row of the programme; the held out are listed under `none`."""
    money, lenders = budgets(spend, rates, conf, day, shell), read_lenders(lent, conf, shell)
    told = model_errors_of(errors, shell)
    kept = prudent(conf, told)
    terms = terms_of(kept, money.left, money.total_left, _impact(models, conf, shell))
    terms = replace(terms, partners=lenders.partners(kept) if lenders else None)
    program, scored = terms.program(), sobered(scores.drop("day"), told, float(conf.base.plan.value_of_good))
    open_pairs = eligibility.where("is_eligible").select("prospect_key", "person_key", "channel")
    layout = Layout(terms.channels, program.quantities, has_kind=lenders is not None)
    pairs = open_pairs.join(scored, ["prospect_key", "channel"])
    pairs = lenders.with_kind(pairs, prospects) if lenders else pairs
    people = shell.cut(people_frame(pairs, layout, terms, conf.policy.holdout_salt, day))
    passes = Passes(shell, people, layout, program)
    state = _state(scored, people, shell)
    passes = passes.holding(state["people"])
    notes = [*([_consent_note(conf)] if conf.policy.consent == "assumed" else []), *cap_notes(conf, kept)]
    if state["fitted"]:
        outcome = allocate(passes, terms, state["people"])
    else:
        terms = replace(terms, partners=None)
        passes = replace(passes, program=terms.program(), layout=replace(layout, has_kind=False))
        order, why = best_first(assignments, money.spent_ever, terms, shell)
        outcome = spread(passes, terms, order, state["people"])
        notes.append(f"day zero: no model was fitted yet; all explore, channels by {why}: {', '.join(order)}")
    factors = terms.impact.factor(outcome.sizes)
    # Cut first: joined as a small file, the choice spares the scores a shuffle.
    settled = shell.cut(passes.settle(outcome.chooser, outcome.layout, outcome.placed))
    pass_rate = F.col("pass_rate") if "pass_rate" in settled.columns else F.lit(1.0)
    chosen = shell.cut(
        settled.join(scored, ["prospect_key", "channel"])
        # At the partner chosen: all that is expected after the application goes with it.
        .withColumn("p_approve", F.col("p_approve") * pass_rate)
        .withColumn("good", measures()["good"])
        .withColumn("expected_cost", F.col("expected_cost") * _factor(factors, terms.channels))
        .withColumn("band", F.when(F.col("model_version") != PRIOR, F.col("band")))
    )
    sums = expected(chosen, shell, len(terms.channels))
    plan = plan_rows(sums, terms, money, conf.base.currency, outcome, notes, told)
    sent = _sent(chosen, sums, spend, eligibility, prospects, conf, shell)
    listed = sent.unionByName(_held_out(eligibility, scored, conf), allowMissingColumns=True)
    return listed, plan, _rule(outcome, models, shell)


def _rule(outcome: Outcome, models: DataFrame, shell: Shell) -> pd.DataFrame:
    """What the plan chose by; no row on day zero, when everybody explores."""
    import pandas as pd

    if isinstance(outcome.chooser, DayZero):
        return pd.DataFrame({"model_version": [], "payload": []}, dtype="object")
    version = shell.small(models.agg(F.max("model_version").alias("version")), 1)["version"].iloc[0]
    return pd.DataFrame([{"model_version": version, "payload": to_text(outcome.chooser, outcome.layout)}])


def _impact(models: DataFrame, conf: Conf, shell: Shell) -> Impact:
    """How each channel's prices rise with use, as the newest models say."""
    rows = shell.small(models.where(F.col("stage").isin(*USE_STAGES)).select("stage", "channel", "scale"), 10_000)
    told = {(row["stage"], row["channel"]): float(row["scale"]) for row in rows.to_dict("records")}
    channels = sorted(conf.channels)
    elasticity, usual = (tuple(told.get((stage, name), 0.0) for name in channels) for stage in USE_STAGES)
    return Impact(elasticity, usual)


def _factor(factors: Iterable[float], channels: tuple[str, ...]) -> Column:
    """Each channel's factor, by the column channel."""
    found = F.lit(1.0)
    for name, factor in zip(channels, factors, strict=True):
        found = F.when(F.col("channel") == name, F.lit(float(factor))).otherwise(found)
    return found


def _state(scores: DataFrame, people: DataFrame, shell: Shell) -> dict[str, int]:
    counted = people.agg(F.count("*").alias("people"))
    fitted = scores.agg(F.count_if(F.col("model_version") != PRIOR).alias("fitted"))
    row = shell.small(counted.crossJoin(fitted), 1).to_dict("records")[0]
    return {str(name): int(value) for name, value in row.items()}


def _consent_note(conf: Conf) -> str:
    return f"consent for {conf.policy.purpose} is ASSUMED by policy.yaml, not shown"


def _sent(
    chosen: DataFrame,
    sums: pd.DataFrame,
    spend: DataFrame,
    eligibility: DataFrame,
    prospects: DataFrame,
    conf: Conf,
    shell: Shell,
) -> DataFrame:
    """The audience rows of people who get a channel."""
    salt = conf.policy.holdout_salt
    average, favourite = F.lit(None).cast("double"), F.lit(None).cast("string")
    for row in sums.to_dict("records"):
        worth = row["good"] / row["spend"] if row["spend"] > 0 and row["good"] > 0 else None
        average = F.when(F.col("channel") == row["channel"], F.lit(worth).cast("double")).otherwise(average)
    for channel, creative in most_clicked(spend, conf, shell).items():
        favourite = F.when(F.col("channel") == channel, F.lit(creative)).otherwise(favourite)
    regions = prospects.select("prospect_key", "region")
    persons = _once_each(eligibility, conf).select("prospect_key", "person_key")
    full = chosen.join(regions, "prospect_key", "left").join(persons, "prospect_key")
    drawn = partner_of(conf.partners, salt, F.col("person_key"), F.col("region"), F.col("band"))
    bid = bid_multiplier(F.col("good"), F.col("expected_cost"), average)
    return full.select(
        audience_name(salt, F.col("channel"), F.col("role"), F.col("band")).alias("audience"),
        "channel",
        "prospect_key",
        (F.col("partner") if "partner" in chosen.columns else drawn).alias("partner"),
        favourite.alias("creative"),
        "band",
        "role",
        "propensity",
        F.when(F.col("role") == "policy", bid).otherwise(F.lit(1.0)).alias("bid_multiplier"),
        "expected_cost",
        F.col("good").alias("expected_good"),
    )


def _once_each(rows: DataFrame, conf: Conf) -> DataFrame:
    """Of rows a prospect and configured channel those of one channel: what they say of prospects, said once."""
    return rows.where(F.col("channel") == min(conf.channels))


def most_clicked(spend: DataFrame, conf: Conf, shell: Shell) -> dict[str, str]:
    """Each channel's creative with the most clicks billed so far; ties by name."""
    counted = spend.where("creative is not null").groupBy("channel", "creative").agg(F.sum("clicks").alias("clicks"))
    known = counted.where(F.col("clicks") > 0)
    best = known.groupBy("channel").agg(F.min(F.struct((-F.col("clicks")).alias("order"), "creative")).alias("best"))
    rows = shell.small(best.select("channel", "best.creative"), 10_000, ["channel"])
    return {row["channel"]: row["creative"] for row in rows.to_dict("records") if row["channel"] in conf.channels}


def _held_out(eligibility: DataFrame, scores: DataFrame, conf: Conf) -> DataFrame:
    """Held-out people whom only the holdout keeps off every list: what those who were sent are compared with."""
    band = F.when(F.col("model_version") != PRIOR, F.col("band")).alias("band")
    bands = _once_each(scores, conf).select("prospect_key", band)
    people = (
        eligibility.where("reason = 'holdout'").select("prospect_key").distinct().join(bands, "prospect_key", "left")
    )
    none, role, share = F.lit("none"), F.lit("holdout"), conf.policy.holdout_share
    return people.select(
        audience_name(conf.policy.holdout_salt, none, role, F.lit(None).cast("string")).alias("audience"),
        none.alias("channel"),
        "prospect_key",
        F.lit(None).cast("string").alias("partner"),
        F.lit(None).cast("string").alias("creative"),
        "band",
        role.alias("role"),
        F.lit(share if share > 0 else 1.0).alias("propensity"),
        F.lit(None).cast("double").alias("bid_multiplier"),
        F.lit(None).cast("double").alias("expected_cost"),
        F.lit(None).cast("double").alias("expected_good"),
    )
