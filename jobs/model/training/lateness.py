"""Loans as rows for the late stage: the young ones inform as far as they have been seen, and are never called good.

Discrete-time hazard with a common shape: by month m on book a share F(m) of the lateness of the first twelve months has
shown. A loan seen late counts as one late; a loan seen m months and not late counts as F(m) of a loan that is not. For
small chances this is the likelihood of the hazard model: log(1 - F p) = F log(1 - p) to first order in p.

Lateness moves with the times: see `training.times`.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from jobs.model.learners.features import Floats
from segments.outcomes import GOOD_MONTHS as MONTHS

LEAST_SEEN = 0.1  # a loan of which less could have shown says next to nothing
TAIL = 3  # months whose rate stands for those beyond, where no loan has been seen for longer
FALL = 0.8  # of that rate, month by month: hazards of short loans fall after their first months, as balances are repaid


@dataclass(frozen=True)
class LifeTable:
    """Hazard of first being late by month on book 1 to 12, and how many of the last months nobody has seen yet."""

    hazard: Floats
    unseen: int

    @property
    def shown(self) -> Floats:
        """F(m): the share of twelve months' lateness shown by month m, for m from 0 to 12; 0 without any lateness."""
        late = 1.0 - np.concatenate([[1.0], np.cumprod(1.0 - self.hazard)])
        return np.asarray(late / late[-1] if late[-1] > 0 else np.zeros(MONTHS + 1))


def life_table(months: NDArray[np.int64], late_month: Floats) -> LifeTable:
    """Late in a month over loans seen that long and not late before; `late_month` is nan for loans not seen late."""
    is_late = ~np.isnan(late_month)
    until = np.clip(np.where(is_late, np.nan_to_num(late_month), months), 0, MONTHS).astype(np.int64)
    hazard, seen = np.zeros(MONTHS), np.zeros(MONTHS)
    for month in range(1, MONTHS + 1):
        seen[month - 1] = float((until >= month).sum())
        turned = float((is_late & (until == month)).sum())
        hazard[month - 1] = turned / seen[month - 1] if seen[month - 1] else 0.0
    known = int((seen > 0).sum())
    if 0 < known < MONTHS:
        first = max(0, known - TAIL)
        turned_lately = float((hazard[first:known] * seen[first:known]).sum())
        rate = turned_lately / float(seen[first:known].sum())
        hazard[known:] = rate * FALL ** np.arange(1, MONTHS - known + 1)
    return LifeTable(hazard, MONTHS - known)


@dataclass(frozen=True, eq=False)
class Loans:
    """Funded loans that say something of lateness: their rows, how much each shows (F of its months), the table."""

    rows: pd.DataFrame
    shown: Floats
    table: LifeTable

    @property
    def is_late(self) -> NDArray[np.bool_]:
        """Which were seen late."""
        return self.rows["is_late"].eq(True).to_numpy(dtype=bool)

    @property
    def weight(self) -> Floats:
        """What a row counts in a fit: late 1, not late as much as it shows."""
        return np.where(self.is_late, 1.0, self.shown)

    def where(self, mask: NDArray[np.bool_]) -> Loans:
        """Those loans, of the same table."""
        return Loans(self.rows[mask], self.shown[mask], self.table)


def late_rows(decided: pd.DataFrame) -> Loans:
    """The loans of a book that a model of lateness learns from.

    Columns used: is_funded, months_observed, late_month, is_late. A loan known late without its month counts in the
    month it was seen last.
    """
    funded = decided[decided["is_funded"].eq(True) & decided["months_observed"].notna()]
    months = np.minimum(funded["months_observed"].to_numpy(dtype=np.int64), MONTHS)
    is_late = funded["is_late"].eq(True).to_numpy()
    told = pd.to_numeric(funded["late_month"], errors="coerce").to_numpy(dtype=np.float64)
    late_month = np.where(is_late, np.where(np.isnan(told), np.maximum(months, 1), np.maximum(told, 1)), np.nan)
    table = life_table(months, late_month)
    shown = table.shown[months]
    kept = shown >= LEAST_SEEN
    return Loans(funded[kept], shown[kept], table)
