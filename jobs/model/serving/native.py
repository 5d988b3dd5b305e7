"""Scores as Spark's own expressions, where every stage is a scorecard or one chance for all: no Python on a worker.

The steps and their order of operations are those of `Funnel` and `Scorer`, so that both give the same scores.
"""

from __future__ import annotations

from collections.abc import Iterator

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from jobs.model.learners import FittedModel
from jobs.model.learners.scorecard import Card
from jobs.model.serving.card_sql import chance_sql, log_odds_sql, number, points_sql, quoted, raw_log_odds_sql, text
from jobs.model.serving.funnel import CLICK_SCORE, INTENT, POOLED, Funnel
from jobs.model.serving.prices import Price
from jobs.model.serving.scorer import MEASURES, Scorer

CREDIT = ("approve", "fund", "late", "fraud")
PERSON_ONLY = ("p_organic", "p_approve", "p_fund", "p_good", "p_late", "p_fraud")
Step = dict[str, str]  # new column: SQL over the columns of the steps before


def is_native(funnel: Funnel) -> bool:
    """Whether Spark can tell every measure by itself."""
    for (stage, channel), part in funnel.parts.items():
        if not part.payload:
            continue
        if stage == "units":
            if funnel.level("units", channel) is None:
                return False
        elif stage in ("clicks", "wins", "price"):
            return False
        else:
            model = funnel.model(stage, channel)
            if model.members and model.card is None:
                return False
    return True


def native_table(prospects: DataFrame, scorer: Scorer) -> DataFrame:
    """What `score_table` gives, told by Spark alone."""
    keys = ["prospect_key", "model_version", "band"]
    frame = _told(prospects, scorer)
    version = F.lit(scorer.funnel.version).alias("model_version")
    frame = frame.select("*", version, F.expr(_band_sql(scorer)).alias("band"))
    rows = []
    for at, channel in enumerate(scorer.channels):
        measures = [F.col(name if name in PERSON_ONLY else f"{name}_{at}").alias(name) for name in MEASURES]
        rows.append(F.struct(F.lit(channel).alias("channel"), *measures))
    long = frame.select(*keys, F.inline(F.array(*rows)))
    return long.select("prospect_key", "channel", *MEASURES, "band", "model_version")


def native_band_scores(prospects: DataFrame, scorer: Scorer) -> DataFrame:
    """What `band_scores` gives, told by Spark alone."""
    return _told(prospects, scorer).select("prospect_key", F.col("best").alias("band_score"))


def _told(prospects: DataFrame, scorer: Scorer) -> DataFrame:
    # No step's column can have the name of a feature.
    features = [F.col(quoted(name)).alias(_input(name)) for name in scorer.features.names]
    frame = prospects.select("prospect_key", *features)
    for step in _steps(scorer):
        frame = frame.select("*", *[F.expr(sql).alias(name) for name, sql in step.items()])
    return frame


def _input(name: str) -> str:
    return f"feature {name}"


