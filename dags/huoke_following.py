"""The last task of a backfilled day: it starts the run of the day after."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta
from typing import TYPE_CHECKING, Any

from airflow.providers.standard.operators.trigger_dagrun import TriggerDagRunOperator

if TYPE_CHECKING:
    from airflow.sdk import Context


class FollowingDay(TriggerDagRunOperator):
    """Starts the same DAG for the day after `day`, unless `day` is the last one."""

    template_fields: Sequence[str] = (*TriggerDagRunOperator.template_fields, "day", "last_day")

    def __init__(self, *, day: str, last_day: str, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.day = day
        self.last_day = last_day

    def execute(self, context: Context) -> None:
        """Start the following day's run, or say that the row is complete."""
        following = date.fromisoformat(self.day) + timedelta(days=1)
        if following > date.fromisoformat(self.last_day):
            self.log.info("the backfill is complete up to %s", self.last_day)
            return
        self.conf = {"from_day": following.isoformat(), "to_day": self.last_day}
        super().execute(context)
