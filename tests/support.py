"""What tests build their worlds from."""

from __future__ import annotations

from typing import Any

import pandas as pd

from jobs.runtime.conf import Conf
from jobs.runtime.settings import BaseConf, ChannelConf, PolicyConf, SparkConf, TrainingConf

# A few rows a query: compiling and re-planning them cost more than running them. What the commands run, they run so.
# Compiled lightly a JVM keeps 48 MB of code by default, throws away what does not fit, and compiles it again.
QUICK = {
    "spark.driver.extraJavaOptions": "-XX:TieredStopAtLevel=1 -XX:ReservedCodeCacheSize=256m -XX:+UseSerialGC",
    "spark.sql.codegen.wholeStage": "false",
    "spark.sql.codegen.factoryMode": "NO_CODEGEN",
    "spark.sql.adaptive.enabled": "false",
}
# For commands on a small market: compiling queries and code well costs more than running them. The demo, the storm of
# three engines and everything a user starts compile as they do by default.
LIGHT_JVM = {
    "JAVA_TOOL_OPTIONS": " ".join(
        [
            "-XX:TieredStopAtLevel=1",
            "-XX:ReservedCodeCacheSize=256m",
            "-Dspark.sql.codegen.wholeStage=false",
            "-Dspark.sql.codegen.factoryMode=NO_CODEGEN",
            "-Dspark.sql.adaptive.enabled=false",
        ]
    )
}


def make_conf(**changes: Any) -> Conf:
    """A two-channel configuration; keyword arguments replace whole parts (base=…, channels=…, policy=…)."""
    spark = SparkConf(master="local[2]", driver_memory="2g", shuffle_partitions=2, settings=QUICK)
    features: dict[str, Any] = {"income": "numeric", "city": "categorical"}
    base = BaseConf(currency="CNY", spark=spark, features=features, training=TrainingConf(halvings=1))
    channels = {
        "feed_a": ChannelConf(capacity=1000, budget=5000, currency="CNY"),
        "sms": ChannelConf(capacity=500, budget=1000, currency="CNY", billing="message", identifiers=("phone",)),
    }
    content: dict[str, Any] = {"base": base, "channels": channels, "policy": PolicyConf(min_audience=0)}
    return Conf(**{**content, **changes})


def to_pandas(frame: Any, *sort_by: str) -> pd.DataFrame:
    """A small Spark frame as pandas, sorted."""
    result = frame.toPandas()
    return result.sort_values(list(sort_by) or list(result.columns), ignore_index=True)