def _steps(scorer: Scorer) -> Iterator[Step]:
    """Each step's columns rest on those of the steps before; what several columns need is told once."""
    funnel, channels = scorer.funnel, list(enumerate(scorer.channels))
    pooled, apply, organic = (funnel.model(stage, "*") for stage in ("click", "apply", "organic"))
    credit = {stage: funnel.model(stage, "*") for stage in CREDIT}
    own = {at: funnel.model("click", name) for at, name in channels if ("click", name) in funnel.parts}
    told = {"click": pooled, "apply": apply, **credit, **{f"click_{at}": model for at, model in own.items()}}
    person = {name: quoted(_input(name)) for name in scorer.features.names}
    yield {f"t_{name}": points_sql(_of_person(model, scorer), person) for name, model in told.items()}

    nowhere = {"channel": "CAST(NULL AS STRING)", CLICK_SCORE: "CAST(NULL AS DOUBLE)"}
    step = {f"p_{stage}": chance_sql(model, f"t_{stage}") for stage, model in credit.items()}
    step["intent"] = raw_log_odds_sql(apply, _plus("t_apply", apply, scorer, nowhere))
    for at, name in channels:
        total = _plus("t_click", pooled, scorer, {"channel": text(name)})
        step[f"pooled_{at}"] = log_odds_sql(pooled, total) if at in own else total
    yield step

    scale = number(funnel.parts[("fraud", "*")].scale)
    step = {"p_organic": chance_sql(organic, points_sql(_cards(organic), {INTENT: "intent"}))}
    step["p_good"] = f"1.0D - least(1.0D, p_late + {scale} * p_fraud)"
    for at, _ in channels:
        total = _plus(f"t_click_{at}", own[at], scorer, {POOLED: f"pooled_{at}"}) if at in own else f"pooled_{at}"
        step[f"c_{at}"] = total
    yield step

    models = {at: own.get(at, pooled) for at, _ in channels}
    step = {"kept": "p_approve * p_fund * p_good"}
    for at, _ in channels:
        step[f"click_{at}"] = chance_sql(models[at], f"c_{at}")
        step[f"score_{at}"] = log_odds_sql(models[at], f"c_{at}")
    yield step

    step = {}
    for at, name in channels:
        here = {"channel": text(name), CLICK_SCORE: f"score_{at}"}
        step[f"won_{at}"] = chance_sql(apply, _plus("t_apply", apply, scorer, here))
    yield step

    step = {}
    for at, name in channels:
        lift = funnel.parts.get(("lift", name)) or funnel.parts.get(("lift", "*"))
        added = f"click_{at} * greatest(won_{at} - p_organic, 0.0D)"
        step[f"p_apply_{at}"] = f"least(1.0D, p_organic + {number(1.0 if lift is None else lift.scale)} * ({added}))"
        step[f"expected_cost_{at}"] = _cost_sql(funnel, scorer.prices.get(name, Price(0.0, 0.0)), name, f"click_{at}")
    yield step
    yield {f"good_{at}": f"(p_apply_{at} - p_organic) * kept" for at, _ in channels}
    worth = number(scorer.value_of_good)
    step = {f"expected_value_{at}": f"{worth} * good_{at} - expected_cost_{at}" for at, _ in channels}
    goods = ", ".join(f"good_{at}" for at, _ in channels)
    yield {**step, "best": f"greatest({goods})" if len(channels) > 1 else goods}


def _cost_sql(funnel: Funnel, price: Price, channel: str, click: str) -> str:
    """A person, and units at their mean price."""
    if not price.a_unit:
        return number(price.a_person)
    part, clicks = funnel.parts.get(("units", channel)), f"(- log1p(- least({click}, 0.999D)))"
    if part is None:
        units = "1.0D"
    elif part.payload:
        units = number(part.scale * (funnel.level("units", channel) or 0.0))
    else:
        units = f"({number(part.scale)} * {clicks})"
    return f"{number(price.a_person)} + {number(price.a_unit)} * {units}"


def _band_sql(scorer: Scorer) -> str:
    """The first band whose lower cut the score, at the scale cuts are stored with, reaches."""
    cases = [f"WHEN rint(best * 1e9D) / 1e9D >= {number(cut)} THEN {text(name)}" for name, cut in scorer.cuts[:-1]]
    last = text(scorer.cuts[-1][0])
    return f"CASE {' '.join(cases)} ELSE {last} END" if cases else last


def _cards(model: FittedModel) -> tuple[Card, ...]:
    return () if model.card is None else model.card.cards


def _of_person(model: FittedModel, scorer: Scorer) -> list[Card]:
    return [card for card in _cards(model) if card.name in scorer.features.names]


def _plus(total: str, model: FittedModel, scorer: Scorer, inputs: dict[str, str]) -> str:
    """Points of a person's features, and of what the stage is told besides."""
    others = [card for card in _cards(model) if card.name not in scorer.features.names]
    return f"({total} + {points_sql(others, inputs)})" if others else total
