"""From declarations to Spark: a table's schema, its frames, its content hash and its checks."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from typing import TYPE_CHECKING, Any

from pyspark.sql import functions as F
from pyspark.sql import types as T

from jobs.contract import Column, Read, Table, with_columns
from jobs.runtime.conf import Conf
from jobs.runtime.errors import Fault
from jobs.runtime.store import Pointer, Store
from jobs.runtime.types import FLOATS, MOST_STEPS, arrow_type

if TYPE_CHECKING:
    from pyspark.sql import Column as SparkColumn
    from pyspark.sql import DataFrame, SparkSession

LANES = (0, 1)
# What `profile` says of a day without rows.
NO_ROWS: dict[str, Any] = {"rows": 0, "keys": 0, "lane0": None, "lane1": None}


def resolved(table: Table, conf: Conf) -> Table:
    """The table with this deployment's features as columns, when it has them."""
    if not table.has_features:
        return table
    types = {"numeric": "double", "categorical": "string"}
    extra = tuple(Column(name, types[kind], f"declared {kind} feature") for name, kind in conf.base.features.items())
    return with_columns(table, extra)


def schema(table: Table, *, with_day: bool = False) -> T.StructType:
    """The Spark schema of a resolved table, `day` first when asked for."""
    fields = [T.StructField(c.name, spark_type(c.type), True) for c in table.columns]
    return T.StructType(([T.StructField("day", T.DateType())] if with_day else []) + fields)


def spark_type(declared: str) -> T.DataType:
    """The Spark type of a declared type, found without asking an engine."""
    from pyspark.sql.pandas.types import from_arrow_type

    return from_arrow_type(arrow_type(declared))


def pins(store: Store, read: Read, day: date) -> list[Pointer]:
    """The published days a read resolves to on a run's day, oldest first."""
    days = [d for d in store.days(read.table.name) if d <= day]
    if read.mode == "day":
        days = [d for d in days if d == day]
    elif read.mode == "latest":
        days = days[-1:]
    elif read.mode == "before":
        days = [d for d in days if d < day]
        days = days[-1:] if read.days is None else days
    if read.days is not None:
        days = [d for d in days if (day - d).days <= read.days]
    return [pointer for d in days if (pointer := store.pointer(read.table.name, d)) is not None]


def read_pins(spark: SparkSession, store: Store, table: Table, pointers: Sequence[Pointer]) -> DataFrame:
    """One frame over pinned versions of a resolved table, with `day` as its first column."""
    if not pointers:
        return spark.createDataFrame([], schema(table, with_day=True))
    base = store.root / "tables" / table.name
    fields = [*schema(table).fields, T.StructField("day", T.DateType())]
    reader = spark.read.schema(T.StructType(fields)).option("basePath", str(base))
    frame = reader.parquet(*[str(store.path(pointer)) for pointer in pointers])
    return frame.select("day", *[c.name for c in table.columns])


def in_force(frame: DataFrame, key: Sequence[str]) -> DataFrame:
    """Of several rows with one key only the one of the latest day."""
    from pyspark.sql import Window

    newest = Window.partitionBy(*key).orderBy(F.col("day").desc())
    return frame.withColumn("_nth", F.row_number().over(newest)).where("_nth = 1").drop("_nth")


def conform(frame: DataFrame, table: Table, *, job: str, keep_day: bool = False) -> DataFrame:
    """Exactly the declared columns, in order, of the declared types, doubles at their declared scale.

    Raises Fault when columns are missing, undeclared or of another kind.
    """
    wanted = [c.name for c in table.columns]
    days = ["day"] if keep_day else []
    missing, extra = set(wanted + days) - set(frame.columns), set(frame.columns) - set(wanted) - {"day"}
    if missing or extra:
        raise Fault(
            f"job {job}, table {table.name}: columns missing {sorted(missing)}, undeclared {sorted(extra)}; "
            "make the job return exactly the declared columns"
        )
    return frame.select(*days, *[_conformed(c).alias(c.name) for c in table.columns])


