"""What the pages say, in English and Chinese; a metric's name comes from conf/metrics.yaml where it stands there."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from dashboards.phrases import PHRASES
from jobs.runtime.errors import UsageError
from jobs.runtime.settings import MetricConf
from jobs.runtime.standard_metrics import STANDARD

Lang = Literal["en", "zh"]
LANGUAGES: tuple[Lang, ...] = ("en", "zh")


@dataclass(frozen=True)
class Words:
    """Phrases in one language; calling it with a key gives the phrase."""

    lang: Lang
    metrics: Mapping[str, MetricConf]

    def __call__(self, key: str, **values: object) -> str:
        """The label of a metric, else the phrase of that key with its values filled in; KeyError when there is none."""
        if key in self.metrics:
            return self.metrics[key].label[self.lang]
        return PHRASES[key][LANGUAGES.index(self.lang)].format(**values)

    def note(self, name: str) -> str:
        """A name from the data (a stage, a reason) in the reader's language where there is a phrase for it."""
        return self(name) if name in PHRASES or name in self.metrics else name

    def formula(self, key: str) -> str | None:
        """How a metric is computed, as metrics.yaml has it."""
        metric = self.metrics.get(key)
        if metric is None:
            return None
        where = f" where {metric.where}" if metric.where else ""
        return f"{metric.num} / {metric.den}{where}" if metric.den else f"{metric.num}{where}"


def speak(lang: str, metrics: Mapping[str, MetricConf]) -> Words:
    """The words of a language, with the standard metrics where `metrics` has none; UsageError names the languages."""
    for known in LANGUAGES:
        if lang == known:
            return Words(known, STANDARD | dict(metrics))
    raise UsageError(f"there is no language {lang!r}; choose one of {', '.join(LANGUAGES)}")


def slug(text: str) -> str:
    """A text as part of a file name or an anchor."""
    return re.sub(r"[^0-9a-z]+", "-", text.lower()).strip("-") or "table"
