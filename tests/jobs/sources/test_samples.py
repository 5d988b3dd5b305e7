"""Loans and trials without dates: every row accounted for, nothing refused let in, no place told by the outcome."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from jobs.runtime.errors import UsageError
from jobs.sources.samples import LoansConf, TrialConf, load, parse_loans, parse_trial

CONF = Path(__file__).parents[3] / "conf"
LOANS: dict[str, Any] = {
    "name": "small",
    "kind": "loans",
    "doc": "Loans made by hand.",
    "record": "id",
    "label": {"column": "late", "positive": "1", "negative": "0", "word": "late"},
    "numeric": {"income": {"column": "inc", "nulls": ["?"], "min": 0}},
    "categorical": {"grade": {"column": "grade"}},
    "refused": {"sex": {"why": "protected", "because": "sex"}},
}
HEAD = "id,late,inc,grade,sex,extra\n"
BAD = {
    "b1,maybe,1,A,f,?": "label_unknown",
    "b2,1,ten,A,f,?": "not_a_number",
    "b3,1,-1,A,f,?": "out_of_range",
    ",1,1,A,f,?": "record_missing",
}


def test_every_row_is_kept_refused_or_a_repeat(tmp_path: Path) -> None:
    file = tmp_path / "loans.csv"
    good = ["a1,1,5,A,f,?", "a2,0,?,,f,?", "a3,0,7,B,m,?"]
    twice = ["a1,1,5,A,m,!", "c1,1,5,A,f,?", "c1,0,5,A,f,?"]  # a repeat (sex has no use), and two that contradict
    file.write_text(HEAD + "\n".join([*good, *twice, *BAD]) + "\n", encoding="utf-8")
    parsed = parse_loans(LoansConf.model_validate(LOANS), [file])
    assert sorted(parsed.rows["record"]) == ["a1", "a2", "a3"]
    assert list(parsed.rows.columns) == ["record", "label", "income", "grade"]
    assert parsed.reasons == {**dict.fromkeys(BAD.values(), 1), "record_repeats": 2}
    assert parsed.duplicates == 1
    assert parsed.rows_in == len(parsed.rows) + len(parsed.refused) + parsed.duplicates == 10
    assert parsed.dropped_columns == ("extra",)
    by_record = parsed.rows.set_index("record")
    assert np.isnan(by_record.loc["a2", "income"])
    assert by_record.loc["a2", "grade"] is None


ROWS = st.lists(
    st.tuples(
        st.sampled_from(["-", "A"]), st.integers(0, 1), st.floats(0, 9, width=16), st.sampled_from(["", "k", "m"])
    ),
    min_size=1,
    max_size=40,
)
TRIAL = TrialConf.model_validate(
    {
        "name": "small",
        "kind": "trial",
        "doc": "A trial made by hand.",
        "arm": "segment",
        "control": "none",
        "arms": {"a": {"value": "A", "share": 0.5}, "none": {"value": "-", "share": 0.5}},
        "learn": "visits",
        "outcomes": {"visits": "visit"},
        "numeric": {"x": {"column": "x"}},
        "categorical": {"kind": {"column": "kind"}},
    }
)


@given(rows=ROWS, chance=st.randoms(use_true_random=False))
@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_rows_come_in_the_same_order_whatever_the_files(
    rows: list[tuple[Any, ...]], chance: Any, tmp_path: Path
) -> None:
    found, rows = [], list(rows)
    for _ in range(2):
        file = tmp_path / "trial.csv"
        pd.DataFrame(rows, columns=["segment", "visit", "x", "kind"]).to_csv(file, index=False)
        found.append(parse_trial(TRIAL, [file]).rows)
        chance.shuffle(rows)
    pd.testing.assert_frame_equal(found[0], found[1])
    assert len(found[0]) == len(rows), "equal rows without ids are two people"
    assert set(found[0]["arm"]) <= {0, 1}


def test_the_order_does_not_follow_the_outcome(tmp_path: Path) -> None:
    """Ties of a score are broken by place, so a place must not tell an outcome."""
    file = tmp_path / "trial.csv"
    frame = pd.DataFrame({"segment": "-", "visit": np.arange(4000) % 2, "x": 1.0, "kind": "k"})
    frame.to_csv(file, index=False)
    visits = parse_trial(TRIAL, [file]).rows["visits"].to_numpy()
    assert abs(visits[:2000].mean() - 0.5) < 4 * 0.5 / np.sqrt(4000)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"views": {"few": ["wage"]}}, "not declared: wage"),
        ({"record": "sex"}, "refused columns are used: sex"),
        ({"channel": "x"}, "Extra inputs are not permitted"),
    ],
)
def test_loans_declared_wrongly_say_why(changes: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        LoansConf.model_validate({**LOANS, **changes})


def test_an_unknown_kind_is_refused(tmp_path: Path) -> None:
    (tmp_path / "sources").mkdir()
    (tmp_path / "sources" / "odd.yaml").write_text("kind: cohort\n", encoding="utf-8")
    with pytest.raises(UsageError, match="use history, loans or trial"):
        load(tmp_path, "odd")


@pytest.mark.parametrize("name", ["bank_loan_leads", "bank_marketing", "hillstrom", "lending_club", "taiwan_default"])
def test_every_declared_source_loads(name: str) -> None:
    conf = load(CONF, name)
    assert conf.name == name
    assert not set(conf.refused) & conf.used
