"""Cross-fit the product and plain policies on a randomised trial and judge all on the people left out."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from jobs.backtest.folds import Folds, folds
from jobs.backtest.uplift.choose import REFERENCE, Choice, choose
from jobs.backtest.uplift.effects import CANDIDATES
from jobs.backtest.uplift.policies import RIVALS
from jobs.backtest.uplift.qini import SHARES, Gains, gains, null_qini, qini
from jobs.backtest.uplift.report import ArmCount, PolicyFigures, TrialReport
from jobs.backtest.uplift.trial import Plan, Trial
from jobs.model.learners.features import Floats
from jobs.model.learners.metrics import Interval, interval
from jobs.runtime.errors import DataRefused, UsageError
from jobs.sources.samples import ARM, TrialConf, parse_trial

PRODUCT, RANDOM = "product", "random"
SHOWN = (0.1, 0.2, 0.3, 0.5, 1.0)
SAID = (
    "Qini: twice the area between a policy's gain and that of people in random order, all with the treatment that did "
    "best in training, over the gain of treating everybody with it: 0 is random order, 1 all of it at once.",
    "random: that random order on average; random orders: the mean and 95 % range of the Qini over single ones.",
    "Gains are added per 1,000 people, treated or not, when the first share of each fold is treated; SNIPS (the JSON "
    "holds IPS too).",
    "Intervals resample people, the same for every policy, and hold fits and orders fixed.",
    "Policies learn one outcome only; what they add of the others is read off the same orders.",
)
Progress = Callable[[str], None]


def judge_trial(
    conf: TrialConf,
    files: Sequence[Path],
    count: int = 5,
    seed: int = 0,
    replicates: int = 1000,
    progress: Progress = lambda _: None,
) -> TrialReport:
    """Judge `product` beside random people, response only, and two-model policies, by policy value and Qini.

    `count` folds, stratified by arm and outcome; every policy orders a fold from fits on the others, and the product's
    road is chosen inside those. UsageError for a call that leaves no fold, DataRefused for files that break the source
    or hold too little of an arm.
    """
    if count < 2 or replicates < 1:
        raise UsageError("backtest: use at least 2 folds and 1 replicate")
    parsed = parse_trial(conf, files)
    trial = Trial(
        parsed.rows,
        parsed.features,
        parsed.rows[ARM].to_numpy(dtype=np.int64),
        parsed.rows[conf.learn].to_numpy(dtype=np.float64),
        np.array([conf.arms[name].share for name in conf.arm_names]),
    )
    _demand_enough(trial, conf, count)
    fold = folds(trial.arm * 2 + (trial.outcome > 0).astype(np.int64), count, seed)
    plans, chosen, best = _plans(trial, fold, seed, progress)
    figures: list[PolicyFigures] = []
    for name in (conf.learn, *(n for n in conf.outcomes if n != conf.learn)):
        told = replace(trial, outcome=parsed.rows[name].to_numpy(dtype=np.float64))
        figures += _figures(name, told, plans, fold, seed, replicates)
        progress(f"{name}: judged")
    return TrialReport(
        source=conf.name,
        learned=conf.learn,
        mode=f"{count} folds by chance (seed {seed})",
        arms=tuple(
            ArmCount(name, int((trial.arm == a).sum()), float(trial.outcome[trial.arm == a].mean()))
            for a, name in enumerate(conf.arm_names)
        ),
        chosen=dict(Counter(c.name for c in chosen)),
        inner_qinis={n: float(np.mean([c.qinis[n] for c in chosen])) for n in CANDIDATES},
        reference=dict(Counter(conf.arm_names[a] for a in best)),
        figures=tuple(figures),
        notes=(*conf.notes, *SAID),
        refused_columns={name: f"{r.why}: {r.because}" for name, r in conf.refused.items()},
        refused_rows=parsed.reasons,
        dropped_columns=parsed.dropped_columns,
    )


def _demand_enough(trial: Trial, conf: TrialConf, count: int) -> None:
    """Every arm must hold both outcomes in every training and inner fold."""
    for a, name in enumerate(conf.arm_names):
        hits = trial.outcome[trial.arm == a] > 0
        rarer = int(min(hits.sum(), (~hits).sum()))
        if rarer < 4 * count:
            raise DataRefused(
                f"backtest: arm {name} holds {rarer} people with the rarer {conf.learn}; {4 * count} are needed"
            )


def _plans(trial: Trial, fold: Folds, seed: int, progress: Progress) -> tuple[dict[str, Plan], list[Choice], list[int]]:
    """Every policy's plan for everybody, what was chosen in each fold, and each fold's reference treatment."""
    size = len(trial.arm)
    plans = {n: Plan(np.zeros(size), np.zeros(size, dtype=np.int64)) for n in (PRODUCT, *RIVALS, REFERENCE)}
    chosen, best = [], []
    for k in np.unique(fold):
        held = fold == k
        train, people = trial.where(~held), trial.frame[held]
        choice = choose(train, seed)
        made = {name: policy(train, people, seed + int(k)) for name, policy in RIVALS.items()}
        made[PRODUCT] = Plan.of_effects(CANDIDATES[choice.name](train, seed)(people))
        made[REFERENCE] = Plan(np.zeros(len(people)), np.full(len(people), train.best_arm, dtype=np.int64))
        for name, plan in made.items():
            plans[name].score[held], plans[name].arm[held] = plan.score, plan.arm
        chosen.append(choice)
        best.append(train.best_arm)
        progress(f"fold {int(k) + 1}: {choice.name}")
    return plans, chosen, best


def _figures(
    outcome: str, trial: Trial, plans: dict[str, Plan], fold: Folds, seed: int, replicates: int
) -> list[PolicyFigures]:
    found = gains(trial, plans, fold, seed, replicates)
    whole = found[REFERENCE].snips[:, -1]
    found[RANDOM] = found.pop(REFERENCE).in_random_order
    names = (PRODUCT, RANDOM, *RIVALS)
    qinis = {name: qini(found[name].snips, whole) for name in names}
    null = null_qini(trial, plans[REFERENCE].arm, fold, seed, replicates)
    out = [PolicyFigures(outcome, name, interval(qinis[name]), *_shown(found[name])) for name in names]
    lo, hi = np.quantile(null, [0.025, 0.975])
    out.append(PolicyFigures(outcome, "random orders", Interval(float(null.mean()), float(lo), float(hi)), {}, {}))
    for name in names:
        if name != PRODUCT:
            ahead = interval(qinis[PRODUCT] - qinis[name])
            gap = found[PRODUCT].minus(found[name])
            out.append(PolicyFigures(outcome, f"{PRODUCT} - {name}", ahead, *_shown(gap)))
    return out


def _shown(gain: Gains) -> tuple[dict[str, Interval], dict[str, Interval]]:
    """SNIPS and IPS gains per 1,000 people at the shares shown, by share in percent."""
    at = {f"{round(100 * share)}": int(np.argmin(np.abs(SHARES - share))) for share in SHOWN}

    def read(values: Floats) -> dict[str, Interval]:
        return {name: interval(1000.0 * values[:, place]) for name, place in at.items()}

    return read(gain.snips), read(gain.ips)
