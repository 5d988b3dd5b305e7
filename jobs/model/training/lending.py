"""What each funding institution does with those sent to it, learned beside what the stages expect of them anyway.

Who was sent where may have been chosen by risk; the stage's own log-odds are the offset, so that only what they do not
expect is told of the institution. What sender and institution know and the features do not is told of it all the same.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from jobs.model.learners import Features
from jobs.model.learners.features import MISSING_LEVEL, Floats, Levels
from jobs.model.learners.pooled import FREE, Cells, Ints, fitted, pooled, shrunk

ROUNDS = 4  # of telling regions from the institutions that serve them
# Of an institution in a region: so many applications, or approvals, expected and none there are e^-5, e^-12 by chance.
SENT, LENT = 5.0, 12.0
HARDLY = 0.02  # of what is expected counts as none; a link to the wrong person brings one or two
FOLDS, SURE = 5, 3.0  # standard errors by which a feature must tell fit on held-out rows
FEWEST, MOST_LEVELS = 100, 5  # rows of a level of that feature, and how many it may have


@dataclass(frozen=True, eq=False)
class Book:
    """Decided applications, a row each: who lent, where, what the stages expect (log-odds), and what became of them.

    `region` is len(regions) beyond the named ones. `is_drawn` is nan where that is not known yet.
    """

    frame: pd.DataFrame
    partners: tuple[str, ...]
    partner: Ints
    regions: int
    region: Ints
    approve: Floats
    fund: Floats
    is_approved: Floats
    is_drawn: Floats

    def count(self, weight: Floats) -> Floats:
        """Sums of a weight a row, partners x (regions + 1)."""
        place, width = self.partner * (self.regions + 1) + self.region, self.regions + 1
        found = np.bincount(place, weights=weight, minlength=len(self.partners) * width)
        return found.reshape(len(self.partners), width).astype(np.float64)


@dataclass(frozen=True, eq=False)
class Lending:
    """What institutions add to log-odds: of approval by level and slope on `about`, of drawdown by level and fit.

    `line` (intercept, slope) sets the stage right on the whole book; `region` is what a region adds beside its
    institutions. `fit`: products x (levels + 1) of `feature`, the last for all other levels; 0 without a feature.
    """

    line: tuple[float, float]
    about: float
    region: Floats
    level: Floats
    slope: Floats
    drawn: Floats
    product: Ints
    fit: Floats
    feature: str | None
    levels: tuple[str, ...]
    serves: NDArray[np.bool_]  # partners x (regions + 1)

    def approve(self, expected: Floats, partner: int, region: int) -> Floats:
        """Log-odds of approval by an institution in a region, of people of whom the stage expects so much."""
        straight = self.line[0] + self.line[1] * expected
        found: Floats = (
            straight + self.region[region] + self.level[partner] + self.slope[partner] * (straight - self.about)
        )
        return found

    def fund(self, expected: Floats, partner: int, level: int) -> Floats:
        """Log-odds of drawing what it approved."""
        found: Floats = expected + self.drawn[partner] + self.fit[self.product[partner], level]
        return found


def learn_lending(book: Book, features: Features) -> Lending:
    """Levels and slopes shrunk to those of all, regions told apart, the feature that tells fit if one does."""
    pairs = Cells.of(
        book.partner * (book.regions + 1) + book.region,
        book.approve,
        book.is_approved,
        len(book.partners) * (book.regions + 1),
    )
    line = _line(pairs)
    cells = replace(pairs, offset=line[0] + line[1] * pairs.offset)
    about = float(np.average(cells.offset, weights=cells.rows))
    level, slope, region = _levels(cells, about, len(book.partners), book.regions + 1)
    told = ~np.isnan(book.is_drawn)
    drawn = shrunk(Cells.of(book.partner[told], book.fund[told], book.is_drawn[told], len(book.partners)))
    product = _main_product(book)
    feature, levels, fit = _fit(book, features, drawn, product)
    return Lending(line, about, region, level, slope, drawn, product, fit, feature, levels, served(book))


def served(book: Book) -> NDArray[np.bool_]:
    """Which regions each institution serves (partners x regions + 1): where it is sent people and lends, or may yet.

    Not served: hardly an application, or an approval, where enough were to be expected. Of all other regions together
    nothing is told.
    """
    found = np.ones((len(book.partners), book.regions + 1), dtype=np.bool_)
    for weight, enough in ((np.ones(len(book.partner)), SENT), (book.is_approved, LENT)):
        seen = book.count(weight)
        by_chance = seen.sum(axis=1, keepdims=True) * seen.sum(axis=0) / max(float(seen.sum()), 1.0)
        found &= (seen > HARDLY * by_chance) | (by_chance < enough)
    found[:, -1] = True
    return found


def _line(pairs: Cells) -> tuple[float, float]:
    """Intercept and slope that set the stage's log-odds right on the book."""
    middle = float(np.average(pairs.offset, weights=pairs.rows))
    whole = replace(pairs, group=np.zeros(len(pairs.rows), dtype=np.int64), groups=1)
    at, tilt = fitted(whole, np.column_stack([np.ones(len(pairs.rows)), pairs.offset - middle]), (FREE, FREE)).value[0]
    return float(at - tilt * middle), float(1.0 + tilt)


