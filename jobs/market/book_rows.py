"""Landing rows of the lender's book: applications and their corrections, loans, statements, and who is suppressed."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from jobs.market.calendar import DAY_US, Calendar, day_of, month_of
from jobs.market.columns import constant, days, digit_bytes, hex_bytes, labels, moments, money, text, where
from jobs.market.default import Statements, age, statements
from jobs.market.dice import Floats, Ints
from jobs.market.funnel import APPROVED, DECISIONS, DECLINED
from jobs.market.identities import Identities
from jobs.market.ledger import DECLINED_US, Ledger
from jobs.market.partners import PRODUCTS, TERMS
from jobs.market.people_rows import suppression_rows
from jobs.market.world import World

MIXED_TERMS = np.array([12, 12, 12, 18, 24])
PENDING = len(DECISIONS)


@dataclass(frozen=True)
class Terms:
    """What was asked for and granted; money in minor units, apr a yearly rate."""

    amount: Ints
    limit: Ints
    principal: Ints
    apr: Floats
    term: Ints


def loan_terms(world: World, ledger: Ledger) -> Terms:
    """The terms of each application, drawn by person and time."""
    key = (ledger.person, ledger.applied_us)
    wish = 9.0 + 0.45 * world.people.income[ledger.person] + 0.4 * world.dice.normal("amount", *key)
    amount = np.maximum(10, np.rint(np.exp(wish) / 100)).astype(np.int64) * 100_00
    tier = np.clip(np.floor((ledger.view_milli / 1000.0 + 2.0) / 0.7), 0, 5).astype(np.int64)
    limit = (amount * (12 - tier)) // 1200 * 100
    product = world.partners.product[ledger.partner]
    drawn = 0.5 + 0.5 * world.dice.uniform("drawn_share", *key)
    return Terms(
        amount=amount,
        limit=limit,
        principal=np.maximum((limit * drawn / 100_00).astype(np.int64), 5) * 100_00,
        apr=np.round(0.12 + 0.02 * tier, 4),
        term=np.where(product < 0, MIXED_TERMS[world.dice.pick("term", len(MIXED_TERMS), *key)], TERMS[product]),
    )


def _number(world: World, ledger: Ledger) -> np.ndarray[tuple[int, int], np.dtype[np.uint8]]:
    return hex_bytes(world.dice.words("application", ledger.person, ledger.applied_us))


def applications(world: World, ids: Identities, calendar: Calendar, ledger: Ledger) -> tuple[pa.Table, Ints]:
    """Every version of every application that lands, with its landing day: pending first when decided later."""
    known = day_of(ledger.applied_us) + 1
    is_late = ledger.decided_us >= known * DAY_US
    first = _landed(calendar, known, ledger.daily_until)
    second = _landed(calendar, day_of(ledger.decided_us) + 1, ledger.daily_until)
    corrected = np.flatnonzero(is_late & (second > first))
    shows_pending = np.zeros(len(ledger), dtype=bool)
    shows_pending[corrected] = True
    table = _application_rows(world, ids, ledger, shows_pending)
    final = _application_rows(world, ids, ledger.take(corrected), np.zeros(len(corrected), dtype=bool))
    return pa.concat_tables([table, final]), np.concatenate([first, second[corrected]])


def _application_rows(
    world: World, ids: Identities, ledger: Ledger, is_pending: np.ndarray[tuple[int], np.dtype[np.bool_]]
) -> pa.Table:
    conf, dice, people = world.conf, world.dice, world.people
    count, person = len(ledger), ledger.person
    key = (person, ledger.applied_us)
    terms = loan_terms(world, ledger)
    group = np.where(people.ring[person] >= 0, -1 - people.ring[person], people.device[person])
    is_known = ~is_pending
    is_approved = is_known & (ledger.decision == APPROVED)
    address = dice.pick("ip", 2**22, group)
    ip = text(count, "100.", digit_bytes(64 + (address >> 16), 3), ".", digit_bytes((address >> 8) & 255, 3), ".")
    return pa.table(
        {
            "application_id": text(count, "a", _number(world, ledger)),
            "applied_at": moments(ledger.applied_us),
            "id_phone": where(dice.uniform("form_phone", *key) < 0.95, ids.phone(person)),
            "id_email": where(dice.uniform("form_email", *key) < 0.6, ids.email(person)),
            "id_device": where(dice.uniform("form_device", *key) < 0.75, ids.device(person)),
            "id_cookie": where(
                dice.uniform("form_cookie", *key) < 0.4, ids.cookie(person, month_of(day_of(ledger.applied_us)))
            ),
            "id_click": where(
                (ledger.click != 0) & (dice.uniform("form_click", *key) < 0.6),
                text(count, "c", hex_bytes(ledger.click.astype(np.uint64))),
            ),
            "id_national": where(dice.uniform("form_national", *key) < 0.7, ids.national(person)),
            "partner": labels(world.partners.name, ledger.partner),
            "product": labels(PRODUCTS, np.searchsorted(TERMS, terms.term)),
            "amount": money(terms.amount),
            "currency": constant(conf.currency, count),
            "decision": labels((*DECISIONS, "pending"), np.where(is_pending, PENDING, ledger.decision)),
            "decided_at": moments(ledger.decided_us, is_known),
            "credit_limit": money(terms.limit, is_approved),
            "apr": pa.array(terms.apr, mask=~is_approved),
            "place": text(count, "zz", digit_bytes(people.region[person], 1), digit_bytes(group % 997, 3)),
            "ip": _plain(ip, digit_bytes(1 + address % 254, 3)),
            "background_hash": text(count, hex_bytes(dice.words("background", group) & np.uint64(2**64 - 256))),
        }
    )


def _plain(head: pa.Array, tail: np.ndarray[tuple[int, int], np.dtype[np.uint8]]) -> pa.Array:
    """Dotted addresses without zeros in front of a number."""
    joined = pc.binary_join_element_wise(head, text(len(head), tail), "")
    return pc.replace_substring_regex(joined, r"\.0{1,2}([0-9])", r".\1")


def loans(world: World, calendar: Calendar, ledger: Ledger) -> tuple[pa.Table, Ints]:
    """One row per funded application, with its landing day."""
    ledger = ledger.take(ledger.funded_us >= 0)
    terms, number, count = loan_terms(world, ledger), _number(world, ledger), len(ledger)
    table = pa.table(
        {
            "loan_id": text(count, "l", number),
            "application_id": text(count, "a", number),
            "funded_at": moments(ledger.funded_us),
            "principal": money(terms.principal),
            "currency": constant(world.conf.currency, count),
            "partner": labels(world.partners.name, ledger.partner),
            "apr": pa.array(terms.apr),
            "term_months": pa.array(terms.term),
        }
    )
    return table, _landed(calendar, day_of(ledger.funded_us) + 1, ledger.daily_until)


def statements_of(world: World, ledger: Ledger, from_month: int, until_month: int) -> tuple[Ledger, Statements]:
    """The funded part of a ledger and its statements of the month ends from_month..until_month."""
    ledger = ledger.take(ledger.funded_us >= 0)
    terms = loan_terms(world, ledger)
    ageing = age(world, ledger.person, ledger.funded_us)
    return ledger, statements(ledger.funded_us, terms.principal, terms.term, ageing, from_month, until_month)


def repayments(
    world: World, calendar: Calendar, ledger: Ledger, from_month: int, until_month: int
) -> tuple[pa.Table, Ints]:
    """Monthly statements, each landing the day after its month end."""
    funded, made = statements_of(world, ledger, from_month, until_month)
    number = _number(world, funded)
    count = len(made.loan)
    table = pa.table(
        {
            "loan_id": text(count, "l", number[made.loan]),
            "as_of_day": days(made.as_of_day),
            "months_on_book": pa.array(made.months_on_book),
            "days_past_due": pa.array(made.days_past_due),
            "balance": money(made.balance),
            "currency": constant(world.conf.currency, count),
            "past_due": money(made.past_due),
            "charged_off": money(made.charged_off),
            "recovered": money(made.recovered),
            "is_confirmed_fraud": pa.array(made.is_fraud),
        }
    )
    return table, np.maximum(made.as_of_day + 1, calendar.first)


def book_suppressions(world: World, ids: Identities, calendar: Calendar, ledger: Ledger) -> tuple[pa.Table, Ints]:
    """Existing customers, and declined applicants for 90 days, with their landing days."""
    funded = ledger.take(ledger.funded_us >= 0)
    declined = ledger.take(ledger.decision == DECLINED)
    customers, known = suppression_rows(
        ids, funded.person, ("existing_customer",), np.zeros(len(funded), dtype=np.int64), funded.funded_us
    )
    waiting, known_declined = suppression_rows(
        ids,
        declined.person,
        ("declined",),
        np.zeros(len(declined), dtype=np.int64),
        declined.decided_us,
        declined.decided_us + DECLINED_US,
    )
    until = np.concatenate([funded.daily_until, declined.daily_until])
    return pa.concat_tables([customers, waiting]), _landed(calendar, np.concatenate([known, known_declined]), until)


def _landed(calendar: Calendar, known: Ints, daily_until: Ints) -> Ints:
    """Landing days, each ledger row by its own end of daily landing."""
    landed = np.empty(len(known), dtype=np.int64)
    for until in np.unique(daily_until):
        rows = daily_until == until
        landed[rows] = calendar.landed(known[rows], int(until))
    return landed
