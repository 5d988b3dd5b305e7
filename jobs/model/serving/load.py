"""The funnel and the band cuts as they stand in their tables; priors and one band where nothing was trained yet."""

from __future__ import annotations

from pyspark.sql import DataFrame

from jobs.model.serving.funnel import PRIOR_VERSION, Funnel, Part
from jobs.model.training.priors import PRIORS, prior_model
from jobs.runtime.shell import Shell

ONE_BAND = (("Z", 0.0),)  # before there are models everybody is in one band, and the plan explores
MAX_MODELS = 5_000


def load_funnel(models: DataFrame, shell: Shell) -> Funnel:
    """The funnel of the models' rows; of documented priors when there are none."""
    rows = shell.small(models.select("stage", "channel", "scale", "payload", "model_version"), MAX_MODELS)
    if rows.empty:
        parts = [Part(stage, "*", 1.0, prior_model(stage).to_bytes()) for stage in PRIORS]
        return Funnel.of(parts, PRIOR_VERSION)
    columns = (rows["stage"], rows["channel"], rows["scale"], rows["payload"])
    found = [Part(str(s), str(c), float(x), bytes(p)) for s, c, x, p in zip(*columns, strict=True)]
    return Funnel.of(found, str(rows["model_version"].iloc[0]))


def load_cuts(cuts: DataFrame, shell: Shell) -> tuple[tuple[str, float], ...]:
    """Band names and lower cuts, best first; ONE_BAND when none were made."""
    rows = shell.small(cuts.select("band", "lower"), 100, ["band"])
    return tuple((str(b), float(x)) for b, x in zip(rows["band"], rows["lower"], strict=True)) or ONE_BAND
