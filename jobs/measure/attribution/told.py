"""What flows and parts of everybody say: the models to split by, and each channel's credit with its interval."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from jobs.measure.attribution.counting import SETS
from jobs.measure.attribution.credits import shared
from jobs.measure.attribution.events import STAGES, Window
from jobs.measure.attribution.flows import LOST, WON, Flows, summed
from jobs.measure.attribution.leverage import UNIT, Leverage, leverage
from jobs.measure.attribution.markov import Removal, chain_of, removal
from jobs.measure.attribution.paths import UNATTRIBUTED, Ints
from jobs.measure.attribution.shapley import Game, game
from jobs.measure.attribution.shares import NANO
from jobs.measure.attribution.splitting import CHAIN, SplitCredit
from jobs.measure.attribution.spread import FOLDS, bounds, chain_errors, standard_errors
from jobs.tables.measure.credits import CHANNEL_ATTRIBUTIONS

if TYPE_CHECKING:
    import pandas as pd

ORDERS = (1, 2, 3)
PAID_OUT = "fund"  # the stage whose conversions are worth money
MOST_TOLD = 64  # channels of which it is told how far chance moves a chain


@dataclass(frozen=True)
class Models:
    """What everybody's flows made, stage by stage: chains by order, what moves them, and a game."""

    channels: tuple[str, ...]
    removals: dict[str, dict[int, Removal]]
    levers: dict[str, tuple[Leverage, ...]]
    games: dict[str, Game]

    def splitter(self, window: Window) -> SplitCredit:
        """The split of each partition's conversions by these models and by the rules."""
        effects = {
            stage: {order: tuple(told.of_conversions) for order, told in mine.items()}
            for stage, mine in self.removals.items()
        }
        return SplitCredit(self.channels, window, effects, self.games, self.levers)


def models_of(moved: pd.DataFrame, channels: tuple[str, ...], groups: Ints) -> Models:
    """The models of summed flows (stage, model_order, state, next, journeys, worth).

    A stage without journeys of a kind a model needs has no such model.
    """
    models = Models(channels, {}, {}, {})
    for stage in STAGES:
        mine = moved[moved["stage"] == stage]
        levers = []
        for order in ORDERS:
            flows = _flows(mine[mine["model_order"] == order])
            if not (flows.nexts == WON).any():
                continue
            chain = chain_of(channels, flows, order)
            models.removals.setdefault(stage, {})[order] = removal(chain)
            if len(channels) <= MOST_TOLD:
                levers.append(leverage(chain, order))
        models.levers[stage] = tuple(levers)
        met = _flows(mine[mine["model_order"] == SETS])
        won, lost = met.nexts == WON, met.nexts == LOST
        if won.any() and lost.any():
            models.games[stage] = game(groups, met.states, np.where(won, met.counts, 0), np.where(lost, met.counts, 0))
    return models


def _flows(rows: pd.DataFrame) -> Flows:
    states, nexts = (rows[name].to_numpy(dtype=np.int64) for name in ("state", "next"))
    return summed([Flows(states, nexts, *(rows[name].to_numpy(dtype=np.float64) for name in ("journeys", "worth")))])


def attributions(models: Models, parts: pd.DataFrame, principal: pd.DataFrame, unit: int) -> pd.DataFrame:
    """Rows of channel_attributions from summed parts (stage, model, channel, fold, part) of every model.

    `principal` (model, channel, minor) of the funded; `unit` is minor units a major.
    """
    import pandas as pd

    worth = {(model, channel): minor / unit for model, channel, minor in principal.itertuples(index=False)}
    tables = {
        (str(stage), str(model)): mine.pivot(index="channel", columns="fold", values="part")
        .reindex(columns=range(FOLDS))
        .fillna(0.0)
        for (stage, model), mine in parts.groupby(["stage", "model"], sort=True)
    }
    chains = {(stage, f"markov_{order}"): told for stage, by in models.removals.items() for order, told in by.items()}
    told = [_rule(*key, table / NANO, worth) for key, table in tables.items() if key not in chains]
    for (stage, model), removed in chains.items():
        won = tables[stage, "last"] / NANO
        told.append(_chain(stage, model, removed, won, tables.get((stage, model)), models.channels, worth))
    names = [c.name for c in CHANNEL_ATTRIBUTIONS.columns]
    return pd.concat(told, ignore_index=True).reindex(columns=names) if told else pd.DataFrame(columns=names)


def _rule(stage: str, model: str, parts: pd.DataFrame, worth: dict[tuple[str, str], float]) -> pd.DataFrame:
    """Credits of a rule, or by Shapley values, from their parts (channel, fold)."""
    import pandas as pd

    credits = parts.to_numpy().sum(axis=1)
    low, high = bounds(credits, standard_errors(parts.to_numpy()))
    told = {"stage": stage, "model": model, "channel": parts.index, "conversions": credits}
    told |= {"conversions_lo": low, "conversions_hi": high}
    if stage == PAID_OUT:
        told["principal"] = [worth.get((model, channel), 0.0) for channel in parts.index]
    return pd.DataFrame(told)


def _chain(
    stage: str,
    model: str,
    removed: Removal,
    won: pd.DataFrame,
    moved: pd.DataFrame | None,
    channels: tuple[str, ...],
    worth: dict[tuple[str, str], float],
) -> pd.DataFrame:
    """Credits of a chain: conversions with a touch (`won`: channel, fold) in proportion to its removal effects."""
    import pandas as pd

    touched = won.drop(index=UNATTRIBUTED, errors="ignore").to_numpy().sum(axis=0)
    effects, of_value = removed.of_conversions, removed.of_value
    credits = shared(touched.sum(), effects)
    told = pd.DataFrame(
        {
            "stage": stage,
            "model": model,
            "channel": channels,
            "conversions": credits,
            "effect": effects,
            "value_effect": of_value,
            "base_conversion": removed.base,
        }
    )
    if stage == PAID_OUT:
        told["principal"] = shared(sum(worth.get(("last", channel), 0.0) for channel in channels), of_value)
    if moved is not None:
        table = moved.reindex(index=[CHAIN, *channels]).fillna(0.0).to_numpy() / UNIT
        of_credits, of_effects = chain_errors(effects, removed.base, table, touched)
        told["conversions_lo"], told["conversions_hi"] = bounds(credits, of_credits)
        told["effect_lo"], told["effect_hi"] = bounds(effects, of_effects, 1.0)
    rest = _rule(
        stage, model, won[won.index == UNATTRIBUTED], {(model, UNATTRIBUTED): worth.get(("last", UNATTRIBUTED), 0.0)}
    )
    return pd.concat([told, rest]) if len(rest) else told
