"""One pass over people in Spark: exact sums of what any number of choosers would do, and the final choice itself."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
from pyspark.sql import Window
from pyspark.sql import functions as F

from jobs.activate.allocation.board import OWN_SEATS, Board, Nearness, indifference
from jobs.activate.allocation.choosers import AtPrices, Chooser, DayZero, Policy, is_explorer
from jobs.activate.allocation.crowd import Crowd, Here, policy_people
from jobs.activate.allocation.partners import RATE
from jobs.activate.allocation.people import Layout
from jobs.activate.allocation.placed import Placed
from jobs.activate.allocation.program import Floats, Ints, People, Program
from jobs.activate.allocation.sums import totals

if TYPE_CHECKING:
    from pyspark.sql import DataFrame

    from jobs.runtime.shell import Shell

SAMPLE, LENT_SAMPLE = 60_000, 150_000  # people held to find prices on; where partners of a few people have rows
HELD = 250_000  # so many people take some 100 MB on the driver, and no time going through Spark
CHOSEN = "prospect_key string, channel string, role string, propensity double"
LENT = "partner string, pass_rate double"


@dataclass(frozen=True)
class Passes:
    """A materialised people frame that answers questions. Each question is one aggregate in one pass.

    Up to HELD people are held on the driver: the sums are whole numbers, so the same there.
    """

    shell: Shell
    frame: DataFrame
    layout: Layout
    program: Program
    held: dict[str, Any] | None = None

    def holding(self, people: int) -> Passes:
        """The same, with its `people` brought over when they are few."""
        return replace(self, held=self._columns(self.frame)) if people <= HELD else self

    def tally(self, choosers: Sequence[Chooser]) -> list[dict[str, Ints]]:
        """Exact sums of each chooser's choice, as `program.totals`; they do not depend on the partitioning."""
        if self.held is not None:
            people, luck = self._everybody.people, self._everybody.luck
            return [totals(self.program, people, chooser.choose(people, luck)) for chooser in choosers]
        names = ["places", *self.program.quantities]
        step = _Tally(self.layout, self.program, tuple(choosers))
        arms = len(self.layout.channels) * self.program.lenders
        schema = "question int, place int, " + ", ".join(f"`{name}` bigint" for name in names)
        parts = self.frame.mapInArrow(step, schema)
        summed = parts.groupBy("question", "place").agg(*[F.sum(name).alias(name) for name in names])
        rows = self.shell.small(summed, len(choosers) * arms + 1)
        result = [{name: np.zeros(arms, dtype=np.int64) for name in names} for _ in range(len(choosers))]
        for row in rows.to_dict("records"):
            for name in names:
                result[int(row["question"])][name][int(row["place"])] = int(row[name])
        return result

    def crowd(self, exploration: float, people: int) -> Crowd:
        """Everybody who does not explore."""
        if self.held is not None:
            return Here(self.program, policy_people(self._everybody, exploration))
        few, share = self.sample(people)
        return _There(self, exploration, policy_people(few, exploration), share)

    def sample(self, people: int) -> tuple[Board, float]:
        """A hashed sample of people on the driver, in the order of their keys, and which share of `people` it is."""
        share = min(1.0, self._most / max(people, 1))
        if self.held is not None:
            return self._everybody.only(self._everybody.luck["pick"] < share), share
        return self.brought(self.frame if share >= 1.0 else self.frame.where(f"pick < {share!r}")), share

    @property
    def _most(self) -> int:
        return LENT_SAMPLE if self.program.has_partner_rows else SAMPLE

    @cached_property
    def _everybody(self) -> Board:
        return self.layout.board(self.held or {})

    def brought(self, frame: DataFrame) -> Board:
        """A bounded part of the people frame on the driver."""
        return self.layout.board(self._columns(frame))

    def _columns(self, frame: DataFrame) -> dict[str, Any]:
        rows = self.shell.small(frame, max(HELD, int(self._most * 1.2) + 1000), ["prospect_key"])
        return {str(name): rows[name] for name in rows.columns}

    def settle(self, chooser: Policy | DayZero, layout: Layout, placed: Placed | None = None) -> DataFrame:
        """The choice of everybody who gets a channel: prospect_key, channel, role, propensity; where partners differ
        also partner and pass_rate.
        """
        chosen = CHOSEN if self.program.partners is None else f"{CHOSEN}, {LENT}"
        return self.frame.mapInArrow(_Settle(layout, chooser, placed, self.program), chosen)


