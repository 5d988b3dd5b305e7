"""Pseudonyms and seals: what turns a person's identifiers into keys, and hides raw values in the vault."""

from __future__ import annotations

import hashlib
import hmac
import os
import secrets
from pathlib import Path

from cryptography.hazmat.primitives.ciphers.aead import AESSIV

from jobs.runtime.errors import UsageError

VARIABLE = "HUOKE_SECRET"
HMAC_BLOCK = 64  # bytes; of SHA-256


class Keys:
    """One deployment's keys, derived from one secret: the pepper of pseudonyms and the vault's key.

    `secret`: 32 bytes. Never logged; its repr hides it. Pseudonyms are permanent, so the secret must be kept.
    """

    def __init__(self, secret: bytes) -> None:
        pepper = hmac.digest(secret, b"huoke pseudonym v1", "sha256")
        self.__setstate__((pepper, hmac.digest(secret, b"huoke vault v1", "sha512")))

    def __getstate__(self) -> tuple[bytes, bytes]:
        return self._derived

    def __setstate__(self, derived: tuple[bytes, bytes]) -> None:
        """What is begun with a key once, as every one of millions of values begins with it, is kept begun."""
        self._derived = derived
        pepper, vault = derived
        block = pepper.ljust(HMAC_BLOCK, b"\0")
        self._inner = hashlib.sha256(bytes(byte ^ 0x36 for byte in block))
        self._outer = hashlib.sha256(bytes(byte ^ 0x5C for byte in block))
        self._vault = AESSIV(vault)

    def __repr__(self) -> str:
        return "Keys(•••)"

    def pseudonym(self, kind: str, value: str) -> str:
        """HMAC-SHA256 (RFC 2104) of `kind` and `value` under the pepper, its first 32 hex digits."""
        inner, outer = self._inner.copy(), self._outer.copy()
        inner.update(f"{kind}\x1f{value}".encode())
        outer.update(inner.digest())
        return outer.hexdigest()[:32]

    def identifier(self, kind: str, sha256_hex: str) -> str:
        """The pseudonym of an identifier from the SHA-256 of its canonical form, so raw and hashed rows meet."""
        return self.pseudonym(f"id_{kind}", sha256_hex)

    def seal(self, value: str) -> bytes:
        """Encrypt a value (AES-256-SIV, the same value gives the same bytes, so that content hashes are stable)."""
        return self._vault.encrypt(value.encode() or b"\x00", None)

    def unseal(self, sealed: bytes) -> str:
        """The value that was sealed; raises cryptography's InvalidTag when it was changed or the key is another."""
        plain = self._vault.decrypt(bytes(sealed), None)
        return "" if plain == b"\x00" else plain.decode()


def sha256(value: str) -> str:
    """Lower-case hex SHA-256 of a text."""
    return hashlib.sha256(value.encode()).hexdigest()


def keep_secret(warehouse: Path, text: str) -> None:
    """Keep a secret (64 hex digits) as WAREHOUSE/secret, readable by its owner only; one there already stays."""
    path = warehouse / "secret"
    if path.is_file():
        return
    warehouse.mkdir(parents=True, exist_ok=True)
    beside = warehouse / f".secret.{os.getpid()}"
    with os.fdopen(os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as handle:
        handle.write(text)
        handle.flush()
        os.fsync(handle.fileno())
    try:
        os.link(beside, path)
    except FileExistsError:
        pass
    finally:
        beside.unlink()


def load_keys(warehouse: Path) -> Keys:
    """The deployment's keys: from $HUOKE_SECRET (64 hex digits), else WAREHOUSE/secret, made once and kept private."""
    given = os.environ.get(VARIABLE)
    path = warehouse / "secret"
    if given is None:
        keep_secret(warehouse, secrets.token_hex(32))
    text = given if given is not None else path.read_text(encoding="utf-8")
    try:
        secret = bytes.fromhex(text.strip())
    except ValueError as error:
        raise UsageError(
            f"the secret in {VARIABLE if given else path} is not hexadecimal; give 64 hex digits"
        ) from error
    if len(secret) != 32:
        raise UsageError(
            f"the secret in {VARIABLE if given else path} has {len(secret)} bytes; give 32 (64 hex digits)"
        )
    return Keys(secret)
