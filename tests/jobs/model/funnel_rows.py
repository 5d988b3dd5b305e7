"""Training rows of every stage as pandas frames, without Spark: one trait drives all that happens."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date, timedelta

import numpy as np
import pandas as pd

from jobs.runtime.conf import Conf
from jobs.runtime.settings import Learner, TrainingConf
from support import make_conf

DAY = date(2026, 6, 1)
FEATURES = ("trait", "other", "third", "fourth")
CHANNELS = ("feed_a", "sms", "none")


def funnel_conf(learner: Learner) -> Conf:
    """Four numbers beside the region; one learner for every stage."""
    training = TrainingConf(learner=learner, default_learner=learner, compare=())
    features = dict.fromkeys(FEATURES, "numeric")
    return make_conf(base=make_conf().base.model_copy(update={"training": training, "features": features}))


@dataclass(frozen=True)
class FunnelRows:
    """The three frames that `fit_funnel` takes."""

    assigned: pd.DataFrame
    decided: pd.DataFrame
    asked: pd.DataFrame

    def shuffled(self, seed: int) -> FunnelRows:
        """The same people, days and outcomes, but the outcomes are other people's of the same frame and role."""
        rng = np.random.default_rng(seed)
        assigned, decided, asked = self.assigned.copy(), self.decided.copy(), self.asked.copy()
        outcome = ["clicks", "impressions", "is_applied"]
        for at in assigned.groupby("role").indices.values():
            assigned.loc[at, outcome] = assigned.loc[rng.permutation(at), outcome].to_numpy()
        people = [*FEATURES, "region"]
        decided[people] = decided[people].iloc[rng.permutation(len(decided))].reset_index(drop=True)
        asked["is_asked"] = rng.permutation(asked["is_asked"].to_numpy())
        return replace(self, assigned=assigned.astype(dict.fromkeys(outcome, "int64")), decided=decided, asked=asked)


def funnel_rows(seed: int, count: int = 12_000) -> FunnelRows:
    """Assignments, applications and prospects over the 300 days before DAY, oldest first."""
    rng = np.random.default_rng(seed)
    assigned = _people(rng, count)
    z = assigned["trait"].to_numpy()
    channel = rng.choice(CHANNELS, count, p=[0.35, 0.35, 0.3])
    sent = channel != "none"
    clicks = np.where(sent, rng.random(count) < _chance(-0.5 + 2 * z), False)
    asks = rng.random(count) < np.where(clicks, _chance(-0.5 + 2 * z), _chance(-2.5 + 2 * z))
    role = np.where(sent, "policy", "holdout")
    assigned = assigned.assign(prospect_key=[f"p{n:06d}" for n in range(count)], channel=channel, role=role, weight=1.0)
    assigned = assigned.assign(clicks=clicks.astype(int), impressions=sent.astype(int), is_applied=asks.astype(int))
    assigned["assigned_day"] = _days(count)

    decided = _people(rng, count)
    z = decided["trait"].to_numpy()
    approved = rng.random(count) < _chance(0.5 + 2 * z)
    funded = approved & (rng.random(count) < _chance(0.4 + 2 * z))
    late, fraud = (
        funded & (rng.random(count) < _chance(-0.5 - 2 * z)),
        funded & (rng.random(count) < _chance(-1.0 - 2 * z)),
    )
    told = {"is_approved": approved, "is_funded": funded, "is_draw_over": True, "is_late": late, "is_fraud": fraud}
    keys = {"application_id": [f"a{n:06d}" for n in range(count)], "prospect_key": [f"d{n:06d}" for n in range(count)]}
    decided = decided.assign(**told, **keys, is_known=True)
    decided = decided.assign(late_month=np.where(late, 4.0, np.nan), months_observed=np.where(funded, 12.0, np.nan))
    decided = decided.assign(applied_day=_days(count), funded_day=_days(count))

    asked = _people(rng, count)
    is_asked = rng.random(count) < _chance(-2.0 + asked["trait"].to_numpy())
    return FunnelRows(assigned, decided, asked.assign(is_asked=is_asked, known_day=DAY, is_known=True))


def _people(rng: np.random.Generator, count: int) -> pd.DataFrame:
    frame = pd.DataFrame({name: rng.normal(size=count) for name in FEATURES})
    frame = frame.assign(applications_before=np.random.default_rng(count).integers(0, 4, count).astype(float))
    return frame.assign(region=pd.Categorical(rng.choice(["north", "south", "west"], count)))


def _days(count: int) -> pd.Series:
    return pd.Series([DAY - timedelta(days=300 - 300 * at // count) for at in range(count)])


def _chance(z: np.ndarray) -> np.ndarray:
    return np.asarray(1 / (1 + np.exp(-z)))


def fingerprint(learner: Learner) -> str:
    """A digest of every model fitted on the rows of seed 1 and of what they predict for the rows of seed 2."""
    import hashlib

    from jobs.model.training.fits import Fits
    from jobs.model.training.funnel import fit_funnel

    conf, rows, fresh = funnel_conf(learner), funnel_rows(1, 1200), funnel_rows(2, 500)
    fits = Fits()
    for fitted in fit_funnel(rows.assigned, rows.decided, rows.asked, conf):
        fits.add(fitted)
    digest = hashlib.sha256()
    for part in fits.parts():
        digest.update(f"{part.stage}|{part.channel}|{part.scale!r}|".encode() + part.payload)
    funnel = fits.funnel()
    for channel in ("feed_a", "sms"):
        frame = fresh.assigned.assign(channel=channel)
        organic = funnel.organic(frame)
        digest.update(funnel.click(frame, channel).tobytes() + funnel.added(frame, organic, channel).tobytes())
    for stage in ("approve", "fund", "late", "fraud"):
        digest.update(funnel.model(stage, "*").predict(fresh.decided).tobytes())
    return digest.hexdigest()


if __name__ == "__main__":
    import sys

    sys.stdout.write(fingerprint(sys.argv[1]))  # type: ignore[arg-type]
