"""What a deployment may set, part by part: one model a kind of file, each refusing what it does not know."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any, Literal
from zoneinfo import available_timezones

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

IDENTIFIERS = ("phone", "email", "device", "cookie", "click", "national", "account")
IdentifierType = Literal["phone", "email", "device", "cookie", "click", "national", "account"]


class Strict(BaseModel):
    """A model that refuses unknown keys and does not change after it is read."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class SparkConf(Strict):
    """How to reach Spark and how much of it to take."""

    master: str = "local[2]"
    driver_memory: str = "3g"
    shuffle_partitions: int = Field(4, ge=1)
    settings: dict[str, str] = {}


Learner = Literal["logistic", "boosted", "blend", "scorecard"]
Stage = Literal["click", "apply", "organic", "approve", "fund", "late", "fraud"]
Challenger = Literal["refuse", "replace", "off"]
OfPeople = Literal["click", "apply", "approve", "fund", "late", "fraud"]  # stages that read a person's features


class TrainingConf(Strict):
    """What a fit may see and which learner it uses: `stages` by stage, else `default_learner` for late and fraud.

    `directions`, a stage: how its event runs along a number where a scorecard may not decide by itself. `compare`:
    learners whose gap to the chosen one every card tells. `challenger`: what becomes of a model that does worse than
    the one in force: refused, taken all the same and told, or not compared. `halvings`: how often models are learned
    from either half of the people, to tell how far plans may be off; 0 leaves their error out of the intervals.
    """

    learner: Learner = "logistic"
    default_learner: Learner = "logistic"
    stages: dict[Stage, Learner] = {}
    directions: dict[OfPeople, dict[str, Literal["rising", "falling"]]] = {}
    compare: tuple[Learner, ...] = ("boosted", "scorecard")
    challenger: Challenger = "refuse"
    halvings: int = Field(4, ge=0, le=50)
    max_rows: int = Field(1_500_000, ge=1000)
    window_days: int = Field(540, ge=30)
    min_positives: int = Field(30, ge=1)
    calibration_days: int = Field(60, ge=0)
    seed: int = 7
    clusters: int = Field(6, ge=2, le=50)
    bands: int = Field(8, ge=2, le=26)
    affinity_components: int = Field(8, ge=2, le=256)
    affinity_epochs: int = Field(6, ge=1, le=200)

    @field_validator("challenger", mode="before")
    @classmethod
    def _off_is_a_word(cls, value: Any) -> Any:
        return "off" if value is False else value  # YAML reads a bare `off` as false


class PlanConf(Strict):
    """What a plan is asked for: most value under budgets, or a volume at least spend.

    `partners`: each listed person's partner is chosen with the channel where what partners pass was learned, or drawn
    among those that take the person (off).
    """

    objective: Literal["value", "volume"] = "value"
    good_floor: float | None = Field(None, gt=0)
    max_late_rate: float | None = Field(None, gt=0, lt=1)
    max_fraud_rate: float | None = Field(None, gt=0, lt=1)
    late_confidence: float = Field(
        0.95, ge=0.5, lt=1, description="how surely plans keep caps on lateness; 0.5 asks for just the cap"
    )
    value_of_good: Decimal = Field(Decimal(500), gt=0)
    budget: Decimal | None = Field(None, ge=0)
    max_gap: float = Field(1e-4, gt=0)
    partners: Literal["choose", "off"] = "off"

    @field_validator("partners", mode="before")
    @classmethod
    def _off_is_a_word(cls, value: Any) -> Any:
        return "off" if value is False else value  # YAML reads a bare `off` as false


class LinkConf(Strict):
    """When an identifier or an application is no longer trusted to say something."""

    max_shared: int = Field(5, ge=2, description="prospects that may share a strong identifier and still be one person")
    pending_days: int = Field(90, ge=1, description="an application pending for longer counts as not approved")


