"""The sender: brings what each channel holds to what is wanted, removals first, killed and started again at will."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any

from jobs.activate.channels.base import Adapter, digests
from jobs.activate.channels.file_drop import FileDrop
from jobs.runtime.approvals import Approvals, refusal
from jobs.runtime.conf import Conf
from jobs.runtime.memberships import Member, Memberships

if TYPE_CHECKING:
    from jobs.runtime.shell import Shell

log = logging.getLogger("huoke")
ADAPTERS = {"file_drop": FileDrop}


@dataclass(frozen=True)
class Operation:
    """Add somebody to, or remove somebody from, one audience of one channel."""

    operation: str
    channel: str
    audience: str
    prospect_key: str


@dataclass(frozen=True)
class Sender:
    """What a sending job gets as `ledger`: the memberships and the adapters of one deployment, for one day.

    `refusal`: why nobody may be added that day; None when they may.
    """

    memberships: Memberships
    adapters: Mapping[str, Adapter]
    identifiers: Mapping[str, Sequence[str]]
    day: date
    refusal: str | None = None

    @property
    def is_past(self) -> bool:
        """True when a later day was sent already: a backfill never sends."""
        last = self.memberships.last_day()
        return last is not None and self.day < last

    def todo(self, wanted: set[Member]) -> list[Operation]:
        """What leads from what the channels hold, or may hold after a killed run, to what is wanted.

        Nothing in the past. Who was quarantined today for want of an identifier is not tried again before tomorrow.
        """
        if self.is_past:
            log.info("day %s: a later day was sent already; nothing is sent", self.day)
            return []
        held, perhaps = self.memberships.held(), self.memberships.perhaps_held()
        refused, known = self.memberships.refused_adds(self.day), set(self.adapters)
        if lost := {member[0] for member in perhaps} - known:
            log.warning(
                "channels %s hold members but are not in conf/channels; add them back to empty them", sorted(lost)
            )
        removes = [Operation("remove", *member) for member in sorted(perhaps - wanted) if member[0] in known]
        adds = [Operation("add", *member) for member in sorted(wanted - held - refused) if member[0] in known]
        return removes + adds

    def send(self, operations: Sequence[Operation], identities: Mapping[str, Mapping[str, str | None]]) -> None:
        """Hand operations over, every removal before the first add; each batch is noted before and after.

        `identities`: prospect_key to its identifiers as in the vault. People without one the channel takes are
        quarantined and stay as they were.
        """
        for kind in ("remove", "add"):
            batches: dict[tuple[str, str], list[str]] = {}
            for one in operations:
                if one.operation == kind:
                    batches.setdefault((one.channel, one.audience), []).append(one.prospect_key)
            for (channel, audience), keys in sorted(batches.items()):
                self._send_batch(kind, channel, audience, keys, identities)

    def settle(self, wanted: set[Member]) -> None:
        """Close what a killed run left open, once nobody is held who should not be."""
        if not self.is_past:
            self.memberships.supersede(wanted)

    def _send_batch(
        self, kind: str, channel: str, audience: str, keys: Sequence[str], identities: Mapping[str, Mapping[str, Any]]
    ) -> None:
        batch = self.memberships.write_down(self.day, channel, audience, kind, keys)
        usable = {
            key: found for key in batch.keys if (found := digests(identities.get(key, {}), self.identifiers[channel]))
        }
        receipt = self.adapters[channel].hand_over(batch, list(usable.values()))
        self.memberships.confirm(batch, receipt, list(usable))
        log.info(
            "channel %s, audience %s: %s %d, quarantined %d for want of an identifier",
            *(channel, audience, kind, len(usable), len(batch.keys) - len(usable)),
        )


def ledger_on(shell: Shell, day: date) -> Sender:
    """The sender of a shell's deployment for a day; relative targets lie under the current folder."""
    found = sender(shell.conf, shell.store.root, day)
    approvals = Approvals(shell.conf.base.memberships.format(warehouse=shell.store.root))
    return replace(found, refusal=refusal(shell.store, shell.conf, approvals, day))


def sender(conf: Conf, warehouse: Path, day: date) -> Sender:
    """A sender on the memberships and targets that conf names; `{warehouse}` and `{channel}` are filled in."""
    (warehouse / "state").mkdir(parents=True, exist_ok=True)
    adapters: dict[str, Adapter] = {
        name: ADAPTERS[channel.adapter](channel.target.format(channel=name, warehouse=warehouse), channel.identifiers)
        for name, channel in conf.channels.items()
    }
    kinds = {name: channel.identifiers for name, channel in conf.channels.items()}
    return Sender(Memberships(conf.base.memberships.format(warehouse=warehouse)), adapters, kinds, day)
