"""Who lends: how often each partner funds each class of people, against the average, and what it allows."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

# Pass rates are held in so many parts, so that a whole number of customers times a rate is a whole number.
RATE = 1000
# A figure beyond is a fault upstream; the cap keeps whole-number sums over millions of people in range.
LARGEST_RATE = 5.0
# Partners who are alike are told apart by chance: each class falls into so many parts, whose rates differ by so little.
PARTS, SPREAD = 16, 0.005

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Partners:
    """Funding institutions, in an order.

    `pass_rate` (classes of people x partners): customers a partner funds of those sent to it, against what the scores
    expect; 0: it does not take the class. `quota`: funded customers; `price`: income a funded customer, base currency;
    `max_late`, `max_fraud`: rates among those it funds. None: no such limit.
    """

    names: tuple[str, ...]
    pass_rate: Floats
    quota: tuple[float | None, ...]
    price: tuple[float, ...]
    max_late: tuple[float | None, ...]
    max_fraud: tuple[float | None, ...]
    parts: int = 1

    def __len__(self) -> int:
        return len(self.names)

    @cached_property
    def rates(self) -> Ints:
        """Pass rates in whole parts of 1 / RATE, part by part of each class."""
        rate = np.clip(self.pass_rate, 0.0, LARGEST_RATE)
        if self.parts > 1:
            apart = 1.0 + SPREAD * np.random.default_rng(0).uniform(-1.0, 1.0, (self.parts, len(self)))
            rate = (rate[:, None, :] * apart[None, :, :]).reshape(-1, len(self))
        return np.rint(rate * RATE).astype(np.int64)

    def kinds(self, kind: Ints, luck: Floats) -> Ints:
        """The part of each person's class: by what luck has beyond its first million."""
        return kind if self.parts == 1 else kind * self.parts + (luck * 2.0**40).astype(np.int64) % self.parts

    def told_apart(self) -> Partners:
        """The same with classes in parts, where partners are alike: no price could tell them which people are whose."""
        rate = self.pass_rate
        for m in range(len(self) - 1):
            both = (rate[:, m, None] > 0) & (rate[:, m + 1 :] > 0)
            if (both.any(axis=0) & ((rate[:, m, None] == rate[:, m + 1 :]) | ~both).all(axis=0)).any():
                return replace(self, parts=PARTS)
        return self

    @cached_property
    def slots(self) -> Ints:
        """Classes x as many as the class with most has: the partners that take a class, by place; -1 beyond them."""
        takes = self.rates > 0
        width = max(int(takes.sum(axis=1).max(initial=0)), 1)
        order = np.argsort(~takes, axis=1, kind="stable")[:, :width]
        return np.where(np.take_along_axis(takes, order, axis=1), order, -1).astype(np.int64)

    @cached_property
    def chances(self) -> Floats:
        """Classes x partners: chance of each partner for somebody who explores, in proportion to quotas.

        A partner without a quota counts as the largest one given.
        """
        largest = max((quota for quota in self.quota if quota), default=1.0)
        shares = np.array([largest if quota is None else quota for quota in self.quota])
        weights = (self.rates > 0) * shares
        return np.asarray(weights / np.maximum(weights.sum(axis=1, keepdims=True), 1e-300))

    def drawn(self, kind: Ints, luck: Floats) -> Ints:
        """A partner for each of some people who explore, by place; -1 where none takes them."""
        reached = np.cumsum(self.chances, axis=1)[kind]
        found = (reached <= (luck * reached[:, -1])[:, None]).sum(axis=1)
        return np.where(reached[:, -1] > 0.0, np.minimum(found, len(self) - 1), -1).astype(np.int64)

    def plain(self) -> dict[str, Any]:
        """Numbers and names only, as JSON keeps them."""
        return {
            "names": self.names,
            "pass_rate": self.pass_rate.tolist(),
            "quota": self.quota,
            "price": self.price,
            "max_late": self.max_late,
            "max_fraud": self.max_fraud,
            "parts": self.parts,
        }

    @classmethod
    def of(cls, told: dict[str, Any]) -> Partners:
        """What `plain` told."""
        lists = {name: tuple(one) for name, one in told.items() if name not in ("pass_rate", "parts")}
        return cls(pass_rate=np.array(told["pass_rate"], dtype=np.float64), parts=int(told["parts"]), **lists)
