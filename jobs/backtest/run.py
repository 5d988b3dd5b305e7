"""Train on the past, judge on what came after: once, or block by block with a refit before each."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence
from datetime import date
from pathlib import Path

import numpy as np
import pandas as pd

from jobs.backtest.cells import BANDS_SAID, bands, cells
from jobs.backtest.choose import AnySettings, choose
from jobs.backtest.drift import most_moved, psi, psi_null
from jobs.backtest.report import METRICS, BacktestReport, Block, ModelFigures
from jobs.backtest.rivals import plain_boosted, plain_logistic, running_base_rate
from jobs.model.learners import Features, fit
from jobs.model.learners.features import Floats
from jobs.model.learners.metrics import auc, bootstrap, interval
from jobs.runtime.errors import DataRefused, UsageError
from jobs.sources.conf import SourceConf
from jobs.sources.parse import Parsed, parse

Scores = dict[str, Floats]
Progress = Callable[[str], None]
PRODUCT = "product"


def backtest(
    conf: SourceConf,
    files: Sequence[Path],
    train_until: date | None = None,
    blocks: int | None = None,
    seed: int = 0,
    replicates: int = 1000,
    progress: Progress = lambda _: None,
) -> BacktestReport:
    """Judge `product` beside `boosted` and `logistic` on the rows after `train_until` (the later half when it is null).

    Settings are chosen inside the training rows only. With `blocks`, the judged rows are cut in time order into that
    many blocks of equal size, each predicted by models fitted on everything before it; every figure is then the mean
    over blocks with a bootstrap over blocks, and `base_rate` (the running base rate alone) stands beside them.
    UsageError for a call that leaves nothing to train on or to judge, DataRefused for files that break the source.
    """
    if train_until is None and not blocks:
        raise UsageError("backtest: name --train-until DAY, or --blocks N to judge the later half in blocks")
    if blocks is not None and blocks < 2:
        raise UsageError(f"backtest: {blocks} block(s) give no interval; use at least 2, or leave --blocks out")
    parsed = parse(conf, files)
    first = _first_judged(parsed.rows, train_until, blocks)
    rows, train = parsed.rows, parsed.rows.iloc[:first]
    progress(f"{len(rows)} rows read; settings are chosen on the {first} rows before {rows['day'].iloc[first]}")
    choice = choose(train, parsed.features, seed)
    edges = np.linspace(first, len(rows), (blocks or 1) + 1).astype(int)
    scores: Scores = {}
    for number, (start, stop) in enumerate(itertools.pairwise(edges), start=1):
        found = _predict(rows.iloc[:start], rows.iloc[start:stop], parsed.features, choice.settings, seed)
        scores = {name: np.concatenate([scores.get(name, np.zeros(0)), part]) for name, part in found.items()}
        progress(f"block {number} of {len(edges) - 1}: {stop - start} rows judged")
    if blocks:
        scores["base_rate"] = running_base_rate(rows["label"].to_numpy(), first)
    judged = rows.iloc[first:]
    group = np.repeat(np.arange(len(edges) - 1), np.diff(edges))
    label = judged["label"].to_numpy()
    models, differences = _figures(label, scores, group if blocks else None, seed, replicates)
    return BacktestReport(
        mode=f"{blocks} blocks" if blocks else "one judged period",
        word=conf.label.word,
        trained_until=train["day"].iloc[-1],
        judged_from=judged["day"].iloc[0],
        judged_until=judged["day"].iloc[-1],
        trained_rows=first,
        chosen=choice.name,
        validation_losses=choice.losses,
        models=models,
        differences=differences,
        cells=cells(judged, bands(scores[PRODUCT], group), float(conf.cost.amount)),
        currency=conf.cost.currency,
        is_cost_assumed=conf.cost.is_assumed,
        notes=(*conf.all_notes, BANDS_SAID),
        refused_columns={name: f"{r.why}: {r.because}" for name, r in conf.refused.items()},
        refused_rows=parsed.reasons,
        blocks=_blocks(parsed, scores, edges) if blocks else (),
    )


def _first_judged(rows: pd.DataFrame, train_until: date | None, blocks: int | None) -> int:
    first = len(rows) // 2 if train_until is None else int((rows["day"] <= train_until).sum())
    if first == 0 or first == len(rows):
        span = f"{rows['day'].iloc[0]} to {rows['day'].iloc[-1]}" if len(rows) else "no row at all"
        raise UsageError(f"backtest: nothing to {'train on' if first == 0 else 'judge'}; the files hold {span}")
    if blocks and len(rows) - first < blocks:
        raise UsageError(f"backtest: {len(rows) - first} rows cannot make {blocks} blocks; ask for fewer")
    if rows["label"].iloc[:first].nunique() < 2:
        raise DataRefused(f"backtest: the {first} training rows hold one outcome only; train until a later day")
    return first


def _predict(past: pd.DataFrame, block: pd.DataFrame, features: Features, settings: AnySettings, seed: int) -> Scores:
    model = fit(past, features, past["label"], settings=settings, seed=seed)
    return {
        PRODUCT: model.predict(block),
        "boosted": plain_boosted(past, block, features, seed),
        "logistic": plain_logistic(past, block, features, seed),
    }


def _figures(
    label: np.ndarray, scores: Scores, group: np.ndarray | None, seed: int, replicates: int
) -> tuple[tuple[ModelFigures, ...], tuple[ModelFigures, ...]]:
    draws = (
        bootstrap(label, scores, METRICS, seed, replicates)
        if group is None
        else _block_draws(label, scores, group, seed, replicates)
    )
    size, hits = len(label), int(label.sum())
    models = tuple(
        ModelFigures(
            name,
            size,
            hits,
            {m: interval(draws[name][m]) for m in METRICS},
            None if group is None else auc(label, scores[name]),
        )
        for name in scores
    )
    differences = tuple(
        ModelFigures(
            f"{PRODUCT} - {name}",
            size,
            hits,
            {m: interval(draws[PRODUCT][m] - draws[name][m]) for m in METRICS},
        )
        for name in scores
        if name != PRODUCT
    )
    return models, differences


def _block_draws(
    label: np.ndarray, scores: Scores, group: np.ndarray, seed: int, replicates: int
) -> dict[str, dict[str, Floats]]:
    """As `bootstrap`, but of whole blocks: the mean over drawn blocks of each block's own figure."""
    count = int(group[-1]) + 1
    drawn = np.random.default_rng(seed).integers(0, count, (replicates, count))
    picks = np.vstack([np.arange(count), drawn])
    out: dict[str, dict[str, Floats]] = {}
    for name, score in scores.items():
        per = [bootstrap(label[group == b], {"s": score[group == b]}, METRICS, seed, 0)["s"] for b in range(count)]
        values = {m: np.array([p[m][0] for p in per]) for m in METRICS}
        out[name] = {m: _mean_known(v[picks]) for m, v in values.items()}
    return out


