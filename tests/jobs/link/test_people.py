"""Planted people come back, over-shared identifiers join nobody, one listed row a person is sent."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Any

import pandas as pd
import pytest

from jobs.link.people import people
from jobs.tables.ingest import PROSPECTS

OLD, NEW = date(2026, 1, 1), date(2026, 2, 1)


@pytest.fixture
def linked(rows: Any, make_shell: Any, conf: Any) -> Any:
    def run(content: list[dict[str, Any]]) -> tuple[pd.DataFrame, pd.DataFrame]:
        persons, owners, _ = people(rows(PROSPECTS, content, day=NEW), conf=conf, shell=make_shell())
        return persons.toPandas().set_index("prospect_key"), owners.toPandas().set_index(["kind", "id_key"])

    return run


def planted() -> list[dict[str, Any]]:
    """Three people with a row by each of two links, a household device, a call centre's phone."""
    content: list[dict[str, Any]] = []
    for person in "abc":
        content += [
            {
                "prospect_key": f"{person}1",
                "id_phone_key": f"{person}-phone",
                "registered_at": datetime(2025, 3, 1, tzinfo=UTC),
            },
            {"prospect_key": f"{person}2", "id_phone_key": f"{person}-phone", "id_email_key": f"{person}-mail"},
            {"prospect_key": f"{person}3", "id_email_key": f"{person}-mail", "id_device_key": "household"},
        ]
    content += [
        {"prospect_key": f"z{i}", "id_phone_key": "call-centre", "id_device_key": f"z{i}-device"} for i in range(6)
    ]
    return content


def test_planted_people_come_back_and_one_row_of_each_is_sent(linked: Any, conf: Any) -> None:
    persons, owners = linked(planted())
    assert len(persons) == 15
    truth = {key: key[0] if key[0] in "abc" else key for key in persons.index}
    groups = persons.groupby("person_key").groups
    assert sorted(map(sorted, groups.values())) == sorted(
        map(sorted, pd.Series(truth).groupby(pd.Series(truth)).groups.values())
    )
    assert (persons.groupby("person_key")["is_sent"].sum() == 1).all()
    # Most identifiers first (a2, a3 have two), then the longest known, then the smallest key.
    assert persons.index[persons["is_sent"]].tolist() >= ["a2"]
    assert persons.loc["a2", "is_sent"]
    assert (persons["prospects"] == [len(groups[key]) for key in persons["person_key"]]).all()
    assert owners.loc[("phone", "a-phone"), "person_key"] == persons.loc["a1", "person_key"]
    for nobody in (("device", "household"), ("phone", "call-centre")):
        assert pd.isna(owners.loc[nobody, "person_key"])
        assert owners.loc[nobody, "persons"] > 1


def test_the_cap_of_conf_decides_who_shares(rows: Any, make_shell: Any, conf: Any) -> None:
    wide = conf.model_copy(
        update={"base": conf.base.model_copy(update={"link": conf.base.link.model_copy(update={"max_shared": 6})})}
    )
    persons, _, dropped = people(rows(PROSPECTS, planted()), conf=wide, shell=make_shell())
    assert dropped.count() == 0
    centre = persons.where("prospect_key like 'z%'").select("person_key").distinct().count()
    assert centre == 1


@pytest.mark.usefixtures("several_partitions")
def test_order_of_rows_does_not_matter_and_others_arriving_change_nobody(linked: Any) -> None:
    first, _ = linked(planted())
    turned, _ = linked(planted()[::-1])
    pd.testing.assert_frame_equal(first.sort_index(), turned.sort_index())
    more, _ = linked([*planted(), {"prospect_key": "m1", "id_phone_key": "m-phone"}])
    pd.testing.assert_frame_equal(first.sort_index(), more.drop("m1").sort_index())
    # Later, somebody whose key is smaller than any joins a person, who stays who it was.
    first, _ = linked([row | {"day": OLD} for row in planted()])
    stay = [row | {"day": day} for day in (OLD, NEW) for row in planted()]
    joined, _ = linked([*stay, {"day": NEW, "prospect_key": "00", "id_phone_key": "a-phone"}])
    assert joined.loc["00", "person_key"] == first.loc["a1", "person_key"]
    pd.testing.assert_series_equal(first["person_key"].sort_index(), joined.drop("00")["person_key"].sort_index())


def test_who_left_the_snapshot_stays_known_but_is_not_sent(linked: Any) -> None:
    content = [
        {"day": OLD, "prospect_key": "gone", "id_phone_key": "p1", "id_cookie_key": "k0"},
        {"day": OLD, "prospect_key": "here", "id_phone_key": "p2", "id_cookie_key": "k1"},
        {"day": NEW, "prospect_key": "here", "id_phone_key": "p3", "id_cookie_key": "k2"},
        {"day": NEW, "prospect_key": "next", "id_phone_key": "p2"},
    ]
    persons, owners = linked(content)
    assert persons["is_sent"].to_dict() == {"gone": False, "here": True, "next": True}
    # A phone that moved on joins nobody, and says nothing about whose record carries it.
    assert persons.loc["here", "person_key"] != persons.loc["next", "person_key"]
    assert pd.isna(owners.loc[("phone", "p2"), "person_key"])
    assert owners.loc[("cookie", "k1"), "person_key"] == persons.loc["here", "person_key"]


def test_nobody_is_nobody(linked: Any) -> None:
    persons, owners = linked([])
    assert persons.empty
    assert owners.empty
