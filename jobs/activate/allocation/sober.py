"""Scores as a plan takes them: without what choosing by them does to the customers and the spend they tell."""

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
    """Scores with as many applications less, and as much more cost, as the models misstate of whom they choose.

    On the whole population scores are right; it is the chosen that bring less and cost more than they tell (the
    winner's curse). `expected_value` follows.
    """
    good, spend = errors.chosen("good"), errors.chosen("spend")
    if good == spend == 1.0:
        return scores
    organic = F.col("p_organic")
    fewer = scores.withColumn("p_apply", organic + (F.col("p_apply") - organic) / F.lit(good))
    dearer = fewer.withColumn("expected_cost", F.col("expected_cost") * F.lit(spend))
    return dearer.withColumn("expected_value", F.lit(value_of_good) * measures()["good"] - F.col("expected_cost"))
