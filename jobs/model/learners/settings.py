"""The settings of each learner, as conf may state them; unknown keys are refused."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field


class _Closed(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class BoostedSettings(_Closed):
    """Bagged, shallow, strongly regularised histogram gradient boosting.

    `bags` fits differ in the features each split may see (`feature_share`) and are averaged in log-odds.
    Levels of a category seen in fewer than `min_level` rows are pooled.
    """

    learner: Literal["boosted"] = "boosted"
    learning_rate: Annotated[float, Field(gt=0, le=1)] = 0.05
    trees: Annotated[int, Field(ge=1)] = 100
    leaves: Annotated[int, Field(ge=2)] = 8
    min_leaf: Annotated[int, Field(ge=1)] = 40
    l2: Annotated[float, Field(ge=0)] = 10.0
    feature_share: Annotated[float, Field(gt=0, le=1)] = 0.5
    bags: Annotated[int, Field(ge=1)] = 3
    min_level: Annotated[int, Field(ge=1)] = 20


class LogisticSettings(_Closed):
    """Ridge logistic regression on ranks bent at `knots` inner quantiles, and one-hot levels.

    `c` is the inverse of the penalty, as in scikit-learn; where the rarer class has few rows one of `stronger` takes
    its place if it foretells held-out rows better. `normal_scores` takes the ranks' normal scores instead.
    """

    learner: Literal["logistic"] = "logistic"
    c: Annotated[float, Field(gt=0)] = 0.5
    stronger: tuple[Annotated[float, Field(gt=0)], ...] = (0.25, 0.12, 0.06, 0.03, 0.015)
    knots: Annotated[int, Field(ge=0)] = 3
    normal_scores: bool = False
    min_level: Annotated[int, Field(ge=1)] = 20


Direction = Literal["rising", "falling"]


class ScorecardSettings(_Closed):
    """A points table: monotone bins of each number, levels of each category, added up; a glass box.

    A number is cut into at most `bins` bins of about equal share, each expected to hold `min_events` of the rarer
    class. The event's rate rises or falls along them as `directions` says, else as the training rows say. `c` is the
    inverse of the penalty on the weights of the bins' evidence.
    """

    learner: Literal["scorecard"] = "scorecard"
    bins: Annotated[int, Field(ge=2, le=100)] = 20
    min_events: Annotated[float, Field(gt=0)] = 15.0
    c: Annotated[float, Field(gt=0)] = 1.0
    min_level: Annotated[int, Field(ge=1)] = 20
    directions: dict[str, Direction] = {}


class BlendSettings(_Closed):
    """Boosted and logistic averaged in log-odds; `boosted_share` is the weight of the boosted one."""

    learner: Literal["blend"] = "blend"
    boosted: BoostedSettings = BoostedSettings()
    logistic: LogisticSettings = LogisticSettings()
    boosted_share: Annotated[float, Field(ge=0, le=1)] = 0.5


Settings = Annotated[
    BoostedSettings | LogisticSettings | ScorecardSettings | BlendSettings, Field(discriminator="learner")
]
