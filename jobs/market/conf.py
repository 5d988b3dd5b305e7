"""What a sample market is made of: people, channels, features and the calendar, as one checked model."""

from __future__ import annotations

import calendar
from datetime import date
from pathlib import Path
from typing import Annotated, Literal

import yaml
from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

Share = Annotated[float, Field(ge=0.0, le=1.0)]
Positive = Annotated[float, Field(gt=0.0)]
Name = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]*$")]


class Strict(BaseModel):
    """A conf model that refuses unknown keys."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class ChannelConf(Strict):
    """One media channel: how many it reaches, how they respond, what it charges (money in `currency`, major units)."""

    name: Name
    reach: Share
    exposures: Positive  # mean impressions or messages per reached person and wave
    ctr: Share
    click_to_apply: Share
    price: Positive  # per click, per thousand impressions or per person reached, as `cost_model` says
    cost_model: Literal["cpc", "cpm", "contact"] = "cpc"
    capacity: Share  # people on the audience per wave, as a share of all people
    match_rate: Share
    harvest: Share = 0.0  # share of organic demand that comes through the ad instead when reached
    currency: str | None = None  # None: the market's own
    touch_id: Literal["device", "cookie", "phone"] = "device"
    placements: tuple[str, ...] = ("main",)
    is_campaign_level: bool = False  # spend is reported without ad group and creative
    ctr_band: tuple[float, float] | None = None
    click_to_apply_band: tuple[float, float] | None = None
    price_band: tuple[float, float] | None = None
    band_source: str = ""


class FeatureConf(Strict):
    """One prospect feature: a noisy linear view of hidden traits, numeric or cut into levels."""

    name: Name
    of: dict[str, float] = {}
    noise: float = 1.0
    mean: float = 0.0
    scale: float = 1.0
    form: Literal["linear", "exp", "count"] = "linear"
    levels: tuple[str, ...] = ()  # not empty: cut at equal quantiles into these categories
    nulls: Share = 0.0


class ResponseConf(Strict):
    """How hidden traits move clicks, applications, prices, approval, drawdown and lateness (log or logit scale)."""

    reach_trait: float = 0.3
    reach_affinity: float = 0.2
    click_intent: float = 0.25
    click_affinity: float = 0.6
    click_taste: float = 0.3
    apply_intent: float = 0.4
    apply_affinity: float = 0.2
    price_intent: float = 0.30
    price_risk: float = -0.45
    price_noise: float = 0.25
    organic: tuple[float, float] = (-6.9, 1.2)
    approve: tuple[float, float] = (-1.54, -1.0)
    fund: tuple[float, float] = (0.41, -0.15)
    late: tuple[float, float, float] = (-3.35, 1.05, 0.10)


class MarketConf(Strict):
    """A whole market; the same conf gives the same bytes."""

    people: int = Field(default=50_000, ge=500, le=5_000_000)
    seed: int = 7
    history_end: date = date(2026, 5, 31)
    months: int = Field(default=12, ge=2, le=24)
    book_months: int = Field(default=18, ge=13, le=36)  # registration era before the first wave
    currency: str = "CNY"
    fx: dict[str, float] = {}  # mean rate of other currencies to `currency`
    phone_prefix: str = "+86100"
    regions: tuple[str, ...] = ("north", "south", "east", "west", "centre")
    partners: tuple[str, ...] = ("partner_one", "partner_two", "partner_three")
    file_format: Literal["parquet", "csv", "csv.gz"] = "parquet"
    daily_days: int = Field(default=45, ge=0)  # last days of history that land daily; older ones land monthly
    snapshot_months: int = Field(default=3, ge=1)
    hashed_share: Share = 0.3  # prospects whose phone and e-mail come only as SHA-256
    duplicate_share: Share = 0.04  # people with a second prospect record
    shared_device_share: Share = 0.08
    cookie_churn: Share = 0.03  # per month
    ring_share: Share = 0.0025
    ring_size: Positive = 12.0
    book_applications: Share = 0.8  # share of people who apply when they register
    wave_share: Share = 0.75
    exploration_share: Share = 0.05
    holdout_share: Share = 0.10
    unknown_share: Share = 0.05
    late_postbacks: Share = 0.02
    duplicated_postbacks: Share = 0.015
    creatives_per_channel: int | None = None  # None: by size of the market, 8 to 25
    response: ResponseConf = ResponseConf()
    channels: tuple[ChannelConf, ...] = Field(min_length=1)
    features: tuple[FeatureConf, ...] = ()

    @field_validator("history_end")
    @classmethod
    def _month_end(cls, day: date) -> date:
        if day.day != calendar.monthrange(day.year, day.month)[1]:
            raise ValueError("history_end must be the last day of a month, because waves and statements are monthly")
        return day

    @model_validator(mode="after")
    def _names_meet(self) -> MarketConf:
        names = [channel.name for channel in self.channels]
        if len(set(names)) != len(names):
            raise ValueError(f"channel names repeat: {names}")
        missing = sorted({c.currency for c in self.channels if c.currency} - set(self.fx) - {self.currency})
        if missing:
            raise ValueError(f"fx lacks a rate for {missing}: channels bill in these currencies")
        if self.exploration_share + self.holdout_share + self.unknown_share > 0.9:
            raise ValueError("exploration_share + holdout_share + unknown_share leave nothing for the incumbent policy")
        return self

    @property
    def creative_count(self) -> int:
        """Creatives per channel."""
        return self.creatives_per_channel or int(min(25, max(8, self.people // 40_000)))


def read_market_conf(path: Path, **changes: object) -> MarketConf:
    """The conf in a YAML file, with top-level keys replaced by `changes`."""
    with path.open(encoding="utf-8") as file:
        return MarketConf.model_validate({**yaml.safe_load(file), **changes})