def _conformed(column: Column) -> SparkColumn:
    value = F.col(f"`{column.name}`").cast(column.type)
    return _at_scale(value, column).cast(column.type) if column.type in FLOATS else value


def _at_scale(value: SparkColumn, column: Column) -> SparkColumn:
    """A double at its declared scale, never -0.0; plain arithmetic, as Spark's own round makes a decimal of each."""
    power = F.lit(10.0**column.scale)
    steps = value * power
    return F.when(F.abs(steps) < MOST_STEPS, (F.rint(steps) + 0.0) / power).otherwise(value)


def profile(frame: DataFrame, table: Table, *, by_day: bool) -> dict[str | None, dict[str, Any]]:
    """What the checks and the content hash need, in one pass over staged rows: {day or None: figures}."""
    cells = [part for c in table.columns for part in _cell(c)]
    lanes = [half for seed in LANES for half in _halves(F.xxhash64(F.lit(seed), *cells), seed)]
    required = [c.name for c in table.columns if not c.nullable]
    nulls = [F.count_if(F.col(f"`{name}`").isNull()).alias(f"null:{name}") for name in required]
    floats = [c.name for c in table.columns if c.type in FLOATS]
    nans = [F.count_if(F.isnan(F.col(f"`{name}`"))).alias(f"nan:{name}") for name in floats]
    rules = [F.count_if(~F.coalesce(F.expr(rule), F.lit(True))).alias(f"rule:{rule}") for rule in table.rules]
    keys = F.count_distinct(F.struct(*[F.col(f"`{name}`") for name in table.key])).alias("keys")
    grouped = frame.groupBy("day") if by_day else frame.groupBy()
    rows = grouped.agg(F.count("*").alias("rows"), keys, *lanes, *nulls, *nans, *rules).collect()
    return {(row["day"].isoformat() if by_day else None): _with_lanes(row.asDict()) for row in rows}


def _halves(hashed: SparkColumn, seed: int) -> list[SparkColumn]:
    """Sums of the upper and the lower half of hashes, which stay within a bigint for 2^31 rows; decimals are slow."""
    low = hashed.bitwiseAND(F.lit(0xFFFFFFFF))
    return [F.sum(F.shiftright(hashed, 32)).alias(f"high{seed}"), F.sum(low).alias(f"low{seed}")]


def _with_lanes(figures: dict[str, Any]) -> dict[str, Any]:
    for seed in LANES:
        high, low = figures.pop(f"high{seed}"), figures.pop(f"low{seed}")
        figures[f"lane{seed}"] = None if high is None else (high << 32) + low
    return figures


def _cell(column: Column) -> list[SparkColumn]:
    """What of a column goes into a row's hash: its value and whether it is null, which xxhash64 would pass over.

    Doubles are hashed by their bits: a staged double is already rounded to its scale.
    """
    name = F.col(f"`{column.name}`")
    nested = column.type.startswith(("array", "struct", "map"))
    return [F.to_json(F.struct(name)) if nested else name, name.isNull()]


def version(figures: Mapping[str, Any], table: Table) -> str:
    """The content hash of a table's day: 32 hex digits over its rows (in any order) and its schema."""
    import hashlib

    described = [f"{c.name}:{c.type}" for c in table.columns]
    content = "|".join([table.name, *described, str(figures["rows"]), str(figures["lane0"]), str(figures["lane1"])])
    return hashlib.sha256(content.encode()).hexdigest()[:32]


def complaints(figures: Mapping[str, Any], table: Table) -> list[str]:
    """What the checks found wrong, one sentence each; empty when the table may be published."""
    found = []
    if figures["keys"] != figures["rows"]:
        found.append(f"{figures['rows'] - figures['keys']} rows repeat a key of ({', '.join(table.key)})")
    for name, count in figures.items():
        kind, _, what = name.partition(":")
        if kind in ("null", "nan", "rule") and count:
            words = {"null": f"null in required {what}", "nan": f"not a number in {what}", "rule": f"break `{what}`"}
            found.append(f"{count} rows: {words[kind]}")
    return found
