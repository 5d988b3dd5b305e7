"""The judgement of a plan's rule on past assignments: exact sums, clustered by person."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from pyspark.sql import functions as F

from jobs.activate.past import NAMES, dot
from segments import offpolicy
from segments.offpolicy import Arm, Gain, Sums, Values
from segments.release import Evidence

if TYPE_CHECKING:
    from pyspark.sql import Column, DataFrame

    from jobs.runtime.shell import Shell

EXACT = "decimal(28,12)"  # a row's part of a sum: the same whatever the order


@dataclass(frozen=True)
class Judged:
    """The judgement by one outcome; `opportunities`: people x waves that could have been listed."""

    values: Values
    gain: Gain
    evidence: Evidence
    opportunities: float


def judged(rows: DataFrame, channels: tuple[str, ...], shell: Shell) -> dict[str, Judged]:
    """The judgement by each outcome that can be judged."""
    listed = _listed(rows, shell)
    held = _held(rows, channels, shell)
    sums = {name: _sums(listed.get(name, {}), held.get(name), channels) for name in NAMES}
    known = {name: one for name, one in sums.items() if one is not None}
    if not known:
        return {}
    found = {name: offpolicy.values(one) for name, one in known.items()}
    figures = _pulled(rows, found, known, channels, shell)
    result = {}
    for name, mine in figures.items():
        gain = offpolicy.gain(found[name], mine["dr"], mine["snips"], mine["between"])
        most = max(float(row["raw"] or 0.0) for row in listed[name].values())
        ess = offpolicy.effective(mine["weight"], mine["weights"])
        evidence = Evidence(ess, int(mine["people"]), most, int(held[name]["hits"]))
        result[name] = Judged(found[name], gain, evidence, known[name].pool)
    return result


def _exact(value: Column) -> Column:
    return F.coalesce(F.sum(value.cast(EXACT)), F.lit(0))


def _listed(rows: DataFrame, shell: Shell) -> dict[str, dict[str, dict[str, Any]]]:
    met = F.when(F.col("weight") > 0, F.col("person_key"))
    sums = (
        rows.where("not is_held")
        .groupBy("outcome", "channel")
        .agg(
            F.count("*").alias("rows"),
            F.count_distinct(met).alias("people"),
            F.max("raw_weight").alias("raw"),
            _exact(F.col("weight")).alias("weight"),
            _exact(F.col("weight") * F.col("y")).alias("outcome_sum"),
            _exact(F.col("weight") * F.col("q")).alias("expected"),
            _exact(F.col("y")).alias("y"),
            _exact(F.col("q0")).alias("q0"),
        )
    )
    found: dict[str, dict[str, dict[str, Any]]] = {}
    for row in shell.small(sums, 10_000, ["outcome", "channel"]).to_dict("records"):
        found.setdefault(str(row["outcome"]), {})[str(row["channel"])] = {str(k): v for k, v in row.items()}
    return found


def _held(rows: DataFrame, channels: tuple[str, ...], shell: Shell) -> dict[str, dict[str, Any]]:
    inverse = F.col("inverse")
    shares = [
        _exact(inverse * F.coalesce(F.get("chances", F.lit(k)), F.lit(0.0))).alias(f"chance_{k}")
        for k in range(len(channels))
    ]
    sums = (
        rows.where("is_held")
        .groupBy("outcome")
        .agg(
            F.sum("hit").alias("hits"),
            _exact(inverse).alias("pool"),
            _exact(inverse * F.col("direct")).alias("direct"),
            _exact(inverse * F.col("any") * F.col("y")).alias("unasked"),
            _exact(inverse * F.col("y")).alias("y"),
            _exact(inverse * F.col("q0")).alias("q0"),
            *shares,
        )
    )
    return {
        str(row["outcome"]): {str(k): v for k, v in row.items()} for row in shell.small(sums, 10).to_dict("records")
    }


def _sums(listed: dict[str, dict[str, Any]], held: dict[str, Any] | None, channels: tuple[str, ...]) -> Sums | None:
    """The sums of one outcome; None where nobody was held out or no known assignment meets the plan."""
    if held is None or not any(float(row["weight"]) > 0 for row in listed.values()):
        return None
    none = dict.fromkeys(("weight", "outcome_sum", "expected", "people"), 0)
    arms = {}
    for k, name in enumerate(channels):
        row = listed.get(name, none)
        weight, outcome, expected = (float(row[part]) for part in ("weight", "outcome_sum", "expected"))
        arms[name] = Arm(weight, outcome, expected, int(row["people"]), float(held[f"chance_{k}"]))
    whole = {part: sum(float(row[part]) for row in listed.values()) for part in ("rows", "y", "q0")}
    return Sums(
        pool=float(held["pool"]),
        direct=float(held["direct"]),
        unasked=float(held["unasked"]),
        held=float(held["y"]),
        held_expected=float(held["q0"]),
        listed=whole["rows"],
        outcome=whole["y"],
        organic=whole["q0"],
        arms=arms,
    )


def _pulled(
    rows: DataFrame, found: dict[str, Values], sums: dict[str, Sums], channels: tuple[str, ...], shell: Shell
) -> dict[str, dict[str, float]]:
    """By outcome: sums over people of squared pulls, and of weights and their squares; one pass over rows."""
    dr = snips = F.lit(0.0)
    for name, one in found.items():
        is_mine = F.col("outcome") == name
        more, other = _pulls(one, sums[name], channels)
        dr, snips = F.when(is_mine, more).otherwise(dr), F.when(is_mine, other).otherwise(snips)
    people = (
        rows.where(F.col("outcome").isin(*found))
        .groupBy("outcome", "person_key")
        .agg(
            _exact(F.coalesce("weight", F.lit(0.0))).alias("weight"),
            F.sum(dr.cast(EXACT)).alias("dr"),
            F.sum(snips.cast(EXACT)).alias("snips"),
        )
    )
    apart = (F.col("dr") - F.col("snips")).cast("double")
    squares = {"dr": F.col("dr").cast("double"), "snips": F.col("snips").cast("double"), "between": apart}
    weight = F.col("weight").cast("double")
    told = people.groupBy("outcome").agg(
        F.count("*").alias("people"),
        _exact(weight).alias("weight"),
        _exact(weight * weight).alias("weights"),
        *[_exact(one * one).alias(name) for name, one in squares.items()],
    )
    result = {}
    for row in shell.small(told, len(NAMES), ["outcome"]).to_dict("records"):
        name = str(row["outcome"])
        figures = {str(key): float(value) for key, value in row.items() if key != "outcome"}
        # Pulls come times the opportunities, so that small ones keep their digits in exact sums.
        result[name] = figures | {key: figures[key] / sums[name].pool ** 2 for key in squares}
    return result


def _pulls(found: Values, sums: Sums, channels: tuple[str, ...]) -> tuple[Column, Column]:
    """What each row moves the gain by, times the opportunities: by DR, and by SNIPS."""
    scale = _of_channel(found.scale)
    chances = [F.get("chances", F.lit(k)) for k in range(len(channels))]
    y, q0, inverse, nothing = F.col("y"), F.col("q0"), F.col("inverse"), F.lit(0.0)
    current = F.when(F.col("is_held"), offpolicy.current_pull_held(inverse, y, q0, found, sums)).otherwise(
        offpolicy.current_pull_listed(y, q0, found, sums.pool)
    )

    def pulls(expected: Column, direct: Column, told: Mapping[str, float], value: float) -> Column:
        weight, each = F.coalesce("weight", nothing), [F.lit(float(told[name])) for name in channels]
        seen = offpolicy.listed_pull(weight, y, F.coalesce(expected, nothing), _of_channel(told), scale)
        stood = offpolicy.held_pull(inverse, direct, dot(chances, each), F.col("any"), y, F.lit(value), sums.pool)
        return (F.when(F.col("is_held"), stood).otherwise(seen) - current) * sums.pool

    return pulls(F.col("q"), F.col("direct"), found.residual, found.dr), pulls(
        nothing, nothing, found.mean, found.snips
    )


def _of_channel(told: Any) -> Column:
    """A channel's figure, by the column channel."""
    found = F.lit(0.0)
    for name, value in told.items():
        found = F.when(F.col("channel") == name, F.lit(float(value))).otherwise(found)
    return found
