"""channel_attributions, calibrations, cost_moves and nowcasts made ready to be shown."""

from __future__ import annotations

import pandas as pd

from dashboards.cells import FINAL, HIDDEN, SMALLEST, hide_small

ALL = "(all)"
STAGES = ("fund", "approve", "apply")
SHOWN = ("last", "shapley_model", "markov_1")  # drawn beside each other; all are in the table
NEWEST = 12


def by_model(frame: pd.DataFrame) -> tuple[pd.DataFrame, str | None]:
    """One row a channel with each model's conversions, `<model>_lo`, `_hi`, `_status`; and whose they are.

    Of funded customers where some channel has 11 of them, else of approvals, else of applications. Credits of a model
    add up to all conversions: where one channel has 1 to 10, the next smallest is hidden with it.
    """
    for stage in STAGES:
        mine = frame[(frame["stage"] == stage) & (frame["conversions"] >= SMALLEST)]
        if not mine["channel"].ne("(unattributed)").any():
            continue
        whole = frame[frame["stage"] == stage].set_index(["channel", "model"])
        wide = whole["conversions"].unstack("model").fillna(0.0)
        rows = hide_small(wide, [str(model) for model in wide])
        for end in ("_lo", "_hi"):
            ends = whole[f"conversions{end}"].unstack("model")
            for model in wide:
                rows[f"{model}{end}"] = ends[model].where(rows[f"{model}_status"] == FINAL)
        return rows.reset_index(), stage
    return pd.DataFrame(), None


def dots_of(rows: pd.DataFrame, model: str) -> pd.DataFrame:
    """A model's conversions by channel as dots: `name`, `value`, `lo`, `hi`, `is_final`."""
    told = rows[["channel", model, f"{model}_lo", f"{model}_hi"]].set_axis(["name", "value", "lo", "hi"], axis=1)
    return told.assign(is_final=True)


def moved(frame: pd.DataFrame) -> pd.DataFrame:
    """The newest months that can be compared with the month before."""
    return frame[frame["cost"].notna() & frame["cost_before"].notna()].sort_values("period").tail(NEWEST)


def awaited(frame: pd.DataFrame) -> pd.DataFrame:
    """Weeks still open, of all channels; small counts are hidden, and what they would come to."""
    mine = frame[frame["channel"] == ALL].sort_values(["outcome", "week"]).reset_index(drop=True)
    parts = [hide_small(part, ["observed"]) for _, part in mine.groupby("outcome", sort=True)]
    told = pd.concat(parts) if parts else mine.assign(observed_status=None)
    ends = {"total": "total", "total_lo": "lo", "total_hi": "hi"}
    is_hidden = told["observed_status"] == HIDDEN
    told = told.assign(
        week=told["week"].dt.strftime("%Y-%m-%d"),
        total_status=[HIDDEN if one else "early" for one in is_hidden],
        **{name: told[end].mask(is_hidden) for name, end in ends.items()},
    )
    told.loc[told["total"].notna(), "total_status"] = FINAL
    return told
