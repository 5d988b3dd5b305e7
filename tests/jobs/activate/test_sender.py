"""Sending converges to what is wanted whatever happened before: random plans, and a kill at every single step."""

from __future__ import annotations

import json
import os
import shutil
import signal
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from jobs.activate.channels.base import digests
from jobs.activate.channels.file_drop import FileDrop
from jobs.runtime.errors import TryAgain
from jobs.runtime.keys import sha256
from jobs.runtime.memberships import Batch, Memberships
from jobs.runtime.sender import Sender

DAY = date(2026, 1, 10)
CHANNELS = {"feed_a": ("phone", "email"), "sms": ("phone",)}
PEOPLE = [f"p{n}" for n in range(12)]
IDENTITIES = {key: {"id_phone": f"+86100{key}", "id_email": None} for key in PEOPLE}
Member = tuple[str, str, str]


def make_sender(home: Path, day: date = DAY) -> Sender:
    home.mkdir(parents=True, exist_ok=True)
    drops = {name: FileDrop(str(home / "drop" / name), kinds) for name, kinds in CHANNELS.items()}
    return Sender(Memberships(f"sqlite:///{home}/memberships.db"), drops, CHANNELS, day)


def converge(sender: Sender, wanted: set[Member]) -> int:
    todo = sender.todo(wanted)
    sender.send(todo, IDENTITIES)
    sender.settle(wanted)
    return len(todo)


def on_channel(home: Path) -> set[Member]:
    """What a receiver holds that applies every batch with a manifest in the order of their numbers, by digest."""
    names = {sha256(IDENTITIES[key]["id_phone"]): key for key in PEOPLE}
    held: set[Member] = set()
    manifests = [json.loads(path.read_text()) for path in (home / "drop").rglob("*.manifest.json")]
    paths = {m["batch"]: p for m, p in zip(manifests, (home / "drop").rglob("*.manifest.json"), strict=True)}
    for manifest in sorted(manifests, key=lambda m: m["batch"]):
        file = Path(str(paths[manifest["batch"]]).replace(".manifest.json", ".csv"))
        lines = file.read_text().splitlines()[1:]
        assert len(lines) == manifest["rows"]
        for line in lines:
            member = (manifest["channel"], manifest["audience"], names[line.split(",")[0]])
            if manifest["operation"] == "add":
                held.add(member)
            else:
                held.discard(member)
    return held


members = st.sets(
    st.tuples(st.sampled_from(sorted(CHANNELS)), st.sampled_from(["aud-a", "aud-b"]), st.sampled_from(PEOPLE)),
    max_size=14,
)


