"""What partners pass: planted differences come back on people never seen, alike partners are told as alike."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.special import expit, logit
from scipy.stats import spearmanr

from jobs.model.learners import Features
from jobs.model.training.passes import partner_passes
from jobs.runtime.settings import PartnerConf
from segments.kinds import Kinds

REGIONS = ("east", "north", "west")
NEEDS = ("long", "medium", "short")
STYLES = ("plain", "vivid", "loud")
FEATURES = Features((), ("need", "style", "region"))


class World:
    """Partners with levels, slopes, a product each and regions; people with a view of risk and a need."""

    def __init__(self, seed: int, partners: int = 12, level: float = 0.7, slope: float = 0.3, fit: float = 0.6) -> None:
        self.dice = np.random.default_rng(seed)
        self.level, self.slope = level * self.dice.normal(size=partners), slope * self.dice.normal(size=partners)
        self.product = np.arange(partners) % 3
        self.serves = self.dice.random((partners, 3)) < 0.7
        self.serves[np.arange(partners), np.arange(partners) % 3] = True
        self.fit = fit

    def people(self, count: int) -> pd.DataFrame:
        """Everybody's features, and z, what is known of their approval (log-odds)."""
        dice = self.dice
        told = {"region": dice.choice(REGIONS, count), "need": dice.choice(NEEDS, count)}
        return pd.DataFrame({**told, "style": dice.choice(STYLES, count), "z": dice.normal(-1.2, 0.7, count)})

    def chances(self, people: pd.DataFrame) -> tuple[np.ndarray, np.ndarray]:
        """P(approved) and P(drawn | approved), people x partners; approval is 0 where a region is not served."""
        z, need = people["z"].to_numpy()[:, None], people["need"].map(NEEDS.index).to_numpy()
        region = people["region"].map(REGIONS.index).to_numpy()
        approve = expit(z + self.level + self.slope * (z + 1.2)) * self.serves.T[region]
        suits = np.where(self.product[None, :] == need[:, None], self.fit, -0.5 * self.fit)
        return approve, expit(0.4 + suits)

    def book(self, count: int, chosen: np.ndarray | None = None) -> pd.DataFrame:
        """Decided applications at partners drawn among those that serve, or sent where the caller says."""
        people = self.people(count)
        approve, drawn = self.chances(people)
        region = people["region"].map(REGIONS.index).to_numpy()
        luck = np.where(self.serves.T[region], self.dice.random(approve.shape), -1.0)
        partner = luck.argmax(axis=1) if chosen is None else chosen
        at = np.arange(count)
        is_approved = self.dice.random(count) < approve[at, partner]
        is_funded = is_approved & (self.dice.random(count) < drawn[at, partner])
        usual = (approve.sum(axis=1) / self.serves.T[region].sum(axis=1)).clip(1e-6)
        told = {"partner": [f"m{n:02d}" for n in partner], "product": self.product[partner].astype(str)}
        told |= {"is_approved": is_approved, "is_funded": is_funded, "is_draw_over": True}
        return people.assign(**told, approve=usual, fund=expit(0.4))


FUNNEL: Any = SimpleNamespace(version="v1", credit=lambda stage, frame: frame[stage].to_numpy())


def learned(book: pd.DataFrame, **partners: PartnerConf) -> pd.DataFrame:
    return partner_passes(book, FUNNEL, FEATURES, partners)


def told_of(rows: pd.DataFrame, people: pd.DataFrame) -> np.ndarray:
    """The pass rates of people x partners, looked up by class."""
    kinds = Kinds.of(rows)
    fit = people[kinds.feature] if kinds.feature else []
    matrix = rows.pivot(index="kind", columns="partner", values="pass_rate").to_numpy()
    return np.asarray(matrix[kinds.codes(people["region"], people["approve"].to_numpy(), fit)])


@settings(max_examples=4, deadline=None)
@given(st.integers(0, 10**6))
def test_planted_partners_are_told_apart_on_people_never_seen(seed: int) -> None:
    world = World(seed)
    rows = learned(world.book(30_000))
    assert rows["fit_feature"].unique().tolist() == ["need"]
    fresh = world.book(4_000)
    approve, drawn = world.chances(fresh)
    usual = (approve * drawn).sum(axis=1) / (approve > 0).sum(axis=1)
    true, found = approve * drawn / usual[:, None], told_of(rows, fresh)
    assert np.array_equal(found > 0, true > 0)
    assert np.mean([spearmanr(f[t > 0], t[t > 0])[0] for f, t in zip(found[:500], true[:500], strict=True)]) > 0.85
    best, at = found.argmax(axis=1), np.arange(len(fresh))
    assert 0.88 < (true[at, best] * usual).sum() / (found[at, best] * usual).sum() < 1.1
    assert (true[at, best] * usual).sum() > 0.93 * (true.max(axis=1) * usual).sum()


