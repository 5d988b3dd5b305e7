"""The command of the glass box: scorecard."""

from __future__ import annotations

import json
from datetime import date
from pathlib import Path
from typing import Annotated, Any

import typer

from jobs.cli.inspect import grid
from jobs.cli.options import CONF, AsJson, ConfDir, WarehouseDir, existing_warehouse, parse_day
from jobs.runtime.errors import UsageError

ADVERSE = ("late", "fraud")  # stages whose event nobody wants


def register(app: typer.Typer) -> None:
    """Add the command of this file."""
    app.command("scorecard")(scorecard)


def scorecard(
    stage: Annotated[str, typer.Option("--stage", help="click, apply, organic, approve, fund, late or fraud.")],
    channel: Annotated[str, typer.Option("--channel", help="A channel with a card of its own; `*` is for all.")] = "*",
    prospect: Annotated[str | None, typer.Option("--prospect", help="prospect_key whose reasons to tell.")] = None,
    day: Annotated[str | None, typer.Option("--day", help="Day of the models; the newest when not given.")] = None,
    conf: ConfDir = CONF,
    warehouse: WarehouseDir = None,
    as_json: AsJson = False,
) -> None:
    """Print a stage's points table; with --prospect, the features that cost that prospect the most points."""
    from jobs.model.learners.reasons import points_table, reasons
    from jobs.model.learners.scorecard import DOUBLE

    home = existing_warehouse(warehouse, conf)
    model = _model(home, stage, channel, parse_day(day) if day else None)
    if prospect is None:
        rows = points_table(model.card)
        if as_json:
            typer.echo(json.dumps({"points_that_double_the_odds": DOUBLE, "bins": rows}))
            return
        title = f"{stage}: {DOUBLE} points double the odds; 0 points are what an input without a signal gives"
        columns = ["feature", "bin", "points", "rows", "rate"]
        grid(title, columns, [[row[c] for c in columns] for row in rows])
        return
    frame = _person(home, prospect, model.features)
    found = reasons(model.card, frame, is_event_good=stage not in ADVERSE)
    chance = float(model.predict(frame)[0])
    if as_json:
        told = [{"feature": r.feature, "bin": r.bin, "points": r.points, "short": round(r.short, 1)} for r in found]
        typer.echo(json.dumps({"stage": stage, "chance": chance, "reasons": told}))
        return
    body: list[list[Any]] = [[r.feature, r.bin, r.points, round(r.average, 1), round(r.short, 1)] for r in found]
    title = f"{stage}: chance {chance:.4f}; what costs the most points against the average row"
    grid(title, ["feature", "bin", "points", "average", "worse by"], body)


def _model(home: Path, stage: str, channel: str, day: date | None) -> Any:
    from jobs.model.learners import FittedModel
    from jobs.runtime import export

    rows = export.head(export.find(home, "stage_models", day), None)
    found = [row for row in rows if row["stage"] == stage and row["channel"] == channel]
    if not found:
        known = ", ".join(sorted({f"{row['stage']} {row['channel']}" for row in rows if row["learner"] == "scorecard"}))
        raise UsageError(f"no model of stage {stage}, channel {channel}; scorecards: {known or 'none'}")
    learner = found[0]["learner"]
    if learner == "prior":
        raise UsageError(
            f"stage {stage} had too few rows to fit, so it has no points; `huoke show model_cards` says more"
        )
    model = FittedModel.from_bytes(found[0]["payload"]) if learner == "scorecard" else None
    if model is None:
        raise UsageError(
            f"stage {stage} was fitted by {learner}, which has no points; set training.stages.{stage}: scorecard in "
            "base.yaml and run `huoke run --day D`"
        )
    if model.card is None:
        raise UsageError(f"no input of stage {stage} tells more than chance would, so its card has no points")
    return model


def _person(home: Path, prospect: str, features: Any) -> Any:
    import pyarrow.compute as pc

    from jobs.model.person_features import APPLIED_BEFORE
    from jobs.runtime import export

    found = export.find(home, "prospects")
    if missing := sorted(set(features.names) - {*found.columns, APPLIED_BEFORE}):
        raise UsageError(
            f"this stage is also told {', '.join(missing)}, which no prospect's row holds; "
            "reasons are for approve, fund, late and fraud"
        )
    for batch in found.batches():
        mine = batch.filter(pc.equal(batch["prospect_key"], prospect))
        if mine.num_rows:
            frame = _in_usual_units(home, mine.to_pandas(), found.day)
            return frame.assign(**{APPLIED_BEFORE: _applied_before(home, prospect)})
    raise UsageError(f"the snapshot of {found.day} has no such prospect_key; `huoke keys` maps keys to prospect_id")


def _applied_before(home: Path, prospect: str) -> float:
    """How often a prospect had applied before the newest day, as scores count it."""
    import pyarrow as pa
    import pyarrow.compute as pc

    from jobs.model.person_features import MOST_BEFORE
    from jobs.runtime import export
    from jobs.runtime.store import Store

    if not Store(home).days("matured_outcomes"):
        return 0.0
    found, count = export.find(home, "matured_outcomes"), 0
    for batch in found.batches():
        is_past = pc.less(batch["applied_at"].cast(pa.date32()), found.day)
        mine = pc.and_(pc.equal(batch["prospect_key"], prospect), is_past)
        count += pc.sum(pc.fill_null(mine, False)).as_py() or 0
    return float(min(count, MOST_BEFORE))


def _in_usual_units(home: Path, frame: Any, snapshot: date) -> Any:
    """A prospect as models read it: a number whose unit its snapshot changed is taken back."""
    from jobs.runtime import export
    from jobs.runtime.store import Store

    if not Store(home).days("feature_units"):
        return frame
    for row in export.head(export.find(home, "feature_units"), None):
        if row["snapshot_day"] == snapshot and row["feature"] in frame:
            frame[row["feature"]] = frame[row["feature"]].astype(float) / row["factor"]
    return frame
