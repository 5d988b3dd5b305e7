"""The stage of lateness judged on loans that carry no dates, beside plain models on the same inputs."""

from __future__ import annotations

from jobs.backtest.credit.report import CreditReport, render
from jobs.backtest.credit.run import judge_credit

__all__ = ["CreditReport", "judge_credit", "render"]
