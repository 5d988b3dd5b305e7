"""A starter configuration from what a landing folder holds: channels, features, budgets as past spend, partners."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa
import pyarrow.csv as pacsv
import pyarrow.parquet as pq
import yaml

from jobs.runtime.errors import DataRefused, UsageError
from jobs.runtime.settings import IDENTIFIERS
from jobs.runtime.store import write_whole

SAMPLE_ROWS = 20_000
MAX_LEVELS = 200
NOT_FEATURES = {"prospect_id", "region", "registered_at"}
NOT_CREATIVE_FEATURES = {"creative", "channel", "placement", "format", "first_day"}
SAFE = re.compile(r"^[A-Za-z0-9][A-Za-z0-9_.-]*$")
CLICKS = {"click", "visit", "call"}


@dataclass
class Starter:
    """What was found, ready to be written as YAML, with notes for the reader."""

    base: dict[str, Any]
    channels: dict[str, dict[str, Any]]
    partners: list[str]
    policy: dict[str, Any]
    notes: list[str] = field(default_factory=list)


def look(landing: Path) -> Starter:
    """Read a landing folder's shape and its money, without keeping anything that grows with people.

    Raises DataRefused when there are no prospects or no channel.
    """
    files = {folder.name: _files(folder) for folder in sorted(landing.iterdir()) if folder.is_dir()}
    if not files.get("prospects"):
        raise DataRefused(f"{landing}: no prospects have landed; put LANDING/prospects/day=YYYY-MM-DD/*.parquet there")
    notes: list[str] = []
    features = _features(files["prospects"][-1], NOT_FEATURES, notes)
    identifiers = _identifiers(files["prospects"][-1])
    spend = _spend(files.get("spend", []))
    waves, roles = _waves(files.get("assignments", []))
    kinds = _kinds(files.get("touches", []))
    names = sorted((set(waves) | set(spend["channel"]) | set(kinds)) - {"none"})
    if not names:
        raise DataRefused(f"{landing}: no assignments, touches or spend name a channel; land one of them first")
    if unsafe := [name for name in names if not SAFE.match(name)]:
        raise DataRefused(f"{landing}: channel names {unsafe} cannot name a file; use letters, digits, _ . - only")
    currency = _base_currency(files, spend)
    channels = {n: _channel(n, spend, waves, kinds.get(n, set()), currency, identifiers, notes) for n in names}
    creatives = _features(files["creatives"][-1], NOT_CREATIVE_FEATURES, notes) if files.get("creatives") else {}
    if not files.get("consents"):
        notes.append("no consents have landed: consent is unknown, and nothing will be sent until they do")
    if "holdout" not in roles:
        notes.append("no assignment is a holdout: organic demand is a guess until the first holdout has run")
    plan = {"value_of_good": _value_of_good(files.get("loans", []), notes)}
    base = {"currency": currency, "features": features, "creative_features": creatives, "plan": plan}
    return Starter(base, channels, _partners(files.get("applications", [])), {"consent": "required"}, notes)


def write(starter: Starter, conf: Path, landing: Path, warehouse: Path) -> list[Path]:
    """Write the starter as YAML files; UsageError when the folder holds a configuration already."""
    if (conf / "base.yaml").exists():
        raise UsageError(f"{conf}/base.yaml is there already; name an empty folder with --conf, or edit what is there")
    segment = {"predicate": "true", "owner": "growth", "purpose": "marketing", "doc": "Everybody who can be addressed."}
    contents: dict[str, Any] = {
        "base.yaml": {"landing": str(landing), "warehouse": str(warehouse), **starter.base},
        "policy.yaml": starter.policy,
        "segments/everyone.yaml": segment,
    }
    contents |= {f"channels/{name}.yaml": content for name, content in starter.channels.items()}
    contents |= {f"partners/{name}.yaml": {} for name in starter.partners}
    written = []
    for name, content in contents.items():
        path = conf / name
        path.parent.mkdir(parents=True, exist_ok=True)
        write_whole(path, yaml.safe_dump(content, sort_keys=False, allow_unicode=True))
        written.append(path)
    metrics = Path(__file__).resolve().parents[2] / "conf" / "metrics.yaml"
    if metrics.is_file():
        write_whole(conf / "metrics.yaml", metrics.read_text(encoding="utf-8"))
        written.append(conf / "metrics.yaml")
    return written


def _files(folder: Path) -> list[Path]:
    found = [f for f in folder.glob("day=*/*") if f.name.endswith((".parquet", ".csv", ".csv.gz"))]
    return sorted(found, key=lambda f: (f.parent.name, f.name))


def _batches(file: Path, columns: list[str]) -> Iterator[pd.DataFrame]:
    try:
        if file.suffix == ".parquet":
            parquet = pq.ParquetFile(file)
            there = [c for c in columns if c in parquet.schema_arrow.names]
            for batch in parquet.iter_batches(100_000, columns=there):
                yield batch.to_pandas().reindex(columns=columns)
        else:
            texts = pacsv.ConvertOptions(column_types={c: pa.string() for c in columns}, strings_can_be_null=True)
            for batch in pacsv.open_csv(file, convert_options=texts):
                yield batch.to_pandas().reindex(columns=columns)
    except (pa.ArrowException, OSError) as error:
        place = "/".join(file.parts[-3:])
        raise DataRefused(f"{place}: cannot be read ({type(error).__name__}); `huoke validate` says more") from error


def _sample(file: Path) -> pa.Table:
    if file.suffix == ".parquet":
        return (
            pa.Table.from_batches(list(pq.ParquetFile(file).iter_batches(SAMPLE_ROWS))[:1])
            if pq.read_metadata(file).num_rows
            else pq.read_table(file)
        )
    with pacsv.open_csv(file, convert_options=pacsv.ConvertOptions(strings_can_be_null=True)) as reader:
        return pa.Table.from_batches([reader.read_next_batch()])


def _features(file: Path, known: set[str], notes: list[str]) -> dict[str, str]:
    found: dict[str, str] = {}
    for name, column in zip((sample := _sample(file)).column_names, sample.columns, strict=True):
        if name in known or name.startswith("id_"):
            continue
        kind = column.type
        if pa.types.is_integer(kind) or pa.types.is_floating(kind) or pa.types.is_decimal(kind):
            found[name] = "numeric"
        elif (
            pa.types.is_string(kind)
            or pa.types.is_large_string(kind)
            or pa.types.is_boolean(kind)
            or pa.types.is_dictionary(kind)
        ):
            levels = len(column.unique())
            if levels <= MAX_LEVELS:
                found[name] = "categorical"
            else:
                notes.append(f"column {name} has over {MAX_LEVELS} levels and was not taken as a feature")
        else:
            notes.append(f"column {name} is a {kind} and was not taken as a feature")
    return found


def _identifiers(file: Path) -> list[str]:
    names = _sample(file).column_names
    there: list[str] = [kind for kind in IDENTIFIERS if f"id_{kind}" in names or f"id_{kind}_sha256" in names]
    preferred: list[str] = [kind for kind in ("phone", "email") if kind in there]
    return preferred or there


def _spend(files: list[Path]) -> pd.DataFrame:
    columns = ["spend_day", "channel", "campaign", "ad_group", "creative", "cost", "currency", "clicks", "impressions"]
    parts = [batch for file in files for batch in _batches(file, columns)]
    if not parts:
        return pd.DataFrame(columns=[*columns, "month"])
    # Later landing days come last, so the restatement in force is the one kept.
    rows = pd.concat(parts, ignore_index=True).drop_duplicates(columns[:5], keep="last")
    numbers = {name: pd.to_numeric(rows[name], errors="coerce").fillna(0) for name in ("cost", "clicks", "impressions")}
    return rows.assign(**numbers, month=rows["spend_day"].astype(str).str[:7])


def _waves(files: list[Path]) -> tuple[dict[str, int], set[str]]:
    sizes: Counter[tuple[str, str]] = Counter()
    roles: set[str] = set()
    for file in files:
        for batch in _batches(file, ["channel", "assigned_day", "role"]):
            pairs = zip(batch["channel"].astype(str), batch["assigned_day"].astype(str), strict=True)
            sizes.update(pairs)
            roles |= set(batch["role"].dropna().unique())
    largest: dict[str, int] = {}
    for (channel, _), size in sizes.items():
        largest[channel] = max(largest.get(channel, 0), int(size))
    return largest, roles


def _kinds(files: list[Path]) -> dict[str, set[str]]:
    found: dict[str, set[str]] = {}
    for file in files:
        for batch in _batches(file, ["channel", "kind"]):
            for channel, kind in batch.drop_duplicates().dropna().itertuples(index=False):
                found.setdefault(channel, set()).add(kind)
    return found


def _base_currency(files: dict[str, list[Path]], spend: pd.DataFrame) -> str:
    seen: Counter[str] = Counter()
    for table in ("loans", "applications"):
        for file in files.get(table, [])[-5:]:
            for batch in _batches(file, ["currency"]):
                seen.update(batch["currency"].dropna().astype(str).tolist())
    if not seen:
        seen.update(spend["currency"].dropna().astype(str).tolist())
    if not seen:
        raise DataRefused(
            "no loans, applications or spend say a currency; land one of them, or write base.yaml by hand"
        )
    return seen.most_common(1)[0][0]


def _channel(
    name: str,
    spend: pd.DataFrame,
    waves: dict[str, int],
    kinds: set[str],
    currency: str,
    identifiers: list[str],
    notes: list[str],
) -> dict[str, Any]:
    own = spend[spend["channel"] == name]
    billed = own["currency"].dropna()
    months = max(own["month"].nunique(), 1)
    budget = Decimal(str(round(float(own["cost"].sum()) / months, 2)))
    if own.empty:
        notes.append(f"channel {name} has no spend: its budget is 0, so nothing is planned on it until you set one")
    if not waves.get(name):
        notes.append(
            f"channel {name} has no assignments: its capacity is 0, so nothing is planned on it until you set one"
        )
    return {
        "adapter": "file_drop",
        "identifiers": identifiers,
        "billing": "message" if "message" in kinds else _billed_unit(own, bool(kinds & CLICKS)),
        "capacity": waves.get(name, 0),
        "budget": float(budget),
        "currency": billed.mode().iat[0] if len(billed) else currency,
        "period": "month",
    }


def _billed_unit(own: pd.DataFrame, has_clicks: bool) -> str:
    """Click or impression: the one whose number cost follows more closely from row to row."""
    paid = own[own["cost"] > 0]
    missed = {}
    for unit in ("clicks", "impressions"):
        total = float(paid[unit].sum())
        if total > 0:
            implied = paid[unit] * (float(paid["cost"].sum()) / total)
            missed[unit] = float((paid["cost"] - implied).abs().sum())
    if not missed:
        return "click" if has_clicks else "impression"
    return min(missed, key=lambda unit: (missed[unit], unit)).removesuffix("s")


def _value_of_good(files: list[Path], notes: list[str]) -> float:
    total, loans = 0.0, 0
    for file in files:
        for batch in _batches(file, ["principal", "apr", "term_months"]):
            numbers = batch.apply(pd.to_numeric, errors="coerce").dropna()
            # Interest on a balance that falls in a straight line.
            total += float((numbers["principal"] * numbers["apr"] * numbers["term_months"] / 24).sum())
            loans += len(numbers)
    if not loans:
        notes.append("no loans with rate and term have landed: value_of_good is a guess, set it in base.yaml")
        return 500.0
    return max(round(total / loans, 2), 0.01)


def _partners(files: list[Path]) -> list[str]:
    found: set[str] = set()
    for file in files:
        for batch in _batches(file, ["partner"]):
            found |= set(batch["partner"].dropna().unique())
    return sorted(name for name in found if SAFE.match(str(name)))


def newest_day(landing: Path) -> date | None:
    """The latest landed day of any table; None when nothing has landed."""
    days = [p.name[4:] for p in landing.glob("*/day=*") if re.fullmatch(r"day=\d{4}-\d{2}-\d{2}", p.name)]
    return date.fromisoformat(max(days)) if days else None
