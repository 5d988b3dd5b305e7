"""Playing audiences: the same rows give the same files, once, whatever interrupts them."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import time
from datetime import timedelta
from pathlib import Path

import pandas as pd
import pyarrow.parquet as pq
import pytest
from market_fixtures import digest, everybody

from jobs.market.conf import MarketConf
from jobs.market.history import new_market
from jobs.market.play import PlaySummary, play
from jobs.market.referee import referee, referee_history
from jobs.runtime.errors import DataRefused, UsageError

Market = tuple[MarketConf, Path, Path]


def copy(market: Market, root: Path) -> Market:
    conf, landing, truth = market
    shutil.copytree(landing, root / "landing")
    shutil.copytree(truth, root / "truth")
    return conf, root / "landing", root / "truth"


def run(market: Market, rows: pd.DataFrame, months: int = 13) -> PlaySummary:
    return play(*market, rows, lambda line: None, months=months)


def landed(landing: Path, table: str) -> pd.DataFrame:
    files = sorted((landing / table).glob("day=*/*.parquet"))
    parts = [
        pq.read_table(path).to_pandas().assign(landed=pd.Timestamp(path.parent.name.removeprefix("day=")))
        for path in files
    ]
    return pd.concat(parts, ignore_index=True)


def test_a_play_adds_days_and_changes_none_and_a_second_adds_nothing(small_market: Market, tmp_path: Path) -> None:
    market = copy(small_market, tmp_path)
    conf, landing, truth = market
    before = digest(landing)
    rows = everybody(truth, conf.history_end)
    made = run(market, rows)
    after = digest(landing)
    assert {name: after[name] for name in before} == before
    added = set(after) - set(before)
    assert all(name.split("day=")[1][:10] > conf.history_end.isoformat() for name in added)
    again = run(market, rows.sample(frac=1.0, random_state=3))
    assert again.is_reused
    assert (again.play, again.results) == (made.play, made.results)
    assert digest(landing) == after
    with pytest.raises(UsageError, match="played with other rows"):
        run(market, rows.iloc[1:])


def test_the_campaign_grows_old_enough(small_market: Market, tmp_path: Path) -> None:
    market = copy(small_market, tmp_path)
    conf, landing, truth = market
    made = run(market, everybody(truth, conf.history_end))
    touches = landed(landing, "touches")
    clicked = touches.loc[touches["occurred_at"].dt.date > conf.history_end, "id_click"].dropna()
    applications = landed(landing, "applications")
    bought = applications[applications["id_click"].isin(set(clicked))]
    loans = landed(landing, "loans")
    funded = loans[loans["application_id"].isin(set(bought["application_id"]))]
    assert len(funded) > 0
    assert len(funded) <= made.results[-1]["funded"]
    statements = landed(landing, "repayments")
    oldest = statements[statements["loan_id"].isin(set(funded["loan_id"]))].groupby("loan_id")["months_on_book"].max()
    assert (oldest >= 12).all()
    assert not statements.duplicated(["loan_id", "as_of_day"]).any()
    step = statements.sort_values(["loan_id", "as_of_day"]).groupby("loan_id")["months_on_book"].diff().dropna()
    assert (step == 1).all()
    assert not loans.duplicated("loan_id").any()
    final = applications.sort_values("landed").drop_duplicates("application_id", keep="last")
    assert (final["decision"] != "pending").mean() > 0.999


def test_people_in_two_plays_live_the_same_day(small_market: Market, tmp_path: Path) -> None:
    """Common random numbers: what a person does on a channel does not depend on who else is sent."""
    conf, _, truth = small_market
    rows = everybody(truth, conf.history_end)
    seen = {}
    for name, part in (("all", rows), ("half", rows.iloc[::2])):
        market = copy(small_market, tmp_path / name)
        run(market, part, months=1)
        touches = landed(market[1], "touches").drop(columns="landed").drop_duplicates("touch_id")
        seen[name] = touches[touches["occurred_at"].dt.date > conf.history_end].set_index("touch_id").sort_index()
    assert 0 < len(seen["half"]) < len(seen["all"])
    pd.testing.assert_frame_equal(seen["half"], seen["all"].loc[seen["half"].index])


def test_a_later_play_continues_where_the_first_ended(small_market: Market, tmp_path: Path) -> None:
    market = copy(small_market, tmp_path)
    conf, landing, truth = market
    rows = everybody(truth, conf.history_end)
    run(market, rows.iloc[::2], months=2)
    run(market, everybody(truth, conf.history_end + timedelta(days=20)).iloc[1::2], months=4)
    assert not landed(landing, "repayments").duplicated(["loan_id", "as_of_day"]).any()
    assert not landed(landing, "loans").duplicated("loan_id").any()
    assert not landed(landing, "applications").duplicated(["application_id", "landed"]).any()
    assert not landed(landing, "fx_rates").duplicated(["rate_day", "currency"]).any()
    assert (
        not landed(landing, "spend")
        .duplicated(["spend_day", "channel", "campaign", "ad_group", "creative", "landed"])
        .any()
    )


KILLED = """
import sys, time
from pathlib import Path
sys.path[:0] = [{tests!r}, {project!r}]
from market_fixtures import everybody, small_conf
from jobs.market.landing import LandingWriter
import jobs.market.play as playing, jobs.market.history as history
root, act = Path({root!r}), {act!r}
write, files = LandingWriter._write_file, [0]
def slowly(self, *args):
    write(self, *args)
    files[0] += 1
    if files[0] == 25:
        (root / "ready").touch()
        time.sleep(60)