class MeasureConf(Strict):
    """How credit is given."""

    click_days: int = Field(
        30, ge=1, description="the last click within so many days before an application is credited"
    )
    view_days: int = Field(1, ge=1, description="the same of a view, where no click is in time")
    view_through: bool = Field(False, description="credit views too; they are counted (`viewed`) either way")
    campaign_names: tuple[tuple[str, str], ...] = Field(
        (), description="patterns (Java regular expressions) and what replaces them, in spend and touches alike"
    )
    sequence_at: int = Field(
        100_000, ge=100, description="assignments at which confidence sequences of lift are tightest"
    )
    loss_given_default: float = Field(
        0.75, ge=0, le=1, description="share of what a late loan owes that is lost in the end: put your own"
    )
    discount_a_year: float = Field(
        0.1, ge=0, description="how much more money is worth now than in a year, for what loans are yet to earn"
    )
    paths_end_at_conversion: bool = Field(
        False, description="touches before a person's previous conversion are not credited with the next"
    )


class BaseConf(Strict):
    """base.yaml: paths, spark, calendar, time zone, base currency, features, training."""

    landing: str = "var/landing"
    warehouse: str = "var/warehouse"
    memberships: str = "sqlite:///{warehouse}/state/memberships.db"  # a SQLAlchemy URL
    spark: SparkConf = SparkConf()
    time_zone: str = "UTC"
    currency: str = Field(pattern="^[A-Z]{3}$")
    phone_region: str | None = None
    features: dict[str, Literal["numeric", "categorical"]] = {}
    creative_features: dict[str, Literal["numeric", "categorical"]] = {}
    training: TrainingConf = TrainingConf()
    plan: PlanConf = PlanConf()
    link: LinkConf = LinkConf()
    measure: MeasureConf = MeasureConf()

    @model_validator(mode="after")
    def _counted_here_is_not_landed(self) -> BaseConf:
        if "applications_before" in self.features:
            raise ValueError("features.applications_before: counted from the book under this name; name it otherwise")
        return self

    @model_validator(mode="after")
    def _directions_are_of_numbers(self) -> BaseConf:
        named = {name for of_stage in self.training.directions.values() for name in of_stage}
        if strange := sorted(name for name in named if self.features.get(name) != "numeric"):
            raise ValueError(f"training.directions: {', '.join(strange)} are no numeric features; name declared ones")
        return self


class SwitchbackConf(Strict):
    """When a channel that cannot leave people out serves whole regions and when it does not."""

    first_day: date
    days: int = Field(
        14, ge=1, description="of a period; about as long as an ad takes to bring applications, or longer"
    )
    periods: int = Field(ge=2, description="in pairs: each region is served in one of every two")
    washout_days: int = Field(0, ge=0, description="days at the beginning of a period that still feel the one before")
    salt: str = "switchback-1"

    @model_validator(mode="after")
    def _comes_in_pairs(self) -> SwitchbackConf:
        if self.periods % 2:
            raise ValueError(f"switchback.periods is {self.periods}; periods come in pairs, so write an even number")
        if self.washout_days >= self.days:
            raise ValueError("switchback.washout_days leaves no day of a period to count; make `days` longer")
        return self


class ChannelConf(Strict):
    """channels/<name>.yaml: one media channel."""

    adapter: Literal["file_drop"] = "file_drop"
    target: str = "{warehouse}/outbox/{channel}"
    identifiers: tuple[IdentifierType, ...] = ("phone", "email")
    billing: Literal["click", "impression", "message", "person"] = "click"
    capacity: int = Field(ge=0, description="people on its audience at one time")
    budget: Decimal = Field(ge=0, description="money a period, in `currency`")
    currency: str = Field(pattern="^[A-Z]{3}$")
    period: Literal["day", "week", "month", "quarter"] = "month"
    min_audience: int = Field(0, ge=0)
    time_zone: str | None = Field(None, description="where the account's day begins; the deployment's when not given")
    campaign: str | None = Field(
        None,
        description="campaign of an audience where the channel reports none; {audience}, {month} are filled in",
    )
    switchback: SwitchbackConf | None = None

    @field_validator("time_zone")
    @classmethod
    def _zone_is_known(cls, zone: str | None) -> str | None:
        if zone is not None and zone not in available_timezones():
            raise ValueError(f"{zone!r} is no time zone; write one like Asia/Shanghai")
        return zone


