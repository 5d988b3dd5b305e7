"""channel_attributions, calibrations, cost_moves and nowcasts made ready to be shown."""

from __future__ import annotations

import pandas as pd

from dashboards.cells import FINAL, HIDDEN, SMALLEST

ALL = "(all)"
STAGES = ("fund", "approve", "apply")
SHOWN = ("last", "shapley_model", "markov_1")  # drawn beside each other; all are in the table
NEWEST = 12


def by_model(frame: pd.DataFrame) -> tuple[pd.DataFrame, str | None]:
    """One row a channel with each model's conversions, `<model>_lo`, `_hi`, `_status`; and whose they are.

    Of funded customers where some channel has 11 of them, else of approvals, else of applications; nothing below 11 is
    told.
    """
    for stage in STAGES:
        mine = frame[(frame["stage"] == stage) & (frame["conversions"] >= SMALLEST)]
        if not mine["channel"].ne("(unattributed)").any():
            continue
        models = sorted(frame.loc[frame["stage"] == stage, "model"].unique())
        rows = []
        for channel in sorted(frame.loc[frame["stage"] == stage, "channel"].unique()):
            cells = mine[mine["channel"] == channel].set_index("model")
            row: dict[str, object] = {"channel": channel}
            for model in models:
                is_told = model in cells.index
                row[model] = float(cells.loc[model, "conversions"]) if is_told else float("nan")
                row[f"{model}_status"] = FINAL if is_told else HIDDEN
                for end in ("_lo", "_hi"):
                    row[f"{model}{end}"] = float(cells.loc[model, f"conversions{end}"]) if is_told else float("nan")
            rows.append(row)
        return pd.DataFrame(rows), stage
    return pd.DataFrame(), None


def dots_of(rows: pd.DataFrame, model: str) -> pd.DataFrame:
    """A model's conversions by channel as dots: `name`, `value`, `lo`, `hi`, `is_final`."""
    told = rows[["channel", model, f"{model}_lo", f"{model}_hi"]].set_axis(["name", "value", "lo", "hi"], axis=1)
    return told.assign(is_final=True)


def moved(frame: pd.DataFrame) -> pd.DataFrame:
    """The newest months that can be compared with the month before."""
    return frame[frame["cost"].notna() & frame["cost_before"].notna()].sort_values("period").tail(NEWEST)


def awaited(frame: pd.DataFrame) -> pd.DataFrame:
    """Weeks still open, of all channels; counts of 1 to 10 and what they would come to are hidden."""
    mine = frame[frame["channel"] == ALL].sort_values(["outcome", "week"]).reset_index(drop=True)
    small = (mine["observed"] > 0) & (mine["observed"] < SMALLEST)
    told = mine.assign(
        week=mine["week"].dt.strftime("%Y-%m-%d"),
        observed=mine["observed"].astype("float64").mask(small),
        observed_status=[HIDDEN if one else FINAL for one in small],
        total_status=[HIDDEN if one else "early" for one in small],
        total=mine["total"].mask(small),
        total_lo=mine["lo"].mask(small),
        total_hi=mine["hi"].mask(small),
    )
    told.loc[told["total"].notna(), "total_status"] = FINAL
    return told
