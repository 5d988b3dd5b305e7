"""Campaign names made one by rule, so that what a platform bills and what a link carries meet (pure column logic)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from pyspark.sql import functions as F

if TYPE_CHECKING:
    from pyspark.sql import Column


def cleaned(name: Column, rules: Sequence[tuple[str, str]]) -> Column:
    """The name without blanks around it, each rule's pattern (a Java regular expression) replaced in turn.

    A name that rules leave empty stays as it was, trimmed; null stays null.
    """
    trimmed = F.trim(name)
    told = trimmed
    for pattern, into in rules:
        told = F.regexp_replace(told, pattern, into)
    return F.when(F.trim(told) == "", trimmed).otherwise(F.trim(told)) if rules else trimmed
