"""Pseudonyms and seals are the standard ones, and outlive the trip to a worker."""

from __future__ import annotations

import hmac
import pickle

import pytest
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESSIV
from hypothesis import given
from hypothesis import strategies as st

from jobs.runtime.keys import Keys

secrets = st.binary(min_size=32, max_size=32)


@given(secrets, st.text(max_size=12), st.text(max_size=200))
def test_pseudonyms_are_hmac_and_seals_are_siv_here_and_in_a_worker(secret: bytes, kind: str, value: str) -> None:
    pepper = hmac.digest(secret, b"huoke pseudonym v1", "sha256")
    vault = AESSIV(hmac.digest(secret, b"huoke vault v1", "sha512"))
    for keys in (Keys(secret), pickle.loads(pickle.dumps(Keys(secret)))):
        for _ in range(2):  # what is kept begun is not used up
            told = keys.pseudonym(kind, value)
            assert told == hmac.digest(pepper, f"{kind}\x1f{value}".encode(), "sha256").hex()[:32]
            assert keys.seal(value) == vault.encrypt(value.encode() or b"\x00", None)
            assert keys.unseal(keys.seal(value)) == (value if value != "\x00" else "")


def test_what_another_key_sealed_is_not_opened_and_no_secret_is_told() -> None:
    one, other = Keys(b"1" * 32), Keys(b"2" * 32)
    with pytest.raises(InvalidTag):
        other.unseal(one.seal("somebody"))
    assert repr(one) == "Keys(•••)"