class PartnerConf(Strict):
    """partners/<name>.yaml: one funding institution; `quota` in funded customers a plan, `price` paid for each of them.

    The price is in the base currency's major units.
    """

    regions: tuple[str, ...] = ()
    appetite: dict[str, float] = {}
    quota: int | None = Field(None, ge=0)
    price: Decimal = Field(Decimal(0), ge=0)
    max_late_rate: float | None = Field(None, gt=0, lt=1)
    max_fraud_rate: float | None = Field(None, gt=0, lt=1)


class SegmentConf(Strict):
    """segments/<name>.yaml: one audience segment, a SQL predicate over prospects."""

    predicate: str
    owner: str
    purpose: str
    doc: str


class MetricConf(Strict):
    """One metric of metrics.yaml: `num / den [where SQL]` over the columns of one table's cells."""

    of: Literal["channel_costs", "channel_lift", "band_lifts", "vintages", "deliveries_reported"] = "channel_costs"
    num: str
    den: str | None = None
    where: str | None = None
    unit: str
    grain: tuple[str, ...] = ()
    label: dict[Literal["en", "zh"], str]
    interval: Literal["poisson", "wilson", "told", "none"] = Field(
        "none", description="95 %: poisson for money a counted outcome, wilson for a share, told by the table itself"
    )
    told: str | None = Field(None, description="columns `<told>_lo`, `<told>_hi` hold the interval")
    developed: str | None = Field(None, description="column of what an immature value will come to, with _lo and _hi")
    min_n: float = Field(1, ge=0, description="below this denominator there is no figure")
    decided: Literal["good", "good_30_3"] | None = Field(
        None, description="told of months alone in which this is decided of every application"
    )

    @model_validator(mode="after")
    def _told_somewhere(self) -> MetricConf:
        if (self.interval == "told") != (self.told is not None):
            raise ValueError("interval: told needs `told`, the columns it is told in, and the others do without")
        return self


class GateConf(Strict):
    """How sure an off-policy judgement must be before a plan is released whole, and how it is released otherwise."""

    window_days: int = Field(365, ge=30, description="days of assignments a plan is judged on")
    min_ess: float = Field(5000, ge=1, description="effective number of people behind the estimate")
    min_ess_share: float = Field(0.01, ge=0, le=1, description="the same, as a share of the people in the logs")
    max_weight: float = Field(50, gt=1, description="largest weight of one assignment; larger ones are cut to it")
    max_disagreement: float = Field(2.0, gt=0, description="between DR and SNIPS, in standard errors")
    steps: tuple[float, ...] = Field((0.05, 0.25, 1.0), min_length=1, description="shares of people released in turn")
    step_days: int = Field(14, ge=1, description="days before the next step")


class PolicyConf(Strict):
    """policy.yaml: what may never be done, and how much of each thing is allowed."""

    consent: Literal["required", "assumed"] = "required"
    purpose: str = "marketing"
    forbidden_attributes: tuple[str, ...] = ()
    holdout_share: float = Field(0.10, ge=0, lt=1)
    exploration_share: float = Field(0.05, ge=0, lt=1)
    holdout_salt: str = "holdout-1"
    max_quarantine_share: float = Field(0.02, ge=0, le=1)
    min_audience: int = Field(100, ge=0)
    max_consent_age_hours: int | None = Field(None, ge=1)
    max_persons_per_identity: int = Field(3, ge=1)
    approval: Literal["required", "none"] = "none"
    gate: Literal["off", "report", "ramp"] = "report"
    gate_limits: GateConf = GateConf()

    @field_validator("gate", mode="before")
    @classmethod
    def _off_is_a_word(cls, value: Any) -> Any:
        return "off" if value is False else value  # YAML reads a bare `off` as false
