"""Scores as a plan takes them: without what choosing by them adds to the customers they tell."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pyspark.sql import functions as F

from jobs.activate.allocation.narrow import measures
from jobs.activate.allocation.off import ModelErrors
from jobs.model.serving.load import MAX_MODELS

if TYPE_CHECKING:
    from pyspark.sql import DataFrame

    from jobs.runtime.shell import Shell


def model_errors_of(errors: DataFrame, shell: Shell) -> ModelErrors:
    """The newest `model_errors`, as plans use them."""
    return ModelErrors.of(shell.small(errors.drop("day"), MAX_MODELS, ["measure", "channel", "pair"]))


def sobered(scores: DataFrame, errors: ModelErrors, value_of_good: float) -> DataFrame:
    """Scores with as many applications less as the models overstate of whom they choose; `expected_value` follows.

    On the whole population scores are right; it is the chosen that bring less than they tell (the winner's curse).
    """
    if errors.overstated == 1.0:
        return scores
    organic = F.col("p_organic")
    fewer = scores.withColumn("p_apply", organic + (F.col("p_apply") - organic) / F.lit(errors.overstated))
    return fewer.withColumn("expected_value", F.lit(value_of_good) * measures()["good"] - F.col("expected_cost"))
