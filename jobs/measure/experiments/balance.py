"""Whether arms are as large as they were meant to be: a sample ratio mismatch says that assignment or logging broke."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from scipy.stats import chi2

from jobs.runtime.errors import UsageError

ALARM = 0.001  # p below which arms are not as they were drawn


@dataclass(frozen=True)
class Balance:
    """`statistic`: chi-square of the counts against the shares; `p`: chance of one as large by luck alone."""

    statistic: float
    p: float

    @property
    def is_mismatch(self) -> bool:
        """Nothing measured between these arms can be trusted before it is known why."""
        return self.p < ALARM


def balance(counts: Sequence[int], shares: Sequence[float]) -> Balance:
    """Pearson's test of arms' people against the shares they were drawn by; UsageError unless there are two arms."""
    if len(counts) != len(shares) or len(counts) < 2 or min(shares) <= 0:  # an arm is compared with another
        raise UsageError(
            f"{len(counts)} arms and {len(shares)} shares: give a share above 0 to each of two arms or more"
        )
    total, whole = sum(counts), sum(shares)
    if total == 0:
        return Balance(0.0, 1.0)
    expected = [total * share / whole for share in shares]
    statistic = sum((seen - meant) ** 2 / meant for seen, meant in zip(counts, expected, strict=True))
    return Balance(statistic, float(chi2.sf(statistic, len(counts) - 1)))
