"""The verdict on a policy: true expectations of what it takes, at a volume, and at the same volume under a cap."""

from __future__ import annotations

from dataclasses import dataclass, fields

import numpy as np

from jobs.market.dice import Floats, Ints
from jobs.market.taking import TakingOrder
from segments.impact import Impact


@dataclass(frozen=True)
class Stakes:
    """True expectations, people x channels (cost at the usual load, incremental funded and approved) and by person."""

    cost: Floats
    funded: Floats
    approved: Floats  # nan where the truth does not tell
    late: Floats
    fraud: Floats
    capacity: Ints
    impact: Impact

    @property
    def good(self) -> Floats:
        """Incremental good customers expected, people x channels."""
        won: Floats = self.funded * (1.0 - self.late)[:, None]
        return won


@dataclass(frozen=True)
class Lent:
    """By row of a plan: how many times as many are approved, and funded, at the partner chosen for the person."""

    approved: Floats
    funded: Floats


@dataclass(frozen=True)
class Caps:
    """The most that may be late, and be lost to fraud, of what is lent; None: no such cap."""

    late: float | None = None
    fraud: float | None = None

    def keeps(self, verdict: Verdict) -> bool:
        """Whether a policy's verdict lies within both."""
        is_late = self.late is not None and verdict.late_rate > self.late
        return not is_late and not (self.fraud is not None and verdict.fraud_loss_rate > self.fraud)

    def tightened(self, factor: float) -> Caps:
        """The same, each a part of what it was."""
        return Caps(*(None if cap is None else cap * factor for cap in (self.late, self.fraud)))

    def told(self) -> str:
        """Both in words."""
        parts = [
            f"{name} at most {cap:.2%}" for name, cap in (("late", self.late), ("fraud", self.fraud)) if cap is not None
        ]
        return ", ".join(parts) or "no caps"


@dataclass(frozen=True)
class Verdict:
    """Sums of true expectations; money in base currency."""

    people: float
    spend: float
    good: float
    funded: float
    approved: float
    late: float
    fraud: float

    @property
    def cost_per_good(self) -> float:
        """Spend per incremental good customer."""
        return self.spend / self.good if self.good > 0 else float("nan")

    @property
    def cost_per_approval(self) -> float:
        """Spend per incremental approval."""
        return self.spend / self.approved if self.approved > 0 else float("nan")

    @property
    def late_rate(self) -> float:
        """Late, given funded."""
        return self.late / self.funded if self.funded > 0 else float("nan")

    @property
    def fraud_loss_rate(self) -> float:
        """Share of what is lent (principals alike) that rings take."""
        return self.fraud / self.funded if self.funded > 0 else float("nan")

    def mixed(self, other: Verdict, share: float) -> Verdict:
        """What drawing `share` of people by this policy and the rest by another would give."""
        return Verdict(
            *(share * getattr(self, f.name) + (1.0 - share) * getattr(other, f.name) for f in fields(Verdict))
        )


def judge(stakes: Stakes, taken: TakingOrder, last: float = 1.0, lent: Lent | None = None) -> Verdict:
    """Everything taken; the last row counts only in part. Without `lent`, partners are whoever it would have been."""
    weight = np.ones(len(taken))
    weight[-1:] = last
    row, column = taken.person, taken.channel
    lent = lent or Lent(np.ones(len(taken)), np.ones(len(taken)))
    funded = stakes.funded[row, column] * weight * lent.funded
    return Verdict(
        people=float(weight.sum()),
        spend=float((stakes.impact.rated(stakes.cost[row, column], column) * weight).sum()),
        good=float((funded * (1.0 - stakes.late[row])).sum()),
        funded=float(funded.sum()),
        approved=float((stakes.approved[row, column] * weight * lent.approved).sum()),
        late=float((funded * stakes.late[row]).sum()),
        fraud=float((funded * stakes.fraud[row]).sum()),
    )


def judge_at(stakes: Stakes, order: TakingOrder, volume: float) -> Verdict | None:
    """The first rows that reach a volume of good customers, the last one in part; None where all of them do not."""
    won = stakes.good[order.person, order.channel]
    total = np.cumsum(won)
    reached = np.flatnonzero(total >= volume)
    if not len(reached):
        return None
    stop = int(reached[0])
    before = float(total[stop - 1]) if stop else 0.0
    return judge(stakes, order.first(stop + 1), (volume - before) / float(won[stop]))
