"""A world to ablate on: the product's chain up to its training rows, and plans of what models learn of them."""

from __future__ import annotations

import pickle
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path

import numpy as np
import pandas as pd
from arms import Rows
from history import ANSWERED_HERE, touch_days, with_history
from pyspark.sql import DataFrame
from pyspark.sql import functions as F
from taste_score import TASTE, TasteScore, with_taste

from jobs.evaluate.judge import Caps, Stakes, judge
from jobs.evaluate.ladder import Candidates, candidates
from jobs.evaluate.optimum import Hopes, cheapest_plan
from jobs.evaluate.product import AT_ONCE, Forecast, Product, referee_conf
from jobs.evaluate.seen import read_seen
from jobs.evaluate.truth import read_stakes
from jobs.evaluate.volumes import Plan
from jobs.evaluate.world import Opened, Say, family_world, late_of_book, plan_day, reachable
from jobs.market.taking import TakingOrder
from jobs.model.affinity.exposures import exposures
from jobs.model.affinity_model import MAX_CREATIVES
from jobs.model.applied_before import with_applied_before
from jobs.model.learners import Features
from jobs.model.learners.features import Floats
from jobs.model.learners.threads import one_thread
from jobs.model.person_features import person_features, served_features
from jobs.model.serving.funnel import LOAD, USUAL, Funnel
from jobs.model.serving.prices import Price, prices
from jobs.model.serving.scorer import Scorer
from jobs.model.training.billed import billed_units
from jobs.model.training.cohorts import asked_rows, assigned_rows, decided_rows, outside_rings, plain, typed
from jobs.model.training.fits import Fits
from jobs.model.training.price import fit_prices, price_stages
from jobs.model.training.stage import Fitted
from jobs.model.usual_units import usual_units
from jobs.registry import job_named, jobs, upstream
from jobs.runtime import runner
from jobs.runtime.conf import Conf
from jobs.runtime.shell import Shell, code_print
from jobs.tables.ingest import CREATIVES
from segments.impact import Impact

ROOT = Path(__file__).resolve().parents[2]
MOST_PEOPLE = 5_000_000
TRAINING, GATES, LOOKS = "stage_models", "eligibility", "ingest_creatives"


@dataclass(frozen=True, eq=False)
class World:
    """What all arms of a world share: rows to learn from, who may be sent where at what price, and the truth."""

    conf: Conf
    channels: list[str]
    rows: Rows
    priced: list[Fitted]  # stages of price, which no arm changes
    prices: dict[str, Price]
    people: Candidates
    stakes: Stakes
    beside: dict[str, pd.DataFrame]  # by channel, numbers of the people that only some arms look at
    caps: Caps  # lateness at most as the lender's own mature loans
    reachable: float  # good customers


def world_of(place: Path, family: str, seed: int, people: int, say: Say, opened: Opened = runner.opened) -> World:
    """The world of a folder, made if it is not there or the code has changed."""
    kept = place / f"world-{code_print()}.pkl"
    if not kept.is_file():
        landing, truth = family_world(ROOT / "conf", place, family, seed, people, say)
        made = _made(landing, truth, place, say, opened)
        part = kept.with_suffix(".part")
        part.write_bytes(pickle.dumps(made))
        part.rename(kept)
    found = pickle.loads(kept.read_bytes())
    assert isinstance(found, World)
    return found


def _made(landing: Path, truth: Path, place: Path, say: Say, opened: Opened) -> World:
    stakes, prospects, channels = read_stakes(truth)
    capacity = dict(zip(channels, (int(c) for c in stakes.capacity), strict=True))
    conf, day = referee_conf(landing, place, capacity, None), plan_day(landing, truth)
    with opened(place / "warehouse", landing, conf) as shell:
        for step in runner.run(shell, runner.plan([day], _before_training()), at_once=AT_ONCE):
            say(step.line())
        reads = {name: one for name, one in job_named(TRAINING).reads.items() if name != "earlier"}
        read = {name: shell.read(one.table, one.mode, day, one.days) for name, one in reads.items()}
        features, training = person_features(conf), conf.base.training
        read["prospects"] = usual_units(read["prospects"], read["units"], shell)
        served = outside_rings(read["outcomes"], read["shared"], conf.policy.max_persons_per_identity)
        assigned = assigned_rows(
            read["assignments"], read["outcomes"], read["prospects"], features, training, day, shell
        )
        decided = decided_rows(served, read["prospects"], features, training, day, shell)
        asked = asked_rows(read["outcomes"], read["assignments"], read["prospects"], features, training, shell)
        rows = Rows(assigned, decided, asked)
        bought = (read["spend"], read["rates"], read["touches"], read["assignments"])
        units = billed_units(*bought, read["prospects"], features, day, conf, shell)
        priced = price_stages(fit_prices(units, features, day, conf))
        costs = prices(*bought, day, conf, shell)
        served_by = served_features(conf)
        seen = read_seen(place / "warehouse", day, served_by, channels)
        told = with_applied_before(read["prospects"], read["outcomes"], F.lit(day))
        usual = _as_scored(told, served_by, shell).reindex(seen.candidates.index)
        rows, usual, beside = _with_more(rows, usual, read, day, channels, conf, shell)
        seen = replace(seen, candidates=usual)
        people = candidates(seen, Product(shell, conf, day, say).prospect_ids(), prospects)
        shell.tidy()
    caps = Caps(late=late_of_book(people))
    say(f"{len(people.row):,} people may be taken; {caps.told()}")
    return World(conf, channels, rows, priced, costs, people, stakes, beside, caps, reachable(stakes, truth))


