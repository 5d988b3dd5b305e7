"""The landing folder: which days have landed, what their files look like, and frames over them."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any

from jobs.runtime.conf import Conf

if TYPE_CHECKING:
    from pyspark.sql import SparkSession


class Landing:
    """LANDING/<table>/day=YYYY-MM-DD/*.parquet (or .csv, .csv.gz)."""

    def __init__(self, root: Path, conf: Conf) -> None:
        self.root = root
        self.conf = conf

    def prints(self, table: str, day: date) -> dict[date, str]:
        """The landed days of a table up to `day`, each with a fingerprint of its files."""
        raise NotImplementedError

    def open(self, spark: SparkSession, table: str, days: list[date]) -> Any:
        """What an ingest job gets as `landed`."""
        raise NotImplementedError
