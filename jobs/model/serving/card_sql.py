"""A scorecard as SQL: CASE WHEN sums of whole points, and what a total of points means read off a table."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import numpy as np

from jobs.model.learners import FittedModel
from jobs.model.learners.features import Floats
from jobs.model.learners.fitted import chance
from jobs.model.learners.scorecard import Card
from jobs.model.serving.funnel import log_odds

LARGEST = f"{float(np.finfo(np.float64).max)!r}D"


def points_sql(cards: Sequence[Card], inputs: Mapping[str, str]) -> str:
    """Total points of some cards as an INT; `inputs` gives the SQL of each feature."""
    told = [_card_sql(card, inputs[card.name]) for card in cards]
    return "(" + " + ".join(told) + ")" if told else "0"


def chance_sql(model: FittedModel, total: str) -> str:
    """The probability at a total of points; that of everybody when the model has no members."""
    return _read_off(model, total, chance)


def log_odds_sql(model: FittedModel, total: str) -> str:
    """The log-odds at a total of points, as the next stage takes them."""
    return _read_off(model, total, lambda score: log_odds(chance(score)))


def raw_log_odds_sql(model: FittedModel, total: str) -> str:
    """The log-odds at a total of points, not held within bounds."""
    return _read_off(model, total, lambda score: score)


def quoted(name: str) -> str:
    """A column's name."""
    return "`" + name.replace("`", "``") + "`"


def number(value: float) -> str:
    """A double, every bit of it."""
    return f"({float(value)!r}D)" if value < 0 else f"{float(value)!r}D"


def _read_off(model: FittedModel, total: str, meaning: Callable[[Floats], Floats]) -> str:
    card = model.card
    if card is None:
        return number(float(meaning(model.moved(np.full(1, model.base_log_odds)))[0]))
    fewest, most = card.span
    values: Floats = meaning(model.moved(0.0 + card.score(np.arange(fewest, most + 1))))
    told = ",".join(repr(float(value)) for value in values)
    # One text literal that Spark turns into an array once, when it plans: thousands of literals would take seconds.
    return f"element_at(cast(split('{told}', ',') as array<double>), {total} - ({fewest}) + 1)"


def _card_sql(card: Card, value: str) -> str:
    points = [int(p) for p in card.points]
    if card.bins.levels is None:
        found = _split(value, card.bins.edges, points[:-1])
        # Null, NaN and infinities compare false.
        return f"CASE WHEN abs({value}) <= {LARGEST} THEN {found} ELSE {points[-1]} END"
    names = card.bins.levels.names[:-1]
    groups: dict[int, list[str]] = {}
    for name, told in zip(names, points, strict=False):
        groups.setdefault(told, []).append(text(name))
    cases = [f"WHEN {value} IS NULL THEN {points[card.bins.null]}"]
    cases += [f"WHEN {value} IN ({', '.join(texts)}) THEN {told}" for told, texts in groups.items()]
    return f"CASE {' '.join(cases)} ELSE {points[-1]} END"


def _split(value: str, edges: Sequence[float], points: Sequence[int]) -> str:
    """The bin by halving, so that twenty bins take five comparisons."""
    if not edges:
        return str(points[0])
    at = len(edges) // 2
    low, high = _split(value, edges[:at], points[: at + 1]), _split(value, edges[at + 1 :], points[at + 1 :])
    return f"CASE WHEN {value} < {number(edges[at])} THEN {low} ELSE {high} END"


def text(level: str) -> str:
    """A text."""
    return "'" + level.replace("\\", "\\\\").replace("'", "\\'") + "'"