def test_held_out_rows_of_the_book_are_funded_as_often_as_told() -> None:
    world = World(5)
    rows, fresh = learned(world.book(40_000)), world.book(40_000)
    partner = fresh["partner"].str[1:].astype(int).to_numpy()
    rate = told_of(rows, fresh)[np.arange(len(fresh)), partner]
    expected = rate * fresh["approve"].to_numpy() * expit(0.4)
    for part in np.array_split(np.argsort(rate, kind="stable"), 5):
        seen = fresh["is_funded"].to_numpy()[part].sum()
        assert abs(seen - expected[part].sum()) < 4.0 * np.sqrt(seen) + 0.03 * seen


@settings(max_examples=4, deadline=None)
@given(st.integers(0, 10**6))
def test_partners_that_are_alike_are_told_as_alike(seed: int) -> None:
    world = World(seed, level=0.0, slope=0.0, fit=0.0)
    rows = learned(world.book(20_000))
    rate = rows.loc[rows["pass_rate"] > 0, "pass_rate"]
    assert np.abs(np.log(rate)).max() < 0.25
    assert np.abs(np.log(rate)).mean() < 0.06
    assert rows["fit_feature"].isna().all()


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_whom_a_partner_is_sent_is_not_what_it_does(seed: int) -> None:
    """The safe all go to the first half: its higher share of approvals says nothing of it."""
    world = World(seed, level=0.0, slope=0.0, fit=0.0)
    world.serves[:] = True
    state = world.dice.bit_generator.state
    safe = world.people(20_000)["z"].to_numpy() > -1.2
    world.dice.bit_generator.state = state
    half = np.random.default_rng(seed).integers(0, 6, 20_000)
    book = world.book(20_000, np.where(safe, half, 6 + half))
    share = book.groupby("partner")["is_approved"].mean()
    assert share[:6].mean() > 1.5 * share[6:].mean()
    rate = learned(book)["pass_rate"]
    assert np.abs(np.log(rate)).max() < 0.25


def test_a_partner_alone_and_no_partner() -> None:
    world = World(1, partners=1)
    world.serves[:] = True
    book = world.book(3_000)
    assert set(learned(book)["pass_rate"]) == {1.0}
    assert learned(book.assign(partner=None)).empty
    assert learned(book.iloc[:0]).empty


def test_a_partner_of_few_rows_is_held_near_the_others() -> None:
    world = World(2, level=0.3)
    book = world.book(20_000)
    rare = book["partner"].eq("m00")
    kept = book[~rare | (rare.cumsum() <= 6)].assign(is_approved=lambda b: b["is_approved"] | b["partner"].eq("m00"))
    rows = learned(kept)
    rate = rows.loc[(rows["partner"] == "m00"), "pass_rate"]
    assert rate.min() > 0.5  # too few rows to say that a region is not served
    assert rate.max() < 2.5  # six approvals of six


def test_a_region_never_lent_in_is_not_served_unless_by_a_slip_and_conf_rules() -> None:
    world = World(4)
    world.serves[:] = True
    world.serves[0, 0] = False
    book = world.book(20_000)
    slip = book["partner"].eq("m00") & book["region"].eq("west") & book["is_approved"]
    book.loc[slip[slip].index[0], "region"] = "east"  # an approval linked to the wrong person
    own = PartnerConf(regions=("north",))
    rows = learned(book, m03=own)
    takes = rows[rows["pass_rate"] > 0].groupby("partner")["region"].agg(lambda r: set(r.dropna()))
    assert takes["m00"] == {"north", "west"}
    assert takes["m03"] == {"north"}
    assert takes["m01"] == set(REGIONS)
    usual = rows[rows["region"].eq("east")].merge(
        book[book["region"].eq("east") & ~book["partner"].isin(["m00", "m03"])]["partner"].value_counts().rename("n"),
        left_on="partner",
        right_index=True,
    )
    mean = (usual["pass_rate"] * usual["n"]).groupby(usual["kind"]).sum() / usual.groupby("kind")["n"].sum()
    assert np.allclose(mean, 1.0, atol=1e-3)


def test_in_a_thin_book_applications_tell_where_approvals_are_too_few() -> None:
    world = World(8, partners=6)
    world.serves[:] = True
    world.serves[2, 1] = False
    book = world.book(360)
    assert book.loc[book["partner"].eq("m02"), "is_approved"].sum() < 25
    rows = learned(book.assign(region=book["region"].astype(str)))
    shut = rows[rows["pass_rate"].eq(0)]
    assert set(zip(shut["partner"], shut["region"], strict=True)) == {("m02", "north")}


def test_the_same_book_gives_the_same_rows_and_regions_of_conf_are_told() -> None:
    book = World(6).book(5_000)
    far = {"m01": PartnerConf(regions=("north", "island"))}
    one, two = (partner_passes(book, FUNNEL, FEATURES, far) for _ in range(2))
    pd.testing.assert_frame_equal(one, two)
    assert "island" in Kinds.of(one).regions
    assert set(one.loc[one["region"].eq("island"), "applications"]) == {0}
    assert logit(one["p_approve_from"].max()) > -2.0
