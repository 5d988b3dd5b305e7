"""Hand today's operations to the channels: hashed at the edge, removals first, with a receipt for every batch."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pandas as pd
from pyspark.sql import functions as F

from jobs.contract import job
from jobs.runtime.errors import PolicyRefused
from jobs.tables.activate import AUDIENCE_OPERATIONS, DELIVERIES, ELIGIBILITY, SENT_MEMBERS
from jobs.tables.ingest import VAULTS

if TYPE_CHECKING:
    from pyspark.sql import DataFrame

    from jobs.runtime.keys import Keys
    from jobs.runtime.memberships import Member
    from jobs.runtime.sender import Operation, Sender
    from jobs.runtime.shell import Shell

MEMBER = ["channel", "audience", "prospect_key"]
# One process sends, so that a channel sees one order of batches; this many rows of members fit its memory.
MAX_MEMBERS = 5_000_000


@job(
    reads={
        "operations": AUDIENCE_OPERATIONS,
        "held": SENT_MEMBERS.before(),
        "vault_prospects": VAULTS["prospects"].in_force(),
        "eligibility": ELIGIBILITY,
    },
    writes=(DELIVERIES, SENT_MEMBERS),
    sends=True,
)
def deliveries(
    operations: DataFrame,
    held: DataFrame,
    vault_prospects: DataFrame,
    eligibility: DataFrame,
    *,
    shell: Shell,
    vault: Keys,
    ledger: Sender,
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Bring the channels from what they hold to held - removes + adds; running it again sends nothing more.

    What is published comes from the ledger's record of the day, so it is the same after a kill, and a day before the
    last one sent is reported and not sent. Of a plan that nobody approved only those whose gates shut are taken off,
    which never waits; then PolicyRefused says how to release it.
    """
    if ledger.refusal and not ledger.is_past:
        kept = _still_open(ledger.memberships.perhaps_held(), eligibility, shell)
        removals = [one for one in ledger.todo(kept) if one.operation == "remove"]
        ledger.send(removals, _identities(removals, vault_prospects, shell, vault))
        raise PolicyRefused(ledger.refusal)
    removed = operations.where("operation = 'remove'").select(*MEMBER)
    added = operations.where("operation = 'add'").select(*MEMBER)
    target = held.select(*MEMBER).join(removed, MEMBER, "left_anti").unionByName(added).distinct()
    rows = shell.sample(target, MAX_MEMBERS, MEMBER)
    wanted = set(rows.itertuples(index=False, name=None))
    todo = ledger.todo(wanted)
    ledger.send(todo, _identities(todo, vault_prospects, shell, vault))
    ledger.settle(wanted)
    done = pd.DataFrame(ledger.memberships.deliveries(ledger.day), columns=[c.name for c in DELIVERIES.columns])
    now = pd.DataFrame(ledger.memberships.members_on(ledger.day), columns=MEMBER)
    return done, now


def _still_open(held: set[Member], eligibility: DataFrame, shell: Shell) -> set[Member]:
    """Of some members those whose gates are open today."""
    if not held:
        return held
    members = shell.frame(pd.DataFrame(sorted(held), columns=MEMBER), SENT_MEMBERS)
    gates = eligibility.where("is_eligible").select("channel", "prospect_key")
    rows = shell.sample(members.join(gates, ["channel", "prospect_key"]).select(*MEMBER), MAX_MEMBERS, MEMBER)
    return {(str(c), str(a), str(k)) for c, a, k in rows.itertuples(index=False, name=None)}


def _identities(
    todo: list[Operation], vault_prospects: DataFrame, shell: Shell, vault: Keys
) -> dict[str, dict[str, str | None]]:
    """Identifiers of the people in the operations, unsealed; they go no further than the digests of a batch."""
    if not todo:
        return {}
    members = pd.DataFrame([(o.channel, o.audience, o.prospect_key) for o in todo], columns=MEMBER)
    keys = shell.frame(members, SENT_MEMBERS).select(F.col("prospect_key").alias("record_key")).distinct()
    known = vault_prospects.join(keys, "record_key").select("record_key", "sealed")
    sealed = shell.sample(known, MAX_MEMBERS, ["record_key"])
    rows = zip(sealed["record_key"], sealed["sealed"], strict=True)
    return {str(key): json.loads(vault.unseal(content)) for key, content in rows}
