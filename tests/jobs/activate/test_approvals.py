"""A plan is sent when somebody released just that plan: a random walk of plans and approvals on a real database."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from jobs.activate.audience_operations import audience_operations
from jobs.activate.deliveries import deliveries
from jobs.runtime.approvals import Approvals, plan_named
from jobs.runtime.errors import PolicyRefused, UsageError
from jobs.runtime.sender import ledger_on
from jobs.runtime.settings import ChannelConf, PolicyConf
from jobs.tables.activate import AUDIENCES, ELIGIBILITY, PLAN_GATE
from jobs.tables.ingest import VAULTS
from support import make_conf

DAY = date(2026, 1, 10)


class Deployment:
    """A warehouse in which plans are published, turned into operations, and sent when they may be."""

    def __init__(self, rows: Any, shell: Any) -> None:
        self.rows, self.shell = rows, shell
        self.approvals = Approvals(shell.conf.base.memberships.format(warehouse=shell.store.root))

    def publish(self, table: Any, content: list[dict[str, Any]]) -> str:
        frame = self.rows(table, content, DAY, self.shell.conf)
        made = replace(
            audience_operations,
            name=f"w_{table.name}",
            function=lambda: frame,
            reads={},
            writes=(table,),
            asks=frozenset(),
        )
        return str(self.shell.run(made, DAY, force=True)[0].version)

    def plan(self, keys: list[str], shut: str | None = None) -> str:
        gate = {"is_holdout": False, "holdout_salt": "s", "is_consent_assumed": False, "channel": "sms"}
        people = [f"p{n}" for n in range(9)]
        self.publish(
            ELIGIBILITY,
            [
                {
                    **gate,
                    "prospect_key": p,
                    "person_key": p,
                    "is_eligible": p != shut,
                    "reason": "suppressed:opt_out" if p == shut else None,
                }
                for p in people
            ],
        )
        share = {"people": 0, "opportunities": 0.0, "ess": 0.0, "max_weight": 0.0, "is_passed": False, "mode": "off"}
        self.publish(PLAN_GATE, [{**share, "outcome": "value", "released_share": 1.0, "since_day": DAY}])
        sealed = [{"record_key": p, "sealed": self.shell.keys.seal(f'{{"id_phone": "+86100{p}"}}')} for p in people]
        self.publish(VAULTS["prospects"], sealed)
        listed = {"audience": "aud-00000001", "channel": "sms", "role": "policy", "propensity": 0.5}
        version = self.publish(AUDIENCES, [{**listed, "prospect_key": key} for key in keys])
        self.shell.run(audience_operations, DAY)
        return version

    def send(self) -> set[str]:
        self.shell.run(deliveries, DAY, ledger=ledger_on(self.shell, DAY))
        return self.held()

    def held(self) -> set[str]:
        return {key for _, _, key in ledger_on(self.shell, DAY).memberships.held()}


@pytest.fixture
def place(rows: Any, make_shell: Any, tmp_path: Path) -> Deployment:
    channels = {
        "sms": ChannelConf(
            capacity=9, budget=9, currency="CNY", identifiers=("phone",), target=str(tmp_path / "out" / "{channel}")
        )
    }
    conf = make_conf(channels=channels, policy=PolicyConf(min_audience=0, approval="required"))
    shell = make_shell(conf)
    (shell.store.root / "state").mkdir(parents=True)
    return Deployment(rows, shell)


def test_only_the_plan_that_was_approved_is_sent(place: Deployment) -> None:
    first = place.plan(["p1", "p2"])
    with pytest.raises(PolicyRefused, match=f"huoke approve {first} --by NAME --reason TEXT"):
        place.send()
    assert place.held() == set()
    assert plan_named(place.shell.store, first[:6]) == (first, DAY)
    assert plan_named(place.shell.store, "2026-01-10") == (first, DAY)
    place.approvals.add(first, DAY, "A. Manager", "as agreed for May")
    assert place.send() == {"p1", "p2"}
    # The same content planned again is the same plan; other content is another.
    assert place.plan(["p2", "p1"]) == first
    assert place.send() == {"p1", "p2"}
    second = place.plan(["p1", "p3"])
    assert second != first
    with pytest.raises(PolicyRefused, match=second):
        place.send()
    assert place.held() == {"p1", "p2"}
    place.approvals.add(second, DAY, "A. Manager", "p3 instead of p2")
    assert place.send() == {"p1", "p3"}


def test_whoever_opted_out_is_taken_off_without_waiting_for_an_approval(place: Deployment) -> None:
    place.approvals.add(place.plan(["p1", "p2", "p3"]), DAY, "A. Manager", "first")
    assert place.send() == {"p1", "p2", "p3"}
    place.plan(["p1", "p4"], shut="p2")
    with pytest.raises(PolicyRefused, match="nobody is added"):
        place.send()
    assert place.held() == {"p1", "p3"}


def test_without_the_policy_nobody_is_asked(place: Deployment) -> None:
    policy = place.shell.conf.policy.model_copy(update={"approval": "none"})
    place.shell.conf = place.shell.conf.model_copy(update={"policy": policy})
    place.plan(["p5"])
    assert place.send() == {"p5"}


def test_the_record_is_added_to_and_never_changed(tmp_path: Path) -> None:
    record = Approvals(f"sqlite:///{tmp_path}/m.db")
    for reason in ("one", "two"):
        record.add("ab" * 16, DAY, "A. Manager", reason)
    Approvals(f"sqlite:///{tmp_path}/m.db").add("cd" * 16, DAY, "B. Manager", "three")
    assert [(row.by, row.reason) for row in record.all()] == [
        ("A. Manager", "one"),
        ("A. Manager", "two"),
        ("B. Manager", "three"),
    ]
    assert [row.reason for row in record.all("ab" * 16)] == ["one", "two"]
    assert all(row.at.endswith("+00:00") for row in record.all())
    for change in ("UPDATE approvals SET reason = 'other'", "DELETE FROM approvals"):
        with pytest.raises(sa.exc.IntegrityError, match="only ever added to"), record.engine.begin() as link:
            link.execute(sa.text(change))
    assert len(record.all()) == 3
    for by, reason in (("", "why"), ("A. Manager", " ")):
        with pytest.raises(UsageError, match="names who gives it and why"):
            record.add("ab" * 16, DAY, by, reason)


def test_a_plan_is_named_once_or_not_at_all(place: Deployment) -> None:
    version = place.plan(["p1"])
    for name in ("2026-01-11", version[:3], "ffffffffff"):
        with pytest.raises(UsageError, match="0 plans in force"):
            plan_named(place.shell.store, name)
