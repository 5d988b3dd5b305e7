"""Who to treat with what, learned and judged on a randomised trial: policy value and Qini beside plain policies."""

from __future__ import annotations

from jobs.backtest.uplift.report import TrialReport, show
from jobs.backtest.uplift.run import judge_trial

__all__ = ["TrialReport", "judge_trial", "show"]