@settings(max_examples=10, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(plans=st.lists(members, min_size=1, max_size=4))
def test_any_sequence_of_plans_converges_by_differences(tmp_path_factory: Any, plans: list[set[Member]]) -> None:
    home = tmp_path_factory.mktemp("send")
    before: set[Member] = set()
    for number, wanted in enumerate(plans):
        sender = make_sender(home, DAY + timedelta(days=number))
        assert converge(sender, wanted) == len(before ^ wanted)
        assert on_channel(home) == wanted == sender.memberships.held()
        assert converge(sender, wanted) == 0
        before = wanted


def test_the_past_is_reported_and_never_sent(tmp_path: Path) -> None:
    first, second = {("sms", "aud-a", "p1")}, {("sms", "aud-a", "p2")}
    converge(make_sender(tmp_path, DAY), first)
    converge(make_sender(tmp_path, DAY + timedelta(days=1)), second)
    past = make_sender(tmp_path, DAY)
    assert converge(past, set()) == 0
    assert past.memberships.members_on(DAY) == sorted(first)
    assert past.memberships.members_on(DAY + timedelta(days=1)) == sorted(second)
    assert [d["operation"] for d in past.memberships.deliveries(DAY)] == ["add"]


STRIDES = [pytest.param(7, id="sample"), pytest.param(1, id="every-step", marks=pytest.mark.storm)]


@pytest.mark.parametrize("stride", STRIDES)
def test_a_kill_at_any_step_converges(tmp_path: Path, stride: int) -> None:
    """Killed before SQL statements, commits and writes, then run again: with the same plan, or with a changed one."""
    start = {("feed_a", "aud-a", key) for key in PEOPLE[:6]} | {("sms", "aud-a", "p7")}
    planned = {("feed_a", "aud-b", key) for key in PEOPLE[3:9]} | {("sms", "aud-a", "p8"), ("sms", "aud-b", "p9")}
    changed = {member for member in planned if member[2] not in ("p4", "p8")}
    converge(make_sender(tmp_path / "start", DAY), start)
    kills = []
    for turn, step in enumerate(range(0, 1000, stride)):
        home = tmp_path / f"kill{step}"
        shutil.copytree(tmp_path / "start", home)
        if not send_and_die(home, planned, step):
            break
        kills.append(step)
        wanted = (planned, changed)[turn % 2]
        again = make_sender(home, DAY + timedelta(days=1))
        converge(again, wanted)
        assert on_channel(home) == wanted == again.memberships.held(), f"killed at step {step}"
        assert again.memberships.perhaps_held() == wanted, f"killed at step {step}"
        assert converge(again, wanted) == 0, f"killed at step {step}"
    assert len(kills) * stride > 60, f"the faults fired at {len(kills)} steps only"


def send_and_die(home: Path, wanted: set[Member], step: int) -> bool:
    """Send in a child that kills itself (SIGKILL) before its `step`-th write or statement; True if it did."""
    child = os.fork()
    if child == 0:
        try:
            sender = make_sender(home, DAY + timedelta(days=1))
            left = [step]

            def tick(*_: Any, **__: Any) -> None:
                left[0] -= 1
                if left[0] < 0:
                    os.kill(os.getpid(), signal.SIGKILL)

            sa.event.listen(sender.memberships.engine, "before_cursor_execute", tick)
            sa.event.listen(sender.memberships.engine, "commit", tick)
            for drop in sender.adapters.values():
                drop.fs = Ticking(drop.fs, tick)  # type: ignore[attr-defined]
            converge(sender, wanted)
        finally:
            os._exit(0)
    _, status = os.waitpid(child, 0)
    return os.WIFSIGNALED(status) and os.WTERMSIG(status) == signal.SIGKILL


class Ticking:
    """A filesystem that ticks before every write, and half-way through each file."""

    def __init__(self, inner: Any, tick: Any) -> None:
        self.inner, self.tick = inner, tick

    def pipe_file(self, path: str, content: bytes) -> None:
        self.tick()
        self.inner.pipe_file(path, content[: len(content) // 2])
        self.tick()
        self.inner.pipe_file(path, content)

    def mv(self, source: str, target: str) -> None:
        self.tick()
        self.inner.mv(source, target)

    def __getattr__(self, name: str) -> Any:
        return getattr(self.inner, name)


def test_people_without_an_identifier_are_quarantined_and_not_tried_again_today(tmp_path: Path) -> None:
    sender = make_sender(tmp_path)
    wanted = {("sms", "aud-a", "p1"), ("sms", "aud-a", "stranger")}
    converge(sender, wanted)
    (done,) = sender.memberships.deliveries(DAY)
    assert (done["rows"], done["accepted"], done["quarantined"], done["status"]) == (2, 1, 1, "partial")
    assert sender.memberships.held() == {("sms", "aud-a", "p1")}
    assert converge(sender, wanted) == 0
    assert converge(make_sender(tmp_path, DAY + timedelta(days=1)), wanted) == 1


def test_digests_match_the_published_vectors_and_nothing_is_never_sent() -> None:
    phone = "ec61f3c620a98bdead8c1f1f0ae747abd1b62a0c2dba4fd4bc22cf0d1d8653e5"
    assert digests({"id_phone": "+8613800138000"}, ["phone", "email"]) == {"phone": phone}
    assert digests({"id_phone_sha256": phone}, ["phone"]) == {"phone": phone}
    email = "ae10ed27b0a6a6ca34fb10f137f04a040aef06245895725c40ae9db902e371f4"
    assert digests({"id_email": "dana@gmail.com", "id_phone": "+8613800138000"}, ["email"]) == {"email": email}
    assert digests({"id_phone": "", "id_email": None, "id_phone_sha256": sha256("")}, ["phone", "email"]) == {}


def test_the_same_batch_twice_is_one_file_over_any_fsspec_url() -> None:
    drop = FileDrop("memory://huoke-test/out", ("phone",))
    batch = Batch(3, DAY, "sms", "aud-a", "add", ("a", "b"))
    rows = [{"phone": sha256("2")}, {"phone": sha256("1")}]
    receipt = drop.hand_over(batch, rows)
    assert drop.hand_over(batch, rows[::-1]) == receipt
    names = sorted(path.rsplit("/", 1)[1] for path in drop.fs.find("/huoke-test/out"))
    stem = "00000003-add-aud-a"
    assert names == [f"{stem}.csv", f"{stem}.manifest.json", f"{stem}.receipt.json"]
    content = drop.fs.cat_file(f"/huoke-test/out/day=2026-01-10/{stem}.csv")
    assert content == drop.content(rows)
    assert sha256(content.decode()) == receipt


def test_a_target_that_cannot_be_written_asks_to_try_again(tmp_path: Path) -> None:
    (tmp_path / "drop").write_text("a file where a folder should be")
    drop = FileDrop(str(tmp_path / "drop" / "sms"), ("phone",))
    with pytest.raises(TryAgain, match="batch 1"):
        drop.hand_over(Batch(1, DAY, "sms", "aud-a", "add", ("a",)), [{"phone": sha256("1")}])
