"""From published outcomes to fitted stage models: training cohorts, one stage, all stages, their card."""

from __future__ import annotations
