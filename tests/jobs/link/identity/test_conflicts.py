"""Nobody holds two national identifiers, whatever people share; what ties nobody is kept with its reason."""

from __future__ import annotations

import random
from datetime import date
from typing import Any

import pandas as pd
import pytest

from jobs.link.identity.conflicts import MUST_NOT_LINK
from jobs.link.identity.ties import OVER_SHARED
from jobs.link.people import people
from jobs.tables.ingest import PROSPECTS

DAY = date(2026, 2, 1)


def joined(rows: Any, shell: Any, conf: Any, content: list[dict[str, Any]]) -> tuple[pd.DataFrame, pd.DataFrame]:
    persons, _, dropped = people(rows(PROSPECTS, content, day=DAY), conf=conf, shell=shell)
    return persons.toPandas().set_index("prospect_key"), dropped.toPandas().set_index(["kind", "id_key"])


def test_weaker_identifiers_give_way_to_two_national_ones(rows: Any, make_shell: Any, conf: Any) -> None:
    content = [
        {"prospect_key": "a1", "id_national_key": "A", "id_phone_key": "a-phone"},
        {"prospect_key": "a2", "id_phone_key": "a-phone", "id_email_key": "shared-mail"},
        {"prospect_key": "b1", "id_national_key": "B", "id_email_key": "shared-mail"},
        {"prospect_key": "b2", "id_national_key": "B", "id_phone_key": "b-phone"},
        {"prospect_key": "c1", "id_phone_key": "office"},
        *[{"prospect_key": f"d{i}", "id_phone_key": "centre"} for i in range(6)],
        {"prospect_key": "e1", "id_national_key": "E", "id_phone_key": "office"},
        {"prospect_key": "f1", "id_national_key": "F", "id_phone_key": "office"},
    ]
    persons, dropped = joined(rows, make_shell(), conf, content)
    same = persons["person_key"]
    assert same["a1"] == same["a2"]
    assert same["b1"] == same["b2"] != same["a1"]
    assert len({same["c1"], same["e1"], same["f1"]}) == 3, "an office's phone tells nobody from anybody"
    assert dropped["reason"].to_dict() == {
        ("email", "shared-mail"): MUST_NOT_LINK,
        ("phone", "office"): MUST_NOT_LINK,
        ("phone", "centre"): OVER_SHARED,
    }
    assert dropped["holders"].to_dict()["phone", "centre"] == 6


@pytest.mark.usefixtures("several_partitions")
def test_no_person_of_random_sharers_has_two_and_order_does_not_matter(rows: Any, make_shell: Any, conf: Any) -> None:
    dice = random.Random(4)
    content = [
        {
            "prospect_key": f"p{i:03d}",
            "id_national_key": f"n{i // 2}" if dice.random() < 0.4 else None,
            "id_phone_key": f"phone{dice.randrange(120)}",
            "id_email_key": f"mail{dice.randrange(160)}" if dice.random() < 0.6 else None,
            "id_account_key": f"account{dice.randrange(90)}" if dice.random() < 0.2 else None,
        }
        for i in range(200)
    ]
    persons, dropped = joined(rows, make_shell(), conf, content)
    told = pd.DataFrame(content).set_index("prospect_key").join(persons)
    held = told.dropna(subset=["id_national_key"]).groupby("person_key")["id_national_key"].nunique()
    assert (held == 1).all()
    assert (dropped["reason"] == MUST_NOT_LINK).sum() > 10, "they do share"
    # Those of one national identifier are one person.
    assert (told.dropna(subset=["id_national_key"]).groupby("id_national_key")["person_key"].nunique() == 1).all()
    # An identifier that was kept ties all of its holders.
    for kind in ("account", "phone", "email"):
        for id_key, holders in told.groupby(f"id_{kind}_key"):
            if (kind, id_key) not in dropped.index:
                assert holders["person_key"].nunique() == 1, (kind, id_key)
    turned = dice.sample(content, len(content))
    again, same = joined(rows, make_shell(), conf, turned)
    pd.testing.assert_frame_equal(persons.sort_index(), again.sort_index())
    assert set(same.index) == set(dropped.index)
