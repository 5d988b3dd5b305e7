"""One pass over people in Spark: exact sums of what any number of choosers would do, and the final choice itself."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
from pyspark.sql import functions as F

from jobs.activate.allocation.choosers import AtPrices, Chooser, DayZero, Luck, Policy
from jobs.activate.allocation.people import Layout
from jobs.activate.allocation.program import Floats, Ints, People, Program, totals

if TYPE_CHECKING:
    from pyspark.sql import DataFrame

    from jobs.runtime.shell import Shell

SAMPLE = 60_000
HELD = 250_000  # so many people take some 100 MB on the driver, and no time going through Spark
CHOSEN = "prospect_key string, channel string, role string, propensity double"


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
        return replace(self, held=self._brought(self.frame)) if people <= HELD else self

    def tally(self, choosers: Sequence[Chooser]) -> list[dict[str, Ints]]:
        """Exact sums of each chooser's choice, as `program.totals`; they do not depend on the partitioning."""
        if self.held is not None:
            people, luck = self._people
            return [totals(self.program, people, chooser.choose(people, luck)) for chooser in choosers]
        names = ["places", *self.program.quantities]
        step = _Tally(self.layout, self.program, tuple(choosers))
        schema = "question int, place int, " + ", ".join(f"`{name}` bigint" for name in names)
        parts = self.frame.mapInArrow(step, schema)
        summed = parts.groupBy("question", "place").agg(*[F.sum(name).alias(name) for name in names])
        rows = self.shell.small(summed, len(choosers) * len(self.layout.channels) + 1)
        result = [
            {name: np.zeros(len(self.layout.channels), dtype=np.int64) for name in names} for _ in range(len(choosers))
        ]
        for row in rows.to_dict("records"):
            for name in names:
                result[int(row["question"])][name][int(row["place"])] = int(row[name])
        return result

    def ask(self, questions: Sequence[Floats], exploration: float) -> list[dict[str, Ints]]:
        """What policy people would do at each of several prices."""
        return self.tally([AtPrices(self.program, prices, exploration) for prices in questions])

    def sample(self, people: int) -> tuple[People, Luck, float]:
        """A hashed sample of people on the driver, in the order of their keys, and which share of `people` it is."""
        share = min(1.0, SAMPLE / max(people, 1))
        if self.held is not None:
            whole, luck = self._people
            chosen = np.flatnonzero(luck["pick"] < share) if share < 1.0 else np.arange(len(whole))
            few = People(whole.may[chosen], {name: amounts[chosen] for name, amounts in whole.amounts.items()})
            return few, {name: draws[chosen] for name, draws in luck.items()}, share
        frame = self.frame if share >= 1.0 else self.frame.where(f"pick < {share!r}")
        return *self.layout.people(self._brought(frame)), share

    @cached_property
    def _people(self) -> tuple[People, Luck]:
        """Everybody held, as choosers take them."""
        return self.layout.people(self.held or {})

    def _brought(self, frame: DataFrame) -> dict[str, Any]:
        rows = self.shell.small(frame, max(HELD, int(SAMPLE * 1.2) + 1000), ["prospect_key"])
        return {str(name): rows[name] for name in rows.columns}

    def settle(self, chooser: Policy | DayZero, layout: Layout) -> DataFrame:
        """The choice of everybody who gets a channel: prospect_key, channel, role, propensity."""
        return self.frame.mapInArrow(_Settle(layout, chooser), CHOSEN)


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
                count = len(self.layout.channels)
                columns: dict[str, Any] = {
                    "question": np.full(count, question, dtype=np.int32),
                    "place": np.arange(count, dtype=np.int32),
                }
                yield pa.RecordBatch.from_pydict({**columns, **sums})


@dataclass(frozen=True)
class _Settle:
    layout: Layout
    chooser: Policy | DayZero

    def __call__(self, batches: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        for batch in batches:
            people, luck = self.layout.people(_columns(batch))
            choice = self.chooser.choose(people, luck)
            rows = np.flatnonzero(choice >= 0)
            chances = self.chooser.chances(people)[rows, choice[rows]]
            explored = self.chooser.is_exploration(luck)[rows]
            names = np.array(self.layout.channels, dtype=object)[choice[rows]]
            yield pa.RecordBatch.from_pydict(
                {
                    "prospect_key": batch.column("prospect_key").take(pa.array(rows)).cast(pa.string()),
                    "channel": pa.array(names, type=pa.string()),
                    "role": pa.array(np.where(explored, "exploration", "policy").tolist(), type=pa.string()),
                    "propensity": pa.array(chances, type=pa.float64()),
                }
            )


def _columns(batch: pa.RecordBatch) -> dict[str, Any]:
    return dict(zip(batch.schema.names, batch.columns, strict=True))
