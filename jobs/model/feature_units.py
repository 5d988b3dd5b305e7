"""Which snapshots hold a number in another unit than the ones before them."""

from __future__ import annotations

from dataclasses import asdict

import pandas as pd
from pyspark.sql import DataFrame

from jobs.contract import job
from jobs.model.person_features import person_features
from jobs.runtime.conf import Conf
from jobs.runtime.shell import Shell
from jobs.tables.ingest import PROSPECTS
from jobs.tables.model import FEATURE_UNITS
from segments.units import quartiles_of, unit_changes

MOST = 100_000
COLUMNS = [c.name for c in FEATURE_UNITS.columns]


@job(reads={"prospects": PROSPECTS.upto()}, writes=FEATURE_UNITS)
def feature_units(prospects: DataFrame, *, conf: Conf, shell: Shell) -> pd.DataFrame:
    """A row a number and snapshot whose quartiles all moved by one large factor against the snapshot before."""
    numeric = person_features(conf).numeric
    if not numeric:
        return pd.DataFrame(columns=COLUMNS)
    told = shell.small(quartiles_of(prospects, numeric), MOST, ["feature", "snapshot_day"])
    return pd.DataFrame([asdict(change) for change in unit_changes(told)], columns=COLUMNS)