def _with_more(
    rows: Rows,
    people: pd.DataFrame,
    read: dict[str, DataFrame],
    day: date,
    channels: list[str],
    conf: Conf,
    shell: Shell,
) -> tuple[Rows, pd.DataFrame, dict[str, pd.DataFrame]]:
    """Rows and people with what people did before and what LightFM says of them; by channel, what depends on it."""
    touched, features = touch_days(read["touches"], shell), person_features(conf)
    shown = typed(exposures(read["touches"], read["prospects"], features, conf.base.training, day, shell), features)
    looks = shell.read(CREATIVES, "in_force", day).drop("day")
    creatives = shell.small(looks, MAX_CREATIVES)

    def fit(part: pd.DataFrame) -> TasteScore:
        return TasteScore.of(part, creatives, features, conf)

    told, score, beside = people.reset_index(), fit(shown), dict[str, pd.DataFrame]()
    for name in channels:
        here = with_history(told.assign(channel=name), day, touched)
        columns = {ANSWERED_HERE: here[ANSWERED_HERE].to_numpy(), TASTE: score.told(told, name)}
        beside[name] = pd.DataFrame(columns, index=people.index)
    grown = Rows(
        with_taste(with_history(rows.assigned, "assigned_day", touched), shown, fit),
        with_history(rows.decided, "applied_day", touched),
        with_history(rows.asked, "known_day", touched),
    )
    return grown, with_history(told, day, touched).set_index("prospect_key"), beside


def _as_scored(prospects: DataFrame, features: Features, shell: Shell) -> pd.DataFrame:
    """The newest snapshot's features in the usual units, as the product scores them; index: prospect_key."""
    newest = prospects.join(prospects.agg(F.max("day").alias("day")), "day")
    rows = newest.select("prospect_key", *[plain(prospects, name) for name in features.names])
    return typed(shell.sample(rows, MOST_PEOPLE, ["prospect_key"]), features).set_index("prospect_key")


def _before_training() -> list[str]:
    """The jobs that training and the gates read, in themselves or through others, the gates, and creatives."""
    wanted, left = {GATES, LOOKS}, [TRAINING, GATES]
    while left:
        more = set(upstream(jobs(), left.pop())) - wanted
        wanted |= more
        left += sorted(more)
    return sorted(wanted)


def hopes_of(world: World, funnel: Funnel) -> Hopes:
    """What a funnel expects of the candidates, channels in the truth's order; good customers are incremental."""
    features, people, each = served_features(world.conf), world.people.seen.candidates, list[dict[str, Floats]]()
    with one_thread():
        for name in world.channels:
            scorer = Scorer(funnel, features, (name,), world.prices, 0.0, ())
            each.append(scorer.score(people.join(world.beside[name]))[0][name])
    kept = each[0]["p_approve"] * each[0]["p_fund"] * each[0]["p_good"]
    return Hopes(
        cost=np.stack([one["expected_cost"] for one in each], axis=1),
        good=np.stack([(one["p_apply"] - one["p_organic"]) * kept for one in each], axis=1),
        late=each[0]["p_late"],
        fraud=each[0]["p_fraud"],
    )


def asking(world: World, fitted: list[Fitted], caps: Caps, say: Say) -> Callable[[float], Plan]:
    """What plans for a volume with these models, by the price search of the product, and judges by the truth.

    People whom shared identities give away are not sent, as the product's gates have it.
    """
    fits = Fits()
    fits.all += [*fitted, *world.priced]
    hopes, impact = hopes_of(world, fits.funnel()), _impact(fits, world.channels)
    is_open = world.people.seen.is_open.to_numpy() & ~world.people.seen.is_crowded[:, None]

    def ask(floor: float) -> Plan:
        with one_thread():
            order = cheapest_plan(hopes, is_open, world.stakes.capacity, impact, floor, caps)
        won = np.cumsum(hopes.good[order.person, order.channel])
        taken = order.first(min(int(np.searchsorted(won, floor)) + 1, len(order)))
        verdict = judge(world.stakes, world.people.taken(taken))
        plan = Plan(floor, verdict, _forecast(hopes, impact, taken))
        say(f"plan for {floor:.4g}: truly {verdict.good:.4g} at {verdict.cost_per_good:.4g} each")
        return plan

    return ask


def _impact(fits: Fits, channels: list[str]) -> Impact:
    """How each channel's prices rise with use, as learned."""
    told = {(one.stage, one.channel): one.scale for one in fits.all}
    elasticity, usual = (tuple(told.get((stage, name), 0.0) for name in channels) for stage in (LOAD, USUAL))
    return Impact(elasticity, usual)


def _forecast(hopes: Hopes, impact: Impact, taken: TakingOrder) -> Forecast:
    good = hopes.good[taken.person, taken.channel]
    late = hopes.late[taken.person]
    funded = good / np.maximum(1.0 - late, 1e-9)
    spend = impact.rated(hopes.cost[taken.person, taken.channel], taken.channel)
    return Forecast(
        spend=float(spend.sum()),
        good=float(good.sum()),
        late_rate=float((funded * late).sum() / funded.sum()) if len(good) else None,
        fraud_rate=None,
        gap=None,
        max_violation=None,
        bounds=dict.fromkeys(("spend", "good", "late_rate"), (None, None)),
    )
