"""Who released which plan, when and why: appended to the memberships database, never changed."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import TYPE_CHECKING

import sqlalchemy as sa

from jobs.runtime.errors import UsageError
from jobs.runtime.memberships import METADATA

if TYPE_CHECKING:
    from jobs.runtime.conf import Conf
    from jobs.runtime.store import Store

PLAN, OPERATIONS = "audiences", "audience_operations"
APPROVALS = sa.Table(
    "approvals",
    METADATA,
    sa.Column("number", sa.Integer, primary_key=True, autoincrement=True),
    sa.Column("at", sa.String(32), nullable=False),
    sa.Column("plan", sa.String(32), nullable=False, index=True),  # version of the audiences: a hash of their content
    sa.Column("day", sa.String(10), nullable=False),
    sa.Column("by", sa.String, nullable=False),
    sa.Column("reason", sa.String, nullable=False),
)
# Elsewhere the database's own rights must keep the record; SQLite has none, so triggers do.
for verb in ("UPDATE", "DELETE"):
    refuse = sa.DDL(  # type: ignore[no-untyped-call]
        f"CREATE TRIGGER approvals_no_{verb.lower()} BEFORE {verb} ON approvals "
        "BEGIN SELECT RAISE(ABORT, 'approvals are only ever added to'); END"
    )
    sa.event.listen(APPROVALS, "after_create", refuse.execute_if(dialect="sqlite"))


@dataclass(frozen=True)
class Approval:
    """One release of one plan; `at` is UTC, `plan` the version of the audiences that were planned on `day`."""

    at: str
    plan: str
    day: str
    by: str
    reason: str


class Approvals:
    """The record of approvals behind a SQLAlchemy URL."""

    def __init__(self, url: str) -> None:
        self.engine = sa.create_engine(url)
        METADATA.create_all(self.engine)

    def add(self, plan: str, day: date, by: str, reason: str) -> Approval:
        """Append an approval; UsageError when nobody or nothing is named."""
        by, reason = by.strip(), reason.strip()
        if not by or not reason:
            raise UsageError("an approval names who gives it and why; write --by NAME --reason TEXT")
        row = Approval(datetime.now(UTC).isoformat(timespec="seconds"), plan, day.isoformat(), by, reason)
        with self.engine.begin() as link:
            link.execute(sa.insert(APPROVALS).values(**vars(row)))
        return row

    def all(self, plan: str | None = None) -> list[Approval]:
        """Every approval, or those of one plan, oldest first."""
        query = sa.select(*[APPROVALS.c[name] for name in Approval.__dataclass_fields__]).order_by(APPROVALS.c.number)
        if plan is not None:
            query = query.where(APPROVALS.c.plan == plan)
        with self.engine.connect() as link:
            return [Approval(**row) for row in link.execute(query).mappings()]


def plan_named(store: Store, name: str) -> tuple[str, date]:
    """The version in force that `name` means, a day or the first digits of a version, and its newest day."""
    found = {}
    for day in store.days(PLAN):
        pointer = store.pointer(PLAN, day)
        if pointer and (day.isoformat() == name or (len(name) >= 4 and pointer.version.startswith(name))):
            found[pointer.version] = day
    if len(found) != 1:
        raise UsageError(
            f"{len(found)} plans in force are called {name!r}; name one by its day or at least four digits of its "
            f"version, `huoke status {PLAN}` lists them"
        )
    return next(iter(found.items()))


def refusal(store: Store, conf: Conf, approvals: Approvals, day: date) -> str | None:
    """Why the day's plan may not be sent; None when it may.

    What counts is the plan that the operations about to be sent were made from.
    """
    if conf.policy.approval == "none":
        return None
    operations = store.pointer(OPERATIONS, day)
    plan = None if operations is None else operations.inputs.get(f"{PLAN}@{day}")
    if plan is not None and approvals.all(plan):
        return None
    return (
        f"day {day}: nobody has approved plan {plan or ''}, so nobody is added to a channel; look at it with "
        f"`huoke show channel_plan --day {day}` and `huoke show plan_gate --day {day}`, then release it with "
        f"`huoke approve {plan or day} --by NAME --reason TEXT` and run deliveries again"
    )
