"""What every channel adapter does: hand a batch of digests over and bring back a receipt."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Protocol

from jobs.runtime.keys import sha256
from jobs.runtime.memberships import Batch

# Digests of nothing; sending one would match strangers to each other.
EMPTY_DIGESTS = frozenset({sha256(""), "d41d8cd98f00b204e9800998ecf8427e"})


class Adapter(Protocol):
    """One channel's way of taking an audience."""

    def hand_over(self, batch: Batch, rows: Sequence[Mapping[str, str]]) -> str:
        """Hand over one batch and return the receipt; the same batch twice has its effect once.

        `rows`: one a person, identifier kind to digest, without anything else about the person. TryAgain when the
        channel cannot be reached or did not take what was handed over.
        """
        ...


def digests(identifiers: Mapping[str, str | None], kinds: Sequence[str]) -> dict[str, str]:
    """SHA-256 of a person's canonical identifiers, of the kinds a channel takes; empty when there is none to use.

    `identifiers` as in the vault: `id_<kind>` in canonical form (phone: E.164 with `+`; email: lower case; device:
    upper case), or `id_<kind>_sha256`, already hashed and never hashed again.
    """
    found = {}
    for kind in kinds:
        plain, hashed = identifiers.get(f"id_{kind}"), identifiers.get(f"id_{kind}_sha256")
        digest = sha256(plain) if plain else hashed
        if digest and digest not in EMPTY_DIGESTS:
            found[kind] = digest
    return found