@dataclass(frozen=True)
class _There:
    """People in Spark; `few`: a sample of them on the driver, `share` of all."""

    passes: Passes
    exploration: float
    few: Board
    share: float

    def ask(self, questions: Sequence[Floats]) -> list[dict[str, Ints]]:
        """Exact sums of everybody's best answer to each of several prices, in one pass."""
        program = self.passes.program
        return self.passes.tally([AtPrices(program, prices, self.exploration) for prices in questions])

    def near(self, prices: Floats, seats: int) -> Board:
        """At most so many people, those nearest to indifferent at the prices, and some of each partner's; ties by key.

        The sample tells how near about twice as many are, so that few rows leave the workers.
        """
        program, layout, frame = self.passes.program, self.passes.layout, self.passes.frame
        margins = np.sort(indifference(program, self.few.people, prices))
        place = int(2.0 * seats * self.share) + 50
        within = float(margins[place]) if place < len(margins) else np.inf
        step = _Near(layout, program, prices, self.exploration, within)
        schema = ", ".join(f"`{f.name}` {f.dataType.simpleString()}" for f in frame.schema.fields)
        near = frame.mapInArrow(step, f"{schema}, margin double, lender int")
        # Asked twice where partners have seats of their own.
        near = near if program.partners is None else self.passes.shell.cut(near)
        order = [F.col("margin"), F.col("prospect_key")]
        found = near.where(F.col("margin") <= F.lit(within)).orderBy(*order).limit(seats)
        if program.partners is not None:
            own = F.row_number().over(Window.partitionBy("lender").orderBy(*order))
            lent = near.where("lender >= 0").withColumn("own", own).where(F.col("own") <= OWN_SEATS).drop("own")
            found = found.unionByName(lent).dropDuplicates(["prospect_key"])
        return self.passes.brought(found.drop("margin", "lender"))


@dataclass(frozen=True)
class _Near:
    layout: Layout
    program: Program
    prices: Floats
    exploration: float
    within: float

    def __call__(self, batches: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        for batch in batches:
            people, luck = self.layout.people(_columns(batch))
            near = Nearness.of(self.program, people, self.prices)
            explores = is_explorer(luck, self.exploration)
            near = replace(near, margin=np.where(explores, np.inf, near.margin))
            # Of a batch nobody beyond its nearest of each partner can be among those of all.
            found = np.isfinite(near.margin) & ((near.margin <= self.within) | near.nearest(0))
            rows = pa.array(np.flatnonzero(found))
            told = [pa.array(near.margin[found], type=pa.float64()), pa.array(near.partner[found].astype(np.int32))]
            yield pa.RecordBatch.from_arrays(
                [*[column.take(rows) for column in batch.columns], *told],
                names=[*batch.schema.names, "margin", "lender"],
            )


@dataclass(frozen=True)
class _Tally:
    layout: Layout
    program: Program
    choosers: tuple[Chooser, ...]

    def __call__(self, batches: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        for batch in batches:
            people, luck = self.layout.people(_columns(batch))
            for question, chooser in enumerate(self.choosers):
                sums = totals(self.program, people, chooser.choose(people, luck))
                place = np.flatnonzero(sums["places"])
                columns: dict[str, Any] = {
                    "question": np.full(len(place), question, dtype=np.int32),
                    "place": place.astype(np.int32),
                }
                yield pa.RecordBatch.from_pydict({**columns, **{name: sums[name][place] for name in sums}})


@dataclass(frozen=True)
class _Settle:
    layout: Layout
    chooser: Policy | DayZero
    placed: Placed | None
    program: Program

    def __call__(self, batches: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        for batch in batches:
            people, luck = self.layout.people(_columns(batch))
            keys = batch.column("prospect_key").cast(pa.string())
            chooser = self.chooser
            if isinstance(chooser, Policy) and self.placed is not None:
                chooser = chooser.placing(self.placed.of(keys))
            choice = chooser.choose(people, luck)
            rows = np.flatnonzero(choice >= 0)
            channel, lent = self.program.channels_of(choice[rows]), self._lent(people, rows, choice[rows])
            chances = chooser.chances(people)[rows, channel]
            explored = chooser.is_exploration(luck)[rows]
            names = np.array(self.layout.channels, dtype=object)[channel]
            yield pa.RecordBatch.from_pydict(
                {
                    "prospect_key": keys.take(pa.array(rows)),
                    "channel": pa.array(names, type=pa.string()),
                    "role": pa.array(np.where(explored, "exploration", "policy").tolist(), type=pa.string()),
                    "propensity": pa.array(chances, type=pa.float64()),
                    **lent,
                }
            )

    def _lent(self, people: People, rows: Ints, arm: Ints) -> dict[str, pa.Array]:
        """Who lends to some people, and how many customers that brings against the average."""
        partners, place = self.program.partners, self.program.partners_of(arm)
        if partners is None or people.kind is None:
            return {}
        names = np.array(partners.names, dtype=object)[place]
        rate = partners.rates[people.kind[rows], place] / RATE
        return {"partner": pa.array(names, type=pa.string()), "pass_rate": pa.array(rate, type=pa.float64())}


def _columns(batch: pa.RecordBatch) -> dict[str, Any]:
    return dict(zip(batch.schema.names, batch.columns, strict=True))
