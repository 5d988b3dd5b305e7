"""Every application the market has seen and what became of it: the memory that a later play continues from."""

from __future__ import annotations

from dataclasses import dataclass, fields
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from jobs.market.calendar import DAY_US
from jobs.market.dice import Ints

ORGANIC, REGISTRATION = -1, -2
DECLINED_DAYS = 90  # a declined applicant is left alone for so long
DECLINED_US = DECLINED_DAYS * DAY_US


@dataclass(frozen=True)
class Ledger:
    """One row per application; all arrays int64 of one length."""

    person: Ints
    applied_us: Ints
    channel: Ints  # ORGANIC, REGISTRATION or a channel's index
    wave_day: Ints  # 0 when no wave led to it
    partner: Ints
    click: Ints  # the click's 64-bit number, 0 for none
    decision: Ints
    decided_us: Ints
    funded_us: Ints  # -1: not funded
    view_milli: Ints  # the lender's view of risk, thousandths
    daily_until: Ints  # rows known after this day come in monthly extracts

    def __len__(self) -> int:
        return len(self.person)

    def take(self, mask: object) -> Ledger:
        """The rows chosen by a boolean mask or an index."""
        return Ledger(*(getattr(self, field.name)[mask] for field in fields(self)))


def empty_ledger() -> Ledger:
    """A ledger without rows."""
    return Ledger(*(np.zeros(0, dtype=np.int64) for _ in fields(Ledger)))


def joined(parts: list[Ledger]) -> Ledger:
    """Several ledgers as one, in order."""
    if not parts:
        return empty_ledger()
    return Ledger(*(np.concatenate([getattr(part, field.name) for part in parts]) for field in fields(Ledger)))


def write_ledger(ledger: Ledger, path: Path) -> None:
    """Write one ledger part to Parquet."""
    pq.write_table(pa.table({field.name: getattr(ledger, field.name) for field in fields(Ledger)}), path)


def read_ledger(path: Path) -> Ledger:
    """Read what `write_ledger` wrote."""
    table = pq.read_table(path)
    return Ledger(*(table.column(field.name).to_numpy() for field in fields(Ledger)))


@dataclass(frozen=True)
class Standing:
    """By person, microseconds UTC: customer since (far future: not), off the lists until, last application."""

    since: Ints
    waiting: Ints
    last: Ints

    def after(self, ledger: Ledger) -> Standing:
        """The standing once more applications are settled."""
        people = len(self.since)
        return Standing(
            np.minimum(self.since, customer_since(people, ledger)),
            np.maximum(self.waiting, declined_until(people, ledger, DECLINED_US)),
            np.maximum(self.last, last_applied(people, ledger)),
        )


def standing(people: int, ledger: Ledger) -> Standing:
    """Where everybody stands after a ledger."""
    return Standing(
        customer_since(people, ledger), declined_until(people, ledger, DECLINED_US), last_applied(people, ledger)
    )


def customer_since(people: int, ledger: Ledger) -> Ints:
    """By person: when the application that became a loan was made; the far future for everybody else."""
    since = np.full(people, np.iinfo(np.int64).max, dtype=np.int64)
    funded = ledger.funded_us >= 0
    np.minimum.at(since, ledger.person[funded], ledger.applied_us[funded])
    return since


def declined_until(people: int, ledger: Ledger, wait_us: int) -> Ints:
    """By person: until when a declined application keeps them off the lists."""
    until = np.zeros(people, dtype=np.int64)
    declined = ledger.decision == 0
    np.maximum.at(until, ledger.person[declined], ledger.decided_us[declined] + wait_us)
    return until


def last_applied(people: int, ledger: Ledger) -> Ints:
    """By person: when they last applied, 0 for never."""
    last = np.zeros(people, dtype=np.int64)
    np.maximum.at(last, ledger.person, ledger.applied_us)
    return last