LandingWriter._write_file = slowly
conf = small_conf()
if act == "new":
    history.new_market(conf, root / "landing", root / "truth", print)
else:
    rows = everybody(root / "truth", conf.history_end)
    playing.play(conf, root / "landing", root / "truth", rows, print)
"""


def kill_midway(root: Path, act: str) -> None:
    here = Path(__file__).parent
    script = KILLED.format(tests=str(here), project=str(here.parents[2]), root=str(root), act=act)
    child = subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.DEVNULL)
    for _ in range(600):
        if (root / "ready").exists() or child.poll() is not None:
            break
        time.sleep(0.1)
    os.kill(child.pid, signal.SIGKILL)
    assert child.wait() == -signal.SIGKILL
    (root / "ready").unlink()


def test_a_killed_play_is_completed_by_the_next_call(small_market: Market, tmp_path: Path) -> None:
    calm = copy(small_market, tmp_path / "calm")
    rows = everybody(calm[2], calm[0].history_end)
    run(calm, rows)
    torn = copy(small_market, tmp_path / "torn")
    kill_midway(tmp_path / "torn", "play")
    half = digest(torn[1])
    assert len(digest(small_market[1])) < len(half) < len(digest(calm[1]))
    assert not run(torn, rows).is_reused
    assert digest(tmp_path / "torn") == digest(tmp_path / "calm")


def test_a_killed_new_market_is_completed_by_the_next_call(small_market: Market, tmp_path: Path) -> None:
    conf, landing, _ = small_market
    kill_midway(tmp_path, "new")
    assert not (tmp_path / "truth" / "market.json").exists()
    new_market(conf, tmp_path / "landing", tmp_path / "truth", lambda line: None)
    assert digest(tmp_path / "landing") == digest(landing)
    assert digest(tmp_path / "truth") == digest(small_market[2])


def test_rows_that_cannot_be_played_are_refused(small_market: Market, tmp_path: Path) -> None:
    conf, landing, truth = small_market
    rows = everybody(truth, conf.history_end).head(10)
    with pytest.raises(DataRefused, match="1 rows name an unknown prospect_id"):
        run(small_market, rows.assign(prospect_id=["nobody", *rows["prospect_id"][1:]]))
    with pytest.raises(DataRefused, match="repeat"):
        run(small_market, pd.concat([rows, rows.head(1)]))
    with pytest.raises(DataRefused, match="history ends"):
        run(small_market, rows.assign(day=conf.history_end - timedelta(days=1)))
    with pytest.raises(DataRefused, match="columns missing"):
        run(small_market, rows.drop(columns="role"))
    with pytest.raises(UsageError, match="no complete market"):
        play(conf, landing, tmp_path, rows, lambda line: None)


def test_the_referee_adds_up_and_sees_capacity(small_market: Market) -> None:
    conf, _, truth = small_market
    rows = everybody(truth, conf.history_end)
    rows["band"] = ["A" if n % 3 else "B" for n in range(len(rows))]
    held = rows.head(1).assign(channel="none", role="holdout")
    verdict = referee(truth, pd.concat([rows, held]))
    arms = pq.read_table(truth / "arms.parquet").to_pandas()
    people = pq.read_table(truth / "people.parquet").to_pandas()
    joined = rows.merge(arms, on=["prospect_id", "channel"]).merge(people, on="prospect_id")
    good = joined["inc_funded"] * (1 - joined["p_late"])
    overall = verdict["overall"]
    assert overall["people"] == len(rows)
    assert overall["spend"] == pytest.approx(joined["expected_cost"].sum())
    assert overall["good"] == pytest.approx(good.sum())
    assert overall["cost_per_good"] == pytest.approx(joined["expected_cost"].sum() / good.sum())
    for cut in (verdict["by_channel"].values(), verdict["by_channel_band"]):
        assert sum(cell["good"] for cell in cut) == pytest.approx(good.sum())
    assert set(verdict["over_capacity"]) <= {channel.name for channel in conf.channels}
    assert verdict["over_capacity"], "everybody in turn exceeds the small channels"
    same = verdict["same_volume"]
    assert same["oracle"] < same["best_channel"] < same["random"] * 1.05
    assert verdict["persons"] == people["person_id"].nunique()
    past = referee_history(truth)
    assert sum(cell["spend"] for cell in past["by_role"].values()) == pytest.approx(past["overall"]["spend"])
    with pytest.raises(DataRefused, match="unknown channel"):
        referee(truth, rows.assign(channel="telepathy"))
