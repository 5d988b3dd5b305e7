"""The five ways a command can fail, each with its exit code."""

from __future__ import annotations


class HuokeError(Exception):
    """A failure with a sentence for a person: what broke, where, and what to do next."""

    exit_code = 70


class UsageError(HuokeError):
    """The command was called wrongly (64)."""

    exit_code = 64


class DataRefused(HuokeError):
    """The data breaks its contract and was not let in (65)."""

    exit_code = 65


class Fault(HuokeError):
    """Our own fault (70)."""

    exit_code = 70


class TryAgain(HuokeError):
    """Something outside was not ready; the same call may succeed later (75)."""

    exit_code = 75


class PolicyRefused(HuokeError):
    """A rule of policy.yaml forbids it (77)."""

    exit_code = 77
