"""What the landing files hold, typed, under pseudonyms, with every row accounted for."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING, Any

from pyspark.sql import functions as F

from jobs.contract import Job, Table, job
from jobs.runtime import frames
from jobs.runtime.conf import Conf
from jobs.runtime.keys import Keys
from jobs.runtime.landing_fates import decided, refused_rows
from jobs.runtime.landing_figures import figures, judged
from jobs.tables.ingest import COUNTS, LANDED, QUARANTINES, VAULTS

if TYPE_CHECKING:
    from jobs.runtime.landing import Landed
    from jobs.runtime.shell import Shell

COMPARED_DAYS = 60


def ingest_job(table: Table) -> Job:
    """The job that ingests one landing table: rows, refused rows, raw identifiers (of some tables), counts."""
    writes = [
        table,
        QUARANTINES[table.name],
        *([VAULTS[table.name]] if table.name in VAULTS else []),
        COUNTS[table.name],
    ]

    def ingest(landed: Landed, earlier: Any, *, day: date, conf: Conf, vault: Keys, shell: Shell) -> tuple[Any, ...]:
        resolved = frames.resolved(table, conf)
        rows = decided(landed.rows(vault, shell.folder()), resolved, shell)
        counted = judged(figures(rows, resolved, shell), landed, earlier, shell, conf)
        kept = rows.where("_fate = 'out'")
        results: list[Any] = [kept.select("day", *[f"`{c.name}`" for c in resolved.columns])]
        # None: no row was refused on any day.
        results.append(refused_rows(rows, resolved, vault) if counted["quarantined"].any() else None)
        if table.name in VAULTS:
            sealed = kept.where("_vault is not null")
            record_key, ids = F.col(table.key[0]).alias("record_key"), F.col("_vault").alias("sealed")
            results.append(sealed.select("day", record_key, ids))
        return (*results, counted)

    reads = {"earlier": COUNTS[table.name].before(COMPARED_DAYS)}
    return job(reads=reads, writes=tuple(writes), name=f"ingest_{table.name}", landing=table.name)(ingest)


INGEST = {table.name: ingest_job(table) for table in LANDED}
