"""What a market remembers of itself beside its truth: its conf, its summary, whether it is complete."""

from __future__ import annotations

import json
import os
from dataclasses import asdict, dataclass
from datetime import date
from pathlib import Path

from jobs.market.conf import MarketConf
from jobs.market.headline import HeadlineRate
from jobs.market.ladder import Ladder
from jobs.runtime.errors import UsageError

MARKER = "market.json"
UNFINISHED = "unfinished.json"
SETTLE_DAYS = 45  # after the last wave rows still land daily for so long


@dataclass(frozen=True)
class MarketSummary:
    """What `new_market` made, or found made."""

    history_end: date
    rows: dict[str, int]
    headline: list[HeadlineRate]
    ladder: Ladder
    is_reused: bool = False


def read_summary(conf: MarketConf, truth: Path) -> MarketSummary | None:
    """The summary of an equal, complete market in TRUTH; None when there is none."""
    path = truth / MARKER
    if not path.exists():
        return None
    found = json.loads(path.read_text(encoding="utf-8"))
    if found["conf"] != conf.model_dump(mode="json"):
        raise UsageError(f"{path} describes a market with another conf: choose another folder, or remove that market")
    saved = found["summary"]
    ladder = saved["ladder"]
    costs = {name: tuple(ladder[name]) for name in ("shares", "random", "best_channel", "oracle")}
    return MarketSummary(
        history_end=date.fromisoformat(saved["history_end"]),
        rows=saved["rows"],
        headline=[HeadlineRate(**row) for row in saved["headline"]],
        ladder=Ladder(reachable=ladder["reachable"], **costs),
        is_reused=True,
    )


def begin(conf: MarketConf, landing: Path, truth: Path) -> None:
    """Mark TRUTH as unfinished; refuse folders that hold anything but what an equal, interrupted market left."""
    marker, said = truth / UNFINISHED, conf.model_dump_json()
    if marker.exists() and marker.read_text(encoding="utf-8") == said:
        return
    left = sorted(path.name for path in landing.iterdir()) if landing.exists() else []
    if left or marker.exists():
        raise UsageError(f"{landing} already holds {left[:5]}: a new market needs an empty landing and truth folder")
    truth.mkdir(parents=True, exist_ok=True)
    landing.mkdir(parents=True, exist_ok=True)
    marker.write_text(said, encoding="utf-8")


def write_summary(
    conf: MarketConf,
    truth: Path,
    rows: dict[str, int],
    headline: list[HeadlineRate],
    ladder: Ladder,
    history_end: date,
) -> MarketSummary:
    """Write the marker, last of all, and give the summary back."""
    summary = MarketSummary(history_end, rows, headline, ladder)
    saved = {**asdict(summary), "history_end": history_end.isoformat()}
    saved.pop("is_reused")
    write_json(truth / MARKER, {"conf": conf.model_dump(mode="json"), "summary": saved})
    (truth / UNFINISHED).unlink(missing_ok=True)
    return summary


def write_json(path: Path, content: object) -> None:
    """Write JSON so that a reader sees all of it or nothing."""
    temporary = path.with_name("." + path.name)
    temporary.write_text(json.dumps(content, indent=1) + "\n", encoding="utf-8")
    os.replace(temporary, path)


def played_conf(truth: Path) -> MarketConf:
    """The configuration a complete market in TRUTH was made with; UsageError when there is none."""
    path = truth / MARKER
    if not path.exists():
        raise UsageError(f"{truth} holds no complete market: run `huoke market new` first")
    return MarketConf.model_validate(json.loads(path.read_text(encoding="utf-8"))["conf"])
