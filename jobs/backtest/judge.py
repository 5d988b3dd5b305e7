"""One call for every kind of source: what its declaration says decides how it is judged."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any, Protocol

from jobs.runtime.conf import load_conf
from jobs.runtime.errors import UsageError
from jobs.sources.conf import SourceConf
from jobs.sources.samples import LoansConf, load

DATA = "HUOKE_REAL_DATA"
FOLDS, REPEATS = 5, 3


class Report(Protocol):
    """What every report can be turned into."""

    def rows(self) -> list[dict[str, Any]]:
        """The list `--json` prints."""

    def as_dict(self) -> dict[str, Any]:
        """Everything, ready for JSON."""


@dataclass(frozen=True)
class Asked:
    """What the call says; null where it leaves the choice to the kind of source."""

    train_until: date | None = None
    blocks: int | None = None
    folds: int | None = None
    repeats: int | None = None
    seed: int = 0


def judge(
    folder: Path, name: str, files: Sequence[Path], asked: Asked, progress: Callable[[str], None] = lambda _: None
) -> tuple[Report, str]:
    """The report on a source and its text; UsageError for an option that means nothing for its kind."""
    conf = load(folder, name)
    files = list(files) or [_found(name)]
    if isinstance(conf, SourceConf):
        return _history(conf, files, asked, progress)
    if asked.train_until or asked.blocks:
        raise UsageError(f"backtest {name}: its rows have no days; leave out --train-until and --blocks")
    if isinstance(conf, LoansConf):
        from jobs.backtest.credit import judge_credit, render

        training = load_conf(folder).base.training
        count, repeats = asked.folds or FOLDS, asked.repeats or REPEATS
        credit = judge_credit(conf, files, training, count, repeats, asked.seed, progress=progress)
        return credit, render(credit)
    from jobs.backtest.uplift import judge_trial, show

    if asked.repeats:
        raise UsageError(f"backtest {name}: a trial's folds are drawn once; leave out --repeats")
    trial = judge_trial(conf, files, asked.folds or FOLDS, asked.seed, progress=progress)
    return trial, show(trial)


def _history(
    conf: SourceConf, files: Sequence[Path], asked: Asked, progress: Callable[[str], None]
) -> tuple[Report, str]:
    from jobs.backtest import backtest, render

    if asked.folds or asked.repeats:
        raise UsageError(f"backtest {conf.name}: its rows have days; leave out --folds and --repeats")
    report = backtest(conf, files, asked.train_until, asked.blocks, asked.seed, progress=progress)
    return report, render(report)


def _found(name: str) -> Path:
    """The source's file in the folder of real data; UsageError where no folder is named or it holds none."""
    folder = os.environ.get(DATA)
    if not folder:
        raise UsageError(f"backtest {name}: no file given; name it, or set {DATA} to the folder of {name}.csv.gz")
    for ending in ("csv.gz", "csv"):
        if (file := Path(folder) / f"{name}.{ending}").is_file():
            return file
    raise UsageError(f"backtest {name}: the folder {DATA} names holds no {name}.csv.gz; put it there, or name the file")