def _mean_known(values: Floats) -> Floats:
    """Row means over what is defined; a block without positives has no figure and is left out."""
    known = ~np.isnan(values)
    total, size = np.where(known, values, 0.0).sum(axis=1), known.sum(axis=1)
    return np.asarray(np.divide(total, size, out=np.full(total.shape, np.nan), where=size > 0), dtype=np.float64)


def _blocks(parsed: Parsed, scores: Scores, edges: np.ndarray) -> tuple[Block, ...]:
    rows, first = parsed.rows, int(edges[0])
    out, last_score = [], None
    for number, (start, stop) in enumerate(itertools.pairwise(edges), start=1):
        past, block = rows.iloc[:start], rows.iloc[start:stop]
        part = {name: score[start - first : stop - first] for name, score in scores.items()}
        name, moved = most_moved(past, block, parsed.features)
        out.append(
            Block(
                block=number,
                first_day=block["day"].iloc[0],
                last_day=block["day"].iloc[-1],
                rows=len(block),
                positives=int(block["label"].sum()),
                base_rate=float(block["label"].mean()),
                base_rate_before=float(past["label"].mean()),
                auc={key: auc(block["label"], score) for key, score in part.items()},
                psi_score=None if last_score is None else psi(last_score, part[PRODUCT]),
                psi_input=moved,
                psi_input_name=name,
                psi_null=psi_null(len(past), len(block)),
            )
        )
        last_score = part[PRODUCT]
    return tuple(out)
