"""What a sample market is made of: people, channels, features and the calendar, as one checked model."""

from __future__ import annotations

import calendar
from datetime import date
from pathlib import Path
from typing import Annotated, Any, Literal

import yaml
from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from jobs.runtime.errors import UsageError

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
    price_impact: Share = 0.0  # elasticity of its price to how many are put on it, against the usual load
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


class EffectConf(Strict):
    """A departure from log-linear: `add` x the product of traits `times`, where every trait lies in its range.

    On the log scale for click, apply and price, the logit scale for the others; `affinity` is the channel's own,
    standardised.
    """

    moves: Literal["click", "apply", "price", "organic", "approve", "fund", "late"]
    add: float
    times: tuple[str, ...] = ()
    above: dict[str, float] = {}
    below: dict[str, float] = {}
    channels: tuple[Name, ...] = ()  # empty: every channel


class DriftConf(Strict):
    """What changes with time; months count back from the end of history."""

    macro_sd: float = Field(default=0.0, ge=0.0)  # of the logit of lateness, a stationary AR(1) by quarter of funding
    macro_persistence: Share = 0.7
    shock: float = 0.0  # added to that logit from `shock_months` before the end on
    shock_months: int = 9
    price_inflation: float = 0.0  # a quarter, relative
    creative_decay: Share = 0.0  # of a creative's pull, a month since it began
    broken_feature: str | None = None  # a numeric feature whose unit changes
    broken_factor: float = 100.0
    broken_months: int = 2


class PartnersConf(Strict):
    """Funding institutions drawn for a market, each with a product, regions, an appetite for risk, quota and price."""

    count: int = Field(default=0, ge=0, le=500)  # 0: the named partners, alike in everything
    serves: Share = 0.6  # share of regions each serves
    level_sd: float = 0.7  # of the logit of approval
    slope_sd: float = 0.4  # of the log of how steeply approval falls with the view of risk
    fit: float = 0.6  # logit of drawdown gained when the product meets the person's need, half of it lost when not
    quota: Positive = 3.0  # quotas together, in multiples of what an even split would fund a wave
    price: tuple[float, float] = (120.0, 480.0)  # paid to the lender's platform for a funded loan, base currency


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
    annoyance: Share = 0.6  # of what a sleeping dog would have applied for unasked, lost when an ad reaches it
    effects: tuple[EffectConf, ...] = ()


class BandConf(Strict):
    """Where a headline rate should lie, and who says so."""

    low: float
    high: float
    source: str


class BookBands(Strict):
    """The bands of the rates a family may set otherwise than the usual book."""

    late: BandConf = BandConf(
        low=0.0235,
        high=0.0668,
        source="Qifu 90 days 2.35 % of balance (2023 Q4); Give Me Some Credit 6.68 % of borrowers in two years",
    )
    fraud: BandConf = BandConf(low=0.002, high=0.016, source="0.2 % claimed by lenders; 1.6 % in the small study")


class MarketConf(Strict):
    """A whole market; the same conf gives the same bytes."""

    family: Name = "sample"
    people: int = Field(default=50_000, ge=500, le=5_000_000)
    seed: int = 7
    history_end: date = date(2026, 5, 31)
    months: int = Field(default=12, ge=2, le=24)
    book_months: int = Field(default=18, ge=1, le=36)  # registration era before the first wave
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
    load_swing: float = Field(default=0.0, ge=0.0)  # sd of the log of a channel's share of a wave
    usual_load: Positive = 0.6  # of a channel's capacity: where its price is the one given
    sleeping_dogs: Share = 0.0
    detour_channel: Name | None = None  # where a share of those an ad won look first, and click again
    detour_share: Share = 0.0
    late_postbacks: Share = 0.02
    duplicated_postbacks: Share = 0.015
    creatives_per_channel: int | None = None  # None: by size of the market, 8 to 25
    new_creative_share: Share = 0.0  # creatives that begin after the first wave, the newest after the last
    bands: BookBands = BookBands()
    drift: DriftConf = DriftConf()
    finance: PartnersConf = PartnersConf()
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
        if self.detour_channel is not None and self.detour_channel not in names:
            raise ValueError(f"detour_channel {self.detour_channel!r} is none of the channels {names}")
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


def read_market_conf(path: Path, family: Path | None = None, **changes: object) -> MarketConf:
    """The conf in a YAML file, under a family's changes to it where given, with top-level keys replaced by `changes`.

    A family's file holds changes: its mappings change mappings key by key, and a mapping in place of a list of named
    things changes those by name, `*` all of them, a name not there before adding one. It may begin from another
    family, the one it is `like`. Raises UsageError for no such family or file.
    """
    if not path.is_file():
        raise UsageError(f"{path} is missing; run in a folder whose conf/ has it, or name that conf with --conf")
    raw = _read(path)
    if family is not None:
        if not family.is_file():
            known = sorted(found.stem for found in family.parent.glob("*.yaml"))
            raise UsageError(f"{family} is not there: the families are {known}")
        raw = _changed(raw, {**_family(family), "family": family.stem})
    return MarketConf.model_validate({**raw, **changes})


def _read(path: Path) -> dict[str, Any]:
    with path.open(encoding="utf-8") as file:
        return dict(yaml.safe_load(file) or {})


def _family(path: Path) -> dict[str, Any]:
    """A family's changes, over those of the family it is `like`."""
    raw = _read(path)
    like = raw.pop("like", None)
    return raw if like is None else dict(_changed(_family(path.with_name(f"{like}.yaml")), raw))


def _changed(base: Any, change: Any) -> Any:
    """`base` under `change`."""
    if isinstance(base, list) and isinstance(change, dict):
        names = [item["name"] for item in base]
        more = [{"name": name, **what} for name, what in change.items() if name != "*" and name not in names]
        everywhere = change.get("*", {})
        return [_changed(_changed(item, everywhere), change.get(item["name"], {})) for item in base] + more
    if isinstance(base, dict) and isinstance(change, dict):
        return {**base, **{key: _changed(base.get(key), value) for key, value in change.items()}}
    return change
