"""The identifiers a person leaves: obviously fake phones, e-mails, devices, cookies, some known only as digests."""

from __future__ import annotations

import hashlib
from functools import cached_property

import numpy as np
import pyarrow as pa

from jobs.market.columns import Mask, digit_bytes, hex_bytes, text, where
from jobs.market.dice import Ints
from jobs.market.world import World

PHONE_DIGITS = 8
STRIDE = 61_803_399  # odd and no multiple of five, so person -> number is one to one below 10**8


class Identities:
    """Identifier columns for arrays of person indices."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._who = np.arange(world.people.count)

    @cached_property
    def _phones(self) -> pa.Array:
        number = (self._who * STRIDE + self._world.conf.seed * 7919) % 10**PHONE_DIGITS
        return text(len(self._who), self._world.conf.phone_prefix, digit_bytes(number, PHONE_DIGITS))

    @cached_property
    def _emails(self) -> pa.Array:
        return text(len(self._who), "u", hex_bytes(self._world.dice.words("email", self._who))[:, :12], "@example.com")

    @cached_property
    def _is_hashed(self) -> Mask:
        """People whose prospect record holds digests only."""
        hashed: Mask = self._world.dice.uniform("hashed", self._who) < self._world.conf.hashed_share
        return hashed

    @cached_property
    def _has_email(self) -> Mask:
        has: Mask = self._world.dice.uniform("has_email", self._who) < 0.55
        return has

    @cached_property
    def _phone_digests(self) -> pa.Array:
        return _digests(self._phones, self._is_hashed)

    @cached_property
    def _email_digests(self) -> pa.Array:
        return _digests(self._emails, self._is_hashed & self._has_email)

    def phone(self, person: Ints) -> pa.Array:
        """E.164 phones, as written on an application."""
        return self._phones.take(pa.array(person))

    def contact(self, person: Ints) -> dict[str, pa.Array]:
        """Phone and e-mail as the lender's files hold them: raw, or only as SHA-256."""
        hashed, has_email = self._is_hashed[person], self._has_email[person]
        rows = pa.array(person)
        return {
            "id_phone": where(~hashed, self._phones.take(rows)),
            "id_phone_sha256": self._phone_digests.take(rows),
            "id_email": where(~hashed & has_email, self._emails.take(rows)),
            "id_email_sha256": self._email_digests.take(rows),
        }

    def email(self, person: Ints) -> pa.Array:
        """E-mail addresses, null for people who gave none."""
        return where(self._has_email[person], self._emails.take(pa.array(person)))

    def device(self, person: Ints) -> pa.Array:
        """Upper-case device ids of UUID form; rings and households share theirs."""
        people = self._world.people
        key = np.where(people.ring[person] >= 0, -1 - people.ring[person], people.device[person])
        raw = hex_bytes(self._world.dice.words("device", key))
        upper = np.where(raw >= 97, raw - 32, raw)
        return text(len(person), "FAFEFAFE-", upper[:, :4], "-", upper[:, 4:8], "-0000-0000", upper[:, 8:])

    def cookie(self, person: Ints, month: Ints | int) -> pa.Array:
        """Browser cookies as of a month (since 1970-01): a share of people lose theirs every month."""
        version = self._cookie_version(person, month)
        return text(len(person), "ck", hex_bytes(self._world.dice.words("cookie", person, version)))

    def _cookie_version(self, person: Ints, month: Ints | int) -> Ints:
        """How often the cookie changed since the book began: churn by a fixed rate and a phase of one's own."""
        rate = self._world.conf.cookie_churn
        age = np.asarray(month) - self._world.calendar.book_month
        pace = rate * 2 * self._world.dice.uniform("cookie_pace", person)
        version: Ints = np.floor(self._world.dice.uniform("cookie_phase", person) + pace * age).astype(np.int64)
        return version

    def national(self, person: Ints) -> pa.Array:
        """National numbers in a region that does not exist."""
        number = (self._world.dice.words("national", person) % np.uint64(10**12)).astype(np.int64)
        return text(len(person), "000000", digit_bytes(number, 12))


def _digests(values: pa.Array, is_wanted: Mask) -> pa.Array:
    """Lower-case hex SHA-256 where wanted, null elsewhere."""
    wanted = values.filter(pa.array(is_wanted)).to_pylist()
    found = pa.array([hashlib.sha256(value.encode()).hexdigest() for value in wanted], type=pa.string())
    place = np.cumsum(is_wanted) - 1
    return found.take(pa.array(place, mask=~is_wanted))
