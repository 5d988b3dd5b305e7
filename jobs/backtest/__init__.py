"""What huoke's models would have saved on a lender's own history, beside plain models on the same inputs."""

from __future__ import annotations

from jobs.backtest.render import render
from jobs.backtest.report import BacktestReport
from jobs.backtest.run import backtest

__all__ = ["BacktestReport", "backtest", "render"]