def _levels(cells: Cells, about: float, partners: int, regions: int) -> tuple[Floats, Floats, Floats]:
    """What each partner and each region adds, in turn until they agree; spreads as the first round says."""
    partner, region = cells.group // regions, cells.group % regions
    terms = np.column_stack([np.ones(len(cells.rows)), cells.offset - about])
    by_region, spread = np.zeros(regions), None
    value = np.zeros((partners, 2))
    for _ in range(ROUNDS):
        mine = replace(cells, group=partner, groups=partners, offset=cells.offset + by_region[region])
        effects = pooled(mine, terms) if spread is None else fitted(mine, terms, spread)
        value, spread = effects.value, effects.spread
        added = cells.offset + (terms * value[partner]).sum(axis=1)
        by_region = shrunk(replace(cells, group=region, groups=regions, offset=added))
    return value[:, 0], value[:, 1], by_region


def _main_product(book: Book) -> Ints:
    """The product most applied for at each institution, as a code."""
    code = pd.factorize(book.frame["product"].astype(object), sort=True, use_na_sentinel=True)[0] + 1
    counted = np.zeros((len(book.partners), int(code.max(initial=0)) + 1))
    np.add.at(counted, (book.partner, code), 1.0)
    return np.asarray(counted.argmax(axis=1), dtype=np.int64)


def _fit(book: Book, features: Features, drawn: Floats, product: Ints) -> tuple[str | None, tuple[str, ...], Floats]:
    """The category by which products fit best on held-out rows, its levels, and what each product adds on each."""
    nothing = None, (), np.zeros((int(product.max(initial=0)) + 1, 1))
    told = np.flatnonzero(~np.isnan(book.is_drawn))
    if len(np.unique(product)) < 2 or len(told) < FOLDS * FEWEST:
        return nothing
    offset, label = (book.fund + drawn[book.partner])[told], book.is_drawn[told]
    best: tuple[float, tuple[str | None, tuple[str, ...], Floats]] = (SURE, nothing)
    for name in features.categorical:
        seen = [level for level in Levels.of(book.frame[name], FEWEST).names if level != MISSING_LEVEL]
        levels = Levels(tuple(seen[:MOST_LEVELS]))
        width = len(levels.names) + 1
        if name == "region" or width < 3:
            continue
        group = product[book.partner[told]] * width + levels.codes(book.frame[name])[told]
        size = (int(product.max()) + 1) * width
        gain = _held_out_gain(group, offset, label, size)
        if gain > best[0]:
            fit = shrunk(Cells.of(group, offset, label, size)).reshape(-1, width)
            best = gain, (name, levels.names, fit)
    return best[1]


def _held_out_gain(group: Ints, offset: Floats, label: Floats, groups: int) -> float:
    """Log-likelihood gained on rows the effects were not learned from, in standard errors."""
    fold, gain = np.arange(len(label)) % FOLDS, np.zeros(len(label))
    for one in range(FOLDS):
        out = fold == one
        added = shrunk(Cells.of(group[~out], offset[~out], label[~out], groups))[group[out]]
        score = offset[out] + added
        before = label[out] * offset[out] - np.logaddexp(0.0, offset[out])
        gain[out] = label[out] * score - np.logaddexp(0.0, score) - before
    spread = float(gain.std()) * np.sqrt(len(gain))
    return float(gain.sum()) / spread if spread > 0 else 0.0
