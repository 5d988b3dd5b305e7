"""Configuration: YAML a deployment changes, checked as a whole, every problem reported at once."""

from __future__ import annotations

import hashlib
import json
from datetime import date
from pathlib import Path
from typing import Any, TypeVar

import yaml
from pydantic import BaseModel, Field, ValidationError

from jobs.runtime.errors import UsageError
from jobs.runtime.settings import BaseConf, ChannelConf, MetricConf, PartnerConf, PolicyConf, SegmentConf, Strict


class Conf(Strict):
    """The whole configuration of a deployment."""

    base: BaseConf
    channels: dict[str, ChannelConf]
    partners: dict[str, PartnerConf] = Field(default_factory=dict)
    segments: dict[str, SegmentConf] = Field(default_factory=dict)
    policy: PolicyConf = PolicyConf()
    metrics: dict[str, MetricConf] = Field(default_factory=dict)

    @property
    def account_zones(self) -> dict[str, str]:
        """The time zone a channel's account is billed by, where conf says so."""
        return {name: channel.time_zone for name, channel in self.channels.items() if channel.time_zone is not None}

    @property
    def numeric_features(self) -> tuple[str, ...]:
        """Declared numeric prospect features, in the order of conf."""
        return tuple(name for name, kind in self.base.features.items() if kind == "numeric")

    @property
    def categorical_features(self) -> tuple[str, ...]:
        """Declared categorical prospect features, in the order of conf."""
        return tuple(name for name, kind in self.base.features.items() if kind == "categorical")

    def print(self) -> str:
        """A short hash of every setting that can change a result (not paths, not how Spark is reached)."""
        content = self.model_dump(mode="json")
        for key in ("landing", "warehouse", "memberships", "spark"):
            content["base"].pop(key)
        return hashlib.sha256(json.dumps(content, sort_keys=True, default=str).encode()).hexdigest()[:16]


Model = TypeVar("Model", bound=BaseModel)


def load_conf(folder: Path, overlay: str | None = None) -> Conf:
    """Read and check a conf folder; `overlay` names a file like `prod` whose keys override base.yaml's.

    Raises UsageError with every problem of every file, one a line.
    """
    problems: list[str] = []
    if not (folder / "base.yaml").is_file():
        raise UsageError(f"{folder}/base.yaml is missing; run `huoke init --landing DIR --conf {folder}` to write one")
    base = _read(folder / "base.yaml", problems)
    if overlay:
        base = _merge(base, _read(folder / f"{overlay}.yaml", problems))
    content: dict[str, Any] = {"base": _model(BaseConf, base, folder / "base.yaml", problems)}
    content["channels"] = _folder(ChannelConf, folder / "channels", problems)
    content["partners"] = _folder(PartnerConf, folder / "partners", problems)
    content["segments"] = _folder(SegmentConf, folder / "segments", problems)
    if (folder / "policy.yaml").is_file():
        content["policy"] = _model(
            PolicyConf, _read(folder / "policy.yaml", problems), folder / "policy.yaml", problems
        )
    if (folder / "metrics.yaml").is_file():
        metrics = _read(folder / "metrics.yaml", problems)
        content["metrics"] = {
            k: _model(MetricConf, v, folder / "metrics.yaml", problems, k) for k, v in metrics.items()
        }
    if not problems:
        problems += _contradictions(content)
    if problems:
        raise UsageError(
            f"{len(problems)} problem(s) in {folder}; mend each and run `huoke validate`:\n" + "\n".join(problems)
        )
    return Conf.model_validate(content)


def _contradictions(content: dict[str, Any]) -> list[str]:
    forbidden = set(content["policy"].forbidden_attributes) if "policy" in content else set()
    found = sorted(forbidden & set(content["base"].features))
    problems = [f"base.yaml: features.{name}: policy.yaml forbids this attribute; remove it" for name in found]
    if not content["channels"]:
        problems.append("channels/: no channel is configured; add channels/<name>.yaml")
    return problems


def _folder(model: type[Model], folder: Path, problems: list[str]) -> dict[str, Model]:
    files = sorted(folder.glob("*.yaml")) if folder.is_dir() else []
    read = {file.stem: _model(model, _read(file, problems), file, problems) for file in files}
    return {name: value for name, value in read.items() if value is not None}


def _read(file: Path, problems: list[str]) -> dict[str, Any]:
    try:
        content = yaml.safe_load(file.read_text(encoding="utf-8")) or {}
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        problems.append(f"{file.parent.name}/{file.name}: cannot be read ({type(error).__name__}); mend the YAML")
        return {}
    if not isinstance(content, dict):
        problems.append(f"{file.parent.name}/{file.name}: holds a {type(content).__name__}; write keys and values")
        return {}
    return content


def _model(model: type[Model], content: Any, file: Path, problems: list[str], prefix: str = "") -> Model | None:
    try:
        return model.model_validate(content)
    except ValidationError as error:
        for item in error.errors():
            place = ".".join([*filter(None, [prefix]), *map(str, item["loc"])])
            problems.append(f"{file.parent.name}/{file.name}: {place}: {item['msg']}")
        return None


def _merge(base: dict[str, Any], over: dict[str, Any]) -> dict[str, Any]:
    merged = dict(base)
    for key, value in over.items():
        both = isinstance(value, dict) and isinstance(merged.get(key), dict)
        merged[key] = _merge(merged[key], value) if both else value
    return merged


def period_start(day: date, period: str) -> date:
    """The first day of the budget period that holds `day`."""
    if period == "day":
        return day
    if period == "week":
        return date.fromordinal(day.toordinal() - day.weekday())
    if period == "month":
        return day.replace(day=1)
    return day.replace(month=day.month - (day.month - 1) % 3, day=1)
