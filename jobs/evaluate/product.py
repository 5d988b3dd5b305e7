"""The product on a world: its whole chain from landing files to a published plan, asked for several volumes."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from pathlib import Path

import pandas as pd
import pyarrow as pa

from jobs.evaluate.judge import Caps
from jobs.model.training.choice import without_rivals
from jobs.registry import jobs, upstream
from jobs.runtime import export, runner, starter
from jobs.runtime.conf import Conf, load_conf
from jobs.runtime.shell import Shell

UNBOUNDED = Decimal(10) ** 12  # volumes are asked for, so budgets must not bind
PLAN = "audiences"
AT_ONCE = 2  # much of a job is waiting
# No one waits on a pause: the collector that takes the least from the work.
COLLECTOR = {"spark.driver.extraJavaOptions": "-XX:+UseParallelGC"}


@dataclass(frozen=True)
class Forecast:
    """What a published plan promised for all channels together."""

    spend: float
    good: float
    late_rate: float | None
    fraud_rate: float | None
    gap: float | None
    max_violation: float | None
    bounds: dict[str, tuple[float | None, float | None]]  # of spend, good and late_rate: both ends of their intervals


def referee_conf(landing: Path, folder: Path, capacity: dict[str, int], quota: Mapping[str, int] | None) -> Conf:
    """A starter conf of the landing files, with the truth's capacities and quotas, and everybody open to the plan.

    Without quotas no partner is chosen.

    Nobody is held out and nobody explores: the ladder compares where people are put, at equal volume.
    """
    home = folder / "conf"
    if not home.is_dir():
        starter.write(starter.look(landing), home, landing, folder / "warehouse")
    conf = without_rivals(load_conf(home))  # no card is looked at
    channels = {
        name: channel.model_copy(update={"capacity": capacity.get(name, 0), "budget": UNBOUNDED, "min_audience": 0})
        for name, channel in conf.channels.items()
    }
    partners = {
        name: partner.model_copy(update={"quota": (quota or {}).get(name, partner.quota)})
        for name, partner in conf.partners.items()
    }
    policy = conf.policy.model_copy(update={"holdout_share": 0.0, "exploration_share": 0.0, "min_audience": 0})
    spark = conf.base.spark.model_copy(update={"settings": COLLECTOR | conf.base.spark.settings})
    plan = conf.base.plan.model_copy(update={"partners": "off" if quota is None else "choose"})
    base = conf.base.model_copy(update={"spark": spark, "plan": plan})
    return conf.model_copy(update={"base": base, "channels": channels, "partners": partners, "policy": policy})


def asked_for(conf: Conf, good: float, caps: Caps) -> Conf:
    """The same conf asked for a volume at least spend, under caps."""
    plan = conf.base.plan.model_copy(
        update={
            "objective": "volume",
            "good_floor": good,
            "max_late_rate": caps.late,
            "max_fraud_rate": caps.fraud,
            "budget": None,
        }
    )
    return conf.model_copy(update={"base": conf.base.model_copy(update={"plan": plan})})


class Product:
    """One warehouse, its chain run once, its plan as often as asked."""

    def __init__(self, shell: Shell, conf: Conf, day: date, say: Callable[[str], None]) -> None:
        self._shell, self._conf, self._day, self._say = shell, conf, day, say
        self._warehouse: Path = shell.store.root
        self._keys: pd.Series[str] | None = None

    def train(self) -> None:
        """Everything the plan reads; what is there already and unchanged is kept."""
        wanted, left = set[str](), [PLAN]
        while left:
            more = set(upstream(jobs(), left.pop())) - wanted
            wanted |= more
            left += sorted(more)
        for step in runner.run(self._shell, runner.plan([self._day], sorted(wanted)), at_once=AT_ONCE):
            self._say(step.line())

    def prospect_ids(self) -> pd.Series[str]:
        """The prospects' own ids by key."""
        if self._keys is None:
            out = self._warehouse / "keys.parquet"
            export.write_keys(self._warehouse, out)
            frame = pd.read_parquet(out)
            out.unlink()
            self._keys = frame.set_index("prospect_key")["prospect_id"]
        return self._keys

    def plan(self, good: float, caps: Caps) -> tuple[pd.DataFrame, Forecast]:
        """The list published when asked for a volume (prospect_id, channel), and what the plan promised of it."""
        shell = self._shell
        conf = asked_for(self._conf, good, caps)
        asked = Shell(shell.store.root, shell.landing.root, conf, shell.keys, shell.spark)
        for step in runner.run(asked, runner.plan([self._day], [PLAN])):
            self._say(f"asked for {good:.4g} good customers: {step.line()}")
        found = export.find(self._warehouse, PLAN, self._day)
        rows = pa.Table.from_batches(list(found.batches()), schema=found.schema).to_pandas()
        rows["prospect_id"] = rows["prospect_key"].map(self.prospect_ids())
        told = export.head(export.find(self._warehouse, "channel_plan", self._day), None)
        whole = next(row for row in told if row["channel"] == "(all)")
        return rows[rows["channel"] != "none"], Forecast(
            spend=float(whole["expected_spend"]),
            good=float(whole["expected_good"]),
            late_rate=whole["expected_late_rate"],
            fraud_rate=whole["expected_fraud_rate"],
            gap=whole["gap"],
            max_violation=whole["max_violation"],
            bounds={
                name: (whole[f"expected_{name}_lo"], whole[f"expected_{name}_hi"])
                for name in ("spend", "good", "late_rate")
            },
        )
