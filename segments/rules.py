"""What a rule segment is: a yes-or-no SQL predicate over what is declared of a prospect, checked before it is used."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable
from datetime import date
from typing import TYPE_CHECKING

from jobs.runtime.errors import UsageError

if TYPE_CHECKING:
    from pyspark.sql import DataFrame

# A segment of one day must be the same tomorrow: no clock, no chance, nothing that looks outside the row.
REFUSED = (
    *("curdate", "current_date", "current_time", "current_timestamp", "localtimestamp", "now", "unix_timestamp"),
    *("monotonically_increasing_id", "rand", "randn", "random", "randstr", "shuffle", "spark_partition_id", "uniform"),
    *("uuid", "input_file_name", "java_method", "reflect", "try_reflect", "select"),
    *("current_user", "session_user", "user"),
)
LITERAL = re.compile(r"""'(?:[^'\\]|\\.)*'|"(?:[^"\\]|\\.)*\"""")
# Such literals are read off the clock.
CLOCK = re.compile(r"""\b(?:date|timestamp\w*)\s*['"]\s*(now|today|tomorrow|yesterday)\b""", re.IGNORECASE)


def members(
    prospects: DataFrame, name: str, predicate: str, columns: Collection[str], forbidden: Iterable[str], day: date
) -> DataFrame:
    """prospect_key of those the predicate holds for; it sees `columns` and `day` (the day of the run), nothing else.

    Raises UsageError when it names a forbidden attribute, an unknown column or a function of clock or chance, or is
    not a yes-or-no question.
    """
    from pyspark.errors import PySparkException
    from pyspark.sql import functions as F

    words = {word.lower() for word in re.findall(r"[^\W\d]\w*", LITERAL.sub("''", predicate))}
    if found := sorted(words & {item.lower() for item in forbidden}):
        raise UsageError(f"segments/{name}.yaml: predicate: policy.yaml forbids {', '.join(found)}; leave it out")
    if found := sorted((words & set(REFUSED)) | {word.lower() for word in CLOCK.findall(predicate)}):
        raise UsageError(
            f"segments/{name}.yaml: predicate: {', '.join(found)} looks at the clock, at chance or outside the row; "
            "use the column `day` for the day of the run"
        )
    seen = prospects.select(
        F.lit(day).alias("day"), F.col("prospect_key").alias("_member"), *[f"`{c}`" for c in columns]
    )
    try:
        asked = seen.select("_member", F.expr(predicate).alias("_holds"))
        kind = asked.schema["_holds"].dataType.simpleString()
    except PySparkException as error:
        reason = str(error).strip().splitlines()[0][:200]
        raise UsageError(
            f"segments/{name}.yaml: predicate cannot be read ({reason}); it may use {', '.join(['day', *columns])}"
        ) from error
    if kind != "boolean":
        raise UsageError(f"segments/{name}.yaml: predicate gives {kind}; write a yes-or-no question")
    return asked.where("_holds").select(F.col("_member").alias("prospect_key"))
