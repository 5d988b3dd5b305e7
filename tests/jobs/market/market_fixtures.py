"""What the market's tests share: a small conf, a folder's digests, an audience of everybody."""

from __future__ import annotations

import hashlib
from datetime import date
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow.parquet as pq

from jobs.market.conf import MarketConf, read_market_conf

CONF = Path(__file__).parents[3] / "conf" / "market.yaml"


def small_conf(family: str | None = None, **changes: object) -> MarketConf:
    """The default market, or one of a family, with 2,000 people and half a year of waves."""
    path = None if family is None else CONF.parent / "families" / f"{family}.yaml"
    return read_market_conf(CONF, path, **{"people": 2000, "months": 6, "book_months": 13, "daily_days": 40, **changes})


def digest(root: Path) -> dict[str, str]:
    """The SHA-256 of every file below a folder."""
    return {
        str(path.relative_to(root)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(root.rglob("*"))
        if path.is_file()
    }


def everybody(truth: Path, day: date, share: float = 1.0, step: int = 1) -> pd.DataFrame:
    """Audience rows over the market's prospects in file order, channels in turn."""
    ids = pq.read_table(truth / "people.parquet").column("prospect_id").to_pandas()
    names = pq.read_table(truth / "arms.parquet").column("channel").to_pandas().unique()
    ids = ids[: int(len(ids) * share) : step]
    channel = names[(ids.index.to_numpy() * 7 // 3) % len(names)]
    return pd.DataFrame(
        {
            "day": day,
            "audience": np.char.add("all-", channel.astype(str)),
            "channel": channel,
            "prospect_id": ids.to_numpy(),
            "role": "policy",
            "propensity": 1.0 / len(names),
        }
    )
