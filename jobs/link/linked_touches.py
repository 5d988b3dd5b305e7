"""Touches with the person they reached; the unlinked are kept."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pyspark.sql import functions as F

from jobs.contract import job
from jobs.link.identifiers import click_owners, linked, sole_owners
from jobs.runtime.conf import Conf
from jobs.tables.ingest import TOUCHES
from jobs.tables.link import IDENTIFIER_OWNERS, LINKED_TOUCHES
from segments.campaigns import cleaned

if TYPE_CHECKING:
    from pyspark.sql import DataFrame

    from jobs.runtime.shell import Shell


@job(reads={"touches": TOUCHES.in_force(), "owners": IDENTIFIER_OWNERS}, writes=LINKED_TOUCHES)
def linked_touches(touches: DataFrame, owners: DataFrame, *, conf: Conf, shell: Shell) -> DataFrame:
    """Each touch once: its strongest identifier with one owner decides, then another touch of the same click."""
    direct = shell.cut(touches.join(linked(touches, "touch_id", sole_owners(owners)), "touch_id", "left"))
    clicks = click_owners(direct).select(
        F.col("id_key").alias("id_click_key"),
        F.col("prospect_key").alias("_prospect"),
        F.col("person_key").alias("_person"),
    )
    return direct.join(clicks, "id_click_key", "left").select(
        "touch_id",
        F.coalesce("prospect_key", "_prospect").alias("prospect_key"),
        F.coalesce("person_key", "_person").alias("person_key"),
        F.coalesce("link_type", F.when(F.col("_person").isNotNull(), "click")).alias("link_type"),
        "occurred_at",
        "channel",
        cleaned(F.col("campaign"), conf.base.measure.campaign_names).alias("campaign"),
        "kind",
        "ad_group",
        "creative",
        "placement",
        "id_click_key",
    )
