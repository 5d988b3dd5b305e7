"""Which learner a stage takes, as conf says, and which others its card compares it with."""

from __future__ import annotations

from jobs.model.learners import BlendSettings, BoostedSettings, LogisticSettings, ScorecardSettings, Settings
from jobs.runtime.conf import Conf
from jobs.runtime.settings import Learner, Stage, TrainingConf

# Organic applications are few: one slope on what the apply stage knows.
ONE_LINE = LogisticSettings(knots=0, normal_scores=True)


def learner_of(stage: Stage, training: TrainingConf) -> Learner:
    """The learner chosen for a stage."""
    usual = training.default_learner if stage in ("late", "fraud") else training.learner
    return training.stages.get(stage, usual)


def is_glass_box(training: TrainingConf) -> bool:
    """Whether click or apply is a scorecard: then nothing is counted person by person beside them."""
    return "scorecard" in (learner_of("click", training), learner_of("apply", training))


def settings_of(stage: Stage, training: TrainingConf, learner: Learner | None = None) -> Settings:
    """The settings of the learner that conf chooses for a stage, or of another one."""
    name = learner or learner_of(stage, training)
    if name == "scorecard":
        directions = {} if stage == "organic" else training.directions.get(stage, {})
        return ScorecardSettings(directions=directions)
    if stage == "organic":
        return ONE_LINE
    logistic = LogisticSettings(knots=1, normal_scores=True)
    if name == "blend":
        return BlendSettings(logistic=logistic)
    return BoostedSettings() if name == "boosted" else logistic


def rivals_of(stage: Stage, training: TrainingConf) -> tuple[Settings, ...]:
    """The settings of the learners a stage's card compares the chosen one with."""
    chosen, found = settings_of(stage, training), []
    for name in training.compare:
        settings = settings_of(stage, training, name)
        if settings != chosen and settings not in found:
            found.append(settings)
    return tuple(found)


def without_rivals(conf: Conf) -> Conf:
    """The same conf for fits that no card tells of."""
    training = conf.base.training.model_copy(update={"compare": ()})
    return conf.model_copy(update={"base": conf.base.model_copy(update={"training": training})})
