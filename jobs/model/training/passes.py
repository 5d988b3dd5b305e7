"""How many times as many customers each funding institution funds of a class of people as the usual one does."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd
from scipy.special import expit

from jobs.model.learners import Features
from jobs.model.learners.features import MISSING_LEVEL, Floats, Levels
from jobs.model.serving.funnel import Funnel, log_odds
from jobs.model.training.lending import Book, Lending, learn_lending
from jobs.runtime.settings import PartnerConf
from segments.kinds import Kinds

STEPS, MOST_KINDS = 10, 1000  # of approval, and classes in all
FEWEST, MOST_REGIONS = 100, 60  # applications of a region that is told apart, and how many are
PER_STEP = 300  # people over whom a class's chances are averaged
COLUMNS = [
    "kind",
    "partner",
    "region",
    "p_approve_from",
    "fit_feature",
    "fit_level",
    "pass_rate",
    "applications",
    "model_version",
]


def partner_passes(
    decided: pd.DataFrame, funnel: Funnel, features: Features, partners: Mapping[str, PartnerConf]
) -> pd.DataFrame:
    """A row a class and partner of the book; none where the book names no partner.

    `decided` as `training.cohorts` makes it, with partner and product. What a partner's conf says of its regions rules.
    """
    rows = decided[decided["partner"].notna() & decided["is_approved"].notna()]
    if rows.empty:
        return pd.DataFrame(columns=COLUMNS)
    regions = _regions(rows, partners)
    book = book_of(rows, funnel, regions)
    lending = learn_lending(book, features)
    kinds = _kinds(book, lending, regions)
    rate = pass_rates(book, lending, kinds, _allowed(book, regions, partners))
    return _table(book, kinds, rate, funnel.version)


def book_of(rows: pd.DataFrame, funnel: Funnel, regions: Levels) -> Book:
    """The rows with what the funnel expects of them."""
    code, names = pd.factorize(rows["partner"].astype(object), sort=True)
    is_told = rows["is_approved"].eq(True) & rows["is_draw_over"].eq(True) & rows["is_funded"].notna()
    return Book(
        frame=rows,
        partners=tuple(str(name) for name in names),
        partner=code.astype(np.int64),
        regions=len(regions.names),
        region=_region_codes(rows, regions),
        approve=log_odds(funnel.credit("approve", rows)),
        fund=log_odds(funnel.credit("fund", rows)),
        is_approved=rows["is_approved"].eq(True).to_numpy().astype(np.float64),
        is_drawn=np.where(is_told, rows["is_funded"].eq(True), np.nan),
    )


def pass_rates(book: Book, lending: Lending, kinds: Kinds, is_allowed: Floats) -> Floats:
    """Classes x partners: chance of approval and drawdown against that of whoever it would have been; 0: not served.

    Chances are averaged over people of the class's step of approval; whoever it would have been is drawn as the
    region's applications were.
    """
    regions, steps, levels = kinds.shape
    serves = lending.serves & (is_allowed > 0)
    sent = book.count(np.ones(len(book.partner))) * serves
    sent[:, -1] = sent.sum(axis=1)
    step = np.searchsorted(np.array(kinds.edges), expit(book.approve), side="right")
    won = np.zeros((len(book.partners), regions, steps, levels))
    for at in range(steps):
        mine = np.flatnonzero(step == at)
        if not len(mine):
            continue
        few = mine[np.linspace(0, len(mine) - 1, min(PER_STEP, len(mine))).astype(np.int64)]
        for m in range(len(book.partners)):
            drawn = np.array([expit(lending.fund(book.fund[few], m, g)) for g in range(levels)])
            passed = np.array([expit(lending.approve(book.approve[few], m, r)) for r in range(regions)])
            won[m, :, at, :] = passed @ drawn.T / len(few)
    usual = np.einsum("mr,mrdg->rdg", sent / np.maximum(sent.sum(axis=0), 1.0), won)
    rate = np.where((usual > 0)[None], won / np.where(usual > 0, usual, 1.0)[None], 1.0) * serves[:, :, None, None]
    return np.round(rate.reshape(len(book.partners), kinds.count).T, 6)


def _regions(rows: pd.DataFrame, partners: Mapping[str, PartnerConf]) -> Levels:
    """The regions told apart: those of conf, and those often applied from; of rows without a region, none."""
    if "region" not in rows:
        return Levels(())
    named = {region for partner in partners.values() for region in partner.regions}
    often = [name for name in Levels.of(rows["region"], FEWEST).names if name != MISSING_LEVEL]
    return Levels(tuple(sorted({*often[:MOST_REGIONS], *named})))


def _region_codes(rows: pd.DataFrame, regions: Levels) -> np.ndarray[tuple[int], np.dtype[np.int64]]:
    return regions.codes(rows["region"]) if "region" in rows else np.zeros(len(rows), dtype=np.int64)


def _kinds(book: Book, lending: Lending, regions: Levels) -> Kinds:
    """Steps of approval hold about as many of the book each; fewer of them where regions or levels are many."""
    room = MOST_KINDS // ((len(regions.names) + 1) * (len(lending.levels) + 1))
    steps = int(np.clip(room, 1, STEPS))
    told = expit(book.approve)
    edges = np.unique(np.round(np.quantile(told, np.linspace(0.0, 1.0, steps + 1)[1:-1]), 9))
    kept = tuple(float(edge) for edge in edges if edge > told.min())
    return Kinds(regions.names, kept, lending.feature, lending.levels)


def _allowed(book: Book, regions: Levels, partners: Mapping[str, PartnerConf]) -> Floats:
    """1 where conf lets a partner serve a region (partners x regions + 1); who is not in conf is not kept from any."""
    found = np.ones((len(book.partners), len(regions.names) + 1))
    for at, name in enumerate(book.partners):
        own = partners[name].regions if name in partners else ()
        if own:
            found[at] = [region in own for region in regions.names] + [False]
    return found


def _table(book: Book, kinds: Kinds, rate: Floats, version: str) -> pd.DataFrame:
    _, steps, levels = kinds.shape
    kind = np.repeat(np.arange(kinds.count), len(book.partners))
    partner = np.tile(np.arange(len(book.partners)), kinds.count)
    region = kind // (steps * levels)
    sent = book.count(np.ones(len(book.partner)))
    return pd.DataFrame(
        {
            "kind": kind,
            "partner": np.array(book.partners, dtype=object)[partner],
            "region": np.array([*kinds.regions, None], dtype=object)[region],
            "p_approve_from": np.array([0.0, *kinds.edges])[kind // levels % steps],
            "fit_feature": kinds.feature,
            "fit_level": np.array([*kinds.levels, None], dtype=object)[kind % levels],
            "pass_rate": rate.reshape(-1),
            "applications": sent[partner, region].astype(np.int64),
            "model_version": version,
        },
        columns=COLUMNS,
    )
